"""Who asks: requests as official clients have sent them, and every way in which one is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.controlplane.cloud.access import MAX_SKEW, WRONG_SIGNATURE, Access
from gateway.controlplane.cloud.errors import CloudError
from gateway.controlplane.cloud.received import Received, read_flat
from gateway.controlplane.cloud.signatures import (
    UNSIGNED_PAYLOAD,
    Scope,
    canonical_request,
    payload_hash,
    tc3_signature,
)

ID = "AKIDEXAMPLE"
KEY = "EXAMPLESECRETKEY"
NOW = 1795494308
FORM = "application/x-www-form-urlencoded"
ROUTED = (
    "FunctionName=B&FunctionVersion=%24LATEST"
    "&RoutingConfig.AdditionalVersionWeights.0.Version=1"
    "&RoutingConfig.AdditionalVersionWeights.0.Weight=0.5&Description=a+b%26c+%E4%B8%AD"
)


def authorization(signature: str, headers: str = "content-type;host") -> str:
    """A header as clients write it."""
    scope = f"{ID}/2026-11-24/scf/tc3_request"
    return f"TC3-HMAC-SHA256 Credential={scope}, SignedHeaders={headers}, Signature={signature}"


def tc3(host: str, media: str, signature: str, timestamp: int = NOW) -> dict[str, str]:
    """The headers of a request that is signed by the newer scheme."""
    return {
        "host": host,
        "content-type": media,
        "x-tc-timestamp": str(timestamp),
        "authorization": authorization(signature),
    }


def v1(method: str, nonce: str, signature: str) -> str:
    """The parameters of a request that is signed by the older scheme."""
    return (
        f"Name=r3&{ROUTED}&Action=CreateAlias&RequestClient=SDK_PYTHON_3.1.140&Nonce={nonce}"
        f"&Timestamp={NOW}&Version=2018-04-16&Region=ap-guangzhou&SecretId={ID}"
        f"&SignatureMethod={method}&Language=en-US&Signature={signature}"
    )


OLDER = {"host": "127.0.0.1:18080", "content-type": FORM}

SDK_BODY = Received(
    "POST",
    "",
    tc3(
        "127.0.0.1:18080",
        "application/json",
        "7e1c50337ff6463eb934cfc1b9af907bb15ccd492585533c77b80d8246e4b952",
    ),
    b'{"FunctionName": "B", "Name": "prepub", "FunctionVersion": "3", "RoutingConfig": '
    b'{"AddtionVersionMatchs": [{"Version": "4", "Key": "invoke.headers.User", '
    b'"Method": "exact", "Expression": "Bob"}]}}',
)
SDK_V1 = Received(
    "GET",
    v1("HmacSHA1", "6208506568475614632", "3kN3G%2BUuoA8HIyMgo2Dc1MOzCw8%3D"),
    OLDER,
)
SENT = [
    pytest.param(SDK_BODY, id="SDK, body"),
    pytest.param(
        Received(
            "POST",
            "",
            tc3(
                "http://127.0.0.1:18082",
                "application/json",
                "4368fceac71358552643ce9c28ce43ba7249e4f1c14ba3b19cac15ca86d29e1e",
                NOW + 565,
            ),
            rb'{"FunctionName": "B", "Qualifier": "prepub", "Event": "{\"a\":1}", '
            rb'"RoutingKey": "{\"User\":\"Bob\"}"}',
        ),
        id="command line, whose host has a scheme",
    ),
    pytest.param(
        Received(
            "GET",
            f"Name=r2&{ROUTED}",
            tc3(
                "127.0.0.1:18080",
                FORM,
                "362ffd6626b9c2e6ff717103c1e478b915e063739b0b92ddcfd343dc7487f2e8",
            ),
        ),
        id="SDK, query",
    ),
    pytest.param(SDK_V1, id="SDK, older scheme, query, SHA-1"),
    pytest.param(
        Received(
            "POST",
            "",
            OLDER,
            v1("HmacSHA1", "8551979612646573287", "wlialkP9%2F3FKoOOFklAqsjOlnNU%3D").encode(),
        ),
        id="SDK, older scheme, form, SHA-1",
    ),
    pytest.param(
        Received(
            "GET",
            v1(
                "HmacSHA256",
                "466049260651199526",
                "N1dCJudzfW1EoIvkTo%2BtEUOp1fnbKZSydVVR3UCOw6U%3D",
            ),
            OLDER,
        ),
        id="SDK, older scheme, query, SHA-256",
    ),
    pytest.param(
        Received(
            "POST",
            "",
            OLDER,
            v1(
                "HmacSHA256",
                "8549702156334393189",
                "NtH68oo3%2BJDd3A30MqD4mroiDjW0iBmyRD9RYzFhZWc%3D",
            ).encode(),
        ),
        id="SDK, older scheme, form, SHA-256",
    ),
]


def who(received: Received, access: Access | None = None) -> str:
    """Whom a request is from."""
    asked = access or Access({ID: KEY}, lambda: _moment(received))
    return asked.who(received, read_flat(received))


def _moment(received: Received) -> float:
    return float(received.headers.get("x-tc-timestamp", NOW))


def refused(received: Received, access: Access | None = None) -> tuple[str, str]:
    """The code and the message with which a request is refused."""
    with pytest.raises(CloudError) as caught:
        who(received, access)
    return caught.value.codes[0], str(caught.value)


def with_headers(received: Received, **headers: str | None) -> Received:
    """The request with other headers; `None` leaves one out."""
    named: Mapping[str, str | None] = {
        **received.headers,
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return replace(received, headers={n: value for n, value in named.items() if value is not None})


@pytest.mark.parametrize("received", SENT)
def test_what_official_clients_sent_is_let_in(received: Received) -> None:
    """As it was on the wire."""
    assert who(received) == ID


@pytest.mark.parametrize("received", SENT)
def test_another_key_signs_otherwise(received: Received) -> None:
    """With the one sentence of the cloud that is known."""
    wrong = Access({ID: KEY + "x"}, lambda: _moment(received))
    assert refused(received, wrong) == ("AuthFailure.SignatureFailure", WRONG_SIGNATURE)


@pytest.mark.parametrize("received", SENT)
def test_a_secret_id_must_be_known(received: Received) -> None:
    """The known ones are named: they are no secret."""
    code, message = refused(received, Access({"AKIDOTHER": KEY}, lambda: _moment(received)))
    assert code == "AuthFailure.SecretIdNotFound"
    assert "'AKIDEXAMPLE'" in message
    assert "AKIDOTHER" in message


@pytest.mark.parametrize("received", SENT)
@pytest.mark.parametrize(
    ("off", "code"),
    [
        (MAX_SKEW, ""),
        (-MAX_SKEW, ""),
        (MAX_SKEW + 1, "AuthFailure.SignatureExpire"),
        (-MAX_SKEW - 1, "AuthFailure.SignatureExpire"),
    ],
)
def test_clocks_may_differ_by_five_minutes(received: Received, off: int, code: str) -> None:
    """A request that was recorded cannot be sent again for ever."""
    access = Access({ID: KEY}, lambda: _moment(received) - off)
    if code:
        found, message = refused(received, access)
        assert found == code
        assert f"{MAX_SKEW + 1} seconds {'ahead of' if off > 0 else 'behind'}" in message
    else:
        assert who(received, access) == ID


@given(at=st.integers(0, len(SDK_BODY.body) - 1), bits=st.integers(1, 255))
def test_no_byte_of_a_signed_body_can_be_altered(at: int, bits: int) -> None:
    """Not a single bit."""
    body = bytearray(SDK_BODY.body)
    body[at] ^= bits
    access = Access({ID: KEY}, lambda: NOW)
    with pytest.raises(CloudError) as caught:
        access.who(replace(SDK_BODY, body=bytes(body)), read_flat(SDK_BODY))
    assert caught.value.codes == ("AuthFailure.SignatureFailure",)


@given(name=st.sampled_from(["Name", "FunctionName", "Nonce", "Region", "New"]), value=st.text())
def test_no_parameter_of_the_older_scheme_can_be_altered(name: str, value: str) -> None:
    """And none can be added."""
    altered = {**read_flat(SDK_V1), name: value + "?"}
    with pytest.raises(CloudError) as caught:
        Access({ID: KEY}, lambda: NOW).who(SDK_V1, altered)
    assert caught.value.codes == ("AuthFailure.SignatureFailure",)


@pytest.mark.parametrize(
    ("received", "code", "said"),
    [
        pytest.param(
            with_headers(SDK_BODY, authorization=None),
            "AuthFailure.InvalidAuthorization",
            "is not signed",
            id="no signature",
        ),
        pytest.param(
            with_headers(SDK_BODY, authorization="SKIP"),
            "AuthFailure.InvalidAuthorization",
            "says that it is not signed",
            id="signing skipped",
        ),
        pytest.param(
            with_headers(SDK_BODY, authorization="Bearer x"),
            "AuthFailure.InvalidAuthorization",
            "none of TC3-HMAC-SHA256",
            id="another scheme",
        ),
        pytest.param(
            with_headers(SDK_BODY, authorization=authorization("0" * 64, "content-type")),
            "AuthFailure.InvalidAuthorization",
            "needed: host",
            id="host not signed",
        ),
        pytest.param(
            with_headers(SDK_BODY, authorization=authorization("0" * 64)),
            "AuthFailure.SignatureFailure",
            "could not be validated",
            id="invented",
        ),
        pytest.param(
            with_headers(SDK_BODY, x_tc_timestamp=None),
            "MissingParameter",
            "no X-TC-Timestamp",
            id="no time",
        ),
        pytest.param(
            with_headers(SDK_BODY, x_tc_timestamp="soon"),
            "InvalidParameterValue",
            "'soon'",
            id="odd time",
        ),
        pytest.param(
            with_headers(SDK_BODY, x_tc_timestamp=str(NOW + 86_400)),
            "AuthFailure.InvalidAuthorization",
            "'2026-11-24', the request of 2026-11-25",
            id="another day",
        ),
        pytest.param(
            with_headers(SDK_BODY, host="127.0.0.1:18081"),
            "AuthFailure.SignatureFailure",
            "could not be validated",
            id="another port",
        ),
        pytest.param(
            replace(SDK_V1, query=SDK_V1.query.replace("HmacSHA1", "HmacMD5")),
            "InvalidParameterValue",
            "allowed: HmacSHA1, HmacSHA256",
            id="another method of the older scheme",
        ),
        pytest.param(
            replace(SDK_V1, query=SDK_V1.query.replace(f"Timestamp={NOW}&", "")),
            "MissingParameter",
            "no Timestamp",
            id="no time in the older scheme",
        ),
        pytest.param(
            replace(SDK_V1, query=SDK_V1.query.replace(f"SecretId={ID}&", "")),
            "AuthFailure.SecretIdNotFound",
            "''",
            id="no id in the older scheme",
        ),
    ],
)
def test_what_is_wrong_with_a_signature_is_told(received: Received, code: str, said: str) -> None:
    """Each mistake with a code of its own."""
    access = Access({ID: KEY}, lambda: NOW)
    found, message = refused(received, access)
    assert found == code
    assert said in message


@pytest.mark.parametrize(
    ("signed_host", "sent_host"),
    [
        pytest.param("127.0.0.1", "127.0.0.1:8081", id="without its port"),
        pytest.param("http://127.0.0.1:8081", "127.0.0.1:8081", id="with a scheme"),
        pytest.param("scf.tencentcloudapi.com", "127.0.0.1:8081", id="the cloud's"),
        pytest.param("127.0.0.1:8081", "http://127.0.0.1:8081", id="without the sent scheme"),
    ],
)
@pytest.mark.parametrize("action", ["CreateAlias", "createalias"])
def test_every_known_spelling_is_tried(signed_host: str, sent_host: str, action: str) -> None:
    """Of the host, and of the action where it is signed too."""
    fields = [("content-type", "application/json"), ("host", signed_host), ("x-tc-action", action)]
    canonical = canonical_request("POST", "", fields, payload_hash(b"{}"))
    signature = tc3_signature(KEY, Scope("2026-11-24", "scf"), NOW, canonical)
    headers = {
        **tc3(sent_host, "application/json", ""),
        "authorization": authorization(signature, "content-type;host;x-tc-action"),
        "x-tc-action": "CreateAlias",
    }
    assert who(Received("POST", "", headers, b"{}")) == ID


def test_a_body_may_be_left_out_of_the_signature() -> None:
    """Some clients do, and say so."""
    fields = [("host", "127.0.0.1:8081")]
    canonical = canonical_request("POST", "", fields, payload_hash(UNSIGNED_PAYLOAD.encode()))
    signature = tc3_signature(KEY, Scope("2026-11-24", "scf"), NOW, canonical)
    headers = {
        **tc3("127.0.0.1:8081", "application/json", ""),
        "authorization": authorization(signature, "host"),
        "x-tc-content-sha256": UNSIGNED_PAYLOAD,
    }
    assert who(Received("POST", "", headers, b"{}")) == ID
    silent = {name: value for name, value in headers.items() if name != "x-tc-content-sha256"}
    assert refused(Received("POST", "", silent, b"{}"))[0] == "AuthFailure.SignatureFailure"


@pytest.mark.parametrize(("services", "code"), [(["scf"], ""), (["cvm"], "cvm")])
def test_the_service_may_be_insisted_on(services: list[str], code: str) -> None:
    """By default any is taken: one client signs a part of the address."""
    access = Access({ID: KEY}, lambda: NOW, services=services)
    if code:
        found, message = refused(SDK_BODY, access)
        assert found == "AuthFailure.InvalidAuthorization"
        assert "'scf'; allowed: cvm" in message
    else:
        assert who(SDK_BODY, access) == ID


@pytest.mark.parametrize(
    ("received", "name"),
    [
        (SDK_BODY, ID),
        (SDK_V1, ID),
        (with_headers(SDK_BODY, authorization="SKIP"), "anyone"),
        (with_headers(SDK_BODY, authorization=None), "anyone"),
    ],
)
def test_signatures_may_be_left_unchecked(received: Received, name: str) -> None:
    """Whoever wants that says so; the journal has what the client says."""
    access = Access({}, lambda: 0.0, accept_any=True)
    assert access.who(received, read_flat(received)) == name

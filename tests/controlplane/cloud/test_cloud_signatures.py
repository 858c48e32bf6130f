"""Signatures, held against the vectors that the cloud publishes."""

from __future__ import annotations

import pytest

from gateway.controlplane.cloud.signatures import (
    Scope,
    canonical_request,
    day_of,
    host_variants,
    payload_hash,
    tc3_signature,
    v1_signature,
    v1_text,
)

KEY = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"
HOST = "cvm.tencentcloudapi.com"


def test_a_signed_query_has_the_published_hash_and_signature() -> None:
    """TC3 with GET: the query counts as it was sent, the body is empty."""
    fields = [("content-type", "application/x-www-form-urlencoded"), ("host", HOST)]
    canonical = canonical_request("GET", "Limit=10&Offset=0", fields, payload_hash(b""))
    assert payload_hash(canonical.encode()) == (
        "91c9c192c14460df6c1ffc69e34e6c5e90708de2a6d282cccf957dbf1aa7f3a7"
    )
    scope = Scope(day_of(1539084154), "cvm")
    assert (scope.date, str(scope)) == ("2018-10-09", "2018-10-09/cvm/tc3_request")
    assert tc3_signature(KEY, scope, 1539084154, canonical) == (
        "5da7a33f6993f0614b047e5df4582db9e9bf4672ba50567dba16c6ccf174c474"
    )


def test_a_signed_body_has_the_published_signature() -> None:
    """TC3 with POST: the bytes of the body count, escapes included."""
    body = (
        rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
    )
    fields = [("content-type", "application/json; charset=utf-8"), ("host", f" {HOST} ")]
    canonical = canonical_request("POST", "", fields, payload_hash(body))
    signature = tc3_signature(KEY, Scope("2019-02-25", "cvm"), 1551113065, canonical)
    assert signature == "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"


def test_the_older_scheme_has_the_published_signature() -> None:
    """v1: all parameters in the order of their names, unencoded."""
    parameters = {
        "Offset": "0",
        "Action": "DescribeInstances",
        "InstanceIds.0": "ins-09dx96dg",
        "Limit": "20",
        "Nonce": "11886",
        "Region": "ap-guangzhou",
        "SecretId": "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",
        "Signature": "is left out",
        "Timestamp": "1465185768",
        "Version": "2017-03-12",
    }
    text = v1_text("GET", HOST, parameters)
    assert text.startswith("GETcvm.tencentcloudapi.com/?Action=DescribeInstances&InstanceIds.0=")
    assert v1_signature(KEY, text) == "EliP9YW3pW28FpsEdkXt/+WcGeI="
    assert v1_signature(KEY, text, "HmacSHA256") != v1_signature(KEY, text, "HmacSHA1")


def test_an_unknown_method_of_the_older_scheme_has_no_signature() -> None:
    """There are two."""
    with pytest.raises(KeyError):
        v1_signature(KEY, "text", "HmacMD5")


def test_some_clients_of_the_older_scheme_read_underscores_as_dots() -> None:
    """In names, and nowhere else."""
    given = {"A_0_B": "x_y", "C": "z"}
    assert v1_text("POST", "h", given, dotted=True) == "POSTh/?A.0.B=x_y&C=z"
    assert v1_text("POST", "h", given) == "POSTh/?A_0_B=x_y&C=z"


@pytest.mark.parametrize(
    ("host", "variants"),
    [
        pytest.param(
            "127.0.0.1:8081",
            {"127.0.0.1:8081", "127.0.0.1", "http://127.0.0.1:8081", "scf.tencentcloudapi.com"},
            id="address",
        ),
        pytest.param(
            "http://127.0.0.1:8081",
            {"http://127.0.0.1:8081", "127.0.0.1:8081", "127.0.0.1", "scf.tencentcloudapi.com"},
            id="with a scheme",
        ),
        pytest.param(
            "localhost",
            {"localhost", "http://localhost", "scf.tencentcloudapi.com"},
            id="without a port",
        ),
        pytest.param(
            "[::1]:8081",
            {"[::1]:8081", "[::1]", "http://[::1]:8081", "scf.tencentcloudapi.com"},
            id="IPv6",
        ),
        pytest.param(
            "[::1]", {"[::1]", "http://[::1]", "scf.tencentcloudapi.com"}, id="IPv6 alone"
        ),
    ],
)
def test_every_spelling_of_a_host_is_known(host: str, variants: set[str]) -> None:
    """What arrived comes first."""
    found = host_variants(host, "scf")
    assert (found[0], set(found), len(set(found))) == (host, variants, len(found))

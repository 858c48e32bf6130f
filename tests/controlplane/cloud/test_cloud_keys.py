"""Key pairs that are configured: read from a text, and asked for by the gateway."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.controlplane.cloud import parse_keys
from gateway.controlplane.cloud.app import SECRET_ID, SECRET_KEY
from gateway.core.errors import Refused

Client = Any
Asking = Callable[[Any], Client]

IDS = st.text("AKIDz09_-", min_size=1, max_size=20)
KEYS = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=","), min_size=1
)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("AKID1:secret", {"AKID1": "secret"}),
        (" a:1 , b:2\n", {"a": "1", "b": "2"}),
        ("a:with:colons=/+", {"a": "with:colons=/+"}),
    ],
)
def test_key_pairs_are_read(text: str, keys: dict[str, str]) -> None:
    """An id ends at the first colon."""
    assert parse_keys(text) == keys


@given(st.dictionaries(IDS, KEYS, min_size=1, max_size=5))
def test_what_is_written_is_read(keys: dict[str, str]) -> None:
    """Whatever the keys are."""
    assert parse_keys(",".join(f"{name}:{key}" for name, key in keys.items())) == keys


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "key pair 1: its id", id="nothing"),
        pytest.param("a:1,", "key pair 2: its id", id="a comma too much"),
        pytest.param("a b:secret", "key pair 1: its id", id="white space in an id"),
        pytest.param("justakey", "the key of 'justakey' is missing", id="no colon"),
        pytest.param("a:", "the key of 'a' is missing", id="no key"),
        pytest.param("a:s e", "other characters than visible ASCII", id="white space in a key"),
        pytest.param("a:sécret", "other characters than visible ASCII", id="letters beyond ASCII"),
        pytest.param("a:1,b:2,a:secret", "key pair 3: 'a' is there already", id="an id twice"),
        pytest.param("?:1,b:", "key pair 1: its id", id="two mistakes, the first"),
        pytest.param("?:1,b:", "key pair 2: the key of 'b'", id="two mistakes, the second"),
    ],
)
def test_what_is_no_key_pair_is_told_and_no_secret_is(text: str, said: str) -> None:
    """All of them are named, by number and by id."""
    with pytest.raises(Refused) as caught:
        parse_keys(text)
    message = str(caught.value)
    assert said in message
    assert not {"secret", "sécret", "s e"} & set(message.split())


def test_configured_keys_are_the_only_ones(open_panel: Any, asking: Asking) -> None:  # noqa: ANN401
    """The documented pair is good no more, unless it is among them."""
    given = {"FunctionName": "orders", "Name": "release"}
    other = asking(open_panel(keys={"AKIDMINE": SECRET_KEY}))
    assert other.fails("GetAlias", **given)[0] == "AuthFailure.SecretIdNotFound"
    wrong = asking(open_panel(keys={SECRET_ID: "another"}, token=SECRET_KEY))
    assert wrong.fails("GetAlias", **given)[0] == "AuthFailure.SignatureFailure"
    right = asking(open_panel(keys={SECRET_ID: SECRET_KEY, "AKIDMINE": "x"}, token="another"))
    assert right("GetAlias", **given)["Name"] == "release"


def test_without_configured_keys_the_token_is_the_key(open_panel: Any, asking: Asking) -> None:  # noqa: ANN401
    """The documented key is good only where there is no token."""
    given = {"FunctionName": "orders", "Name": "release"}
    assert asking(open_panel(token=SECRET_KEY))("GetAlias", **given)["Name"] == "release"
    code, _ = asking(open_panel(token="another")).fails("GetAlias", **given)
    assert code == "AuthFailure.SignatureFailure"


@pytest.mark.parametrize("accept_any", [False, True])
def test_any_signature_is_accepted_where_it_is_asked_for(
    open_panel: Any,  # noqa: ANN401
    asking: Asking,
    accept_any: bool,
) -> None:
    """And nowhere else; the journal has the name that the client gives itself."""
    client = asking(open_panel(accept_any_signature=accept_any, keys={"AKIDMINE": "x"}))
    given = {"FunctionName": "orders", "Name": "spare", "FunctionVersion": "1"}
    told = client("UpdateAlias", **given)
    assert ("Error" in told) is not accept_any
    if accept_any:
        store = client.panel.gateway.service.store
        (record,) = client.panel.run(store.records(limit=1))
        assert record.author.who == SECRET_ID

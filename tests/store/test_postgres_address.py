"""An address is read whole, and told without its password."""

from __future__ import annotations

import pytest

from gateway.store.postgres_address import parse_address
from gateway.store.protocol import StateUnusable


@pytest.mark.parametrize(
    ("url", "name"),
    [
        pytest.param(
            "postgresql://ann:se%40cret@db:5433/shop", "postgresql://ann@db:5433/shop", id="whole"
        ),
        pytest.param("postgres://db/shop?password=secret", "postgresql://db/shop", id="parameter"),
        pytest.param("postgresql:///shop", "postgresql:///shop", id="a socket"),
        pytest.param("postgresql://a:1,b:2/x", "postgresql://a:1,b:2/x", id="two hosts"),
        pytest.param("postgresql://a,b:2/x", "postgresql://a,b:2/x", id="a port for one of two"),
        pytest.param("postgresql:///x?host=a,b&port=7", "postgresql://a:7,b:7/x", id="one port"),
        pytest.param("postgresql://u:secret@[::1]:7/x", "postgresql://u@::1:7/x", id="IPv6"),
    ],
)
def test_an_address_is_named_without_its_password(url: str, name: str) -> None:
    """And the driver gets all of it."""
    address = parse_address(url)
    assert address.name == f"the state {name!r}"
    assert "secret" not in repr(address)
    assert ("cret" in str(address.parameters)) == ("cret" in url)


def test_what_a_user_asks_for_goes_before_what_is_usual() -> None:
    """Of times, names and keep-alives."""
    usual = parse_address("postgresql://db/x").parameters
    assert (usual["connect_timeout"], usual["application_name"]) == (3, "gateway")
    asked = parse_address("postgresql://db/x?connect_timeout=9&application_name=shop").parameters
    assert (asked["connect_timeout"], asked["application_name"]) == ("9", "shop")


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("postgresql://ann:se@cret:x/y?no-value", id="a parameter without a value"),
        pytest.param("postgresql://ann:cret@db/x?cret=1", id="an unknown parameter"),
        pytest.param("postgresql://ann:%zzcret@db/x", id="a bad escape"),
    ],
)
def test_a_wrong_address_is_not_repeated(url: str) -> None:
    """It may hold a password, wherever that begins."""
    with pytest.raises(StateUnusable, match="no address of a database") as caught:
        parse_address(url)
    assert "cret" not in str(caught.value)
    assert caught.value.__suppress_context__

"""`gateway serve --intercept-port`: what is opened, where it is told, and what is refused."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.app import Gateway
from gateway.serving import Addresses, Interception

if TYPE_CHECKING:
    from tests.cli.conftest import Call, Shop

FREE = ("--port", "0", "--control-port", "0", "--intercept-port", "0")


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Interception | None, bool]]:
    """What `gateway serve` would serve, and whether the certificate was there then."""
    found: list[tuple[Interception | None, bool]] = []

    async def serve(
        gateway: Gateway, where: Addresses, _ready: Callable[[str], None], **_options: object
    ) -> None:
        front = where.intercept
        found.append((front, front is not None and front.authority.file.exists()))
        await gateway.close()

    monkeypatch.setattr("gateway.serving.serve", serve)
    return found


@pytest.mark.parametrize(
    ("options", "place", "stays"),
    [
        ((), ".gateway/intercept-ca.pem", True),
        (("--state", "kept/state.db"), "kept/intercept-ca.pem", True),
        (("--intercept-ca", "ca/mine.pem"), "ca/mine.pem", True),
        (("--state", ":memory:", "--intercept-ca", "mine.pem"), "mine.pem", True),
        (("--state", ":memory:"), None, False),
    ],
)
def test_a_certificate_is_written_where_clients_find_it(
    *,
    shop: Shop,
    call: Call,
    seen: list[tuple[Interception | None, bool]],
    options: tuple[str, ...],
    place: str | None,
    stays: bool,
) -> None:
    """Beside the state, at the place that is named, or for as long as the gateway runs."""
    folder = shop()
    assert call("serve", "--intercept-port", "8082", *options).exit_code == 0
    ((front, there),) = seen
    assert front is not None
    assert (front.port, there) == (8082, True)
    assert place is None or front.authority.file == folder / place
    assert front.authority.file.is_absolute()
    assert front.authority.file.exists() is stays


def test_without_a_port_there_is_no_front(
    shop: Shop, call: Call, seen: list[tuple[Interception | None, bool]]
) -> None:
    """And no certificate."""
    folder = shop()
    assert call("serve").exit_code == 0
    assert seen == [(None, False)]
    assert not list(folder.rglob("intercept*"))


def test_without_the_extra_it_is_a_mistake_of_usage(
    shop: Shop, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2, and what brings it."""
    monkeypatch.setitem(sys.modules, "trustme", None)
    shop()
    result = call("serve", *FREE)
    assert (result.exit_code, result.stdout) == (2, "")
    words = " ".join(result.stderr.split())
    assert "'trustme', which makes the certificates, is not installed" in words
    assert "pip install 'gateway-simulator[intercept]'" in words


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--intercept-port", "x"), "not a valid integer"),
        (("--intercept-port", "65536"), "not in the range 0<=x<=65535"),
        (("--intercept-ca", "ca.pem"), "the front of --intercept-port writes"),
    ],
)
def test_a_wrong_option_is_a_mistake_of_usage(
    shop: Shop, call: Call, options: tuple[str, ...], words: str
) -> None:
    """Exit code 2."""
    shop()
    result = call("serve", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in " ".join(result.stderr.split())


def test_a_file_that_is_something_else_is_left_alone(shop: Shop, call: Call) -> None:
    """Exit code 3, before anything is served."""
    folder = shop()
    before = (folder / "stages.toml").read_text()
    result = call("serve", *FREE, "--intercept-ca", "stages.toml")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == (
        f"error[authority-unusable]: {str(folder / 'stages.toml')!r} is there already and is no"
        " authority's certificate; name another file\n"
        "  = hint: name another file with --intercept-ca\n"
    )
    assert (folder / "stages.toml").read_text() == before


@pytest.mark.sockets
def test_a_port_in_use_is_one_sentence(shop: Shop, call: Call) -> None:
    """Exit code 3, with the option in the hint."""
    shop()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = call("serve", *FREE[:-1], str(port), "--state", ":memory:")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith(f"error[cannot-listen]: cannot listen on 127.0.0.1:{port}: ")
    assert "--intercept-port" in result.stderr
    assert Path.cwd().joinpath("stages.toml").exists()

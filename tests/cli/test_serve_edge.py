"""What `gateway serve` takes from callers is what its options say, and strict without any."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from gateway.app import Gateway
from gateway.dataplane.deadlines import Deadlines
from gateway.dataplane.limits import STRICT, Edge, Limits
from gateway.serving import Addresses

if TYPE_CHECKING:
    from tests.cli.conftest import Call, Shop


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Addresses]:
    """Where each gateway would have been served."""
    seen: list[Addresses] = []

    async def serve(
        gateway: Gateway, where: Addresses, _ready: Callable[[str], None], **_options: object
    ) -> None:
        seen.append(where)
        await gateway.close()

    monkeypatch.setattr("gateway.serving.serve", serve)
    return seen


@pytest.mark.parametrize(
    ("options", "taken"),
    [
        pytest.param((), (STRICT, False), id="nothing said"),
        pytest.param(("--reuse-port",), (STRICT, True), id="a shared port"),
        pytest.param(("--max-requests", "7"), (Edge(requests=7), False), id="requests"),
        pytest.param(("--max-body", "0"), (Edge(Limits(body=0)), False), id="body"),
        pytest.param(
            ("--deadline", "first-byte=0.5", "--deadline", "idle=3600"),
            (Edge(deadlines=Deadlines(first_byte=0.5, idle=3600)), False),
            id="deadlines",
        ),
        pytest.param(
            ("--lenient", "no-host", "--lenient", "fragment"),
            (Edge(lenient=frozenset({"no-host", "fragment"})), False),
            id="leniencies",
        ),
    ],
)
def test_options_say_what_is_taken(
    shop: Shop,
    call: Call,
    served: list[Addresses],
    options: tuple[str, ...],
    taken: tuple[Edge, bool],
) -> None:
    """Of callers; those who steer are bounded elsewhere."""
    shop()
    result = call("serve", *options)
    assert result.exit_code == 0, result.stderr
    assert [(where.edge, where.shared) for where in served] == [taken]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ("--deadline", "hed=3"),
            "first-byte, head, body, idle, send, drain; did you mean 'head'?",
        ),
        (("--deadline", "head"), "'head': the form is NAME=SECONDS"),
        (("--deadline", "=3"), "'=3': the form is NAME=SECONDS"),
        (("--deadline", "head=soon"), "above 0 and at most 86,400"),
        (("--deadline", "head=0"), "above 0 and at most 86,400"),
        (("--deadline", "head=nan"), "above 0 and at most 86,400"),
        (("--deadline", "head=86401"), "above 0 and at most 86,400"),
        (("--lenient", "everything"), "'absolute-form', 'fragment', 'host-syntax', 'no-host'"),
        (("--max-requests", "0"), "0 is not in the range x>=1"),
        (("--max-body", "-1"), "-1 is not in the range x>=0"),
    ],
)
def test_what_cannot_be_meant_is_said(
    shop: Shop, call: Call, served: list[Addresses], options: tuple[str, ...], words: str
) -> None:
    """Before anything is served."""
    shop()
    result = call("serve", *options)
    assert (result.exit_code, served) == (2, [])
    assert words in " ".join(result.stderr.split())

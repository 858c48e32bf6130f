"""The composition root: a gateway is built whole or not at all, served, stopped, and cleaned up."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import signal
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from gateway.app import Addresses, BrokenVersions, Gateway, explain_request, request_ids, serve
from gateway.config import Declaration, load
from gateway.core.alias import Route
from gateway.core.changes import PutAlias, PutFunction
from gateway.core.errors import Refused, RoutingError
from gateway.dataplane.server import PortInUse, bind
from gateway.dice import Dice, Fixed

STAGES = """
[service]
name = "shop"

[functions.echo]
source = "functions/echo"

[functions.echo.aliases]
release = { version = "1", weights = { "2" = 0.5 } }
ruled = { version = "1", rules = [{ when = "invoke.body.$.user exact Bob", version = "2" }] }

[[apis]]
method = "POST"
path = "/user/{id}"
function = "echo"

[stages.dev]
alias = "ruled"
[stages.release]
alias = "release"
"""
OK = 'async def main_handler(event, context):\n    return {"statusCode": 200}\n'
Declare = Callable[..., Declaration]


@pytest.fixture
def declare(tmp_path: Path) -> Declare:
    """Write the file and the code of its versions."""

    def write(**versions: str) -> Declaration:
        codes = {"latest": OK, "v1": OK, "v2": OK, **versions}
        for name, code in codes.items():
            folder = tmp_path / "functions" / "echo" / name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "index.py").write_text(textwrap.dedent(code))
        (tmp_path / "stages.toml").write_text(STAGES)
        return load(tmp_path / "stages.toml")

    return write


@pytest.fixture
def gateway(declare: Declare) -> Iterator[Gateway]:
    """A gateway that is not served."""
    made = Gateway(declare(), seed=5)
    yield made
    asyncio.run(made.close())


def loaded() -> list[str]:
    """What the process holds of any version."""
    return [name for name in sys.modules if name.startswith("gateway_functions")]


def test_all_versions_that_do_not_load_are_named_at_once(declare: Declare) -> None:
    """And none of the others stays loaded."""
    with pytest.raises(BrokenVersions) as caught:
        Gateway(declare(v1="1 / 0\n", v2="other = 1\n"))
    told = [(error.number, error.code) for error in caught.value.errors]
    assert told == [("1", "user-code-error"), ("2", "handler-not-found")]
    assert "ZeroDivisionError" in str(caught.value)
    assert "; " in str(caught.value)
    assert loaded() == []


def test_closing_lets_go_of_everything(declare: Declare) -> None:
    """Twice is once."""
    gateway = Gateway(declare())
    assert loaded() != []
    for _ in range(2):
        asyncio.run(gateway.close())
        assert loaded() == []


def test_a_seed_is_kept_or_taken_from_the_system(declare: Declare) -> None:
    """Whoever wants to repeat a run can read it."""
    gateways = [Gateway(declare(), seed) for seed in (7, None, None)]
    seeds = [gateway.seed for gateway in gateways]
    for gateway in gateways:
        asyncio.run(gateway.close())
    assert seeds[0] == 7
    assert all(isinstance(seed, int) for seed in seeds)
    assert seeds[1] != seeds[2]


def test_request_ids_are_hexadecimal_and_do_not_repeat() -> None:
    """Not even where a seed repeats everything else."""
    first, second = request_ids(), request_ids()
    ids = [make() for make in (first, second) for _ in range(100)]
    assert all(re.fullmatch("[0-9a-f]{32}", made) for made in ids)
    assert len(set(ids)) == 200


def test_a_change_is_live_when_it_returns(gateway: Gateway) -> None:
    """With the next revision."""
    new = gateway.change(PutAlias("echo", "release", Route("2")))
    assert (gateway.live.snapshot, new.revision) == (new, 2)


def test_a_change_that_is_refused_changes_nothing(gateway: Gateway) -> None:
    """Whether it breaks a rule or brings code that does not load."""
    before = gateway.live.snapshot
    with pytest.raises(Refused):
        gateway.change(PutAlias("echo", "release", Route("9")))
    with pytest.raises(BrokenVersions):
        gateway.change(PutFunction("echo", "/no/such/folder"))
    assert gateway.live.snapshot is before
    assert len({name.split(".")[1] for name in loaded() if "." in name}) == 3


def test_an_explanation_sees_what_a_request_would_carry(declare: Declare) -> None:
    """Path parameters, query, headers and body; nothing is loaded for it."""
    declaration = declare()
    request = ("POST", "/user/a%20b?x=1", [("X", "y")], '{"user": "Bob"}')
    told = explain_request(declaration, Fixed(0), "test", request)
    assert (told.stage, told.parameters, told.version, told.reason) == (
        "dev",
        {"id": "a b"},
        "2",
        "rule:1",
    )
    assert loaded() == []


def test_an_explanation_of_bytes_that_are_no_text_is_one_all_the_same(declare: Declare) -> None:
    """A shell can hand over anything; what is undecodable is treated as a server would."""
    odd = b"\xff".decode(errors="surrogateescape")
    request = ("POST", f"/user/{odd}?{odd}", [("X", odd)], odd)
    told = explain_request(declare(), Fixed(0.9), "release", request)
    assert (told.parameters, told.version) == ({"id": "\N{REPLACEMENT CHARACTER}"}, "1")


@pytest.mark.parametrize(
    ("stage", "method", "path", "code"),
    [
        pytest.param("qa", "POST", "/user/7", "stage-not-found", id="stage"),
        pytest.param("dev", "POST", "/nowhere", "api-not-found", id="path"),
        pytest.param("dev", "GET", "/user/7", "method-not-supported", id="method"),
        pytest.param("dev", "POST", "/../../x", "bad-path", id="dots"),
    ],
)
def test_an_explanation_fails_as_a_request_would(
    declare: Declare, stage: str, method: str, path: str, code: str
) -> None:
    """With the same typed errors."""
    with pytest.raises(RoutingError) as caught:
        explain_request(declare(), Dice(1), stage, (method, path, [], ""))
    assert caught.value.code == code


@pytest.fixture
def thawed() -> Iterator[None]:
    """A served gateway freezes the heap of its process; a test process goes on living."""
    yield
    gc.unfreeze()


@pytest.mark.sockets
@pytest.mark.usefixtures("thawed")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_gateway_is_served_until_a_signal(declare: Declare, number: signal.Signals) -> None:
    """Both planes answer when the ready line is out; afterwards nothing of it is left."""
    gateway = Gateway(declare())
    lines: list[str] = []
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]

    async def scenario() -> list[int]:
        ready = asyncio.Event()

        def said(line: str) -> None:
            lines.append(line)
            ready.set()

        serving = asyncio.create_task(serve(gateway, Addresses(port=0, control_port=0), said))
        await ready.wait()
        data, control = re.findall(r"http://\S+", lines[0])
        async with httpx.AsyncClient(trust_env=False) as client:
            answers = [
                await client.post(f"{data}/dev/user/7"),
                await client.get(f"{control}/readyz"),
            ]
        os.kill(os.getpid(), number)
        await serving
        return [answer.status_code for answer in answers]

    assert asyncio.run(scenario()) == [200, 200]
    shape = r"gateway ready data=http://127\.0\.0\.1:\d+ control=http://127\.0\.0\.1:\d+ revision=1"
    assert re.fullmatch(shape, lines[0])
    assert len(lines) == 1
    assert loaded() == []
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before


@pytest.mark.sockets
@pytest.mark.parametrize("plane", ["data", "control"])
def test_a_gateway_whose_port_is_taken_is_not_half_served(declare: Declare, plane: str) -> None:
    """The other listener is given back, and so is everything that was loaded."""
    gateway = Gateway(declare())
    lines: list[str] = []
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        where = Addresses(port=port, control_port=0)
        if plane == "control":
            where = Addresses(port=0, control_port=port)
        with pytest.raises(PortInUse, match=f"127.0.0.1:{port}: "):
            asyncio.run(serve(gateway, where, lines.append))
    assert (lines, loaded()) == ([], [])


@pytest.mark.sockets
def test_one_port_cannot_serve_both_planes(declare: Declare) -> None:
    """It is refused like any port that is taken."""
    with bind("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    with pytest.raises(PortInUse, match=f"127.0.0.1:{port}: "):
        asyncio.run(serve(Gateway(declare()), Addresses(port=port, control_port=port), print))


@pytest.mark.sockets
def test_the_control_plane_stays_on_this_machine_wherever_callers_come_from(
    declare: Declare,
) -> None:
    """It tells whoever asks everything, environment variables included."""
    lines: list[str] = []

    async def scenario() -> None:
        ready = asyncio.Event()

        def said(line: str) -> None:
            lines.append(line)
            ready.set()

        everywhere = Addresses(host="0.0.0.0", port=0, control_port=0)
        serving = asyncio.create_task(serve(Gateway(declare()), everywhere, said))
        await ready.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        await serving

    asyncio.run(scenario())
    assert re.search(r"data=http://0\.0\.0\.0:\d+ control=http://127\.0\.0\.1:\d+ ", lines[0])

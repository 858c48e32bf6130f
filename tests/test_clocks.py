"""Clocks that jump by days: what measures time goes on, what tells dates tells the new ones.

Limits, deadlines, latencies and the course over time are measured with the clock that never goes
back. Dates are those of the wall: in the journal and the log, of signatures, and where something
is to outlive the process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from gateway.app import Gateway, Setup
from gateway.controlplane.asynchronous import Asynchronous, Host
from gateway.controlplane.attempts import Policy
from gateway.store.invocations import Invocation
from gateway.store.logged import Wanted
from gateway.store.protocol import Author

DAYS = 40 * 86_400.0
STAGES = """
[service]
name = "shop"
[functions.orders]
source = "functions/orders"
breaker = { errors = 0.6, requests = 3, pause = 5, trials = 1 }
[functions.orders.aliases]
release = { version = "1" }
[[apis]]
method = "ANY"
path = "/orders"
function = "orders"
[[apis]]
method = "ANY"
path = "/limited"
function = "orders"
throttle = 1
[stages.release]
alias = "release"
"""
HANDLER = """
async def main_handler(event, context):
    if event["queryString"]:
        raise ValueError("as asked")
    return {"statusCode": 200, "body": "ran"}
"""


class Clocks:
    """Both clocks of a machine, standing still."""

    def __init__(self) -> None:
        self.wall = 1_800_000_000.0
        self.seconds = 5000.0

    def time(self) -> float:
        """The date."""
        return self.wall

    def monotonic(self) -> float:
        """What never goes back."""
        return self.seconds

    def monotonic_ns(self) -> int:
        """The same, finer."""
        return int(self.seconds * 1_000_000_000)


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    """The clocks of every gateway that is opened from here on."""
    made = Clocks()
    for name in ("time", "monotonic", "monotonic_ns"):
        monkeypatch.setattr(f"gateway.app.{name}", getattr(made, name))
    return made


class Asker:
    """Asks a gateway in process."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    async def status(self, path: str) -> int:
        """The status of an answer of the data plane."""
        transport = httpx.ASGITransport(self.gateway.plane)
        async with httpx.AsyncClient(transport=transport) as client:
            return (await client.get(f"http://127.0.0.1:8080/release{path}")).status_code

    async def told(self, path: str) -> httpx.Response:
        """What the control plane tells."""
        transport = httpx.ASGITransport(self.gateway.control, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.get(f"http://127.0.0.1:8081{path}")

    async def logged(self) -> list[float]:
        """When the invocations of the log came."""
        self.gateway.observer.settle()
        return [entry.at for entry in await self.gateway.logbook.find(Wanted(), 100)]


def story(folder: Path, told: Callable[[Asker], Awaitable[None]]) -> None:
    """A story of one gateway with a state."""
    for version in ("latest", "v1", "v2"):
        index = folder / "functions" / "orders" / version / "index.py"
        index.parent.mkdir(parents=True, exist_ok=True)
        index.write_text(HANDLER)
    (folder / "stages.toml").write_text(STAGES)

    async def whole() -> None:
        gateway = await Gateway.open(Setup(folder / "stages.toml", state=folder / "state.db"))
        try:
            await told(Asker(gateway))
        finally:
            await gateway.close()

    asyncio.run(whole())


@pytest.mark.parametrize("jump", [DAYS, -DAYS], ids=["forward", "back"])
def test_limits_and_breakers_do_not_notice(tmp_path: Path, clocks: Clocks, jump: float) -> None:
    """A token is there after a second, and a pause is over after five, whatever the date is."""

    async def told(asker: Asker) -> None:
        assert [await asker.status("/limited") for _ in range(2)] == [200, 429]
        assert [await asker.status("/orders?fail") for _ in range(3)] == [430, 430, 503]
        clocks.wall += jump
        assert await asker.status("/limited") == 429
        assert await asker.status("/orders") == 503
        clocks.seconds += 5
        assert await asker.status("/limited") == 200
        assert await asker.status("/orders") == 200

    story(tmp_path, told)


@pytest.mark.parametrize("jump", [DAYS, -DAYS], ids=["forward", "back"])
def test_metrics_go_on_and_entries_have_the_new_date(
    tmp_path: Path, clocks: Clocks, jump: float
) -> None:
    """Nothing that is measured is negative or days long; the order of the log is that of events."""

    async def told(asker: Asker) -> None:
        await asker.status("/orders")
        before = await asker.logged()
        clocks.wall += jump
        clocks.seconds += 1
        await asker.status("/orders")
        entries = await asker.logged()
        assert entries[1:] == before
        assert entries[0] - before[0] == pytest.approx(jump, abs=5)
        metrics = (await asker.told("/api/metrics")).json()
        assert metrics["answered"] == 2
        [row] = metrics["versions"]
        assert (row["requests"], row["errors"]) == (2, 0)
        assert 0 <= row["latency"]["largest"] < 5
        course = (await asker.told("/api/metrics/course?window=60")).json()
        assert sum(course["versions"][0]["requests"]) == 2
        assert (await asker.told("/metrics")).status_code == 200

    story(tmp_path, told)


def test_the_log_forgets_by_date(tmp_path: Path, clocks: Clocks) -> None:
    """A clock put forward ends what is older than it keeps; one put back ends nothing."""

    async def told(asker: Asker) -> None:
        book = asker.gateway.logbook
        await asker.status("/orders")
        clocks.wall -= DAYS
        await asker.status("/orders")
        assert len(await asker.logged()) == 2
        await book.log.prune(clocks.wall)
        assert len(await asker.logged()) == 2
        clocks.wall += 2 * DAYS
        await book.log.prune(clocks.wall)
        await asker.status("/orders")
        assert len(await asker.logged()) == 1

    story(tmp_path, told)


@pytest.mark.parametrize("jump", [DAYS, -DAYS], ids=["forward", "back"])
def test_the_journal_is_in_the_order_of_revisions(
    tmp_path: Path, clocks: Clocks, jump: float
) -> None:
    """Dates are told, and never ordered by; a restart finds the newest revision."""
    alias = "/api/functions/orders/aliases/release"

    async def told(asker: Asker) -> None:
        control = asker.gateway.service
        for number, version in enumerate(("2", "$LATEST"), 2):
            clocks.wall += jump
            transport = httpx.ASGITransport(asker.gateway.control, client=("127.0.0.1", 1))
            async with httpx.AsyncClient(transport=transport) as client:
                url = f"http://127.0.0.1:8081{alias}"
                answer = await client.put(url, json={"version": version})
            assert answer.json()["revision"] == number
        done = await control.roll_back("orders", "release", 2, Author("a test", "here"))
        assert done.revision == 4

    async def again(asker: Asker) -> None:
        assert asker.gateway.live.snapshot.revision == 4
        moves = (await asker.told(f"{alias}/history")).json()["moves"]
        assert [entry["revision"] for entry in moves] == [4, 3, 2, 1]

    story(tmp_path, told)
    story(tmp_path, again)


@pytest.mark.parametrize(
    ("jump", "waits"),
    [
        pytest.param(0.0, 50.0, id="none"),
        pytest.param(DAYS, 0.0, id="forward"),
        pytest.param(-DAYS, 60.0, id="back"),
    ],
)
def test_another_attempt_is_not_put_off_for_days(
    tmp_path: Path, clocks: Clocks, jump: float, waits: float
) -> None:
    """One that was to come in a minute comes in a minute, though the clock was put back since."""
    paused: list[float] = []

    async def told(asker: Asker) -> None:
        service = asker.gateway.service
        reached = asyncio.Event()

        async def pause(seconds: float) -> None:
            paused.append(seconds)
            reached.set()
            await asyncio.Event().wait()

        host = Host(clock=clocks.time, pause=pause, process=1, alive=lambda _: False)
        policy = Policy(delay=60.0)
        table = asker.gateway.service.store.invocations
        runs = Asynchronous(service.invoking, table, host, lambda *_: None, policy)
        waiting = Invocation(
            "id", "orders", "release", None, {}, clocks.wall, retry_at=clocks.wall + 50
        )
        clocks.wall += jump
        runs._start(waiting)
        await asyncio.wait_for(reached.wait(), 30)
        await runs.close()

    story(tmp_path, told)
    assert paused == [waits]

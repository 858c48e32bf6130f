"""The benchmarks measure what they say: each runs with small numbers, and no time is judged."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from shutil import which
from typing import Any

import httpx
import pytest

from benchmarks import comparing, memory, scaling, slow
from benchmarks.comparing_apps import Hosted, by_hand, write_project
from benchmarks.comparing_report import Measured, ratio, table, told, wanted
from benchmarks.comparing_servers import CONTENDERS, Absent, environment
from benchmarks.driving import OURS, WRK, drive, read_wrk
from benchmarks.servers import bare_command, gateway_command, started
from gateway.dataplane.asgi import Message

BY_NAME = {each.name: each for each in CONTENDERS}
NEEDED = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            which(name) is None, reason=f"{name} is not installed: apt-get install {name}"
        ),
    )
    for name in ("nginx", "haproxy")
]

REPORT = """Running 2s test @ http://127.0.0.1:1/x
  1 threads and 64 connections
  Latency Distribution
     50%    1.43ms
     75%    1.60ms
     90%    1.91ms
     99%    {p99}
  {count} requests in {time}, 1.00MB read
Requests/sec:  20000.00
"""


@pytest.mark.parametrize(
    ("p99", "seconds"), [("950.00us", 950e-6), ("4.50ms", 4.5e-3), ("1.20s", 1.2)]
)
def test_the_report_of_wrk_is_read(p99: str, seconds: float) -> None:
    """In whatever unit it has each time."""
    found = read_wrk(REPORT.format(p99=p99, count=41_000, time="2.05s"))
    assert (found.requests, found.seconds) == (41_000, 2.05)
    assert found.p99 == pytest.approx(seconds)
    assert read_wrk(REPORT.format(p99=p99, count=1, time="1.50m")).seconds == 90


@pytest.mark.parametrize(
    "line",
    ["  Non-2xx or 3xx responses: 7\n", "  Socket errors: connect 0, read 3, write 0, timeout 0\n"],
)
def test_a_report_of_failures_is_no_measurement(line: str) -> None:
    """Fast errors would look like fast answers."""
    with pytest.raises(RuntimeError, match="not answered as it should be"):
        read_wrk(REPORT.format(p99="1.00ms", count=1, time="1.00s") + line)
    with pytest.raises(RuntimeError):
        read_wrk("")


def rounds(*processor: float) -> list[Measured]:
    """Rounds with these processor times; the rate is that of one core."""
    return [Measured(each, 1e6 / each, each / 100) for each in processor]


FOUND = {
    "bare": rounds(20, 40, 20),  # the machine was slow in the second one
    "starlette": rounds(60, 100, 61),
    "gateway": rounds(26, 52, 30),
    "nginx": rounds(25, 60, 40),
}


def test_ratios_are_those_of_neighbours() -> None:
    """What slowed one round down slowed both."""
    assert ratio(FOUND, "processor", "gateway", "bare") == pytest.approx(1.3)
    assert ratio(FOUND, "rate", "gateway", "nginx") == pytest.approx(60 / 52)


def test_what_is_wanted_is_held_against_what_takes_part() -> None:
    """Nothing is said of whoever was left out, nor of numbers of connections that were not used."""
    verdicts = {(row["figure"], row["against"]): row["met"] for row in wanted(16, FOUND)}
    assert verdicts == {
        ("processor", "bare"): True,
        ("processor", "starlette"): True,
        ("rate", "nginx"): True,
    }
    slower = {**FOUND, "gateway": rounds(80, 160, 80)}
    rows = wanted(64, slower)
    assert [(row["figure"], row["met"]) for row in rows] == [
        ("processor", False),
        ("processor", False),
        ("rate", False),
        ("p99", False),
    ]
    assert told(rows[0]).split()[-1] == "missed"
    assert told(wanted(1, FOUND)[0]).split()[-1] == "met"
    assert wanted(1, {"bare": FOUND["bare"]}) == []


def test_the_table_has_a_line_for_each() -> None:
    """With and without the yardstick."""
    assert [line.split()[0] for line in table(16, FOUND)[2:]] == list(FOUND)
    alone = {"nginx": FOUND["nginx"]}
    assert table(1, alone)[2].split() == ["nginx", "40.0", "25,000", "0.40"]


async def _asked(app: Any, path: str, user: str) -> httpx.Response:  # noqa: ANN401 - ASGI
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.get(path, headers={"User": user})


SAID = ("stage", "revision", "function", "alias", "version", "reason")


def test_the_one_made_by_hand_and_the_data_plane_anywhere_answer_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same body, and the same reasons; also where the server knows ASGI and no more."""
    monkeypatch.setenv("BENCHMARK_STAGES", str(write_project(tmp_path)))
    hosted, hand = Hosted(), by_hand(tmp_path)

    async def scenario() -> None:
        begin: asyncio.Queue[Message] = asyncio.Queue()
        said: asyncio.Queue[Message] = asyncio.Queue()
        life = asyncio.create_task(hosted({"type": "lifespan"}, begin.get, said.put))
        await begin.put({"type": "lifespan.startup"})
        assert (await said.get())["type"] == "lifespan.startup.complete"
        for path, user in (
            ("/prepub/orders/42", "Bob"),
            ("/prepub/orders/42", "Alice"),
            ("/release/orders/42", "Bob"),
        ):
            ours, theirs = await _asked(hosted, path, user), await _asked(hand, path, user)
            assert (ours.status_code, ours.content) == (theirs.status_code, theirs.content)
            for name in SAID:
                assert ours.headers[f"x-gateway-{name}"] == theirs.headers[f"x-gateway-{name}"]
        drawn = {
            (each.headers["x-gateway-version"], each.headers["x-gateway-reason"])
            for each in [await _asked(hand, "/release/orders/1", "Alice") for _ in range(300)]
        }
        assert drawn == {("1", "main"), ("2", "weight")}
        await begin.put({"type": "lifespan.shutdown"})
        await life
        assert (await said.get())["type"] == "lifespan.shutdown.complete"

    asyncio.run(scenario())


def test_what_cannot_be_installed_is_left_out(tmp_path: Path) -> None:
    """With a sentence that says so."""
    (tmp_path / "-.environment").write_text("in the way")
    with pytest.raises(Absent, match="could not be installed; is there a network"):
        environment(tmp_path, "-")


@pytest.mark.sockets
def test_contenders_take_turns(tmp_path: Path) -> None:
    """Whoever follows the scheme proves it first; every figure is one of work that was done."""
    write_project(tmp_path)
    names = ("bare", "starlette", "gateway")
    plan = comparing.Plan(rounds=2, seconds=0.1, connections=(2,), sender=OURS)
    with ExitStack() as stack:
        servers = comparing.start(stack, tmp_path, [BY_NAME[name] for name in names])
        found = comparing.compare(servers, plan)
        with pytest.raises(comparing.Misrouted, match="gives Bob"):
            comparing.prove("bare", servers["bare"])
    assert list(found) == [2]
    assert {name: len(each) for name, each in found[2].items()} == dict.fromkeys(names, 2)
    assert all(each.rate > 0 and each.p99 > 0 for turns in found[2].values() for each in turns)


@pytest.mark.sockets
@pytest.mark.parametrize("name", NEEDED)
def test_a_proxy_follows_the_scheme(tmp_path: Path, name: str) -> None:
    """And the applications behind it count."""
    with ExitStack() as stack:
        servers = comparing.start(stack, tmp_path, [BY_NAME[name]])
        assert len(servers[name].behind) == 4
        assert servers[name].processor_seconds() > 0


def test_who_is_absent_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And the rest goes on."""

    def absent(_stack: ExitStack, _folder: Path) -> Any:  # noqa: ANN401 - never comes back
        raise Absent("it is not installed")

    with ExitStack() as stack:
        contender = replace(BY_NAME["nginx"], start=absent)
        assert comparing.start(stack, tmp_path, [contender]) == {}
    assert "nginx is left out: it is not installed" in capsys.readouterr().err


@pytest.mark.sockets
@pytest.mark.parametrize("generator", [OURS, *([WRK] if which(WRK) else [])])
def test_a_generator_tells_what_it_did(generator: str) -> None:
    """Ours, and wrk where it is installed, whose report is read."""
    with started("bare", bare_command()) as bare:
        found = drive(bare.address, "/orders/42", 2, 1, generator)
        assert found.requests > 0
        assert found.seconds > 0
        assert 0 < found.p99 < 60


@pytest.mark.sockets
def test_sizes_are_compared(tmp_path: Path) -> None:
    """Every API of a gateway is reached, and every change is live when it is acknowledged."""
    with ExitStack() as stack:
        sizes = [scaling.start(stack, tmp_path / str(n), n, n) for n in (1, 5)]
        scaling.measure(sizes, 1, 20, 2)
    assert [len(each.change) for each in sizes] == [1, 1]
    sizes[0].one, sizes[0].all = [20.0], [20.0]  # too few requests to take processor time
    sizes[1].one, sizes[1].all = [24.0], [30.0]
    assert scaling.row(sizes[1], sizes[0]).split()[:8] == [
        *("5", "5"),
        *("24.0", "us", "1.20"),
        *("30.0", "us", "1.50"),
    ]


@pytest.mark.sockets
def test_memory_is_looked_at_all_the_while(capsys: pytest.CaptureFixture[str]) -> None:
    """A gateway that is asked and changed at the same time."""
    found = memory.course(requests=200, changes=20)
    assert len(found.megabytes) == memory.SAMPLES
    assert 10 < found.ready < 1_000
    memory.report("a little", memory.Course(50, [60.0] * 5 + [70.0] * 10 + [77.0] * 5))
    assert "from the second quarter to the last +10.0%" in capsys.readouterr().out


@pytest.mark.sockets
def test_slow_callers_are_there_while_others_ask(tmp_path: Path) -> None:
    """At one gateway, and then at the other."""
    commands = [[*gateway_command(tmp_path / n), "--state", ":memory:"] for n in ("one", "other")]
    with started("one", commands[0]) as one, started("other", commands[1]) as other:
        pairs, grown = slow.measure((one, other), 6, 2, 0.3)
    assert len(pairs) == 2
    assert all(alone > 0 and beset > 0 for alone, beset in pairs)
    assert grown < 100

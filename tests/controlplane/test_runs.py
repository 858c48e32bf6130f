"""Verifying and replaying by REST: real commands, one of a kind at a time, with their reports."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.controlplane import runs as runs_module
from gateway.controlplane.runs import Place, reachable
from gateway.controlplane.runs_child import Child
from gateway.controlplane.runs_lines import Screen

Panel = Any
Open = Callable[..., Panel]

RIGHT = {"kind": "verify", "log": "right.jsonl", "expect": ["1=0.5,2=0.5"], "tolerance": 0.1}


@pytest.fixture(autouse=True)
def files(project: Path) -> Path:
    """A log that is divided as it should be, and a recording that takes a thousand seconds."""
    folder = project.parent
    lines = (json.dumps({"version": str(1 + number % 2)}) for number in range(9000))
    (folder / "right.jsonl").write_text("\n".join(lines))
    slow: list[dict[str, object]] = [
        {"v": 1, "at": at, "method": "GET", "path": "/", "headers": []} for at in (0, 1000)
    ]
    (folder / "slow.jsonl").write_text("\n".join(map(json.dumps, slow)))
    return folder


def ended(panel: Panel, run_id: str) -> Any:  # noqa: ANN401 - JSON
    """A run that has come to its end."""
    panel.run(panel.gateway.service.runs.get(run_id).watching)
    return panel("GET", f"/api/runs/{run_id}").json()


def test_a_log_is_verified(panel: Panel) -> None:
    """Begun, followed to its end, with an outcome, a sentence, and a report of its own."""
    answer = panel("POST", "/api/runs", RIGHT)
    run = answer.json()
    assert (answer.status_code, run["id"], run["status"]) == (201, "verify-1", "running")
    assert (run["outcome"], run["exit_code"], run["ended"], run["report"]) == (
        None, None, None, False,
    )  # fmt: skip
    assert panel("GET", "/api/runs/verify-1/report").json()["code"] == "no-report"
    run = ended(panel, "verify-1")
    assert (run["status"], run["outcome"], run["exit_code"]) == ("ended", "passed", 0)
    assert run["sentence"].startswith("passed: 1 of 1 splits")
    assert run["command"] == [
        "gateway",
        "verify",
        "--expect=1=0.5,2=0.5",
        "--tolerance=0.1",
        "--log=right.jsonl",
    ]
    assert run["ended"] >= run["started"]
    listed = panel("GET", "/api/runs").json()
    assert [each["id"] for each in listed["runs"]] == ["verify-1"]
    assert listed["files"] == ["right.jsonl", "slow.jsonl"]


def test_the_report_is_a_page_of_nobody(panel: Panel) -> None:
    """Its script runs, and may ask nobody anything; only our own pages may show it."""
    panel("POST", "/api/runs", RIGHT)
    ended(panel, "verify-1")
    answer = panel("GET", "/api/runs/verify-1/report")
    policy = answer.headers["content-security-policy"]
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert policy.startswith(
        "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'"
    )
    assert "allow-same-origin" not in policy
    assert "frame-ancestors 'self'" in policy
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert "<html" in answer.text
    assert str(panel.gateway.service.runs.get("verify-1").folder) not in "".join(
        panel("GET", "/api/runs/verify-1").json()["lines"]
    )


@pytest.mark.parametrize(
    ("body", "outcome", "said"),
    [
        ({**RIGHT, "expect": ["1=0.9,2=0.1"]}, "failed", "failed: 1 of 1 splits"),
        ({**RIGHT, "expect": ["1=5"]}, "refused", "1=5"),
        ({**RIGHT, "requests": 7}, "refused", "--requests has no effect with --log"),
        ({"kind": "replay", "recording": "slow.jsonl", "stage": "dev"}, "refused", "no gateway"),
    ],
    ids=["wrong", "syntax", "idle", "unreachable"],
)
def test_other_outcomes(panel: Panel, body: object, outcome: str, said: str) -> None:
    """What the command said is told, whatever it was."""
    panel.gateway.service.control_url = "http://127.0.0.1:9"
    run = ended(panel, panel("POST", "/api/runs", body).json()["id"])
    assert run["outcome"] == outcome
    assert said in run["sentence"]


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ([], {""}),
        ({}, {"/kind"}),
        ({"kind": "shell"}, {"/kind"}),
        ({"kind": ["verify"]}, {"/kind"}),
        ({"kind": "verify"}, {"/stages"}),
        ({"kind": "verify", "stages": ["release", "relase"]}, {"/stages/1"}),
        ({"kind": "verify", "stages": ["release"], "against": "http://a"}, {"/against"}),
        (
            {"kind": "verify", "stages": ["release"], "requests": 0, "miss": 2},
            {"/requests", "/miss"},
        ),
        ({"kind": "verify", "log": "../x"}, {"/log"}),
        ({"kind": "verify", "log": "right.jsonl", "expect": ["a\nb"]}, {"/expect/0"}),
        ({"kind": "replay"}, {""}),
        ({"kind": "replay", "recording": "/etc/passwd"}, {"/recording"}),
        ({"kind": "replay", "recording": "slow.jsonl", "stage": "x"}, {"/stage"}),
        ({"kind": "replay", "recording": "slow.jsonl", "speed": 2, "rate": 9}, {"/rate"}),
        ({"kind": "replay", "recording": "slow.jsonl", "stages": ["dev"]}, {"/stages"}),
    ],
    ids=lambda value: repr(sorted(value)) if isinstance(value, set) else repr(value),
)
def test_what_is_not_on_the_list_is_refused(panel: Panel, body: object, places: set[str]) -> None:
    """With the place of each mistake; and nothing is begun."""
    answer = panel("POST", "/api/runs", body)
    assert answer.status_code == 422
    assert {each["pointer"] for each in answer.json()["problems"]} == places
    assert panel("GET", "/api/runs").json()["runs"] == []


@pytest.mark.parametrize(
    ("body", "arguments"),
    [
        (
            {"kind": "verify", "stages": ["dev", "release"], "until_decided": True, "rate": 50},
            ["verify", "--stage=dev", "--stage=release", "--rate=50", "--until-decided"],
        ),
        (
            {"kind": "verify", "stages": ["test"], "source": "slow.jsonl", "max_errors": 0.25},
            ["verify", "--stage=test", "--max-errors=0.25", "--from=slow.jsonl"],
        ),
        (
            {**RIGHT, "stages": ["other"], "where": ["--json=--help"], "version_field": "-"},
            ["verify", "--stage=other", "--expect=1=0.5,2=0.5", "--tolerance=0.1",
             "--log=right.jsonl",
             "--version-field=-", "--where=--json=--help"],
        ),
        (
            {"kind": "replay", "recording": "slow.jsonl", "stage": "dev",
             "as_fast_as_possible": True, "set_header": ["User: {user}"]},
            ["replay", "--stage=dev", "--as-fast-as-possible", "--set-header=User: {user}", "--",
             "slow.jsonl"],
        ),
    ],
    ids=["stages", "source", "log", "replay"],
)  # fmt: skip
def test_each_option_is_one_argument(panel: Panel, body: object, arguments: list[str]) -> None:
    """No value becomes an option of its own."""
    panel.gateway.service.control_url = "http://127.0.0.1:9"
    assert panel("POST", "/api/runs", body).json()["command"] == ["gateway", *arguments]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Origin": "http://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Host": "evil.example"}, 421),
    ],
    ids=["form", "origin", "site", "rebound"],
)
def test_no_other_page_begins_one(panel: Panel, headers: dict[str, str], status: int) -> None:
    """The guard of the whole control plane stands before it."""
    assert panel("POST", "/api/runs", RIGHT, headers=headers).status_code == status
    assert panel("GET", "/api/runs").json()["runs"] == []


def test_one_of_a_kind_at_a_time(panel: Panel) -> None:
    """Another one has to wait; the other kind has not."""
    panel("POST", "/api/runs", RIGHT)
    answer = panel("POST", "/api/runs", RIGHT)
    assert (answer.status_code, answer.json()["code"]) == (409, "run-in-the-way")
    other = panel("POST", "/api/runs", {"kind": "replay", "recording": "slow.jsonl"})
    assert other.json()["id"] == "replay-2"

    async def both() -> list[object]:
        runs = panel.gateway.service.runs
        await runs.get("verify-1").watching
        starts = [runs.start("verify", ["--log=right.jsonl"]) for _ in range(2)]
        found: list[object] = await asyncio.gather(*starts, return_exceptions=True)
        return found

    assert sum(isinstance(each, Exception) for each in panel.run(both())) == 1


def test_a_run_that_is_unknown(panel: Panel) -> None:
    """Is not found, whatever is asked of it."""
    for method, path in (("GET", ""), ("POST", "/stop"), ("GET", "/report")):
        answer = panel(method, f"/api/runs/nothing{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown-run")


def test_only_the_last_ones_are_remembered(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those before them are gone with their files."""
    monkeypatch.setattr(runs_module, "KEPT", 1)
    for number in (1, 2):
        panel("POST", "/api/runs", RIGHT)
        folder = panel.gateway.service.runs.get(f"verify-{number}").folder
        ended(panel, f"verify-{number}")
    assert panel("GET", "/api/runs/verify-1").status_code == 404
    assert [each.name for each in folder.parent.iterdir()] == ["verify-2"]


@pytest.mark.parametrize("told", [b"{", b"[]", b"x" * 100], ids=["cut", "list", "large"])
def test_a_result_that_cannot_be_read_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: bytes
) -> None:
    """It was ended while it wrote, or it wrote too much."""
    monkeypatch.setattr(runs_module, "LARGEST", 50)
    path = tmp_path / "result.json"
    path.write_bytes(told)
    assert runs_module._read(path) == {}


class Watched(Screen):
    """A screen that tells when progress is to be seen."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn = asyncio.Event()

    def write(self, data: bytes) -> None:
        """Take a piece."""
        super().write(data)
        if any("of 2" in line for line in self.lines()):
            self.drawn.set()


async def waiting(place: Place, tmp_path: Path) -> Child:
    """A replay that has begun, and that will wait for a thousand seconds."""
    arguments = ("replay", "--against=http://127.0.0.1:9", "--", "slow.jsonl")
    child = await Child.begin(arguments, place.environment(), place.folder, tmp_path / "out")
    child.screen = watched = Watched()
    await watched.drawn.wait()
    return child


@pytest.mark.parametrize(
    ("stopped", "times", "code"),
    [
        (False, 1, {130}),
        (False, 2, {130, -signal.SIGINT}),  # the second one may come when nothing listens any more
        (True, 1, {-signal.SIGKILL}),
    ],
    ids=["asked", "asked-twice", "deaf"],
)
def test_a_child_is_stopped(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *,
    stopped: bool, times: int, code: set[int],
) -> None:  # fmt: skip
    """As by Ctrl-C: it reports. One that does not listen is ended by force."""
    monkeypatch.setattr("gateway.controlplane.runs_child.PARTING", 0.05)

    async def scenario() -> int:
        child = await waiting(Place(files, None, lambda: "http://127.0.0.1:9"), tmp_path)
        if stopped:
            child._signal(signal.SIGSTOP)
        for _ in range(times):
            child.stop(0.05 if stopped else 20)
        found = await child.wait()
        child.stop()  # too late, and no harm
        await asyncio.gather(*child._stopping)
        return found

    assert asyncio.run(scenario()) in code


def test_a_child_that_cannot_begin_leaves_nothing(files: Path, tmp_path: Path) -> None:
    """Neither a terminal nor a process."""
    place = Place(files, None, lambda: "http://127.0.0.1:9")
    begin = Child.begin((), place.environment(), tmp_path / "nowhere", tmp_path / "out")
    with pytest.raises(FileNotFoundError):
        asyncio.run(begin)


def test_a_gateway_that_closes_stops_them(panel: Panel) -> None:
    """And forgets what they found out; a run that was stopped is told as such."""
    panel("POST", "/api/runs", RIGHT)
    run = panel.gateway.service.runs.get("verify-1")
    assert panel("POST", "/api/runs/verify-1/stop").json()["status"] == "stopping"
    panel.run(panel.gateway.service.runs.close())
    assert (run.status, run.outcome) in {("ended", "interrupted"), ("ended", "passed")}
    assert not run.folder.exists()
    panel.gateway.service.runs.stop(run)
    assert run.status == "ended"


def test_a_child_knows_this_gateway_and_its_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the environment, which no other user of the machine reads; never somebody else's token."""
    monkeypatch.setenv("GATEWAY_TOKEN", "of-another")
    with_token = Place(tmp_path, "secret", lambda: "http://0.0.0.0:81").environment()
    assert with_token["GATEWAY_TOKEN"] == "secret"
    assert with_token["GATEWAY_CONTROL_URL"] == "http://127.0.0.1:81"
    assert "GATEWAY_TOKEN" not in Place(tmp_path, None, lambda: "http://a").environment()


@pytest.mark.parametrize(
    ("bound", "reached"),
    [
        ("http://0.0.0.0:8081", "http://127.0.0.1:8081"),
        ("http://[::]:8081", "http://[::1]:8081"),
        ("http://192.0.2.7:8081", "http://192.0.2.7:8081"),
    ],
)
def test_where_this_machine_reaches_a_listener(bound: str, reached: str) -> None:
    """Everywhere includes here."""
    assert reachable(bound) == reached

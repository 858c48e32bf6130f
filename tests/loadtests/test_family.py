"""Every load test against a real gateway: right ones pass, and what is broken on purpose fails."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from loadtests import options
from loadtests.catalogue import TESTS
from loadtests.expectations import Misuse
from loadtests.moving import Moving
from loadtests.started import Served, gateway
from loadtests.steering import ControlPlane, Unsteerable

pytestmark = pytest.mark.sockets

ROOT = Path(__file__).parent.parent.parent
COARSE = ["--tolerance", "0.1"]
"""Ten points: a thousand requests are enough to see them."""

COARSER = ["--tolerance", "0.3"]
"""Where time ends a run: so few requests are answered on every machine."""

PLAIN = {"version": "1", "weights": {"2": 0.1}}
STICKY = {**PLAIN, "split": "sticky", "sticky_by": "invoke.headers.User"}


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """The example, on free ports."""
    with gateway(str(ROOT / "stages.toml"), seed=11) as both:
        yield both


@pytest.fixture
def control(served: Served) -> Iterator[ControlPlane]:
    """Its control plane; what a test has changed is put back."""
    assert served.control is not None
    plane = ControlPlane(served.control)
    before = {name: plane.alias("orders", name) for name in ("release", "prepub")}
    yield plane
    for name, routing in before.items():
        plane.route("orders", name, routing)


@pytest.fixture
def rollout(served: Served) -> Namespace:
    """The options of a rollout of the example."""
    made: Any = ArgumentParser()
    options.options_of(TESTS["rollout"])(made)
    return Namespace(**vars(made.parse_args(["--control", served.control or ""])))


def command(folder: Path, served: Served, test: str, *options: str) -> list[str]:
    """The command of a load test of a running gateway."""
    line = [sys.executable, "-m", "loadtests.run", "--test", test, "--host", served.data]
    return [*line, "--users", "8", "--verdict-json", str(folder / "verdict.json"), *options]


def load(folder: Path, served: Served, test: str, *options: str) -> tuple[int, dict[str, Any], str]:
    """Run a load test: exit code, the JSON, and everything it said."""
    done = subprocess.run(
        command(folder, served, test, *COARSE, *options),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    path = folder / "verdict.json"
    data = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    return done.returncode, data, said


def answered(served: Served) -> Counter[tuple[str, str]]:
    """What the gateway itself has counted, by stage and version."""
    with urlopen(f"{served.control}/api/metrics") as answer:
        versions = json.load(answer)["versions"]
    return Counter({(each["stage"], each["version"]): each["requests"] for each in versions})


def counted(data: dict[str, Any]) -> Counter[tuple[str, str]]:
    """What the load test has counted."""
    counts: Counter[tuple[str, str]] = Counter()
    for cell in data["counts"]["answers"]:
        counts[cell["stage"], cell["version"]] += cell["count"]
    return counts


@pytest.mark.parametrize(
    ("test", "wanted"),
    [
        ("distribution", ["--requests", "2001"]),
        ("ramp", ["--seconds", "1.5", "--rate", "2500", *COARSER]),
    ],
)
def test_master_and_workers_count_what_the_gateway_has_counted(
    served: Served, tmp_path: Path, test: str, wanted: list[str]
) -> None:
    """To the request; also where time ends the run and not a number of requests."""
    before = answered(served)
    parts = ["--processes", "2", "--by", "worker", *wanted]
    code, data, said = load(tmp_path, served, test, *parts)
    assert code == 0, said
    assert counted(data) == answered(served) - before
    assert data["requests"] == counted(data).total() == (2001 if test == "distribution" else
                                                         data["requests"])  # fmt: skip
    assert data["senders"] == 2
    assert len(data["breakdown"]["worker"]["verdicts"]) == 8
    entries = data["timeline"]
    assert (
        sum(sum(map(sum, (v.values() for v in e["stages"].values()))) for e in entries)
        == (data["requests"])
    )
    sketches = [sketch for stage in data["latency"].values() for sketch in stage.values()]
    assert sum(sum(sketch["counts"].values()) for sketch in sketches) == data["requests"]


def test_an_even_split_passes(served: Served, control: ControlPlane, tmp_path: Path) -> None:
    """Nearer to its weights than chance would be."""
    control.route("orders", "release", {**PLAIN, "split": "even"})
    code, _, said = load(tmp_path, served, "mixed", "--mix", "release=1", "--requests", "1500")
    assert code == 0, said


def test_each_stage_has_users_of_its_own(served: Served, tmp_path: Path) -> None:
    """And exactly its share of the requests."""
    code, data, said = load(tmp_path, served, "mixed", "--requests", "2000")
    assert code == 0, said
    stages = Counter[str]()
    for (stage, _), count in counted(data).items():
        stages[stage] += count
    assert stages == {"release": 1000, "prepub": 500, "dev": 500}


def test_a_spike_passes(served: Served, tmp_path: Path) -> None:
    """And no request is lost when the crowd goes home."""
    code, data, said = load(tmp_path, served, "spike", "--seconds", "2", "--rate", "2000", *COARSER)
    assert code == 0, said
    assert not data["counts"]["errors"]


STUCK = ["--keys", "800", "--requests", "2400"]


def test_sticky_keys_stay(tmp_path: Path) -> None:
    """The example is made sticky for it; every key comes from both workers."""
    line = [sys.executable, "-m", "loadtests.run", "--test", "sticky", "--seed", "3"]
    line += [*COARSE, *STUCK, "--processes", "2", "--verdict-json", str(tmp_path / "v.json")]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    data = json.loads((tmp_path / "v.json").read_text(encoding="utf-8"))
    sticky = data["sticky"]["release"]
    assert (sticky["keys"], sticky["repeated"], sticky["moved_total"]) == (800, 800, 0)
    assert (data["seed"], data["revisions"]) == (3, ["2"])
    assert data["command"].startswith("python -m loadtests.run --test sticky ")


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(PLAIN, id="not sticky"),
        pytest.param({**STICKY, "sticky_by": "invoke.headers.Users"}, id="by another header"),
    ],
)
def test_a_sticky_key_that_flips_is_caught(
    served: Served, control: ControlPlane, tmp_path: Path, broken: dict[str, Any]
) -> None:
    """The share is right, but nobody stays."""
    control.route("orders", "release", broken)
    wish = ["--expect", "release=1:0.9,2:0.1"]
    code, data, said = load(tmp_path, served, "sticky", *STUCK, *wish)
    assert code == 10, said
    assert data["sticky"]["release"]["moved_total"] > 50
    assert "was on versions 1" in said


def test_weights_that_move_while_sticky_keys_are_judged_are_caught(
    served: Served, control: ControlPlane, tmp_path: Path
) -> None:
    """No key moves within a revision, but the second one has other shares."""
    control.route("orders", "release", STICKY)
    before = answered(served).total()
    # Enough keys that the second half of the run shows what the first has not.
    line = command(tmp_path, served, "sticky", *COARSE, "--keys", "800", "--requests", "9000",
                   "--rate", "3000")  # fmt: skip
    with subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True) as process:  # fmt: skip
        while answered(served).total() < before + 2000:
            assert process.poll() is None
        control.route("orders", "release", {**STICKY, "weights": {"2": 0.5}})
        said, _ = process.communicate()
    assert process.returncode == 10, said
    data = json.loads((tmp_path / "verdict.json").read_text(encoding="utf-8"))
    outcomes = {name: each["outcome"] for name, each in data["verdict"]["verdicts"].items()}
    assert set(outcomes.values()) == {"passed", "failed"}
    assert all(sticky["moved_total"] == 0 for sticky in data["sticky"].values())


def test_only_bob_gets_what_is_bobs(served: Served, tmp_path: Path) -> None:
    """Also beside those whose names look like his."""
    code, data, said = load(tmp_path, served, "rules", "--requests", "2000")
    assert code == 0, said
    assert {(c["who"], c["version"]) for c in data["counts"]["answers"]} == {
        ("Bob", "4"),
        ("others", "3"),
    }


LEAKS = {
    "everybody whose name begins so": ("invoke.headers.User prefix Bob", "others"),
    "one that catches Bob first": ("invoke.headers.User in Bob,Alice", "Bob"),
}


@pytest.mark.parametrize(("leak", "who"), LEAKS.values(), ids=LEAKS)
def test_a_rule_that_leaks_is_caught(
    served: Served, control: ControlPlane, tmp_path: Path, leak: str, who: str
) -> None:
    """One more rule than there should be."""
    exact = {"when": "invoke.headers.User exact Bob", "version": "4"}
    more = {"when": leak, "version": "4" if who == "others" else "2"}
    rules = [exact, more] if who == "others" else [more, exact]
    control.route("orders", "prepub", {"version": "3", "rules": rules})
    code, data, said = load(tmp_path, served, "rules", "--requests", "2000")
    assert code == 10, said
    assert data["verdict"]["verdicts"][f"prepub/{who}"]["outcome"] == "failed"


def test_a_rollout_is_judged_revision_by_revision_and_put_back(
    served: Served, control: ControlPlane, tmp_path: Path
) -> None:
    """Over the control plane, with two workers, and nothing is answered by what was replaced."""
    before = control.alias("orders", "release")
    steps = ["--steps", "0.2,0.6,0", "--control", served.control or ""]
    code, data, said = load(tmp_path, served, "rollout", *steps, "--processes", "2")
    assert code == 0, said
    shares = [each["shares"] for each in data["expected"].values()]
    assert shares == [{"1": 0.8, "2": 0.2}, {"1": 0.4, "2": 0.6}, {"1": 1}]
    assert len(data["verdict"]["verdicts"]) == len(data["revisions"]) == 3
    assert control.alias("orders", "release") == before


def test_a_rollout_stops_as_soon_as_each_step_is_decided(served: Served, tmp_path: Path) -> None:
    """With fewer requests than a test needs that is asked once."""
    steps = ["--steps", "0.5,0", "--control", served.control or "", "--until-decided"]
    code, data, said = load(tmp_path, served, "rollout", *steps)
    assert code == 0, said
    assert all(look["decided_at"] for look in data["watched"].values())


REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "rules": (
        {**PLAIN, "rules": [{"when": "invoke.headers.User exact Bob", "version": "4"}]},
        {},
        "alias release has rules or sticky keys",
    ),
    "sticky": (STICKY, {}, "alias release has rules or sticky keys"),
    "no such alias": (PLAIN, {"alias": "beta"}, "no alias 'beta'"),
    "two stages": (PLAIN, {"mix": "dev=1,release=1"}, "on one stage"),
    "expectations": (PLAIN, {"expect": ["release=1:1"]}, "and no --expect"),
}


@pytest.mark.parametrize(("routing", "told", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_rollout_is_refused(
    control: ControlPlane, rollout: Namespace, routing: dict[str, Any], told: dict[str, Any],
    said: str,
) -> None:  # fmt: skip
    """In a sentence, before anything is moved."""
    control.route("orders", "release", routing)
    with pytest.raises((Misuse, Unsteerable), match=re.escape(said)):
        Moving(Namespace(**{**vars(rollout), **told}), options.terms(rollout))


def test_a_step_that_cannot_be_made_ends_the_run(
    served: Served, control: ControlPlane, tmp_path: Path
) -> None:
    """With the control plane's own words, and the alias stays as it was."""
    before = control.alias("orders", "release")
    where = ["--control", served.control or "", "--to", "77"]
    code, _, said = load(tmp_path, served, "rollout", *where)
    assert code == 3, said
    assert "names version '77'" in said
    assert control.alias("orders", "release") == before


def test_only_this_machine_is_steered() -> None:
    """Unless another is allowed, as for the load itself."""
    with pytest.raises(Unsteerable, match=r"192\.0\.2\.1 is not this machine"):
        ControlPlane("http://192.0.2.1:8081")
    with pytest.raises(Unsteerable, match="no control plane answers at http://127"):
        ControlPlane("http://127.0.0.1:9").alias("orders", "release")


def sequence(seed: int, requests: int) -> list[str]:
    """The versions that one connection gets, one after another."""
    some = 50  # are sent at once, and answered in order
    asked = b"GET /release/orders/7 HTTP/1.1\r\nHost: localhost\r\n\r\n" * some
    found: list[str] = []
    with gateway(str(ROOT / "stages.toml"), seed) as served:
        parts = urlsplit(served.data)
        with (
            socket.create_connection((parts.hostname, parts.port)) as connection,
            connection.makefile("rb") as answers,
        ):
            lines = (line.lower().split() for line in answers)
            versions = (words[1] for words in lines if words[:1] == [b"x-gateway-version:"])
            while len(found) < requests:
                connection.sendall(asked)
                found += [version.decode() for version in islice(versions, some)]
    return found


def test_the_same_seed_gives_the_same_versions_in_the_same_order() -> None:
    """Two thousand requests on one connection, each time to another process."""
    first, second, other = sequence(5, 2000), sequence(5, 2000), sequence(6, 100)
    assert first == second
    assert 130 < first.count("2") < 270
    assert other != first[:100]

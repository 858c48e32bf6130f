"""Locust is sent at a running gateway, and its answers are judged by what the live alias says."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import click
import pytest
from click.testing import Result

from gateway.cli import verify_expected, verify_live, verify_locust
from gateway.cli.verify_expected import Wish
from gateway.cli.verify_found import verified_of
from gateway.cli.verify_requests import made_up
from gateway.traffic.observed_judging import Word
from gateway.traffic.recording import Recorded, write
from gateway.verdict import Question

if TYPE_CHECKING:
    from gateway.cli.remote import Remote

Call = Callable[..., Result]
Json = Any
Running = Any
Shop = Callable[..., Path]

OURS = ("--function", "orders")
ORDERS = {"method": "ANY", "path": "/orders/{id}", "function": "orders", "qualifier": "release"}


def wish(stage: str = "release", **more: Any) -> Wish:  # noqa: ANN401 - fields of a wish
    """What is expected of a stage."""
    return Wish(**{"stage": stage, "shares": {"1": 0.9, "2": 0.1}, "apis": [ORDERS], **more})


def snapshot(**aliases: Json) -> Json:
    """A gateway whose stages lead to functions by these aliases."""
    apis = {name: {**ORDERS, "function": name, "qualifier": "a"} for name in aliases}
    functions = {
        name: {"aliases": {"a": alias} if alias else {}} for name, alias in aliases.items()
    }
    mock = {"method": "GET", "path": "/ping", "mock": {}}
    stages = {"release": {"apis": [*apis.values(), mock]}, "dev": {"apis": [mock]}}
    return {"revision": 7, "functions": functions, "services": {"s": {"stages": stages}}}


def alias(**more: Json) -> Json:
    """An alias as the API writes it."""
    return {"version": "1", "weights": {"2": 0.1}, "rules": [], "split": "random",
            "sticky_by": None, **more}  # fmt: skip


class Told:
    """A control plane that says one thing."""

    def __init__(self, body: Json) -> None:
        self.body = body

    def get(self, _path: str) -> Told:
        return self


def live(told: Json, stage: str = "release", function: str | None = None) -> Wish:
    """What a control plane says of a stage."""
    remote: Remote = Told(told)  # type: ignore[assignment]
    return verify_expected.live(remote, [stage], function)[stage]


def test_expectations_are_those_of_the_live_alias() -> None:
    """Its weights, rules and key, and where they are from."""
    rules = [{"when": "invoke.headers.User exact Bob", "version": "4"}]
    more = {"rules": rules, "split": "sticky", "sticky_by": "invoke.headers.User"}
    found = live(snapshot(orders=alias(**more)))
    assert found.shares == {"1": 0.9, "2": 0.1}
    assert found.versions_of_rules == {"rule:1": "4"}
    assert found.sticky_by == "invoke.headers.User"
    assert found.source.startswith("alias a of orders at revision 7: invoke.headers.User exact Bob")


def test_of_several_functions_one_is_named() -> None:
    """And a version in place of an alias is all there is."""
    told = snapshot(orders=alias(), other=None)
    told["services"]["s"]["stages"]["release"]["apis"][1]["qualifier"] = "3"
    found = live(told, function="other")
    assert (found.function, found.shares) == ("other", {"3": 1.0})
    assert found.source == "other version 3 at revision 7: 3"


@pytest.mark.parametrize(
    ("stage", "function", "code", "said"),
    [
        ("release", None, 2, "leads to several functions: orders (a), other (a)"),
        ("release", "nobody", 5, "has no API of function 'nobody'"),
        ("release", "other", 5, "by 'a', and there is no such alias"),
        ("dev", None, 5, "has no API of a function"),
        ("releas", None, 5, "did you mean 'release'?"),
        ("x", None, 5, "there are: dev, release"),
    ],
)
def test_what_a_stage_does_not_have_is_told(
    capsys: pytest.CaptureFixture[str], stage: str, function: str | None, code: int, said: str
) -> None:
    """With the names that it has."""
    with pytest.raises(click.exceptions.Exit) as ended:
        live(snapshot(orders=alias(), other=None), stage, function)
    assert ended.value.exit_code == code
    assert said in capsys.readouterr().err


def paths(*wishes: Wish, keys: int = 0) -> list[str]:
    """Methods and paths, each once."""
    return list(dict.fromkeys(f"{one.method} {one.path}" for one in made_up(wishes, keys)))


def test_requests_are_made_up_for_the_apis_of_the_function() -> None:
    """Those that read, if there are any, with values in place of parameters."""
    post = {**ORDERS, "method": "POST", "path": "=/orders"}
    assert paths(wish(apis=[ORDERS, post]))[:2] == ["GET /orders/1", "GET /orders/2"]
    assert len(paths(wish(apis=[ORDERS, post]))) == 20
    assert paths(wish(apis=[post])) == ["POST /orders"]


def test_bob_comes_where_his_rule_is() -> None:
    """As often as everybody else."""
    rules = [{"when": "invoke.headers.User exact Bob", "version": "4"}]
    users = [one.user for one in made_up([wish(rules=rules)], 0)]
    assert users == [None, "Bob"] * 20


@pytest.mark.parametrize(
    ("key", "field", "value"),
    [
        ("invoke.headers.User", "headers", (("User", "user-2"),)),
        ("invoke.cookies.id", "headers", (("Cookie", "id=user-2"),)),
        ("invoke.query.u", "query", "u=user-2"),
        ("invoke.path.id", "path", "/orders/user-2"),
    ],
)
def test_each_user_has_the_sticky_key(key: str, field: str, value: object) -> None:
    """Wherever the alias looks for it."""
    other = {**ORDERS, "path": "/orders"} if key.startswith("invoke.path") else ORDERS
    asked = list(made_up([wish(sticky_by=key, apis=[ORDERS, other])], 5))
    assert [one.user for one in asked] == [f"user-{number}" for number in range(1, 6)]
    assert getattr(asked[1], field) == value


def test_what_cannot_be_made_up_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """With what to do in place of it."""
    for wishes, keys in (
        ([wish(sticky_by="invoke.body.$.user")], 5),
        ([wish(), wish("dev", apis=[{**ORDERS, "path": "/other"}])], 0),
    ):
        with pytest.raises(click.exceptions.Exit) as ended:
            list(made_up(wishes, keys))
        assert ended.value.exit_code == 2
    said = capsys.readouterr().err
    assert "no request can be made up with" in said
    assert "no API answers on all of the stages release, dev" in said


@pytest.mark.sockets
@pytest.mark.parametrize(
    ("expect", "code"), [((), 0), (("--expect", "1=0.8,2=0.2"), 10)], ids=["live", "another"]
)
def test_a_stage_is_verified_over_sockets(
    running: Running, call: Call, expect: tuple[str, ...], code: int
) -> None:
    """It stops as soon as it is decided."""
    arguments = ("--stage", "release", "--against", running.data, "--until-decided")
    result = call("verify", *arguments, *OURS, *expect, "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == code, result.output
    assert told["requests"] < 20_000
    assert told["failures"] == []
    assert sum(sum(one["counts"].values()) for one in told["latency"]) == told["requests"]
    assert told["timeline"]["unit"] == "seconds"
    assert told["about"]["locust"]


@pytest.mark.sockets
def test_bob_and_others_are_verified_where_callers_reach_the_gateway(
    start_gateway: Callable[..., Running], call: Call
) -> None:
    """Nobody said where that is; and each worker and revision is judged as well."""
    gateway = start_gateway()
    gateway.gateway.service.data_url = gateway.data
    rule = "invoke.headers.User exact Bob -> 2"
    assert call("alias", "set", "orders", "prepub", "--version", "1", "--rule", rule).exit_code == 0
    by = ("--by", "reason", "--by", "revision")
    result = call("verify", "--stage", "prepub", *OURS, *by, "--requests", "1000", "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == 0, result.output
    assert [(split["name"], split["total"]) for split in told["splits"]] == [
        ("prepub/Bob", 500),
        ("prepub/others", 500),
        ("prepub/Bob by reason", 500),
        ("prepub/Bob at revision 2", 500),
        ("prepub/others at revision 2", 500),
    ]
    assert told["sentence"].startswith("passed: 2 of 2 splits")


@pytest.mark.sockets
def test_a_sticky_split_is_verified_by_its_keys(running: Running, call: Call) -> None:
    """The keys are where the alias looks for them."""
    sticky = ("--split", "sticky", "--sticky-by", "invoke.query.u")
    more = ("--weight", "2=0.5", "--rule", "invoke.headers.User exact Bob -> 2", *sticky)
    moved = call("alias", "set", "orders", "release", "--version", "1", *more)
    assert moved.exit_code == 0
    result = call(
        "verify", "--stage", "release", "--against", running.data, "--tolerance", "0.1",
        *OURS, "--requests", "5000",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "that came again has moved" in result.stdout
    assert "note: the rules of release were not tried; its keys were" in result.stdout


@pytest.mark.sockets
def test_answers_of_rules_are_judged_by_their_reason(
    running: Running, call: Call, tmp_path: Path
) -> None:
    """Where the load test does not know who hits which rule."""
    asked = [
        Recorded(0.0, "GET", "/orders/1", headers=(("User", "Bob"),)),
        Recorded(0.0, "GET", "/orders/1", query="beta=1"),
        Recorded(0.0, "GET", "/orders/1"),
    ]
    (tmp_path / "r.jsonl").write_bytes(b"".join(map(write, asked)))
    more = ("--from", str(tmp_path / "r.jsonl"), "--requests", "900", "--rate", "3000")
    arguments = ("verify", "--stage", "prepub", "--against", running.data, *more, "--by", "worker")
    result = call(*arguments, *OURS, "--json")
    assert result.exit_code == 0, result.output
    splits = json.loads(result.stdout)["splits"]
    assert [(split["name"], split["total"]) for split in splits] == [
        ("prepub", 300),
        ("prepub/rule:1", 300),
        ("prepub/rule:2", 300),
    ]
    assert call(*arguments, *OURS, "--until-decided").exit_code == 2


@pytest.mark.sockets
def test_several_stages_are_verified_at_once(running: Running, call: Call, tmp_path: Path) -> None:
    """With an access log, as the load tests read it."""
    (tmp_path / "a.log").write_text(
        '10.0.0.1 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 12\n'
    )
    more = ("--from", str(tmp_path / "a.log"), "--requests", "600", "--against", running.data)
    result = call("verify", "--stage", "release", "--stage", "dev", *OURS, *more)
    assert result.exit_code == 12, result.output
    assert re.search(r"^dev +\$LATEST +100 % ", result.stdout, re.MULTILINE)
    assert re.search(r"^release +2 +10 % ", result.stdout, re.MULTILINE)


@pytest.mark.sockets
def test_a_gateway_that_is_not_there_is_told(running: Running, call: Call) -> None:
    """As the load test tells it, with its exit code."""
    arguments = ("--stage", "release", "--expect", "1=1", "--from", "functions")
    assert call("verify", *arguments, "--against", "http://127.0.0.1:1").exit_code == 2
    nowhere = call("verify", "--stage", "release", *OURS, "--against", "http://127.0.0.1:1")
    assert nowhere.exit_code == 3
    assert "no gateway answers at http://127.0.0.1:1" in nowhere.stderr
    assert running.gateway


def until(terminal: int, pattern: bytes) -> bytes:
    """What a terminal shows up to something."""
    shown = b""
    while not re.search(pattern, shown):
        shown += os.read(terminal, 4096)
    return shown


@pytest.fixture
def terminal() -> Iterator[Callable[..., tuple[subprocess.Popen[bytes], int]]]:
    """Verify while standard error is a terminal; gives the terminal's other end."""
    begun: list[tuple[subprocess.Popen[bytes], int]] = []

    def run(*arguments: str) -> tuple[subprocess.Popen[bytes], int]:
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "gateway", "verify", *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs)
        os.close(theirs)
        begun.append((process, ours))
        return process, ours

    yield run
    for process, ours in begun:
        with process:
            process.kill()
        os.close(ours)


@pytest.mark.sockets
def test_what_came_is_told_while_it_comes_and_ctrl_c_gives_the_report_so_far(
    running: Running, terminal: Callable[..., tuple[subprocess.Popen[bytes], int]]
) -> None:
    """The line tells the gateway's own counts, and the verdict so far."""
    arguments = ("--stage", "release", *OURS, "--against", running.data, "--requests", "10000000")
    process, shown = terminal(*arguments)
    until(shown, rb"[1-9][0-9,]* requests in [0-9]+ s; release: 1 9[0-9.]+ %.*so far")
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate()
    assert process.returncode == 130
    assert out.splitlines()[-1].startswith(b"interrupted: after ")


class Interrupted:
    """A terminal at which somebody presses Ctrl-C when the second line is drawn."""

    def __init__(self) -> None:
        self.drawn = 0

    def show(self, _words: object) -> None:
        self.drawn += 1
        if self.drawn == 2:
            raise KeyboardInterrupt

    def clear(self) -> None:
        pass


def ended_by(script: str, result: Path) -> int:
    """The exit code of a command whose load test is a script; 0 if it had a result."""
    blind = verify_live.Live(None, [wish()], Question())
    try:
        verify_locust._run([sys.executable, "-c", script], result, blind)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    return 0


@pytest.mark.parametrize(("writes", "code"), [(True, 0), (False, 130)])
def test_ctrl_c_is_passed_on_to_the_load_test(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, writes: bool, code: int
) -> None:
    """Which says what it knows; if it knows nothing yet, there is nothing to say."""
    monkeypatch.setattr(verify_locust, "Progress", Interrupted)
    result = tmp_path / "verdict.json"
    act = f"open({str(result)!r}, 'w').close()" if writes else "raise"
    script = f"import signal\ntry:\n  signal.pause()\nexcept KeyboardInterrupt:\n  {act}"
    assert ended_by(script, result) == code


@pytest.mark.parametrize(
    ("script", "code", "said"),
    [
        ("raise SystemExit(2)", 2, "error[no-result]: the load test ended without a result"),
        ("raise SystemExit('broken')", 1, "broken"),
        ("raise SystemExit(9)", 1, "error[no-result]"),
    ],
)
def test_a_load_test_without_a_result_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, script: str, code: int, said: str
) -> None:
    """As it was told there."""
    assert ended_by(script, tmp_path / "verdict.json") == code
    assert said in capsys.readouterr().err


@pytest.mark.sockets
def test_the_counts_are_those_of_the_stage_since_the_beginning(running: Running) -> None:
    """Other stages, and what was before, do not count."""
    from gateway.cli.remote import Remote

    def ask(stage: str) -> None:
        with urlopen(f"{running.data}/{stage}/orders/1") as answer:
            answer.read()

    ask("release")
    with Remote(running.url) as remote:
        looking = verify_live.Live(remote, [wish(shares={"1": 0.9, "2": 0.1})], Question())
        ask("release")
        ask("dev")
        said = looking.words()
    assert re.fullmatch(
        r"1 requests in [0-9]+ s; release: [12] 100\.00 %, undecided so far", said
    ), said


def test_without_a_control_plane_only_the_time_is_known() -> None:
    """And when one goes away, it is asked no more."""
    blind = verify_live.Live(None, [wish()], Question())
    assert blind.words() == "0 s"
    assert blind.data_url == ""


@pytest.mark.sockets
def test_a_control_plane_that_goes_away_is_asked_no_more(
    shop: Shop, begin: Callable[..., subprocess.Popen[str]]
) -> None:
    """The load test will tell what came of it."""
    from gateway.cli.remote import Remote

    shop()
    ports = ("--port", "0", "--control-port", "0", "--state", ":memory:", "--no-watch")
    process = begin("serve", *ports)
    assert process.stdout is not None
    [url] = re.findall(r"control=(\S+)", process.stdout.readline())
    with Remote(url) as remote:
        ruled = [wish(rules=[{"when": "x", "version": "4"}])]
        looking = verify_live.Live(remote, ruled, Question())
        assert re.fullmatch(r"0 requests in [0-9]+ s; ", looking.words())
        process.kill()
        process.wait()
        assert all(re.fullmatch(r"[0-9]+ s", looking.words()) for _ in range(2))


def test_without_locust_nothing_is_sent(
    monkeypatch: pytest.MonkeyPatch, shop: Shop, call: Call, tmp_path: Path
) -> None:
    """It is said how to get it."""
    shop()
    monkeypatch.setattr(verify_locust, "find_spec", lambda _name: None)
    (tmp_path / "r.jsonl").write_text("{}")
    arguments = ("--against", "http://127.0.0.1:1", "--from", str(tmp_path / "r.jsonl"))
    result = call("verify", "--stage", "release", "--expect", "1=1", *arguments)
    assert result.exit_code == 3
    assert "locust and loadtests cannot be found" in result.stderr
    assert "pip install 'gateway-simulator[loadtest]'" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name a stage with --stage, or a log with --log"),
        (("--stage", "release", "--where", "a=1"), "--where has no effect without --log"),
        (("--against", "nowhere", "--stage", "release"), "'nowhere' is no address"),
        (("--stage", "release", "--by", "pod"), "allowed: alias, reason, revision, worker"),
    ],
)
def test_a_mistake_is_told_before_anything_is_sent(
    call: Call, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    """In a sentence, with what is allowed."""
    (tmp_path / "r.jsonl").write_text("{}")
    more: tuple[str, ...] = ("--expect", "1=1", "--from", str(tmp_path / "r.jsonl"))
    if "--against" not in arguments:
        more = ("--against", "http://127.0.0.1:1", *more)
    result = call("verify", *(arguments and (*more, *arguments)))
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


RULES = ({"when": "invoke.query.beta exists", "version": "4"},)
STICKY = {"sticky_by": "invoke.query.u"}


@pytest.mark.parametrize(
    ("wishes", "source", "said"),
    [
        ([wish(**STICKY), wish("dev")], None, "is sticky: verify it by itself"),
        ([wish(**STICKY, rules=RULES)], "r.jsonl", "is sticky and has rules"),
        ([wish(**STICKY)], "a.log", "an access log has no invoke.query.u"),
    ],
    ids=["two stages", "rules", "access log"],
)
def test_sticky_keys_have_their_limits(
    tmp_path: Path, wishes: list[Wish], source: str | None, said: str
) -> None:
    """What is asked must be about keys alone, and about those that are there."""
    (tmp_path / "a.log").write_text("x")
    path = str(tmp_path / source) if source else None
    given = {"by": (), "until_decided": False, "source": path}

    def ask() -> None:
        verify_locust._check_sense(given, wishes)
        verify_locust._source(path, wishes, 5, tmp_path)

    with pytest.raises(click.UsageError, match=said):
        ask()


def test_the_users_of_an_access_log_may_be_keys(tmp_path: Path) -> None:
    """Where the key is their name."""
    (tmp_path / "a.log").write_text("x")
    path = str(tmp_path / "a.log")
    asked = verify_locust._source(path, [wish(sticky_by="invoke.headers.User")], 5, tmp_path)
    assert asked == ["--access-log", path]


def sticky_found(*, moved: int) -> Json:
    """What a load test of sticky keys writes that was watched."""
    share = {"version": "1", "expected": 1.0, "count": 500, "share": 1.0, "low": 0.9, "high": 1.0,
             "smallest_deviation": None}  # fmt: skip
    verdict = {"outcome": "undecided", "sentence": "undecided: x", "total": 500, "shares": [share]}
    look = {"outcome": "passed", "p_value": 1.0, "total": 500, "decided_at": 400}
    outcome = "failed" if moved else "passed"
    sticky = {"outcome": outcome, "sentence": f"{outcome}: y", "consistency": {"outcome": outcome}}
    return {
        **found(outcome),
        "verdict": {"verdicts": {"release": verdict}, "question": {"tolerance": 0.03}},
        "watched": {"release": look},
        "sticky": {"release": sticky},
    }


@pytest.mark.parametrize(
    ("moved", "finding"),
    [
        (0, "decided after 400 keys; version 1 got 100 % of 500 keys, 100 % expected"),
        (1, "y"),
    ],
)
def test_keys_that_were_watched_must_have_stayed(moved: int, finding: str) -> None:
    """Whatever their shares are."""
    told = sticky_found(moved=moved)
    verified = verified_of(told, [wish(**STICKY)], Question(), "http://127.0.0.1:8080")
    [answer] = verified.answers
    assert (answer.unit, answer.outcome) == ("keys", told["outcome"])
    assert answer.finding.startswith(finding)


def found(outcome: str = "passed", **more: Json) -> Json:
    """What a load test writes, as far as it is read."""
    answers = [
        {"stage": "release", "reason": "main", "version": "1", "count": 900, "failed": 3},
        {"stage": "release", "reason": "rule:1", "version": "4", "count": 200, "failed": 0},
        {"stage": "release", "reason": "weight", "version": "2", "count": 100, "failed": 0},
    ]
    errors = [{"stage": "release", "what": "status 500 from version 1", "count": 3}]
    return {
        "outcome": outcome, "requests": 1200, "seconds": 0.0, "misfits": [],
        "errors_exceeded": False, "error_share": 0.0025, "max_errors": 0.0,
        "counts": {"answers": answers, "errors": errors}, **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("told", "rules", "word"),
    [
        (found(), RULES, Word.UNDECIDED),
        (found("interrupted"), RULES, Word.INTERRUPTED),
        (found(misfits=["two main versions"]), RULES, Word.FAILED),
        (found(errors_exceeded=True, x=1, revisions=["3", "4"]), RULES, Word.ERRORS),
        (found(), ({"when": "invoke.query.beta exists", "version": "5"},), Word.FAILED),
        (found(), ({"when": "x", "version": "9"},) * 0, Word.PASSED),
    ],
    ids=["few", "interrupted", "misfit", "errors", "another version", "no rules"],
)
def test_what_a_load_test_found_is_one_answer(
    told: Json, rules: tuple[Json, ...], word: Word
) -> None:
    """The worst of everything, whoever judged it."""
    told = {**told, "verdict": {"verdicts": {}, "question": {"tolerance": 0.03}}}
    verified = verified_of(told, [wish(rules=rules)], Question(), "http://127.0.0.1:8080")
    assert verified.word is word
    assert verified.failures == {("release", "1"): 3}
    assert bool(verified.complaints) is told["errors_exceeded"]
    assert ("the routing changed meanwhile: revisions 3, 4" in verified.notes) is ("x" in told)
    assert "error on release: status 500 from version 1: 3 times" in verified.notes


def test_a_rule_that_the_alias_does_not_have_is_a_misfit() -> None:
    """Somebody moved it, or it is broken."""
    two = [wish(rules=RULES), wish("dev", rules=())]
    told = found()
    told["counts"]["answers"][1]["reason"] = "rule:7"
    verified = verified_of(told, two, Question(), "http://127.0.0.1:8080")
    assert verified.word is Word.FAILED
    assert "release: rule:7 hit, which there is not: 200 times" in verified.notes

"""`gateway check --routes`: what is found, at its place, with the exit code for scripts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gateway.cli.exits import Exit
from gateway.cli.routes import Report, run_routes, words
from gateway.config import ConfigurationInvalid, load
from gateway.core.apply import apply
from gateway.core.changes import Batch, PutAlias
from gateway.core.snapshot import EMPTY, Snapshot
from gateway.traffic.recording import Recorded, write
from gateway.verdict import Outcome

if TYPE_CHECKING:
    from tests.cli.conftest import Call, Shop

BOB = """
[[cases]]
name = "Bob"
stage = "prepub"
request = "GET /orders/1"
headers = { User = "Bob" }
version = "2"
reason = "rule:1"
"""
RELEASE = 'stage = "release"\nrequest = "GET /orders/1"\n'


def state_of(folder: Path) -> Snapshot:
    """What the shop's file declares."""
    return apply(EMPTY, load(folder / "stages.toml").changes)


def run(folder: Path, text: str, snapshot: Snapshot | None = None) -> Report:
    """The report on a text of routing tests."""
    (folder / "routes.toml").write_text(text)
    return run_routes(Path("stages.toml"), Path("routes.toml"), snapshot or state_of(folder))


def told(report: Report) -> list[str]:
    """Everything that is wrong, in short."""
    return [f"{one.file}:{one.line}:{one.column} {one.code}" for one in report.findings]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(BOB, "version 2 (rule:1)", id="a rule"),
        pytest.param(
            f'[[cases]]\n{RELEASE}draw = 0.05\nversion = "2"\nreason = "weight"',
            "version 2 (weight)",
            id="a draw",
        ),
        pytest.param(
            '[[cases]]\nstage = "test"\nrequest = "GET /orders/1"\nversion = "$LATEST"',
            "version $LATEST (main)",
            id="another name of a stage",
        ),
        pytest.param(
            '[[cases]]\nstage = "release"\nrequest = "GET /other"\nreason = "pinned"',
            "version $LATEST (pinned)",
            id="a version that the stage names",
        ),
        pytest.param(
            f'[[cases]]\n{RELEASE}backend = "function"',
            "version 2 (weight) or version 1 (main)",
            id="whatever is drawn",
        ),
        pytest.param(
            '[[cases]]\nstage = "dev"\nrequest = "GET /ping"\nbackend = "mock"',
            "the mock back end",
            id="a mock",
        ),
        pytest.param(
            '[[cases]]\nstage = "dev"\nrequest = "GET /legacy/x"\nbackend = "http"',
            "the http back end",
            id="another server",
        ),
        pytest.param(
            '[[cases]]\nstage = "dev"\nrequest = "GET /nowhere"\nerror = "api-not-found"',
            "the error api-not-found",
            id="an error",
        ),
        pytest.param(
            f'[[splits]]\n{RELEASE}expect = {{ "1" = 0.9, "2" = 0.1 }}',
            "computed from the weights: 1 90 %, 2 10 %",
            id="shares",
        ),
        pytest.param(
            f'[[splits]]\n{RELEASE}expect = {{ "2" = 0.12 }}\ntolerance = 0.02',
            "computed from the weights: 1 90 %, 2 10 %",
            id="a share, give or take",
        ),
        pytest.param(
            f'[[splits]]\n{RELEASE}expect = {{ "2" = 0.1 }}\ndraws = 4000\ntolerance = 0.05',
            "by 4,000 draws: 4,000 requests agree with the expected shares",
            id="one share by draws",
        ),
        pytest.param(
            f'[[splits]]\n{RELEASE}expect = {{ "1" = 0.9, "2" = 0.1 }}\ndraws = 4000\n'
            "tolerance = 0.05",
            "by 4,000 draws: 4,000 requests agree with the expected shares",
            id="all shares by draws",
        ),
        pytest.param(
            BOB.replace("cases", "splits").split("version")[0] + 'expect = { "2" = 1 }',
            "computed from the weights: 2 100 %",
            id="shares of a rule",
        ),
    ],
)
def test_what_passes(shop: Shop, text: str, found: str) -> None:
    """With what was found."""
    report = run(shop(), text)
    (result,) = report.results
    assert result.finding.startswith(found)
    assert (report.outcome, report.exit, report.findings) == (Outcome.PASSED, Exit.OK, ())


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        pytest.param(
            BOB.replace('"Bob" }', '"bob" }'),
            "6:11: error[wrong-version]: GET /orders/1 on prepub, User: bob goes to version 1"
            " (main); expected: version 2, the reason rule:1",
            "rule 1, invoke.headers.User exact Bob, read 'bob';"
            " rule 2, invoke.query.beta exists, found nothing to read",
            id="another header",
        ),
        pytest.param(
            BOB.replace("rule:1", "rule:2"),
            "7:10: error[wrong-reason]: GET /orders/1 on prepub, User: Bob goes to version 2"
            " (rule:1); expected: version 2, the reason rule:2",
            "",
            id="another reason",
        ),
        pytest.param(
            f'[[cases]]\n{RELEASE}version = "1"',
            "4:11: error[wrong-version]: GET /orders/1 on release goes to version 2 (weight)"
            " in 10 % of all draws; expected: version 1",
            "settle it with draw = 0.5, or test the shares in [[splits]]",
            id="not settled",
        ),
        pytest.param(
            f'[[cases]]\n{RELEASE}backend = "mock"',
            "4:11: error[wrong-backend]: GET /orders/1 on release goes to version 2 (weight)",
            "settle it",
            id="another back end",
        ),
        pytest.param(
            '[[cases]]\nstage = "dev"\nrequest = "GET /ping"\nversion = "1"',
            "4:11: error[wrong-version]: GET /ping on dev goes to the mock back end; expected",
            "",
            id="no function",
        ),
        pytest.param(
            f'[[cases]]\n{RELEASE}draw = 0\nerror = "api-not-found"',
            "5:9: error[wrong-error]: GET /orders/1 on release goes to version 2 (weight);"
            " expected: the error api-not-found",
            "",
            id="no error",
        ),
        pytest.param(
            '[[cases]]\nstage = "dev"\nrequest = "GET /nowhere"\nreason = "main"',
            "4:10: error[wrong-answer]: GET /nowhere on dev ends in the error api-not-found:"
            " no api matches the path '/nowhere'",
            "",
            id="nowhere",
        ),
        pytest.param(
            '[[splits]]\nstage = "dev"\nrequest = "PUT /ping"\nexpect = { "1" = 1 }',
            "3:11: error[wrong-answer]: PUT /ping on dev ends in the error method-not-supported",
            "",
            id="shares of nothing",
        ),
        pytest.param(
            '[[splits]]\nstage = "dev"\nrequest = "GET /ping"\nexpect = { "1" = 1 }',
            "4:10: error[wrong-share]: version 1 gets 0 % of GET /ping on dev where 100 % is"
            " expected; computed from the weights: no function answers",
            "",
            id="shares of a mock",
        ),
        pytest.param(
            '[[splits]]\nstage = "dev"\nrequest = "GET /ping"\nexpect = { "1" = 1 }\n'
            "draws = 100\ntolerance = 0.5",
            "5:9: error[too-few-draws]: by 100 draws: no requests were counted",
            "",
            id="draws of a mock",
        ),
        pytest.param(
            f'[[splits]]\n{RELEASE}expect = {{ "2" = 0.12 }}\ntolerance = 0.01',
            "4:10: error[wrong-share]: version 2 gets 10 % of GET /orders/1 on release where 12 %,"
            " give or take 1 %, is expected; computed from the weights: 1 90 %, 2 10 %",
            "",
            id="another share",
        ),
        pytest.param(
            f'[[splits]]\n{RELEASE}expect = {{ "2" = 0.5 }}\ndraws = 1000\ntolerance = 0.1',
            "4:10: error[wrong-share]: by 1,000 draws: version 2 got ",
            "",
            id="another share by draws",
        ),
    ],
)
def test_what_fails(shop: Shop, text: str, message: str, hint: str) -> None:
    """At its place, and with what may have been meant."""
    report = run(shop(), text.lstrip())
    (finding,) = report.findings
    assert str(finding).startswith(f"routes.toml:{message}")
    assert finding.hint.startswith(hint) if hint else not finding.hint
    undecided = finding.code == "too-few-draws"
    assert report.exit is (Exit.UNDECIDED if undecided else Exit.VERDICT_FAILED)


RULE = """
[[rules]]
function = "orders"
alias = "prepub"
rule = 1
hit = "never"

[[rules]]
function = "orders"
alias = "prepub"
rule = 2
hit = "sometimes"

[traffic]
stage = "prepub"
recordings = ["day.jsonl"]
requests = [
  { stage = "prepub", request = "GET /orders/1", headers = { User = "Alice" }, times = 5 },
  { stage = "dev", request = "GET /ping", times = 2 },
  { stage = "dev", request = "GET /nowhere" },
]
"""


def test_rules_are_tested_by_traffic(shop: Shop) -> None:
    """By requests of the file and by recordings, in which a name may be any bytes."""
    folder = shop()
    recording = folder / "day.jsonl"
    lines = [
        Recorded(0, "GET", "/orders/7", "beta=1", (("X", "\xff"),), b"\xff"),
        Recorded(1, "GET", "/orders/7", stage="dev"),
    ]
    recording.write_bytes(b"".join(map(write, lines)))
    report = run(folder, RULE)
    assert [result.finding for result in report.results] == [
        "0 of 10 requests hit it",
        "1 of 10 requests hit it",
    ]
    assert report.outcome is Outcome.PASSED
    assert words(report).endswith(
        "passed: 2 of 2 routing tests passed; the traffic has 10 requests,"
        " of which no api answers 1 (1 api-not-found)"
    )
    bob = Recorded(0, "GET", "/orders/7", "page=2", (("User", "Bob"),))
    recording.write_bytes(write(bob))
    report = run(folder, RULE)
    assert [str(finding).splitlines()[0] for finding in report.findings] == [
        (
            "routes.toml:6:7: error[rule-hit]: rule 1 of alias 'prepub' of function 'orders' was"
            " hit, by GET /orders/7?page=2 on prepub, User: Bob; 1 of 9 requests hit it"
        ),
        (
            "routes.toml:12:7: error[rule-not-hit]: rule 2 of alias 'prepub' of function 'orders'"
            " was never hit; 0 of 9 requests hit it"
        ),
    ]
    unreadable = bob._replace(headers=(("User", "Bob"), ("X", "\xff")))
    recording.write_bytes(write(unreadable))
    assert "X: '\\udcff'; 1 of 9" in run(folder, RULE).findings[0].message
    report = run(folder, RULE.replace('stage = "prepub"\nrecordings', "recordings"))
    assert report.router.seen.lost == {"no-stage": 1, "api-not-found": 1}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(b"{}\n", "error[bad-line]: ", id="a line"),
        pytest.param(b"\x1f\x8b broken", "error[unreadable-file]: ", id="a file"),
    ],
)
def test_a_recording_that_is_none_is_a_mistake(shop: Shop, content: bytes, sentence: str) -> None:
    """Of the file that names it."""
    folder = shop()
    (folder / "day.jsonl").write_bytes(content)
    with pytest.raises(ConfigurationInvalid) as refusal:
        run(folder, RULE)
    assert str(refusal.value).startswith(f"routes.toml:16:15: {sentence}")


def test_coverage_of_apis_rules_and_weights(shop: Shop) -> None:
    """What no request has exercised is named; what must be, fails."""
    folder = shop()
    rest = '[[cases]]\nstage = "release"\nrequest = "GET /orders/1"\ndraw = 0.5\nversion = "1"\n'
    report = run(folder, f"{BOB}{rest}[coverage]\nrules = 0.5\nweights = 0.75\napis = 0")
    coverage: Any = report.to_dict()["coverage"]
    assert (coverage["apis"]["exercised"], coverage["apis"]["total"]) == (2, 12)
    assert "prepub ANY /orders/{id}" not in coverage["apis"]["missing"]
    assert coverage["rules"] == {
        "exercised": 1,
        "total": 2,
        "missing": ["orders prepub rule 2: invoke.query.beta exists"],
    }
    assert coverage["weights"] == {"exercised": 1, "total": 2, "missing": ["orders release: 2"]}
    (finding,) = report.findings
    assert str(finding).splitlines() == [
        (
            "routes.toml:16:11: error[coverage-too-low]: 1 of 2 weights were exercised (50 %);"
            " allowed: at least 75 %"
        ),
        "   16 | weights = 0.75",
        "      |           ^^^^",
        "      = hint: not exercised: orders release: 2",
    ]
    assert report.exit is Exit.VERDICT_FAILED
    assert words(report).endswith("failed: 2 of 2 routing tests passed; 1 other finding")
    assert run(folder, "[coverage]\nrules = 1", EMPTY).outcome is Outcome.PASSED


def test_sticky_keys_and_weights_of_nothing(shop: Shop) -> None:
    """A key is settled without a draw; a version without a share need not be exercised."""
    folder = shop(dev="stuck")
    file = folder / "stages.toml"
    file.write_text(file.read_text().replace('"2" = 0.1 }', '"2" = 1.0 }'))
    case = '[[cases]]\nstage = "dev"\nrequest = "GET /orders/1?u=Bob"\nreason = "sticky"\n'
    release = '[[cases]]\nstage = "release"\nrequest = "GET /orders/1"\nversion = "2"\n'
    report = run(folder, f"{case}{release}")
    assert report.outcome is Outcome.PASSED
    weights = report.router.exercised.weights
    assert (weights.exercised, len(weights.counts)) == (2, 3)


TWICE = """\
  { when = "invoke.headers.User exact Bob", version = "2" },
  { when = "invoke.headers.User exact Bob", version = "1" },
"""


def test_a_rule_that_can_never_be_hit_is_shown_where_it_stands(shop: Shop) -> None:
    """In stages.toml; it is a failure unless the file of tests says otherwise."""
    folder = shop()
    file = folder / "stages.toml"
    line = TWICE.splitlines(keepends=True)[0]
    file.write_text(file.read_text().replace(line, TWICE))
    report = run(folder, BOB)
    (finding,) = report.findings
    assert str(finding).splitlines() == [
        (
            "stages.toml:12:12: error[shadowed-rule]: rule 2 of alias 'prepub' of function 'orders'"
            " can never be hit: rule 1 before it takes all"
        ),
        '   12 |   { when = "invoke.headers.User exact Bob", version = "1" },',
        "      |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^",
        "      = hint: put it before, or remove it",
    ]
    assert report.exit is Exit.VERDICT_FAILED
    tolerant = run(folder, f'shadowed = "report"\n{BOB}')
    assert (tolerant.exit, told(tolerant)) == (Exit.OK, ["stages.toml:12:12 shadowed-rule"])


def test_a_rule_that_was_set_live_stands_nowhere(shop: Shop) -> None:
    """It is told all the same, with its words."""
    from gateway.core.alias import parse_route

    folder = shop()
    whens = ("in Bob", "prefix A", "in Bob, Alice")
    rules = [{"when": f"invoke.headers.User {when}", "version": "2"} for when in whens]
    route, _ = parse_route({"version": "1", "rules": rules}, "it")
    live = apply(state_of(folder), Batch((PutAlias("orders", "prepub", route),)))
    report = run(folder, BOB.replace("rule:1", "rule:1"), live)
    (finding,) = report.findings
    assert str(finding).splitlines()[0] == (
        "stages.toml: error[shadowed-rule]: rule 3 of alias 'prepub' of function 'orders' can"
        " never be hit: rule 1 and rule 2 before it take all; it was set live and is"
        " 'invoke.headers.User in Bob, Alice'"
    )


def test_the_command_ends_with_what_the_tests_found(shop: Shop, call: Call) -> None:
    """Results on standard output, what is wrong on standard error, in words and in JSON."""
    folder = shop()
    (folder / "routes.toml").write_text(BOB)
    good = call("check", "--routes", "routes.toml")
    assert (good.exit_code, good.stderr) == (0, "")
    assert "case  Bob   passed   version 2 (rule:1)" in good.stdout
    assert good.stdout.endswith("passed: 1 of 1 routing tests passed\n")
    (folder / "routes.toml").write_text(BOB.replace('version = "2"', 'version = "1"'))
    bad = call("check", "--routes", "routes.toml")
    assert bad.exit_code == 10
    assert bad.stderr.startswith("routes.toml:7:11: error[wrong-version]: ")
    assert bad.stdout.endswith("failed: 0 of 1 routing tests passed\n")
    report = call("check", "--routes", "routes.toml", "--json")
    found = json.loads(report.stdout)
    assert (report.exit_code, report.stderr, found["ok"], found["errors"]) == (10, "", False, [])
    assert found["routes"]["outcome"] == "failed"
    assert found["routes"]["findings"][0]["code"] == "wrong-version"
    assert found["routes"]["traffic"] == {"requests": 0, "lost": {}}


def test_the_command_refuses_a_file_that_is_wrong(shop: Shop, call: Call) -> None:
    """With every mistake; nothing is run."""
    folder = shop()
    missing = call("check", "--routes", "routes.toml")
    assert (missing.exit_code, missing.stdout) == (4, "")
    assert missing.stderr.startswith("routes.toml: error[missing-file]: there is no such file")
    assert "gateway init" not in missing.stderr  # that makes no routing tests
    (folder / "routes.toml").write_text(BOB.replace("version", "versoin"))
    wrong = call("check", "--routes", "routes.toml", "--json")
    found = json.loads(wrong.stdout)
    assert (wrong.exit_code, "routes" in found) == (4, False)
    (error,) = found["errors"]
    assert (error["code"], error["line"], error["hint"]) == (
        "unknown-key",
        7,
        "did you mean 'version'?",
    )

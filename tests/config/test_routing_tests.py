"""Files of routing tests: what they say, and every mistake at its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import ConfigurationInvalid, Diagnostic
from gateway.config.routing_asked import Asked
from gateway.config.routing_expected import Case, RuleTest, SplitTest
from gateway.config.routing_tests import RoutingTests, Traffic, load_routing_tests
from gateway.core.alias import parse_route
from gateway.core.apply import apply
from gateway.core.changes import Batch, Publish, PutAlias, PutFunction, PutService, Release
from gateway.core.routes import parse_path
from gateway.core.snapshot import EMPTY, Api, FunctionBackend, Snapshot
from gateway.verdict import Question

RULES = [{"when": "invoke.headers.User exact Bob", "version": "1"}]


def state(*functions: str) -> Snapshot:
    """One service with two stages, and functions with an alias that has one rule."""
    changes: list[object] = [PutService("s", "shop")]
    for name in functions:
        route = parse_route({"version": "1", "rules": RULES}, "it")[0]
        changes += [PutFunction(name, "code"), Publish(name), PutAlias(name, "prepub", route)]
    apis = (Api("a", "ANY", parse_path("/orders"), FunctionBackend("orders", "prepub")),)
    changes += [Release("s", stage, apis) for stage in ("dev", "release")]
    return apply(EMPTY, Batch(tuple(changes)))  # type: ignore[arg-type]


SHOP = state("orders")


def loaded(folder: Path, text: str, snapshot: Snapshot = SHOP) -> RoutingTests:
    """The tests that a text says."""
    path = folder / "routes.toml"
    path.write_text(text)
    return load_routing_tests(path, snapshot)


WHOLE = """
stage = "test"
seed = 7
shadowed = "report"

[[cases]]
name = "Bob"
stage = "release"
request = "POST  /orders?page=2"
headers = { User = "Bob", X = "" }
body = "{}"
version = "1"
reason = "rule:1"
draw = 0.5

[[cases]]
request = "GET /orders"
reason = "main"

[[splits]]
request = "GET /orders"
expect = { "1" = 0.25, "$LATEST" = 0.75 }
tolerance = 0.01

[[splits]]
request = "GET /orders"
expect = { "1" = 1 }
draws = 1000
tolerance = 0.1
false_alarm = 0.01
miss = 0.1

[[rules]]
alias = "prepub"
rule = 1
hit = "never"

[traffic]
recordings = ["day.jsonl"]

[[traffic.requests]]
request = "GET /orders"
times = 3

[coverage]
apis = 0.5
rules = 1
"""


def test_everything_that_a_file_can_say(tmp_path: Path) -> None:
    """Read as what it means, with the places that failures are shown at."""
    (tmp_path / "day.jsonl").touch()
    tests = loaded(tmp_path, WHOLE)
    plain = Asked("dev", "GET", "/orders")
    bob = Asked("release", "POST", "/orders?page=2", (("User", "Bob"), ("X", "")), "{}")
    assert tests.cases == (
        Case(("cases", 0), "Bob", bob, 0.5, "1", "", "", "rule:1"),
        Case(("cases", 1), "GET /orders on dev", plain, None, "", "", "", "main"),
    )
    shares = {"1": 0.25, "$LATEST": 0.75}
    assert tests.splits == (
        SplitTest(("splits", 0), str(plain), plain, shares, 0, 0.01, Question(tolerance=0.01)),
        SplitTest(
            ("splits", 1), str(plain), plain, {"1": 1.0}, 1000, 0.1, Question(0.01, 0.1, 0.1)
        ),
    )
    name = "rule 1 of alias 'prepub' is hit never"
    assert tests.rules == (RuleTest(("rules", 0), name, "orders", "prepub", 1, False),)
    recordings = ((("traffic", "recordings", 0), tmp_path / "day.jsonl"),)
    assert tests.traffic == Traffic(((plain, 3),), recordings, "dev")
    assert (tests.least, tests.seed, tests.shadowed_fails) == (
        {"rules": 1.0, "apis": 0.5},
        7,
        False,
    )
    assert str(bob) == "POST /orders?page=2 on release, User: Bob, X: "


def test_what_is_not_said_has_its_usual_value(tmp_path: Path) -> None:
    """Nothing is drawn, nothing must be covered, and shadowed rules fail."""
    tests = loaded(
        tmp_path,
        '[[splits]]\nstage = "dev"\nrequest = "GET /"\nexpect = { "1" = 1 }\n',
    )
    assert (tests.traffic, tests.least, tests.seed, tests.shadowed_fails) == (
        Traffic(),
        {},
        0,
        True,
    )
    (split,) = tests.splits
    assert (split.draws, split.tolerance) == (0, 0.0)


CASE = '[[cases]]\nstage = "dev"\nrequest = "GET /orders"\n'
SPLIT = '[[splits]]\nstage = "dev"\nrequest = "GET /orders"\n'
RULE = '[traffic]\n[[rules]]\nalias = "prepub"\nrule = 1\nhit = "never"\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("", ["1:1 no-tests the file tests nothing"], id="nothing"),
        pytest.param("[[case]]\n", ["1:3 unknown-key the file has no key 'case'"], id="key"),
        pytest.param("cases = 1\n", ["1:9 wrong-type cases of the file must be a list"], id="list"),
        pytest.param(
            "[[cases]]\n",
            [
                "1:3 missing-key case 1 needs 'stage'",
                "1:3 missing-key case 1 needs 'request'",
                "1:3 missing-key case 1 expects one of version, backend, error, and has none",
            ],
            id="an empty case",
        ),
        pytest.param(
            CASE + 'version = "1"\nerror = "api-not-found"\n',
            ["1:3 contradiction case 1 expects one of version, backend, error, and has version, e"],
            id="two outcomes",
        ),
        pytest.param(
            CASE + 'backend = "mock"\nreason = "main"\n',
            ["5:10 contradiction case 1 has a reason, and only functions answer for one"],
            id="a reason of a mock",
        ),
        pytest.param(
            CASE + 'error = "api-not-found"\nreason = "main"\n',
            ["5:10 contradiction case 1 has a reason, and only functions answer for one"],
            id="a reason of an error",
        ),
        pytest.param(
            CASE + 'version = "v1"\nreason = "wait"\n',
            [
                "4:11 bad-name 'v1' of case 1 is no version",
                "5:10 unknown-value 'wait' of case 1 is no reason; allowed: main, weight",
            ],
            id="version and reason",
        ),
        pytest.param(
            CASE + 'version = "1"\ndraw = 1\n',
            ["5:8 out-of-range draw of case 1 is 1; allowed: a number from 0 up to"],
            id="draw",
        ),
        pytest.param(
            CASE + 'version = "1"\ndraw = nan\n',
            ["5:8 out-of-range draw of case 1 is NaN; allowed: a number from 0 up to"],
            id="no number",
        ),
        pytest.param(
            '[[cases]]\nstage = "deb"\nrequest = "GET /orders"\nversion = "1"\n',
            ["2:9 unknown-stage case 1 names the stage 'deb'; there are dev, release"],
            id="stage",
        ),
        pytest.param(
            'stage = "deb"\n' + CASE + 'version = "1"\n',
            ["1:9 unknown-stage the file names the stage 'deb'; there are dev, release"],
            id="the file's stage",
        ),
        pytest.param(
            '[[cases]]\nstage = "dev"\nrequest = "/orders"\nversion = "1"\n',
            ["3:11 bad-request the request '/orders' of case 1 is not 'METHOD /path'"],
            id="no method",
        ),
        pytest.param(
            '[[cases]]\nstage = "dev"\nrequest = "GET /\\u001b"\nversion = "1"\n',
            ["3:11 bad-request the request 'GET /\\x1b' of case 1 is not 'METHOD /path'"],
            id="what steers a terminal",
        ),
        pytest.param(
            '[[cases]]\nstage = "dev"\nrequest = "get /orders"\nversion = "1"\n',
            ["3:11 unknown-method 'get' is no method; allowed: GET, POST"],
            id="method",
        ),
        pytest.param(
            CASE + 'version = "1"\nheaders = { "a b" = "x", c = 1 }\n',
            [
                "5:13 bad-name 'a b' of case 1 cannot name a header",
                "5:30 wrong-type c in headers of case 1 must be a string, not a number",
            ],
            id="headers",
        ),
        pytest.param(SPLIT, ["1:3 missing-key split 1 needs 'expect'"], id="no shares"),
        pytest.param(
            SPLIT + "expect = {}\n",
            ["4:10 missing-key expect of split 1 names no version"],
            id="no version",
        ),
        pytest.param(
            SPLIT + "expect = 0.1\n",
            ["4:10 wrong-type expect of split 1 must be a table, not a number"],
            id="a share of nobody",
        ),
        pytest.param(
            SPLIT + 'expect = { "1" = 10, "2" = "x", x = 0.1, "3" = nan }\n',
            [
                "4:18 out-of-range the share of version '1' is 10; allowed: 0 to 1",
                "4:28 wrong-type 2 of expect of split 1 must be a number, not a string",
                "4:33 bad-name 'x' is no version",
                "4:48 out-of-range the share of version '3' is NaN; allowed: 0 to 1",
            ],
            id="shares",
        ),
        pytest.param(
            SPLIT + 'expect = { "1" = 0.9, "2" = 0.2 }\n',
            ["4:10 out-of-range the shares of expect of split 1 add up to 1.1; allowed: at most 1"],
            id="above one",
        ),
        pytest.param(
            SPLIT + 'expect = { "1" = 1 }\ndraws = 10\n',
            ["1:3 missing-key split 1 is judged by draws and needs a 'tolerance' above 0"],
            id="draws without a tolerance",
        ),
        pytest.param(
            SPLIT + 'expect = { "1" = 1 }\ndraws = -1\ntolerance = 2\n',
            [
                "5:9 out-of-range draws of split 1 is -1; allowed: 0 to 1,000,000",
                "6:13 out-of-range tolerance of split 1 is 2",
            ],
            id="draws and tolerance",
        ),
        pytest.param(
            SPLIT + 'expect = { "1" = 1 }\nmiss = 0.1\nfalse_alarm = 0\n',
            [
                "5:8 unused-key 'miss' has no effect on shares that are computed",
                "6:15 out-of-range false_alarm of split 1 is 0; allowed: a number above 0 and",
            ],
            id="rates",
        ),
        pytest.param(
            "[traffic]\n[[rules]]\n",
            [
                "2:3 missing-key rule test 1 needs 'alias'",
                "2:3 missing-key rule test 1 needs 'rule'",
                "2:3 missing-key rule test 1 needs 'hit'",
            ],
            id="an empty rule test",
        ),
        pytest.param(
            RULE.replace("prepub", "preprod").replace("never", "ever"),
            [
                "3:9 unknown-alias function 'orders' has no alias 'preprod'; it has $DEFAULT",
                "5:7 unknown-value hit of rule test 1 is 'ever'; allowed: sometimes, never",
            ],
            id="alias",
        ),
        pytest.param(
            RULE.replace("= 1", "= 2"),
            ["4:8 unknown-rule alias 'prepub' has no rule 2; allowed: 1 to 1"],
            id="rule",
        ),
        pytest.param(
            RULE.replace("= 1", "= 1.5"),
            ["4:8 unknown-rule alias 'prepub' has no rule 1.5; allowed: 1 to 1"],
            id="half a rule",
        ),
        pytest.param(
            RULE.replace("prepub", "$DEFAULT"),
            ["4:8 unknown-rule alias '$DEFAULT' has no rule 1; allowed: it has no rules"],
            id="no rules",
        ),
        pytest.param(
            RULE + 'function = "order"\n',
            ["6:12 unknown-function rule test 1 names the function 'order'; there are orders"],
            id="function",
        ),
        pytest.param(
            RULE.replace("[traffic]\n", ""),
            ["1:3 missing-key rules are tested by traffic"],
            id="no traffic",
        ),
        pytest.param(
            "[coverage]\napis = 1\n[traffic]\nrecordings = [1, 'day.jsonl']\n"
            '[[traffic.requests]]\nstage = "dev"\nrequest = "GET /"\ntimes = 0\n',
            [
                "4:15 wrong-type recording 1 of the traffic must be the name of a file",
                "4:18 missing-file there is no recording 'day.jsonl'",
                "8:9 out-of-range times of request 1 of the traffic is 0; allowed: 1 to 1,000,000",
            ],
            id="traffic",
        ),
        pytest.param(
            '[coverage]\napis = 2\nrules = nan\nweight = 1\nweights = "all"\n',
            [
                "2:8 out-of-range apis of the coverage is 2; allowed: a share, 0 to 1",
                "3:9 out-of-range rules of the coverage is NaN; allowed: a share, 0 to 1",
                "4:1 unknown-key the coverage has no key 'weight'; allowed: apis, rules, weights",
                "5:11 wrong-type weights of the coverage must be a number, not a string",
            ],
            id="coverage",
        ),
        pytest.param("[[cases]\n", ["1:8 syntax the table header"], id="no TOML"),
    ],
)
def test_every_mistake_is_told_at_its_place(tmp_path: Path, text: str, told: list[str]) -> None:
    """All of them at once, in the order of the file."""
    with pytest.raises(ConfigurationInvalid) as refusal:
        loaded(tmp_path, text)
    found = [f"{d.line}:{d.column} {d.code} {d.message}" for d in refusal.value.diagnostics]
    assert len(found) == len(told), found
    for diagnostic, beginning in zip(sorted(found), sorted(told), strict=True):
        assert diagnostic.startswith(beginning)


def test_which_function_is_meant_must_be_said_if_there_are_several(tmp_path: Path) -> None:
    """Guessing would test another rule."""
    several = state("orders", "payments")
    with pytest.raises(ConfigurationInvalid, match="needs 'function'; there are orders, payments"):
        loaded(tmp_path, RULE, several)
    (rule,) = loaded(tmp_path, RULE + 'function = "payments"\n', several).rules
    assert rule.function == "payments"


def test_a_state_without_stages_has_none_to_name(tmp_path: Path) -> None:
    """Which is a sentence too."""
    with pytest.raises(ConfigurationInvalid, match="names the stage 'dev'; there are none"):
        loaded(tmp_path, CASE + 'version = "1"\n', EMPTY)


@given(st.data())
def test_no_file_ends_in_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Values of any kind, wherever a value may stand."""
    lines = [line for line in WHOLE.splitlines() if line]
    values = st.sampled_from(["1", "-1", "nan", "1e400", '"x"', "[]", "{}", "true", "1979-05-27"])
    for index in data.draw(st.sets(st.integers(0, len(lines) - 1), max_size=4)):
        key, separator, _ = lines[index].partition(" = ")
        if separator:
            lines[index] = f"{key} = {data.draw(values)}"
    folder = tmp_path_factory.mktemp("routes")
    (folder / "day.jsonl").touch()
    found: tuple[Diagnostic, ...] = ()
    try:
        loaded(folder, "\n".join(lines))
    except ConfigurationInvalid as invalid:
        found = invalid.diagnostics
    assert all(one.line for one in found)

"""`gateway explain`: which version would answer, and why, as a table and as JSON."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Call, Process, Shop

RELEASE = ("--stage", "release", "GET", "/orders/42")

TABLES = [
    pytest.param(
        ("--stage", "dev", "GET", "/orders/42"),
        "$DEFAULT",
        """\
stage      dev (revision 1)
api        ANY /orders/{id}
parameter  id = 42
function   orders@$DEFAULT
version    $LATEST (main)
""",
        id="main",
    ),
    pytest.param(
        (*RELEASE, "--draw", "0.05"),
        "$DEFAULT",
        """\
stage      release (revision 1)
api        ANY /orders/{id}
parameter  id = 42
function   orders@release
weight     2: 10 %, draws [0, 0.1) <- draw
weight     1: 90 %, draws [0.1, 1)
draw       0.05 (random)
version    2 (weight)
""",
        id="weight",
    ),
    pytest.param(
        (*RELEASE, "--draw", "0.1"),
        "$DEFAULT",
        """\
stage      release (revision 1)
api        ANY /orders/{id}
parameter  id = 42
function   orders@release
weight     2: 10 %, draws [0, 0.1)
weight     1: 90 %, draws [0.1, 1) <- draw
draw       0.1 (random)
version    1 (main)
""",
        id="main beside a weight",
    ),
    pytest.param(
        ("--stage", "prepub", "-H", "User: Bob", "GET", "/orders/42"),
        "$DEFAULT",
        """\
stage      prepub (revision 1)
api        ANY /orders/{id}
parameter  id = 42
function   orders@prepub
rule 1     invoke.headers.User exact Bob -> 2: hit (it is 'Bob')
rule 2     invoke.query.beta exists -> $LATEST: not reached
version    2 (rule:1)
""",
        id="first rule",
    ),
    pytest.param(
        ("--stage", "prepub", "--header", "user:Eve", "get", "/orders/42?beta=1"),
        "$DEFAULT",
        """\
stage      prepub (revision 1)
api        ANY /orders/{id}
parameter  id = 42
function   orders@prepub
rule 1     invoke.headers.User exact Bob -> 2: miss (it is 'Eve')
rule 2     invoke.query.beta exists -> $LATEST: hit (it is '1')
version    $LATEST (rule:2)
""",
        id="second rule",
    ),
    pytest.param(
        ("--stage", "test", "GET", "/orders/42?u=ann"),
        "stuck",
        """\
stage      dev (revision 1)
api        ANY /orders/{id}
parameter  id = 42
function   orders@stuck
weight     2: 50 %, draws [0, 0.5) <- draw
weight     1: 50 %, draws [0.5, 1)
draw       0.197385 (sticky key 'ann')
version    2 (sticky)
""",
        id="sticky",
    ),
    pytest.param(
        ("--stage", "dev", "--draw", "0.1", "GET", "/orders/42"),
        "stuck",
        """\
stage      dev (revision 1)
api        ANY /orders/{id}
parameter  id = 42
function   orders@stuck
weight     2: 50 %, draws [0, 0.5) <- draw
weight     1: 50 %, draws [0.5, 1)
draw       0.1 (sticky)
version    2 (weight)
""",
        id="sticky without a key",
    ),
    pytest.param(
        ("--stage", "dev", "--draw", "0.1", "GET", "/orders/42"),
        "even",
        """\
stage      dev (revision 1)
api        ANY /orders/{id}
parameter  id = 42
function   orders@even
weight     2: 25 %, draws [0, 0.25) <- draw
weight     1: 75 %, draws [0.25, 1)
draw       0.1 (even)
version    2 (weight)
""",
        id="even",
    ),
    pytest.param(
        ("--stage", "release", "GET", "/other"),
        "$DEFAULT",
        """\
stage     release (revision 1)
api       GET =/other
function  other@$LATEST
version   $LATEST (pinned)
""",
        id="pinned",
    ),
    pytest.param(
        ("--stage", "dev", "GET", "/ping"),
        "$DEFAULT",
        """\
stage        dev (revision 1)
api          GET =/ping
answered by  mock back end
""",
        id="mock",
    ),
    pytest.param(
        ("--stage", "dev", "GET", "/legacy/x"),
        "$DEFAULT",
        """\
stage        dev (revision 1)
api          GET ^~/legacy
answered by  http back end
""",
        id="http",
    ),
]


@pytest.mark.parametrize(("arguments", "dev", "table"), TABLES)
def test_the_way_of_a_request_is_told_step_by_step(
    shop: Shop, call: Call, arguments: tuple[str, ...], dev: str, table: str
) -> None:
    """Stage, API, parameters, rules, weights, draw and version; nothing is run or loaded."""
    shop(dict.fromkeys(("orders/latest", "orders/v1", "orders/v2"), "1 / 0\n"), dev=dev)
    result = call("explain", *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == table
    assert not [name for name in sys.modules if name.startswith("gateway_functions")]


def test_an_explanation_in_json(shop: Shop, call: Call) -> None:
    """Everything that the table tells, as fields."""
    shop()
    result = call("explain", *RELEASE, "--draw", "0.05", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout) == {
        "revision": 1,
        "stage": "release",
        "api": "ANY /orders/{id}",
        "method": "ANY",
        "path": "/orders/{id}",
        "parameters": {"id": "42"},
        "backend": "function",
        "function": "orders",
        "qualifier": "release",
        "rules": [],
        "split": "random",
        "buckets": [
            {"version": "2", "low": 0.0, "high": 0.1, "share": 0.1},
            {"version": "1", "low": 0.1, "high": 1.0, "share": 0.9},
        ],
        "sticky_key": None,
        "draw": 0.05,
        "version": "2",
        "reason": "weight",
        "fault": None,
    }


@pytest.mark.parametrize(
    ("arguments", "version", "reason", "rules"),
    [
        pytest.param(("dev", "/orders/1"), "$LATEST", "main", [], id="main"),
        pytest.param(("release", "/other"), "$LATEST", "pinned", [], id="pinned"),
        pytest.param(("dev", "/ping"), None, None, [], id="mock"),
        pytest.param(
            ("prepub", "/orders/1?beta"),
            "$LATEST",
            "rule:2",
            [
                {
                    "number": 1,
                    "when": "invoke.headers.User exact Bob",
                    "version": "2",
                    "value": None,
                    "outcome": "miss",
                },
                {
                    "number": 2,
                    "when": "invoke.query.beta exists",
                    "version": "$LATEST",
                    "value": "",
                    "outcome": "hit",
                },
            ],
            id="rule",
        ),
    ],
)
def test_each_reason_in_json(
    shop: Shop,
    call: Call,
    *,
    arguments: tuple[str, str],
    version: str | None,
    reason: str | None,
    rules: list[object],
) -> None:
    """Version, reason and what became of each rule."""
    shop()
    stage, path = arguments
    told = json.loads(call("explain", "--stage", stage, "GET", path, "--json").stdout)
    assert (told["version"], told["reason"], told["rules"]) == (version, reason, rules)


def test_a_sticky_key_in_json(shop: Shop, call: Call) -> None:
    """The key's value, and the draw that it stands for."""
    shop(dev="stuck")
    told = json.loads(call("explain", "--stage", "dev", "GET", "/orders/1?u=ann", "--json").stdout)
    assert (told["sticky_key"], told["reason"], told["split"]) == ("ann", "sticky", "sticky")
    assert (told["draw"] < 0.5) == (told["version"] == "2")


def test_a_seed_settles_a_weighted_choice(shop: Shop, call: Call) -> None:
    """The same one each time."""
    shop()
    seeded = {call("explain", *RELEASE, "--seed", "7").stdout for _ in range(3)}
    assert len(seeded) == 1
    assert len({call("explain", *RELEASE).stdout for _ in range(3)}) > 1


def test_a_body_and_another_file_can_be_given(shop: Shop, call: Call) -> None:
    """Rules may look into a body."""
    folder = shop()
    text = (folder / "stages.toml").read_text()
    (folder / "other.toml").write_text(text.replace("invoke.query.beta", "invoke.body.$.beta"))
    arguments = ("explain", "--stage", "prepub", "--config", "other.toml", "POST", "/orders/1")
    assert "version    $LATEST (rule:2)" in call(*arguments, "-d", '{"beta": 1}').stdout
    assert "version    1 (main)" in call(*arguments).stdout


@pytest.mark.parametrize(
    ("stage", "path", "message"),
    [
        pytest.param(
            "qa", "/orders/1",
            "error[stage-not-found]: no stage 'qa'; known stages: dev, prepub, release\n",
            id="stage",
        ),
        pytest.param(
            "", "/orders/1",
            "error[stage-not-found]: no stage ''; known stages: dev, prepub, release\n",
            id="no stage",
        ),
        pytest.param(
            "dev/orders", "/1",
            "error[stage-not-found]: no stage 'dev/orders'; known stages: dev, prepub, release\n",
            id="a stage with a piece of the path",
        ),
        pytest.param(
            "dev", "/nowhere", "error[api-not-found]: no api matches the path '/nowhere'\n",
            id="path",
        ),
        pytest.param(
            "dev", "/../../x", "error[bad-path]: the path climbs above its root\n", id="dots"
        ),
    ],
)  # fmt: skip
def test_what_is_not_there_is_told_in_one_sentence(
    shop: Shop, call: Call, stage: str, path: str, message: str
) -> None:
    """Exit code 5."""
    shop()
    result = call("explain", "--stage", stage, "GET", path)
    assert (result.exit_code, result.stdout, result.stderr) == (5, "", message)


def test_a_method_that_no_api_has_is_told_in_one_sentence(shop: Shop, call: Call) -> None:
    """Exit code 5, too."""
    shop()
    result = call("explain", "--stage", "dev", "POST", "/ping")
    assert (result.exit_code, result.stdout) == (5, "")
    assert result.stderr == (
        "error[method-not-supported]: the path '/ping' has no api for the method POST\n"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("-H", "User"), "'User' is no header; for example: -H 'User: Bob'", id="no :"),
        pytest.param(("-H", ": Bob"), "': Bob' is no header", id="no name"),
        pytest.param(("--draw", "1"), "1.0 is not in the range", id="draw of 1"),
        pytest.param(("--draw", "x"), "'x' is not a valid float", id="draw of text"),
        pytest.param(("--seed", "x"), "'x' is not a valid integer", id="seed of text"),
        pytest.param(("--steak",), "No such option", id="unknown option"),
    ],
)
def test_a_wrong_option_is_a_mistake_of_usage(
    shop: Shop, call: Call, arguments: tuple[str, ...], words: str
) -> None:
    """Exit code 2, and the sentence says what is allowed."""
    shop()
    result = call("explain", *RELEASE, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr


def test_a_path_starts_with_a_slash(shop: Shop, call: Call) -> None:
    """Anything else would be read as a part of the stage's name."""
    shop()
    result = call("explain", "--stage", "dev", "GET", "orders/42")
    assert result.exit_code == 2
    assert "'orders/42' is no path; did you mean '/orders/42'?" in result.stderr


def test_a_stage_must_be_named(shop: Shop, call: Call) -> None:
    """A request without one is addressed to nobody."""
    shop()
    result = call("explain", "GET", "/orders/1")
    assert (result.exit_code, "--stage" in result.stderr) == (2, True)


def test_a_bad_file_explains_nothing(shop: Shop, call: Call) -> None:
    """Its mistakes are told as `check` tells them."""
    (shop() / "stages.toml").write_text("[service]\n")
    result = call("explain", *RELEASE)
    assert (result.exit_code, result.stdout) == (4, "")
    assert "stages.toml:1:2: error[missing-key]" in result.stderr


def test_bytes_that_are_no_text_are_no_traceback(shop: Shop, process: Process) -> None:
    """A shell can hand over anything."""
    shop()
    odd = process(
        "explain", "--stage", "dev", b"-HUser: \xff", "GET", b"/orders/\xff?\xff", b"-d\xff"
    )
    assert odd.returncode == 0, odd.stderr
    missing = process("explain", "--stage", b"\xff", "GET", "/orders/1")
    assert (missing.returncode, "Traceback" in missing.stderr) == (5, False)
    nowhere = process("explain", "--stage", "dev", "GET", b"/\xff")
    assert (nowhere.returncode, "Traceback" in nowhere.stderr) == (5, False)
    header = process("explain", "--stage", "dev", b"-H\xff", "GET", "/orders/1")
    assert (header.returncode, "Traceback" in header.stderr) == (2, False)


def test_warnings_of_the_file_are_told_beside_the_explanation(shop: Shop, call: Call) -> None:
    """They do not stop it; here there is nothing to explain, too."""
    (shop() / "stages.toml").write_text('[service]\nname = "shop"\n')
    result = call("explain", *RELEASE)
    assert (result.exit_code, result.stdout) == (5, "")
    assert result.stderr.startswith("stages.toml:1:1: warning[no-apis]: ")
    assert "error[stage-not-found]: " in result.stderr

"""Commands that change something, against a real gateway: what is said, and what is live then."""

from __future__ import annotations

import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Answered, Call, Running, StartGateway

pytestmark = pytest.mark.sockets

BOB = "invoke.headers.User exact Bob -> 2"


def said(call: Call, *arguments: str) -> str:
    """What a command that succeeds says in words."""
    result = call(*arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def refused(call: Call, *arguments: str) -> tuple[int, str]:
    """The exit code of a command that fails, and its sentence."""
    result = call(*arguments)
    assert result.stdout == ""
    return result.exit_code, result.stderr


def asked(running: Running, path: str) -> str:
    """The version that answers a caller."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(running.data + path) as answer:
        return str(answer.headers["X-Gateway-Version"])


def test_an_alias_moves_with_the_next_request(running: Running, call: Call) -> None:
    """All of it, back and further back."""
    move = ("alias", "set", "orders", "release", "--version")
    assert said(call, *move, "2") == "orders/release  2   (was 1 90 %, 2 10 %)   revision 2\n"
    assert asked(running, "/release/orders/1") == "2"
    assert said(call, *move, "1", "--weight", "2=0.25") == (
        "orders/release  1 75 %, 2 25 %   (was 2)   revision 3\n"
    )
    assert said(call, "rollback", "orders", "release") == (
        "orders/release  2   (was 1 75 %, 2 25 %)   revision 4   (restores revision 2)\n"
    )
    assert asked(running, "/release/orders/1") == "2"
    assert said(call, "rollback", "orders", "release", "--to-revision", "1") == (
        "orders/release  1 90 %, 2 10 %   (was 2)   revision 5   (restores revision 1)\n"
    )
    assert said(call, *move, "1", "--weight", "2=0.1") == "nothing changed   revision 5\n"


def test_an_alias_can_say_everything_at_once(
    running: Running, call: Call, answered: Answered
) -> None:
    """Rules in their order, exact weights, a sticky split and words."""
    done = answered(
        "alias", "set", "orders", "beta", "--version", "1", "--weight", "2=0.000000000001",
        "--weight", "$LATEST=.5", "--rule", BOB, "--rule", "invoke.query.a regex ^->$ -> $LATEST",
        "--split", "sticky", "--sticky-by", "invoke.headers.User", "--description", "mine",
    )  # fmt: skip
    assert (done["revision"], done["changed"]) == (2, True)
    found = answered("alias", "get", "orders", "beta")
    assert found == {
        "version": "1",
        "weights": {"2": 1e-12, "$LATEST": 0.5},
        "rules": [
            {"when": "invoke.headers.User exact Bob", "version": "2"},
            {"when": "invoke.query.a regex ^->$", "version": "$LATEST"},
        ],
        "split": "sticky",
        "sticky_by": "invoke.headers.User",
        "description": "mine",
    }
    assert running.gateway.live.snapshot.functions["orders"].aliases["beta"].description == "mine"
    assert said(call, "alias", "get", "orders", "beta") == (
        "orders/beta  invoke.headers.User exact Bob -> 2; invoke.query.a regex ^->$ -> $LATEST;"
        " 1 49.9999999999 %, 2 0.0000000001 %, $LATEST 50 % (sticky)   revision 2\n"
        "sticky by invoke.headers.User\nmine\n"
    )


def test_an_alias_has_a_history(running: Running, call: Call, answered: Answered) -> None:
    """Newest first, its deletion too."""
    beta = ("orders", "beta")
    said(call, "alias", "set", *beta, "--version", "2")
    assert said(call, "alias", "set", *beta, "--version", "1") == (
        "orders/beta  1   (was 2)   revision 3\n"
    )
    assert said(call, "alias", "delete", *beta) == "orders/beta  deleted   (was 1)   revision 4\n"
    said(call, "alias", "set", *beta, "--version", "2")
    moves = answered("alias", "history", *beta, "--limit", "3")["moves"]
    assert [move["revision"] for move in moves] == [5, 4, 3]
    rows = said(call, "alias", "history", *beta).splitlines()
    assert rows[0].split() == ["REVISION", "AT", "WHO", "LEADS", "TO"]
    assert [row.split()[0] for row in rows[1:]] == ["5", "4", "3", "2"]
    assert [row.split()[-1] for row in rows[1:]] == ["2", "deleted", "1", "2"]
    older = said(call, "alias", "history", *beta, "--before", "3").splitlines()
    assert [row.split()[0] for row in older] == ["REVISION", "2"]
    assert running.gateway.live.snapshot.revision == 5


def test_the_history_tells_which_moves_were_roll_backs(running: Running, call: Call) -> None:
    """And to where."""
    said(call, "alias", "set", "orders", "release", "--version", "2")
    said(call, "rollback", "orders", "release", "--to-revision", "1", "--if-match", "2")
    row = said(call, "alias", "history", "orders", "release").splitlines()[1]
    assert row.endswith("  1 90 %, 2 10 %   (restores revision 1)")
    newest = said(call, "changes").splitlines()[1]
    assert newest.endswith("(restores revision 1)")
    assert running.gateway.live.snapshot.revision == 3


def test_publishing_and_deploying_share_traffic_with_latest(
    running: Running, call: Call, answered: Answered
) -> None:
    """The cloud's spelling too; rules and words of the alias stay."""
    assert said(call, "publish", "orders", "--description", "tax") == (
        "orders version 3  published   ('tax')   revision 2\n"
    )
    done = answered("publish", "orders")
    assert (done["version"], done["revision"]) == ("4", 3)
    said(
        call, "alias", "set", "orders", "$DEFAULT", "--version", "$LATEST",
        "--rule", BOB, "--description", "mine",
    )  # fmt: skip
    assert said(call, "deploy", "orders", "--traffic", "0.1") == (
        "orders/$DEFAULT  invoke.headers.User exact Bob -> 2; $LATEST 10 %, 4 90 %"
        "   (was invoke.headers.User exact Bob -> 2; else $LATEST)   revision 5\n"
    )
    assert said(call, "deploy", "orders", "--inputs.traffic=0", "--inputs.publish") == (
        "orders version 5  published   revision 6\n"
        "orders/$DEFAULT  invoke.headers.User exact Bob -> 2; $LATEST 0 %, 5 100 %"
        "   (was invoke.headers.User exact Bob -> 2; $LATEST 10 %, 4 90 %)   revision 7\n"
    )
    assert asked(running, "/dev/orders/1") == "5"
    alias = answered("alias", "get", "orders", "$DEFAULT")
    assert (alias["weights"], alias["description"], len(alias["rules"])) == ({"5": 1}, "mine", 1)
    done = answered("deploy", "orders", "--publish", "--traffic", "1.0")
    assert (done["revision"], done["version"], done["changed"]) == (9, "6", True)
    assert [part["path"][2:] for part in done["differences"]] == [
        ["versions", "6"],
        ["aliases", "$DEFAULT"],
    ]
    assert said(call, "deploy", "orders", "--publish") == (
        "orders version 7  published   revision 10\n"
    )


def test_deploying_writes_over_nothing(running: Running, call: Call) -> None:
    """Without a version to share with, or at another revision than the one that was meant."""
    code, sentence = refused(call, "deploy", "other", "--traffic", "0.1")
    assert (code, sentence) == (
        6,
        (
            "error[no-published-version]: function 'other' has no published version to share"
            " traffic with\n  = hint: add --publish\n"
        ),
    )
    said(call, "publish", "other")
    code, sentence = refused(call, "deploy", "other", "--traffic", "0.1", "--if-match", "1")
    assert code == 6
    assert sentence.startswith("error[stale-revision]: ")
    assert running.gateway.live.snapshot.revision == 2


def test_a_function_is_configured_field_by_field(
    running: Running, call: Call, answered: Answered
) -> None:
    """What is not named stays; values of the environment are not shown."""
    assert said(
        call, "function", "set", "orders", "--timeout", "10", "--memory", "256", "--concurrency",
        "4", "--handler", "index.main_handler", "--env", "A=s3cret", "--env", "B=x=y",
        "--description", "all orders",
    ) == (
        "orders version $LATEST  description 'all orders' (was ''), timeout 10 (was 3),"
        " memory 256 (was 128), concurrency 4 (was 128), environment A set, environment B set"
        "   revision 2\n"
    )  # fmt: skip
    assert said(call, "function", "set", "orders", "--unset-env", "A", "--env", "C=") == (
        "orders version $LATEST  environment C set, environment A removed   revision 3\n"
    )
    latest = answered("functions")["functions"][0]["latest"]
    assert (latest["environment"], latest["timeout"]) == ({"B": "x=y", "C": ""}, 10)
    code, sentence = refused(call, "function", "set", "orders", "--unset-env", "BB")
    assert (code, sentence) == (
        5,
        (
            "error[unknown-variable]: the environment of function 'orders' has no 'BB';"
            " it has B, C\n  = hint: did you mean 'B'?\n"
        ),
    )
    assert refused(call, "function", "set", "orders", "--env", "A=1", "--if-match", "1")[0] == 6
    code, sentence = refused(call, "function", "set", "orders", "--memory", "5", "--timeout", "-1")
    assert code == 4
    assert "\n  at /memory\n" in sentence
    assert "\n  at /timeout\n" in sentence
    assert running.gateway.live.snapshot.revision == 3


def test_stages_are_set_and_taken_off_the_air(
    running: Running, call: Call, answered: Answered
) -> None:
    """`test` is `dev`."""
    assert said(
        call, "stage", "set", "prepub", "--alias", "$LATEST", "--alias-of", "orders=2",
        "--variable", "region=local",
    ) == (
        "stage prepub  orders@2, other@$LATEST, region=local"
        "   (was orders@prepub, other@$DEFAULT)   revision 2\n"
    )  # fmt: skip
    assert asked(running, "/prepub/orders/1") == "2"
    assert said(call, "stage", "set", "prepub").startswith(
        "stage prepub  orders@2, other@$LATEST   (was "
    )
    done = answered("stage", "set", "test", "--alias", "$LATEST")
    assert done["differences"][0]["path"][-1] == "dev"
    assert said(call, "stage", "delete", "prepub") == (
        "stage prepub  deleted   (was orders@2, other@$LATEST)   revision 5\n"
    )
    assert refused(call, "stage", "delete", "prepub")[0] == 5
    assert [stage["stage"] for stage in answered("stages")["stages"]] == ["dev", "release"]


def test_what_is_in_use_is_not_deleted(running: Running, call: Call) -> None:
    """Exit code 6; what is not in use goes."""
    for command in (
        ("function", "delete", "orders"),
        ("version", "delete", "orders", "2"),
        ("alias", "delete", "orders", "release"),
        ("alias", "delete", "orders", "$DEFAULT"),
    ):
        assert refused(call, *command)[0] == 6, command
    assert running.gateway.live.snapshot.revision == 1
    said(call, "publish", "orders")
    assert said(call, "version", "delete", "orders", "3") == (
        "orders version 3  deleted   revision 3\n"
    )


UNKNOWN = [
    pytest.param(("versions", "order"), "'orders'", id="versions"),
    pytest.param(("aliases", "ordres"), "'orders'", id="aliases"),
    pytest.param(("publish", "order"), "'orders'", id="publish"),
    pytest.param(("invoke", "order"), "'orders'", id="invoke"),
    pytest.param(("deploy", "order", "--publish"), "'orders'", id="deploy"),
    pytest.param(("function", "delete", "order"), "'orders'", id="function"),
    pytest.param(("code", "get", "order"), "'orders'", id="code"),
    pytest.param(("alias", "get", "orders", "relase"), "'release'", id="alias get"),
    pytest.param(("alias", "delete", "orders", "relase"), "'release'", id="alias delete"),
    pytest.param(("alias", "history", "orders", "relase"), "'release'", id="alias history"),
    pytest.param(("rollback", "orders", "relase"), "'release'", id="rollback"),
]


@pytest.mark.parametrize(("command", "name"), UNKNOWN)
def test_a_misspelt_name_is_answered_with_the_nearest(
    running: Running, call: Call, command: tuple[str, ...], name: str
) -> None:
    """Exit code 5, and nothing has changed."""
    code, sentence = refused(call, *command)
    assert code == 5
    assert sentence.startswith("error[unknown-")
    assert f"  = hint: did you mean {name}?\n" in sentence
    assert running.gateway.live.snapshot.revision == 1


def test_what_a_body_names_and_is_not_there_is_invalid(running: Running, call: Call) -> None:
    """Exit code 4, with the place."""
    code, sentence = refused(
        call, "alias", "set", "orders", "release", "--version", "7", "--weight", "8=0.1"
    )
    assert code == 4
    assert sentence.count("error[unknown-version]: ") == 2
    assert "\n  at /version\n" in sentence
    assert "\n  at /weights/8\n" in sentence
    assert running.gateway.live.snapshot.revision == 1


WRITES = [
    ("alias", "set", "orders", "release", "--version", "2"),
    ("alias", "delete", "orders", "even"),
    ("rollback", "orders", "release"),
    ("publish", "orders"),
    ("deploy", "orders", "--traffic", "0.5"),
    ("function", "set", "orders", "--timeout", "9"),
    ("function", "delete", "other"),
    ("version", "delete", "orders", "2"),
    ("stage", "set", "dev", "--alias", "2"),
    ("stage", "delete", "dev"),
    ("apply",),
    ("code", "put", "orders", "functions/orders/v2"),
]


@pytest.mark.parametrize("command", WRITES, ids=" ".join)
def test_every_write_can_ask_for_the_revision_it_has_seen(
    running: Running, call: Call, command: tuple[str, ...]
) -> None:
    """A stale one is refused with exit code 6 and the actual one."""
    said(call, "alias", "set", "orders", "release", "--version", "$LATEST")
    code, sentence = refused(call, *command, "--if-match", '"1"')
    assert code == 6
    assert sentence.endswith("  = hint: look at revision 2, then say --if-match 2\n")
    assert running.gateway.live.snapshot.revision == 2


FAILS = """
def main_handler(event, context):
    if event is None:
        return None
    return {"got": event}["nothing" if event.get("fail") else "got"]
"""


def test_a_function_is_invoked(start_gateway: StartGateway, call: Call, answered: Answered) -> None:
    """Its value goes to standard output, who answered and why to standard error."""
    start_gateway({"orders/latest": FAILS, "orders/v1": FAILS, "orders/v2": FAILS})
    result = call("invoke", "orders", "--data", '{"id": "ü"}')
    assert (result.exit_code, result.stdout) == (0, '{\n  "id": "ü"\n}\n')
    assert result.stderr.startswith(
        "orders@$DEFAULT  version $LATEST (main)  status 200  revision 1  request "
    )
    Path("event.json").write_text('{"from": "a file"}')
    prepub = ("invoke", "orders", "--qualifier", "prepub", "--routing-key", '{"User": "Bob"}')
    told = answered(*prepub, "--data", "@event.json")
    assert (told["version"], told["reason"], told["status"]) == ("2", "rule:1", 200)
    assert told["value"] == {"from": "a file"}
    assert answered("invoke", "orders", "--data", "-", input='{"a": 1}')["value"] == {"a": 1}
    assert answered("invoke", "orders", "--data", "null")["value"] is None
    assert answered("invoke", "orders")["value"] == {}
    half = call("invoke", "orders", "--data", '{"half": "\\ud800"}')
    assert (half.exit_code, half.stdout) == (4, "")  # the gateway takes no half characters


def test_a_function_that_fails_is_told_with_its_stack(
    start_gateway: StartGateway, call: Call
) -> None:
    """Exit code 1; with --json the whole answer is on standard output all the same."""
    start_gateway({"orders/latest": FAILS})
    failing = ("invoke", "orders", "--data", '{"fail": true}')
    result = call(*failing)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "\nerror[430]: " in result.stderr
    assert "\n  Traceback (most recent call last):\n" in result.stderr
    assert result.stderr.endswith("KeyError: 'nothing'\n")
    result = call(*failing, "--json")
    assert result.exit_code == 1
    assert '"status": 430' in result.stdout


WAITS = """
import asyncio

async def main_handler(event, context):
    await asyncio.Event().wait()
"""


def test_a_function_that_takes_too_long_is_told_without_a_stack(
    start_gateway: StartGateway, call: Call
) -> None:
    """There is none."""
    start_gateway({"orders/latest": WAITS})
    said(call, "function", "set", "orders", "--timeout", "0.01")
    result = call("invoke", "orders")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith("\nerror[433]: Invoking task timed out after 0.01 seconds\n")


def test_a_qualifier_that_is_not_there_is_invalid(running: Running, call: Call) -> None:
    """With those that are; nothing ran."""
    code, sentence = refused(call, "invoke", "orders", "--qualifier", "nope")
    assert code == 4
    assert "error[unknown-qualifier]: function 'orders' has no version and no alias 'nope'" in (
        sentence
    )
    assert running.gateway.live.snapshot.revision == 1

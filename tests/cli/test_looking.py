"""Commands that read, against a real gateway: tables for people, JSON for programs."""

from __future__ import annotations

import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Answered, Call, Running

pytestmark = pytest.mark.sockets

RULES = "invoke.headers.User exact Bob -> 2; invoke.query.beta exists -> $LATEST; else 1"


def table(call: Call, *arguments: str) -> list[str]:
    """The lines that a command writes; it says nothing beside them."""
    result = call(*arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout.splitlines()


def ask(running: Running, path: str, times: int = 1) -> None:
    """Callers of the data plane."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(times):
        opener.open(running.data + path).close()


def test_functions_versions_and_aliases_are_tables(running: Running, call: Call) -> None:
    """Aligned, with headings."""
    call("publish", "orders", "--description", "first\nsecond")
    headings, orders, other = table(call, "functions")
    assert headings == (
        "FUNCTION  PUBLISHED  ALIASES                                 HANDLER             TIMEOUT"
        "  MEMORY  DESCRIPTION"
    )
    assert orders == (
        "orders    1, 2, 3    $DEFAULT, prepub, release, even, stuck  index.main_handler  3 s    "
        "  128 MB"
    )
    assert other.split()[:4] == ["other", "-", "$DEFAULT", "index.main_handler"]
    rows = table(call, "versions", "orders")
    assert rows[0].split() == ["VERSION", "HANDLER", "TIMEOUT", "MEMORY", "CODE", "DESCRIPTION"]
    assert [row.split()[0] for row in rows[1:]] == ["1", "2", "3", "$LATEST"]
    assert rows[3].endswith("  first ...")
    assert rows[4].endswith("/functions/orders/latest")
    digest = running.gateway.live.snapshot.functions["orders"].versions["1"].code
    assert f"  {digest[7:19]}" in rows[1]
    assert table(call, "aliases", "orders") == [
        f"ALIAS     {'LEADS TO':{len(RULES)}}  DESCRIPTION",
        "$DEFAULT  $LATEST",
        f"prepub    {RULES}",
        "release   1 90 %, 2 10 %",
        "even      1 75 %, 2 25 % (even)",
        "stuck     1 50 %, 2 50 % (sticky)",
    ]


def test_stages_and_apis_are_tables(running: Running, call: Call) -> None:
    """Where they lead on each stage."""
    call("stage", "set", "dev", "--variable", "region=local")
    call("stage", "delete", "release")
    assert running.gateway.live.snapshot.revision == 3
    assert table(call, "stages") == [
        "STAGE   FUNCTION  ALIAS     APIS  VARIABLES",
        "dev     orders    $DEFAULT  4     region=local",
        "dev     other     $DEFAULT  4     region=local",
        "prepub  orders    prepub    4",
        "prepub  other     $DEFAULT  4",
    ]
    assert table(call, "apis") == [
        "METHOD  PATH          BACK END            DEV       PREPUB    RELEASE",
        "ANY     /orders/{id}  orders              $DEFAULT  prepub    -",
        "GET     =/other       other               $DEFAULT  $DEFAULT  -",
        "GET     =/ping        mock                yes       yes       -",
        "GET     ^~/legacy     http://127.0.0.1:9  yes       yes       -",
    ]


def test_the_status_has_what_should_be_and_what_was(
    running: Running, call: Call, answered: Answered
) -> None:
    """Configured and observed shares, per alias and version."""
    rows = table(call, "status")
    assert rows[0].split() == [
        "FUNCTION", "ALIAS", "VERSION", "CONFIGURED", "OBSERVED", "REQUESTS", "ERRORS",
    ]  # fmt: skip
    assert rows[-1].startswith("revision 1   0 requests since ")
    ask(running, "/release/orders/1")
    call("alias", "set", "orders", "release", "--version", "2", "--weight", "$LATEST=0.125")
    ask(running, "/release/orders/1", 9)
    told = answered("status")
    seen = {
        v["version"]: v["requests"]
        for v in told["metrics"]["versions"]
        if v["qualifier"] == "release"
    }
    assert sum(seen.values()) == told["metrics"]["answered"] == 10
    rows = [" ".join(row.split()) for row in table(call, "status")]
    start = rows.index(f"orders release 2 87.5 % {shares(seen['2'])}")
    assert rows[start + 1] == f"$LATEST 12.5 % {shares(seen.get('$LATEST', 0))}"
    assert rows[start + 2] == f"1 - {shares(seen['1'])}"
    assert "2 rule - 0 0" in rows
    assert rows[-1].startswith("revision 2 10 requests since ")


def shares(requests: int) -> str:
    """What a row says of so many of ten requests."""
    return f"{requests * 10} % {requests} 0"


def test_a_version_with_a_rule_and_a_weight_says_both(running: Running, call: Call) -> None:
    """One request is one request."""
    call(
        "alias", "set", "orders", "prepub", "--version", "1", "--weight", "2=0.25",
        "--rule", "invoke.query.x exists -> 2",
    )  # fmt: skip
    ask(running, "/prepub/orders/1?x=1")
    rows = [" ".join(row.split()) for row in table(call, "status")]
    assert "orders prepub 1 75 % 0 % 0 0" in rows
    assert "2 rule, 25 % 100 % 1 0" in rows
    assert rows[-1].startswith("revision 2 1 request since ")


def test_the_audit_log_tells_who_did_what(
    running: Running, call: Call, answered: Answered, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Newest first, of one part, and further back."""
    monkeypatch.setenv("LOGNAME", "ada")
    call("alias", "set", "orders", "release", "--version", "2")
    call("stage", "set", "dev", "--alias-of", "orders=2")
    rows = table(call, "changes", "--limit", "2")
    assert rows[0].split() == ["REVISION", "AT", "WHO", "WHAT"]
    assert rows[1].startswith("3  ")
    assert "  ada  " in rows[2]
    assert rows[2].endswith("  orders/release  2   (was 1 90 %, 2 10 %)")
    only = answered("changes", "--path", "functions/orders/aliases/release", "--before", "3")
    assert [change["revision"] for change in only["changes"]] == [2, 1]
    assert only["changes"][0]["origin"].startswith("127.0.0.1 gateway-cli/")
    first = table(call, "changes", "--before", "2")
    assert first[1].startswith("1 ")
    assert first[2].startswith("   ")
    assert running.gateway.live.snapshot.revision == 3


def test_the_file_is_compared_and_applied(running: Running, call: Call, answered: Answered) -> None:
    """What it changed wins; what was changed live is told, and survives."""
    result = call("diff")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "nothing to apply at revision 1\n"
    call("alias", "set", "orders", "release", "--version", "2")
    file = Path("stages.toml")
    file.write_text(file.read_text().replace('"2" = 0.25', '"2" = 0.5'))
    kept = "kept: orders/release  2   (the file says 1 90 %, 2 10 %)\n"
    change = "orders/even  1 50 %, 2 50 % (even)   (was 1 75 %, 2 25 % (even))"
    result = call("diff")
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"{change}\n", kept)
    assert [part["path"][-1] for part in answered("diff")["differences"]] == ["even"]
    result = call("apply", "--dry-run")
    assert (result.exit_code, result.stdout) == (0, f"{change}   revision 2\n")
    assert result.stderr == f"{kept}dry run: nothing was changed\n"
    result = call("apply", "stages.toml")
    assert (result.exit_code, result.stdout) == (0, f"{change}   revision 3\n")
    assert result.stderr == kept
    assert call("apply").stdout == "nothing changed   revision 3\n"
    assert running.gateway.live.snapshot.revision == 3


def test_variables_of_an_environment_are_compared_without_their_values(
    running: Running, call: Call
) -> None:
    """They may be secrets."""
    file = Path("stages.toml")
    source = 'source = "functions/orders"'
    declared = f'{source}\nenvironment = {{ A = "s3cret", B = "s3cret" }}'
    file.write_text(file.read_text().replace(source, declared))
    result = call("apply")
    assert result.stdout == (
        "orders version $LATEST  environment A set, environment B set   revision 2\n"
    )
    call("function", "set", "orders", "--unset-env", "A", "--env", "B=0ther", "--env", "C=0ther")
    result = call("diff")
    assert (result.exit_code, result.stdout) == (0, "")
    assert sorted(result.stderr.splitlines()[:-1]) == [
        "kept: orders version $LATEST environment A  removed   (the file sets it)",
        "kept: orders version $LATEST environment B  set   (the file sets it otherwise)",
        "kept: orders version $LATEST environment C  set   (not in the file)",
    ]
    assert running.gateway.live.snapshot.revision == 3


def test_a_file_with_mistakes_is_told_as_check_tells_it(running: Running, call: Call) -> None:
    """Exit code 4, with line, column and caret; what is live stays."""
    Path("stages.toml").write_text('[service]\nname = "shop"\ncolour = 1\n')
    result = call("apply")
    assert (result.exit_code, result.stdout) == (4, "")
    assert ":3:1: error[unknown-key]: the service has no key 'colour'" in result.stderr
    assert "\n      | ^^^^^^\n" in result.stderr
    assert running.gateway.live.snapshot.revision == 1


def test_warnings_of_a_file_are_told(running: Running, call: Call) -> None:
    """Beside what it changed."""
    Path("empty.toml").write_text('[service]\nname = "shop"\n')
    result = call("apply", "empty.toml")
    assert result.exit_code == 0
    assert "warning[no-apis]" in result.stderr
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "stage dev deleted (was orders@$DEFAULT, other@$DEFAULT)" in lines
    assert "other/$DEFAULT deleted (was $LATEST)" in lines
    assert lines[-1] == "revision 2"
    assert running.gateway.live.snapshot.revision == 2


READS = [
    ("functions",),
    ("versions", "orders"),
    ("aliases", "orders"),
    ("stages",),
    ("apis",),
    ("alias", "get", "orders", "release"),
    ("alias", "history", "orders", "release"),
    ("status",),
    ("changes",),
    ("diff",),
    ("export",),
    ("explain", "--live", "--stage", "dev", "GET", "/orders/1"),
]


@pytest.mark.parametrize("command", READS, ids=" ".join)
def test_every_read_has_words_and_json(
    running: Running, call: Call, answered: Answered, command: tuple[str, ...]
) -> None:
    """No colour and no white space at line ends, where there is no terminal."""
    assert isinstance(answered(*command), dict)
    result = call(*command)
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    assert all(line == line.rstrip() for line in result.stdout.splitlines())
    assert running.gateway.live.snapshot.revision == 1


def test_colour_is_for_terminals_that_want_it(
    running: Running, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`NO_COLOR` turns it off."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert call("functions", color=True).stdout.startswith("\x1b[1mFUNCTION\x1b[0m  ")
    assert call("versions", "orderz", color=True).stderr.startswith("\x1b[31m\x1b[1merror[")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in call("functions", color=True).stdout
    assert "\x1b" not in call("versions", "orderz", color=True).stderr
    assert running.gateway.live.snapshot.revision == 1


def test_explaining_live_tells_what_the_gateway_would_do_now(
    running: Running, call: Call, answered: Answered
) -> None:
    """And not what the file says; headers, body and draw are those that were named."""
    call("alias", "set", "orders", "release", "--version", "2", "--weight", "1=0.5")
    explain = ("explain", "--live", "--stage", "release", "GET", "/orders/1")
    assert table(call, *explain, "--draw", "0.25") == [
        "stage      release (revision 2)",
        "api        ANY /orders/{id}",
        "parameter  id = 1",
        "function   orders@release",
        "weight     1: 50 %, draws [0, 0.5) <- draw",
        "weight     2: 50 %, draws [0.5, 1)",
        "draw       0.25 (random)",
        "version    1 (weight)",
    ]
    call(
        "alias", "set", "orders", "release", "--version", "1",
        "--rule", "invoke.headers.A exact x, y -> 2", "--rule", "invoke.body.$.id exact 7 -> 2",
    )  # fmt: skip
    assert answered(*explain, "-H", "A: x", "-H", "A: y")["reason"] == "rule:1"
    assert answered(*explain, "-d", '{"id": 7}')["reason"] == "rule:2"
    assert running.gateway.live.snapshot.revision == 3


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("--stage", "qa", "GET", "/orders/1"), id="stage"),
        pytest.param(("--stage", "dev", "GET", "/nowhere"), id="path"),
        pytest.param(("--stage", "dev", "POST", "/ping"), id="method"),
    ],
)
def test_what_no_version_can_answer_is_not_found_live_either(
    running: Running, call: Call, arguments: tuple[str, ...]
) -> None:
    """The same sentence and exit code as from the file."""
    live, offline = call("explain", "--live", *arguments), call("explain", *arguments)
    assert (live.exit_code, live.stdout) == (offline.exit_code, offline.stdout) == (5, "")
    assert live.stderr == offline.stderr
    assert running.gateway.live.snapshot.revision == 1

"""`gateway export --format` writes for engines what is declared or live, or says what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Call = Callable[..., Result]
Shop = Callable[..., Path]

UPSTREAMS = (
    "--upstream=orders/1=127.0.0.1:9001",
    "--upstream=orders/2=[::1]:9002",
    "--upstream=orders/latest=latest.example:9003",
    "--upstream=other/$LATEST=127.0.0.1:9004",
)
DECLARED = ("--config", "stages.toml", *UPSTREAMS)


def test_the_rest_is_written_with_the_list_of_what_it_lacks(shop: Shop, call: Call) -> None:
    """The file goes to standard output, the list to standard error and to the head of the file."""
    shop()
    result = call("export", "--format", "nginx", *DECLARED, "--partial", "--listen", "[::]:80")
    assert result.exit_code == 0
    assert result.stdout.startswith("# The routing of revision 1 for nginx.")
    assert "listen [::]:80;" in result.stdout
    assert "server [::1]:9002;" in result.stdout
    lack = "api GET ^~/legacy of stage 'dev': it is answered by another HTTP server: left out"
    assert f"not in it: {lack}" in result.stderr
    assert f"# - {lack}" in result.stdout
    assert "note: nginx before 1.23" in result.stderr


def test_what_an_engine_cannot_express_is_refused(shop: Shop, call: Call) -> None:
    """All of it at once, and nothing is written."""
    shop()
    result = call("export", "--format", "haproxy", *DECLARED)
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr.count("error[not-expressible]: export: HAProxy: api GET ^~/legacy") == 3
    assert "hint: with --partial: left out" in result.stderr


def test_scripts_are_given_the_list_as_json(shop: Shop, call: Call) -> None:
    """The text, what it lacks, and how the engine differs."""
    shop()
    result = call("export", "--format", "envoy", *DECLARED, "--partial", "--json")
    found = json.loads(result.stdout)
    assert set(found) == {"text", "lacks", "notes"}
    assert {lack["instead"] for lack in found["lacks"]} == {
        "left out; what it would answer is answered with 404"
    }


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--format", "apache"], 2, "'apache' is not one of"),
        (["--format", "nginx", "out"], 2, "DIR and --force are for a stages.toml"),
        (["--format", "nginx", "--force"], 2, "DIR and --force are for a stages.toml"),
        (["--partial"], 2, "--partial has no effect without --format nginx|haproxy"),
        (["--upstream", "a/1=b:1"], 2, "--upstream has no effect"),
        (["--format", "nginx", "--upstream", "orders=b:1"], 2, "'orders=b:1' names no version"),
        (["--format", "nginx", "--upstream", "orders/1=b"], 2, "'b' is no address"),
        (["--format", "nginx", "--upstream", "orders/1=b:70000"], 2, "'b:70000' is no address"),
        (["--format", "nginx", "--listen", "80"], 2, "'80' is no address"),
        (["--format", "nginx", "--upstream=a/1=b:1", "--upstream=a/1=c:1"], 2, "given twice"),
        (["--format", "nginx", "--partial", "--config", "stages.toml"], 4, "missing-upstream"),
        (["--format", "nginx", "--config", "no.toml"], 4, "no.toml"),
    ],
)
def test_options_that_make_no_sense_are_told(
    shop: Shop, call: Call, options: list[str], code: int, words: str
) -> None:
    """With the codes that scripts see."""
    shop()
    result = call("export", *options)
    assert (result.exit_code, words in result.stderr) == (code, True), result.stderr


@pytest.mark.sockets
def test_what_is_live_is_written_with_what_its_stages_do(
    start_gateway: Callable[..., object], call: Call
) -> None:
    """The same as what is declared, until somebody moves an alias."""
    start_gateway()
    asked = ("export", "--format", "haproxy", *UPSTREAMS, "--partial")
    declared = call(*asked, "--config", "stages.toml").stdout
    assert call(*asked).stdout == declared
    call("alias", "set", "orders", "release", "--version", "1", "--weight", "2=0.25")
    text = Path("stages.toml").read_text()
    Path("stages.toml").write_text(text + "throttle = 5\n")
    assert call("apply").exit_code == 0
    moved = call(*asked)
    assert "var(txn.draw) -m int lt 25 }" in moved.stdout
    assert "not in it: stage 'release': it has throttle: written without" in moved.stderr

"""Mistakes of usage: found before anything is sent, told with what is allowed; exit code 2."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cli.given import json_value
from gateway.cli.routing import rule_of, share_of, weights_of

if TYPE_CHECKING:
    from tests.cli.conftest import Call

SET = ("alias", "set", "orders", "release", "--version", "1")
NOWHERE = ("--control-url", "http://127.0.0.1:9")
"""Whoever sends something there ends with another code."""


@pytest.mark.parametrize(
    ("command", "words"),
    [
        pytest.param((*SET, "--weight", "2=10%"), "write 0.1", id="per cent"),
        pytest.param((*SET, "--weight", "2=12.5 %"), "write 0.125", id="per cent with a space"),
        pytest.param((*SET, "--weight", "2=x%"), "write 0.1 for 10 %", id="no per cent at all"),
        pytest.param((*SET, "--weight", "2=10"), "(a share: 10 % is 0.1)", id="above one"),
        pytest.param((*SET, "--weight", "2=nan"), "allowed: 0 to 1", id="no number"),
        pytest.param((*SET, "--weight", "2=a"), "a number from 0 to 1, such as 0.1", id="letters"),
        pytest.param((*SET, "--weight", "2=0.0000000000001"), "12 decimals", id="too fine"),
        pytest.param((*SET, "--weight", "2"), "example: --weight 2=0.1", id="no weight"),
        pytest.param((*SET, "--weight", "=1"), "has no name and value", id="no version"),
        pytest.param(
            (*SET, "--weight", "2=0.1", "--weight", "2=0.2"), "'2' is given twice", id="twice"
        ),
        pytest.param((*SET, "--weight", "1=0.1"), "is the main version", id="main version"),
        pytest.param(
            (*SET, "--weight", "2=0.6", "--weight", "3=0.6"), "add up to 1.2", id="too much"
        ),
        pytest.param((*SET, "--weight", "x=0.1"), "'x' is no version", id="weight of nothing"),
        pytest.param((*SET, "--rule", "Bob"), "'Bob' is no rule; for example", id="no arrow"),
        pytest.param((*SET, "--rule", "-> 4"), "is no rule", id="no condition"),
        pytest.param((*SET, "--rule", "invoke.headers.A exact B ->"), "is no rule", id="no goal"),
        pytest.param((*SET, "--rule", "invoke.headers.A exakt B -> 2"), "'exact'", id="method"),
        pytest.param((*SET, "--rule", "invoke.headers.A exact B -> x"), "no version", id="goal"),
        pytest.param((*SET, "--split", "stikcy"), "'sticky'", id="split"),
        pytest.param((*SET, "--split", "sticky"), "needs --sticky-by", id="no sticky key"),
        pytest.param((*SET, "--sticky-by", "invoke.query.u"), "without --split", id="key alone"),
        pytest.param(
            (*SET, "--split", "sticky", "--sticky-by", "x"), "'x'", id="sticky key is none"
        ),
        pytest.param((*SET, "--if-match", "new"), "'new' is no revision", id="revision"),
        pytest.param(("alias", "set", "orders", "a"), "Missing option '--version'", id="nothing"),
        pytest.param(("alias", "get", "o-", "a"), "'o-' is no function name", id="function"),
        pytest.param(("alias", "get", "..", "a"), "'..' is no function name", id="dots"),
        pytest.param(("alias", "delete", "orders", ".."), "'..' is no alias name", id="more dots"),
        pytest.param(
            ("alias", "get", "orders", "$default"), "did you mean '$DEFAULT'?", id="no dollar"
        ),
        pytest.param(("alias", "get", "orders", ""), "without single quotes", id="shell"),
        pytest.param(
            ("code", "get", "orders", "--version", "LATEST"), "mean '$LATEST'?", id="latest"
        ),
        pytest.param(("version", "delete", "orders", "$LATEST"), "no published", id="undeletable"),
        pytest.param(("stage", "set", "qa"), "allowed: dev, prepub, release", id="stage"),
        pytest.param(("stage", "set", "dev", "--alias", "a b"), "no qualifier", id="qualifier"),
        pytest.param(("stage", "set", "dev", "--alias-of", "orders"), "payments=st", id="alias of"),
        pytest.param(("stage", "set", "dev", "--alias-of", "x-=1"), "no function", id="alias of x"),
        pytest.param(("stage", "set", "dev", "--variable", "=1"), "region=local", id="variable"),
        pytest.param(("deploy", "orders"), "nothing to do", id="deploy nothing"),
        pytest.param(("deploy", "orders", "--traffic", "10%"), "write 0.1", id="deploy per cent"),
        pytest.param(("deploy", "orders", "--traffic", "-1"), "0 to 1", id="deploy below zero"),
        pytest.param(("function", "set", "orders"), "nothing to set", id="set nothing"),
        pytest.param(("function", "set", "orders", "--env", "A"), "GREETING=hello", id="env"),
        pytest.param(("invoke", "orders", "--data", "{a}"), "have double quotes", id="json"),
        pytest.param(("invoke", "orders", "--data", "NaN"), "is no number of JSON", id="nan"),
        pytest.param(
            ("invoke", "orders", "--data", '{"a": 1, "a": 2}'), "'a' is there twice", id="key twice"
        ),
        pytest.param(("invoke", "orders", "--data", "[" * 100_000), "is no JSON", id="too deep"),
        pytest.param(("invoke", "orders", "--data", "@nowhere"), "cannot read 'nowh", id="no file"),
        pytest.param(("invoke", "orders", "--routing-key", '["a"]'), "no table", id="no table"),
        pytest.param(("invoke", "orders", "--routing-key", '{"a": []}'), "of texts", id="no texts"),
        pytest.param(("code", "put", "orders", "nowhere"), "does not exist", id="no path"),
        pytest.param(("rollback", "orders", "release", "--to-revision", "-1"), "-1", id="back"),
        pytest.param(("changes", "--limit", "0"), "1<=x<=1000", id="limit"),
        pytest.param(("status", "--every", "0"), "0.1", id="every"),
        pytest.param(("completion", "tcsh"), "'bash'", id="shell unknown"),
        pytest.param(("init", "--template", "grey"), "'grayscale'", id="template"),
        pytest.param(("alias", "sett"), "Did you mean 'set'?", id="misspelt command"),
        pytest.param(("apply", "--dryrun"), "--dry-run", id="misspelt option"),
    ],
)
def test_a_mistake_of_usage_is_found_before_anything_is_sent(
    call: Call, command: tuple[str, ...], words: str
) -> None:
    """With what is allowed."""
    talks = command[0] not in {"completion", "init"} and command != ("alias", "sett")
    result = call(*command, *(NOWHERE if talks else ()))
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--live", "--config", "x.toml"), "--config has no effect with --live"),
        (("--live", "--seed", "7"), "--seed has no effect with --live"),
        (("--control-url", "http://127.0.0.1:9"), "--control-url has no effect with no --live"),
    ],
    ids=["file", "seed", "address"],
)
def test_options_that_have_no_effect_are_refused(
    call: Call, more: tuple[str, ...], words: str
) -> None:
    """Nobody may think that they had one."""
    result = call("explain", "--stage", "dev", "GET", "/", *more)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr


def test_every_mistake_in_a_routing_is_told_at_once(call: Call) -> None:
    """One line each."""
    rule = ("--rule", "invoke.header.User exact Bob -> 4")
    result = call(*SET, "--weight", "1=0.1", *rule, *NOWHERE)
    assert result.exit_code == 2
    assert "'invoke.header.User'" in result.stderr
    assert "version '1' is the main version" in result.stderr


def test_files_and_pipes_that_hold_no_json_are_named(call: Call, tmp_path: Path) -> None:
    """And not repeated as a whole."""
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "b.json").write_bytes(b"\xff")
    said = [
        call("invoke", "orders", *NOWHERE, "--data", f"@{tmp_path / 'a.json'}").stderr,
        call("invoke", "orders", *NOWHERE, "--data", f"@{tmp_path / 'b.json'}").stderr,
        call("invoke", "orders", *NOWHERE, "--data", "-", input="{").stderr,
    ]
    assert f"file '{tmp_path / 'a.json'}' is no JSON: " in said[0]
    assert f"'@{tmp_path / 'b.json'}' is not UTF-8" in said[1]
    assert "standard input is no JSON: " in said[2]


@given(st.decimals(0, 1, places=12))
def test_a_share_is_read_exactly(share: object) -> None:
    """However it is spelled."""
    assert share_of(f" {share:f} ", "--weight") == share
    assert share_of(f"{share:e}", "--weight") == share
    assert weights_of((f"2={share}",)) == {"2": share}


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_rule_may_say_anything_before_its_last_arrow(text: str) -> None:
    """Arrows too."""
    when = f"k {text} -> m"
    assert rule_of(f"{when}->7") == {"when": when.strip(), "version": "7"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(JSON)
def test_json_is_read_as_it_was_written(value: object) -> None:
    """From the option itself."""
    import json

    assert json_value(json.dumps(value), "--data") == value

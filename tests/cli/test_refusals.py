"""What the control plane refuses, as sentences and exit codes."""

from __future__ import annotations

import json
from typing import Any

import click
import httpx
import pytest

from gateway.cli.exits import Exit
from gateway.cli.failures import fail_all
from gateway.cli.refusals import EXITS, refuse
from gateway.core.errors import Problem

URL = "http://127.0.0.1:8081"
PROBLEM: dict[str, Any] = {
    "type": "urn:gateway:problem:unknown-alias",
    "title": "Not Found",
    "status": 404,
    "code": "unknown-alias",
    "detail": "function 'orders' has no alias 'relase'",
    "problems": [
        {
            "code": "unknown-alias",
            "message": "function 'orders' has no alias 'relase'",
            "pointer": "",
            "hint": "did you mean 'release'?",
        }
    ],
}


def ended(
    status: int, problem: object, capsys: pytest.CaptureFixture[str], media: str = "problem+json"
) -> tuple[int, str]:
    """The exit code and what was said."""
    content = problem if isinstance(problem, bytes) else json.dumps(problem).encode()
    headers = {"Content-Type": f"application/{media}"}
    with pytest.raises(click.exceptions.Exit) as end:
        refuse(httpx.Response(status, content=content, headers=headers), URL)
    said = capsys.readouterr()
    assert said.out == ""
    return end.value.exit_code, said.err


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, 4), (401, 3), (403, 3), (404, 5), (405, 1), (409, 6), (412, 6), (413, 4), (415, 4),
        (421, 3), (422, 4), (500, 1), (503, 1),
    ],
)  # fmt: skip
def test_every_status_has_its_exit_code(
    capsys: pytest.CaptureFixture[str], status: int, code: int
) -> None:
    """What scripts rely on."""
    found, said = ended(status, PROBLEM, capsys)
    assert found == code
    assert said.startswith("error[unknown-alias]: function 'orders' has no alias 'relase'\n")
    assert EXITS.get(status, 1) == code


def test_one_mistake_is_one_sentence_and_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    """Not told twice, as detail and as problem."""
    _, said = ended(404, PROBLEM, capsys)
    assert said == (
        "error[unknown-alias]: function 'orders' has no alias 'relase'\n"
        "  = hint: did you mean 'release'?\n"
    )


def test_every_mistake_is_told_with_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    """The place is a pointer into what was sent."""
    problems = [
        {"code": "bad-weight", "message": "it is 7", "pointer": "/weights/2", "hint": ""},
        {"code": "bad-rule", "message": "it is none", "pointer": "/rules/0", "hint": "so"},
    ]
    code, said = ended(422, {**PROBLEM, "problems": problems}, capsys)
    assert code == 4
    assert said == (
        "error[bad-weight]: it is 7\n  at /weights/2\n"
        "error[bad-rule]: it is none\n  at /rules/0\n  = hint: so\n"
    )


def test_a_stale_revision_tells_the_actual_one(capsys: pytest.CaptureFixture[str]) -> None:
    """And what to do with it."""
    stale = {"code": "stale-revision", "detail": "it is 9, not 7", "problems": [], "revision": 9}
    code, said = ended(412, stale, capsys)
    assert code == 6
    assert said == (
        "error[stale-revision]: it is 9, not 7\n"
        "  = hint: look at revision 9, then say --if-match 9\n"
    )


def test_code_that_does_not_load_is_told_with_its_stack(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Once, and not in the detail too."""
    broken = [
        {"code": "user-code-error", "message": "it fails", "stack": "Traceback:\n  boom\n"},
        {"code": "handler-not-found", "message": "no handler", "stack": ""},
    ]
    _, said = ended(422, {**PROBLEM, "broken": broken}, capsys)
    assert said == (
        "error[user-code-error]: it fails\n  Traceback:\n    boom\n"
        "error[handler-not-found]: no handler\n"
    )


def test_a_bad_file_is_told_as_the_gateway_drew_it(capsys: pytest.CaptureFixture[str]) -> None:
    """With line, column and caret."""
    text = "stages.toml:1:1: error[x]: y\n    1 | z\n      | ^\n"
    assert ended(422, {**PROBLEM, "text": text}, capsys) == (4, text)


@pytest.mark.parametrize(
    "code", ["stage-not-found", "api-not-found", "method-not-supported", "qualifier-not-found"]
)
def test_what_no_version_can_answer_is_not_found(
    capsys: pytest.CaptureFixture[str], code: str
) -> None:
    """Also where the status speaks of the body."""
    assert ended(422, {**PROBLEM, "code": code}, capsys)[0] == 5


@pytest.mark.parametrize(
    ("status", "words"), [(401, "GATEWAY_TOKEN"), (421, "127.0.0.1:8081"), (500, "own output")]
)
def test_some_statuses_have_a_hint_of_their_own(
    capsys: pytest.CaptureFixture[str], status: int, words: str
) -> None:
    """What to do is not in the answer."""
    _, said = ended(status, {"code": "x", "title": "Some Title"}, capsys)
    assert said.startswith("error[x]: Some Title\n  = hint: ")
    assert words in said


@pytest.mark.parametrize(
    ("content", "media"),
    [
        pytest.param(b"<html>", "xhtml", id="a page"),
        pytest.param(b"<html>", "problem+json", id="no json"),
        pytest.param(b"[]", "problem+json", id="no object"),
        pytest.param(b"{}", "problem+json", id="no code"),
        pytest.param(b'{"code": "x"}', "json", id="another type"),
    ],
)
def test_what_is_no_problem_document_comes_from_somebody_else(
    capsys: pytest.CaptureFixture[str], content: bytes, media: str
) -> None:
    """Exit code 3, with the address that was asked."""
    code, said = ended(404, content, capsys, media)
    assert code == 3
    assert said.startswith(f"error[not-a-gateway]: what answers at {URL} is no control plane")


def test_mistakes_found_on_this_side_are_told_all_at_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With what they are in, and their hints."""
    problems = [Problem("a", "one"), Problem("b", "two", hint="do so")]
    with pytest.raises(click.exceptions.Exit) as end:
        fail_all(problems, Exit.INVALID, "code.zip")
    assert end.value.exit_code == 4
    assert capsys.readouterr().err == (
        "error[a]: code.zip: one\nerror[b]: code.zip: two\n  = hint: do so\n"
    )


def test_words_of_others_do_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """No escape sequence gets through."""
    _, said = ended(404, {"code": "x\x1b", "detail": "a\x1b[2Jb\u202ec"}, capsys)
    assert said == "error[x\ufffd]: a\ufffd[2Jb\ufffdc\n"

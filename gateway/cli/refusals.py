"""What the control plane refuses, in words, and the exit code that scripts see."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import indent
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from gateway.cli.exits import Exit
from gateway.cli.failures import fail, mark
from gateway.cli.picture import Json, clean

if TYPE_CHECKING:
    import httpx

EXITS: Final = {
    400: Exit.INVALID,
    401: Exit.CANNOT_START,
    403: Exit.CANNOT_START,
    404: Exit.NOT_FOUND,
    409: Exit.CONFLICT,
    412: Exit.CONFLICT,
    413: Exit.INVALID,
    415: Exit.INVALID,
    421: Exit.CANNOT_START,
    422: Exit.INVALID,
}
"""The exit code of each status; any other one is unexpected."""

_NOWHERE: Final = frozenset(
    {"stage-not-found", "api-not-found", "method-not-supported", "qualifier-not-found"}
)
"""Codes that say that no version can answer, whatever the status."""

_HINTS: Final = {
    401: "set GATEWAY_TOKEN to the token that 'gateway serve' was started with",
    403: "the gateway does not take this request from there",
    421: "use the address that 'gateway serve' prints, such as http://127.0.0.1:8081",
    500: "the gateway's own output tells more",
}


def refuse(response: httpx.Response, url: str) -> NoReturn:
    """End the command with what a problem document says.

    Args:
        response: An answer that is no success.
        url: Whom it was asked.
    """
    problem = _problem(response)
    if problem is None:
        no_gateway(url)
    for line in _lines(response.status_code, problem):
        click.echo(line, err=True)
    code = EXITS.get(response.status_code, Exit.UNEXPECTED)
    raise click.exceptions.Exit(Exit.NOT_FOUND if problem["code"] in _NOWHERE else code)


def no_gateway(url: str) -> NoReturn:
    """End the command because something else answers there."""
    message = f"what answers at {url} is no control plane of a gateway"
    hint = "the ready line of 'gateway serve' tells the address after 'control='"
    fail("not-a-gateway", message, Exit.CANNOT_START, hint)


def _problem(response: httpx.Response) -> dict[str, Any] | None:
    if not response.headers.get("content-type", "").startswith("application/problem+json"):
        return None
    try:
        problem = response.json()
    except ValueError:
        return None
    return problem if isinstance(problem, dict) and "code" in problem else None


def _lines(status: int, problem: Json) -> Iterator[str]:
    if problem.get("text"):
        yield clean(str(problem["text"]).rstrip())
    elif problem.get("broken"):
        for broken in problem["broken"]:
            yield from _broken(broken)
    else:
        yield from _mistakes(problem)
    if "revision" in problem:
        now = problem["revision"]
        yield f"  = hint: look at revision {now}, then say --if-match {now}"
    elif status in _HINTS:
        yield f"  = hint: {_HINTS[status]}"


def _mistakes(problem: Json) -> Iterator[str]:
    """Each with its place in what was sent, and its hint."""
    detail = problem.get("detail") or problem.get("title") or "refused"
    whole = {"code": problem["code"], "message": detail}
    for mistake in problem.get("problems") or [whole]:
        yield f"{mark(clean(mistake['code']))}: {clean(str(mistake['message']))}"
        if mistake.get("pointer"):
            yield f"  at {clean(mistake['pointer'])}"
        if mistake.get("hint"):
            yield f"  = hint: {clean(mistake['hint'])}"


def _broken(broken: Json) -> Iterator[str]:
    yield f"{mark(clean(broken['code']))}: {clean(broken['message'])}"
    if broken.get("stack"):
        yield indent(clean(broken["stack"].rstrip()), "  ")

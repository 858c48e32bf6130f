"""The options of `gateway serve` about what it takes from callers, and for how long."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from typing import Any

import click

from gateway.core.errors import listed, nearest
from gateway.dataplane.deadlines import Deadlines
from gateway.dataplane.limits import LENIENCIES, STRICT, Edge, Limits

_DEADLINES = {each.name.replace("_", "-"): each.name for each in fields(Deadlines)}
_LONGEST = 86_400.0


def edge_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options."""
    for option in (
        click.option(
            "--reuse-port",
            is_flag=True,
            help="Let another gateway with this option listen on the same ports, to take over.",
        ),
        click.option(
            "--lenient",
            multiple=True,
            type=click.Choice(sorted(LENIENCIES)),
            metavar="RULE",
            help="Do not hold callers to a rule of strict requests; may be given several times.",
        ),
        click.option(
            "--deadline",
            "deadlines",
            multiple=True,
            metavar="NAME=SECONDS",
            help="How long callers may take: " + ", ".join(_DEADLINES) + ".",
        ),
        click.option(
            "--max-body",
            type=click.IntRange(0),
            default=STRICT.limits.body,
            show_default=True,
            metavar="BYTES",
            help="Longest body of a request; 413 beyond it.",
        ),
        click.option(
            "--max-requests",
            type=click.IntRange(1),
            default=STRICT.requests,
            show_default=True,
            metavar="NUMBER",
            help="Requests that are answered at the same time; 503 beyond it.",
        ),
    ):
        command = option(command)
    return command


def edge(
    max_requests: int, max_body: int, deadlines: Iterable[str], lenient: Iterable[str]
) -> Edge:
    """What the options ask for.

    Raises:
        click.UsageError: A deadline is none.
    """
    seconds = dict(_deadline(text) for text in deadlines)
    return Edge(
        Limits(body=max_body),
        replace(Deadlines(), **seconds),
        frozenset(lenient),
        max_requests,
    )


def _deadline(text: str) -> tuple[str, float]:
    name, equals, value = text.partition("=")
    if name not in _DEADLINES or not equals:
        hint = nearest(name, _DEADLINES)
        raise click.UsageError(
            f"--deadline {text!r}: the form is NAME=SECONDS, and a name is one of "
            f"{listed(_DEADLINES)}{hint and f'; {hint}'}"
        )
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= _LONGEST:
        raise click.UsageError(
            f"--deadline {text!r}: seconds are a number above 0 and at most {_LONGEST:,.0f}"
        )
    return _DEADLINES[name], seconds

"""The options of `gateway serve` about what its invocation log keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import click

from gateway.cli.durations import Duration
from gateway.store.logged import Retention

MOST_ENTRIES: Final = 10_000_000
"""More are not kept: the log is searched from one end to the other."""

_USUAL: Final = Retention()


def log_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options."""
    for option in (
        click.option(
            "--log-entries",
            type=click.IntRange(0, MOST_ENTRIES),
            default=_USUAL.entries,
            show_default=True,
            envvar="GATEWAY_LOG_ENTRIES",
            show_envvar=True,
            metavar="NUMBER",
            help="How many invocations the log keeps, the newest ones; 0 for no log.",
        ),
        click.option(
            "--log-age",
            type=Duration(("1m", "366d")),
            default="3d",
            show_default=True,
            envvar="GATEWAY_LOG_AGE",
            show_envvar=True,
            metavar="DURATION",
            help="How long the log keeps an invocation: 12h, 3d, 30d.",
        ),
    ):
        command = option(command)
    return command

"""What entries of the invocation log are looked for by, checked before anything is asked."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import click

from gateway.store.logged import STATUSES, parse_statuses

ISO_TIME: Final = "a time in ISO 8601, such as 2025-01-31T12:00:00Z"
"""How a time is written."""


class Time(click.ParamType[str]):
    """A point in time."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """The time as it was given."""
        text = str(value)
        try:
            datetime.fromisoformat(text)
        except ValueError:
            self.fail(f"{text!r} is no time; allowed: {ISO_TIME}", param, ctx)
        return text


class Statuses(click.ParamType[str]):
    """One status or several."""

    name = "statuses"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """The statuses as they were given."""
        text = str(value)
        if parse_statuses(text) is None:
            self.fail(f"{text!r} is no status; allowed: {STATUSES}", param, ctx)
        return text

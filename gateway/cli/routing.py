"""Options of `alias set` to the routing that the control plane takes; mistakes are told at once."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

import click

from gateway.cli.options import pairs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.core.errors import Problem


def weights_of(texts: tuple[str, ...]) -> dict[str, Decimal]:
    """`VERSION=SHARE` options as exact decimals.

    Raises:
        click.BadParameter: One is no share.
    """
    given = pairs(texts, "--weight", "2=0.1")
    return {version: share_of(text, "--weight") for version, text in given.items()}


def share_of(text: str, option: str) -> Decimal:
    """A share as written, exactly.

    Raises:
        click.BadParameter: It is none from 0 to 1.
    """
    from gateway.core.alias import parse_weight
    from gateway.core.errors import Refused

    written = text.strip()
    if written.endswith("%"):
        message = f"{text!r} is no weight; a weight is a share from 0 to 1: write {_share(written)}"
        raise click.BadParameter(message, param_hint=option)
    try:
        number = Decimal(written)
        parse_weight(number, "")
    except InvalidOperation:
        message = f"{text!r} is no weight; allowed: a number from 0 to 1, such as 0.1"
        raise click.BadParameter(message, param_hint=option) from None
    except Refused as refused:
        message = f"{text!r} is no weight; allowed: 0 to 1 with at most 12 decimals"
        hint = refused.problems[0].hint
        raise click.BadParameter(
            f"{message} ({hint})" if hint else message, param_hint=option
        ) from None
    return number


def rule_of(text: str) -> dict[str, str]:
    """`KEY METHOD EXPRESSION -> VERSION` as the API writes it.

    Raises:
        click.BadParameter: There is no arrow or nothing on one side of it.
    """
    when, arrow, version = text.rpartition("->")
    if not arrow or not when.strip() or not version.strip():
        message = f"{text!r} is no rule; for example: 'invoke.headers.User exact Bob -> 4'"
        raise click.BadParameter(message, param_hint="--rule")
    return {"when": when.strip(), "version": version.strip()}


def check_sticky(split: str, sticky_by: str | None) -> None:
    """Refuse a key without the mode that reads it, and the mode without a key.

    Raises:
        click.UsageError: One is there without the other.
    """
    if split == "sticky" and not sticky_by:
        message = "--split sticky needs --sticky-by, such as --sticky-by invoke.headers.User"
        raise click.UsageError(message)
    if split != "sticky" and sticky_by:
        raise click.UsageError("--sticky-by has no effect without --split sticky")


def routing_of(raw: dict[str, object], alias: str) -> dict[str, object]:
    """The alias as the API takes it, after every check that needs no gateway.

    Raises:
        click.UsageError: With every mistake.
    """
    from gateway.core.alias import parse_route
    from gateway.core.errors import Refused

    try:
        route, description = parse_route(raw, f"alias {alias!r}")
    except Refused as refused:
        raise click.UsageError(_sentences(refused.problems)) from None
    return {**route.to_dict(), "description": description}


def _sentences(problems: Sequence[Problem]) -> str:
    return "\n".join(
        f"{problem.message}; {problem.hint}" if problem.hint else problem.message
        for problem in problems
    )


def _share(percentage: str) -> str:
    try:
        return f"{Decimal(percentage.rstrip('%').strip()) / 100:f}"
    except InvalidOperation:
        return "0.1 for 10 %"

"""An alias in one option, `version=1,weights=2:0.2,split=sticky`, as the API writes it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import click

from gateway.cli.given import json_value
from gateway.cli.routing import rule_of, share_of

if TYPE_CHECKING:
    from gateway.core.alias import Route

OPTION: Final = "--alias"
EXAMPLE: Final = "version=1,weights=2:0.2,split=sticky,sticky_by=invoke.headers.User"
KEYS: Final = ("version", "weights", "rules", "split", "sticky_by")

_PART: Final = re.compile(rf"(?:^|,)\s*({'|'.join(KEYS)}|sticky-by)\s*=")
_NAMED: Final = re.compile(r"(?:^|,)\s*([A-Za-z_-]+)\s*=")


def route_of(text: str, alias: str) -> Route:
    """The routing that an option describes: key by key, or as JSON from a text, a file or a pipe.

    Raises:
        click.BadParameter: It is none, with every mistake.
    """
    from gateway.core.alias import parse_route
    from gateway.core.errors import Refused

    raw = json_value(text, OPTION) if text[:1] in {"{", "@", "-"} else _table(text)
    try:
        return parse_route(raw, f"alias {alias!r}")[0]
    except Refused as refused:
        lines = [": ".join(filter(None, (p.message, p.hint))) for p in refused.problems]
        raise click.BadParameter("\n".join(lines), param_hint=OPTION) from None


def _table(text: str) -> dict[str, Any]:
    """`key=value` pairs; a value may hold commas, as rules do."""
    found: dict[str, Any] = {}
    marks = list(_PART.finditer(text))
    if not marks or marks[0].start() != 0:
        _refuse(text)
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    for mark, end in zip(marks, ends, strict=True):
        key, value = mark[1].replace("-", "_"), text[mark.end() : end].strip()
        if key in found:
            raise click.BadParameter(f"{key!r} is given twice", param_hint=OPTION)
        found[key] = _value(key, value)
    return found


def _value(key: str, value: str) -> object:
    parts = [part.strip() for part in value.split(";") if part.strip()]
    if key == "weights":
        return dict(map(_weight, parts))
    return [rule_of(part) for part in parts] if key == "rules" else value


def _weight(text: str) -> tuple[str, Decimal]:
    version, separator, share = text.partition(":")
    if not separator:
        message = f"{text!r} is no weight; for example: weights=2:0.2, or weights=2:0.2;3:0.1"
        raise click.BadParameter(message, param_hint=OPTION)
    return version.strip(), share_of(share, OPTION)


def _refuse(text: str) -> None:
    from gateway.core.errors import listed, nearest

    name = _NAMED.match(text)
    hint = nearest(name[1], KEYS) if name else ""
    message = f"{text!r} is no alias; allowed: {listed(KEYS)}; {hint or f'for example: {EXAMPLE}'}"
    raise click.BadParameter(message, param_hint=OPTION)

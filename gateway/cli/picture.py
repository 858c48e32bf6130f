"""Small pictures for the terminal: where stages lead, and what their traffic was.

Text that others wrote is drawn, never obeyed: `clean` takes the control characters out of it.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from gateway.core.alias import Route
    from gateway.core.snapshot import Snapshot
    from gateway.observe import Counters

Json = Mapping[str, Any]
"""A table of JSON values, as the API writes it."""

_UNSHOWN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def columns(rows: Iterable[Iterable[str]], gap: str = "  ") -> str:
    """Rows as left-aligned columns; styles and wide characters do not displace them."""
    table = [list(row) for row in rows]
    widths = [max(map(cells, column)) for column in zip(*table, strict=True)]
    lines = (
        gap.join(
            cell + " " * (width - cells(cell)) for cell, width in zip(row, widths, strict=True)
        )
        for row in table
    )
    return "\n".join(line.rstrip() for line in lines)


def table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Columns under headings; the headings are there even when there is no row."""
    return columns([[click.style(heading, bold=True) for heading in headings], *rows])


def clean(text: str) -> str:
    """Text of somebody else, without what would steer a terminal; its lines stay lines."""
    return "".join(
        character
        if character == "\n" or unicodedata.category(character) not in _UNSHOWN
        else "\N{REPLACEMENT CHARACTER}"
        for character in text.replace("\t", "    ")
    )


def in_line(text: str) -> str:
    """Text of somebody else for a cell of a table: its first line."""
    first, _, more = text.strip().partition("\n")
    return clean(first.rstrip()) + (" ..." if more else "")


def json_text(value: object) -> str:
    """JSON as people read it: indented, and in characters that every output can write."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half a pair of surrogates, which JSON may name
        return json.dumps(value, indent=2)
    return text


def percent(share: float | Decimal) -> str:
    """A share as people read it: `12.5 %`; a decimal exactly, a measured one in four digits."""
    if isinstance(share, Decimal):
        text = f"{share * 100:f}"
        return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"
    return f"{share * 100:.4g} %"


def shares_of(alias: Json) -> dict[str, Decimal]:
    """What the weights of an alias give to each version, the main version first."""
    weights = {str(version): Decimal(repr(w)) for version, w in alias["weights"].items()}
    return {str(alias["version"]): 1 - sum(weights.values(), Decimal()), **weights}


def alias_words(alias: Json) -> str:
    """Where an alias, as the API writes it, leads, in one line."""
    words = [clean(f"{rule['when']} -> {rule['version']}") for rule in alias["rules"]]
    if alias["weights"]:
        split = "" if alias["split"] == "random" else f" ({alias['split']})"
        shares = [f"{version} {percent(share)}" for version, share in shares_of(alias).items()]
        words.append(", ".join(shares) + split)
    else:
        words.append(f"else {alias['version']}" if words else alias["version"])
    return "; ".join(words)


def fault_words(fault: Json) -> str:
    """What a version, as the API writes it, gets wrong, in one line."""
    words = []
    if fault["errors"]:
        words.append(f"{percent(fault['errors'])} errors ({fault['status']})")
    if fault["latency"] is not None:
        words.append(f"latency {_latency(fault['latency'])}")
    return ", ".join(words)


def breaker_words(breaker: Json) -> str:
    """When versions, as the API writes it, are left alone, in one line."""
    return (
        f"{percent(breaker['errors'])} errors of {breaker['requests']}+ requests in "
        f"{breaker['window']:g} s: {breaker['pause']:g} s, then {breaker['trials']} trials"
    )


def _latency(latency: float | Json) -> str:
    if isinstance(latency, int | float):
        return f"{latency:g} s"
    [(kind, value)] = latency.items()
    if kind == "uniform":
        return f"{value[0]:g} to {value[1]:g} s"
    if kind == "normal":
        return f"{value[0]:g} s, give or take {value[1]:g} s"
    return f"{value:g} s on average"


def route_words(route: Route) -> str:
    """Where an alias leads, in one line."""
    return alias_words(route.to_dict())


def routing_picture(snapshot: Snapshot) -> str:
    """Every stage with its aliases and where they lead."""
    rows = []
    service = snapshot.default_service
    for stage in service.stages.values() if service else ():
        for function, qualifier in sorted(stage.targets()):
            alias = snapshot.functions[function].aliases.get(qualifier)
            rows.append(
                (stage.name, function, qualifier, route_words(alias.route) if alias else qualifier)
            )
    return table(("STAGE", "FUNCTION", "ALIAS", "LEADS TO"), rows)


def traffic_picture(counters: Counters) -> str:
    """What was answered, by stage and version."""
    total = counters.total()
    said = f"answered {total:,} {'request' if total == 1 else 'requests'}"
    headings = ("STAGE", "FUNCTION", "ALIAS", "VERSION", "REQUESTS", "SHARE", "ERRORS")
    rows = []
    for (stage, function, qualifier), versions in counters.by_version().items():
        everything = sum(seen.requests for seen in versions.values())
        for version, seen in versions.items():
            share = percent(seen.requests / everything)
            counts = (f"{seen.requests:,}", share, f"{seen.errors:,}")
            rows.append((stage, function, qualifier, version, *counts))
    return f"{table(headings, rows)}\n{said}" if rows else said


def cells(text: str) -> int:
    """How many cells of a terminal a text takes."""
    shown = click.unstyle(text)
    if shown.isascii():
        return len(shown)
    return sum(_cell(character) for character in shown)


def _cell(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1

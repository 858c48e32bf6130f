"""Small pictures for the terminal: where stages lead, and what their traffic was."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.core.alias import Route
    from gateway.core.snapshot import Snapshot
    from gateway.observe import Counters


def columns(rows: Iterable[Iterable[str]], gap: str = "  ") -> str:
    """Rows as left-aligned columns."""
    table = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = (
        gap.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in table
    )
    return "\n".join(line.rstrip() for line in lines)


def percent(share: float) -> str:
    """A share as people read it: `12.5 %`."""
    return f"{share * 100:.4g} %"


def route_words(route: Route) -> str:
    """Where an alias leads, in one line."""
    words = [f"{rule.when} -> {rule.version}" for rule in route.rules]
    rest = 1 - sum(route.weights.values())
    shares = [f"{version} {percent(float(weight))}" for version, weight in route.weights.items()]
    if shares:
        split = "" if route.split == "random" else f" ({route.split})"
        words.append(", ".join([f"{route.version} {percent(float(rest))}", *shares]) + split)
    else:
        words.append(f"else {route.version}" if words else route.version)
    return "; ".join(words)


def routing_picture(snapshot: Snapshot) -> str:
    """Every stage with its aliases and where they lead."""
    rows = [("STAGE", "FUNCTION", "ALIAS", "LEADS TO")]
    service = snapshot.default_service
    for stage in service.stages.values() if service else ():
        for function, qualifier in sorted(stage.targets()):
            alias = snapshot.functions[function].aliases.get(qualifier)
            rows.append(
                (stage.name, function, qualifier, route_words(alias.route) if alias else qualifier)
            )
    return columns(rows)


def traffic_picture(counters: Counters) -> str:
    """What was answered, by stage and version."""
    total = counters.total()
    said = f"answered {total:,} {'request' if total == 1 else 'requests'}"
    rows = [("STAGE", "FUNCTION", "ALIAS", "VERSION", "REQUESTS", "SHARE", "ERRORS")]
    for (stage, function, qualifier), versions in counters.by_version().items():
        everything = sum(seen.requests for seen in versions.values())
        for version, seen in versions.items():
            share = percent(seen.requests / everything)
            counts = (f"{seen.requests:,}", share, f"{seen.errors:,}")
            rows.append((stage, function, qualifier, version, *counts))
    return f"{columns(rows)}\n{said}" if len(rows) > 1 else said

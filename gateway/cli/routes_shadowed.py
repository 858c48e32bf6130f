"""Rules that can never be hit, shown where they stand in stages.toml."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from gateway.cli.routes_exercised import aliases_used
from gateway.config import Diagnostic
from gateway.config.source import read
from gateway.config.syntax import parse
from gateway.core.alias import Alias
from gateway.core.errors import Place, Problem
from gateway.core.shadowing import Shadowed, shadowed
from gateway.core.snapshot import Snapshot

_HINT = "put it before, or remove it"


def shadowed_rules(
    file: Path, snapshot: Snapshot, severity: Literal["error", "warning"]
) -> list[Diagnostic]:
    """Every rule that can never be hit, of the aliases that stages lead to.

    Args:
        file: The stages.toml; a rule that was set live stands nowhere in it.
        snapshot: The state that is tested.
        severity: Of what is found.
    """
    source = read(file)
    document = parse(source)
    found: list[Diagnostic] = []
    for alias in aliases_used(snapshot, snapshot.default_service):
        for rule in shadowed(alias.route):
            at = ("functions", alias.function, "aliases", alias.name, "rules")
            place = (*at, rule.number - 1, "when")
            message = _message(alias, rule)
            if _value(document, place) == rule.when:
                problem = Problem("shadowed-rule", message, place, _HINT)
                found += source.explain([problem], severity)
                continue
            told = f"{message}; it was set live and is {rule.when!r}"
            found.append(
                Diagnostic(str(file), 0, 0, "shadowed-rule", told, _HINT, severity=severity)
            )
    return found


def _message(alias: Alias, rule: Shadowed) -> str:
    what = f"rule {rule.number} of alias {alias.name!r} of function {alias.function!r}"
    by = " and ".join(f"rule {number}" for number in rule.by)
    return f"{what} can never be hit: {by} before it {'take' if len(rule.by) > 1 else 'takes'} all"


def _value(document: object, place: Place) -> object:
    for step in place:
        try:
            document = document[step]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            return None
    return document

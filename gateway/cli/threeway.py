"""What stages.toml declares and what is live, where they are not the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gateway.cli.changed import difference_lines, part_name
from gateway.cli.picture import clean


def kept_words(kept: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A line for each live change that survives the file."""
    for part in kept:
        name = clean(part_name(part["path"]))
        yield f"kept: {name}  {_secret(part) if 'environment' in part['path'] else _words(part)}"


def _words(part: Mapping[str, Any]) -> str:
    turned = {"path": part["path"], "before": part["declared"], "after": part["live"]}
    words = difference_lines([turned])[0].removeprefix(clean(part_name(part["path"]))).strip()
    return words.replace("(was ", "(the file says ").replace("(new)", "(not in the file)")


def _secret(part: Mapping[str, Any]) -> str:
    """A variable of the environment, without its values: they may be secrets."""
    if part["live"] is None:
        return "removed   (the file sets it)"
    if part["declared"] is None:
        return "set   (not in the file)"
    return "set   (the file sets it otherwise)"

"""The processes that share a state, a line each; one that has no others is not worth one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import click

from gateway.cli.picture import Json, clean

STALE: Final = 3.0
"""Seconds from which on it is told how old the revision of a node is."""


def node_lines(nodes: Sequence[Json], revision: int) -> list[str]:
    """A line for each process, where there are several or one is away from its state.

    Args:
        nodes: What the control plane says of them.
        revision: The revision of the one that was asked.
    """
    if len(nodes) < 2 and not any(map(_is_stale, nodes)):
        return []
    names = [f"{clean(each['node'])} {clean(each['process'])}" for each in nodes]
    width = max(map(len, names))
    return [
        f"node: {name:{width}}  {_words(each, revision)}"
        for name, each in zip(names, nodes, strict=True)
    ]


def _is_stale(node: Json) -> bool:
    return node["state_age"] is not None and bool(node["state_age"] >= STALE)


def _words(node: Json, revision: int) -> str:
    requests = node["requests"]
    said = f"{requests:,} {'request' if requests == 1 else 'requests'}"
    if node["gone"]:
        return click.style(f"gone for {node['age']:.0f} s  {said}", fg="red")
    behind = node["revision"] < revision
    words = [click.style(f"revision {node['revision']}", fg="yellow" if behind else None), said]
    if not node["own"]:
        words.append(f"{node['age']:.1f} s ago")
    if _is_stale(node):
        words.append(click.style(f"without its state for {node['state_age']:.0f} s", fg="red"))
    return "  ".join(words)

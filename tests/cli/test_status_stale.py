"""A node that does not hear from its database says so, also where it is the only one."""

from __future__ import annotations

from typing import Any

import click
import pytest

from gateway.cli.status_nodes import STALE, node_lines


def node(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """A process as the control plane tells of it."""
    alone = {"node": "here", "process": "main", "own": True, "revision": 3, "requests": 1}
    return {**alone, "age": 0.0, "state_age": None, "gone": False, **more}


@pytest.mark.parametrize("age", [None, 0.4, STALE - 0.1])
def test_a_node_alone_that_is_well_has_no_line(age: float | None) -> None:
    """There is nothing to tell."""
    assert node_lines([node(state_age=age)], 3) == []


def test_a_node_alone_tells_for_how_long_its_state_is_away() -> None:
    """What it shows is the last that it knew."""
    (line,) = node_lines([node(state_age=17.2)], 3)
    told = "node: here main  revision 3  1 request  without its state for 17 s"
    assert click.unstyle(line) == told

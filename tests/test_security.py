"""What SECURITY.md promises: every default names tests that exist, and the figures of the code."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from gateway.dataplane.deadlines import LINGER_SECONDS, STEP_BYTES
from gateway.dataplane.limits import LENIENCIES, STRICT

ROOT: Final = Path(__file__).parent.parent
TEXT: Final = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NAMED: Final = sorted(set(re.findall(r"`(tests/[\w/]+\.py::\w+)`", TEXT)))


@cache
def defined_in(path: Path) -> frozenset[str]:
    """The tests of a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    )


@pytest.mark.parametrize("name", NAMED)
def test_a_test_that_is_named_exists(name: str) -> None:
    """Under that very name."""
    path, _, test = name.partition("::")
    assert test in defined_in(ROOT / path)


def test_every_default_names_a_test() -> None:
    """In the sections of defaults; headings of tables are no defaults."""
    section = TEXT.partition("## Safe defaults")[2].partition("## What may be allowed")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    defaults = [row for row in rows if not row.startswith(("|---", "| Default "))]
    assert len(defaults) >= 25
    assert [row for row in defaults if "`tests/" not in row] == []


def test_figures_are_those_of_the_code() -> None:
    """A default that changes changes here as well."""
    limits, seconds = STRICT.limits, STRICT.deadlines
    assert limits.body is not None
    for figure in (
        f"at most {limits.line:,} bytes (414)",
        f"a head {limits.head:,} bytes and {limits.headers} headers (431)",
        f"a body {limits.body:,} bytes (413)",
        f"within {seconds.first_byte:.0f} seconds, a head is there within {seconds.head:.0f}",
        f"moves on by {STEP_BYTES:,} bytes every {seconds.body:.0f}",
        f"the next request begins within {seconds.idle}",
        f"nothing of an answer for {seconds.send:.0f} seconds",
        f"listened to for {LINGER_SECONDS:.0f} seconds",
        f"at most {STRICT.requests:,} requests",
        f"to go elsewhere for {seconds.drain:.0f} second,",
    ):
        assert figure in TEXT


def test_every_leniency_says_what_it_costs() -> None:
    """And no other is spoken of."""
    section = TEXT.partition("| Rule |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| `([\w-]+)` \| .+ \| .+ \|$", section, re.MULTILINE)
    assert sorted(rows) == sorted(LENIENCIES)
    assert STRICT.lenient == frozenset()

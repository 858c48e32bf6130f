"""The house rules that a reviewer would otherwise have to remember."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("gateway", "loadtests", "benchmarks")
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
EMPTY_NAMES = {"utils", "helpers", "common", "base", "manager", "misc"}
MAX_MODULE = 270
MAX_FUNCTION = 45


def name_of(path: Path) -> str:
    """A module as a test id."""
    return str(path.relative_to(ROOT))


def functions_of(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a module."""
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_states_its_law_and_stays_small(path: Path) -> None:
    """A docstring at the top, a name that says something, and a size that fits a head."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "the first line of a module says what it is for"
    assert path.stem not in EMPTY_NAMES
    assert len(text.splitlines()) <= MAX_MODULE


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_functions_are_one_thought_each(path: Path) -> None:
    """Code lines only: a long docstring is no sin."""
    for function in functions_of(ast.parse(path.read_text(encoding="utf-8"))):
        body = function.body
        has_docstring = ast.get_docstring(function) is not None
        code = body[1:] if has_docstring else body
        lines = (code[-1].end_lineno or 0) - code[0].lineno + 1 if code else 0
        assert lines <= MAX_FUNCTION, f"{function.name} has {lines} lines"


def test_the_core_imports_the_standard_library_alone() -> None:
    """But for jsonpath-ng in `rules` and RE2 in `methods`, both imported where they are needed."""
    foreign: dict[str, set[str]] = {}
    for path in sorted((ROOT / "gateway" / "core").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [node.module or ""]
            for module in modules:
                if module.split(".")[0] in {"jsonpath_ng", "re2"}:
                    foreign.setdefault(path.stem, set()).add(module.split(".")[0])
    assert foreign == {"rules": {"jsonpath_ng"}, "methods": {"re2"}}


def test_every_room_has_its_tests() -> None:
    """`tests/` mirrors `gateway/`."""
    rooms = {path.name for path in (ROOT / "gateway").iterdir() if (path / "__init__.py").exists()}
    tested = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()}
    assert rooms <= tested


def test_the_changelog_knows_the_version() -> None:
    """Nothing is released that it does not mention."""
    from gateway import __version__

    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

"""Web functions with a server of their own need no handler; everything else does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.config import ConfigurationInvalid, load

FILE = '[service]\nname = "x"\n[functions.site]\nsource = "functions/site"\ntype = "TYPE"\n'


@pytest.fixture
def bootstrap(project: Path) -> Path:
    """The only file of a function."""
    file = project / "functions" / "site" / "latest" / "scf_bootstrap"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("#!/bin/sh\n", encoding="utf-8")
    file.chmod(0o755)
    return file


@pytest.mark.usefixtures("bootstrap")
def test_an_executable_bootstrap_stands_for_a_handler(write: Callable[[str], Path]) -> None:
    """In web functions."""
    changes = load(write(FILE.replace("TYPE", "web"))).changes
    assert changes.changes


@pytest.mark.parametrize(
    ("kind", "mode", "hint"),
    [
        ("event", 0o755, ""),
        ("web", 0o644, "make 'scf_bootstrap' executable to start a server with it"),
    ],
)
def test_nothing_else_does(
    bootstrap: Path, write: Callable[[str], Path], kind: str, mode: int, hint: str
) -> None:
    """A file that cannot be run is told apart from a missing one."""
    bootstrap.chmod(mode)
    with pytest.raises(ConfigurationInvalid) as caught:
        load(write(FILE.replace("TYPE", kind)))
    (found,) = caught.value.diagnostics
    assert (found.code, found.hint) == ("missing-handler", hint)

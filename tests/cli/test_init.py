"""`gateway init`: what it writes passes `check` and answers; what is there stays."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.cli import init
from gateway.cli.init import TEMPLATES

if TYPE_CHECKING:
    from tests.cli.conftest import Call


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somewhere new."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("template", TEMPLATES)
def test_what_is_written_passes_check(
    call: Call, template: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Every stage leads somewhere, and there are no warnings."""
    result = call("init", "a shop", "--template", template)
    assert result.exit_code == 0
    written = result.stdout.splitlines()
    assert "a shop/stages.toml" in written
    assert sorted(written) == sorted(
        str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()
    )
    assert result.stderr.startswith("next:\n  cd 'a shop'\n  gateway check\n  gateway serve\n")
    monkeypatch.chdir(tmp_path / "a shop")
    result = call("check")
    assert (result.exit_code, result.stderr) == (0, "")
    assert [row.split()[0] for row in result.stdout.splitlines()[1:]] == [
        "dev",
        "prepub",
        "release",
    ]


def test_the_current_folder_is_the_default(call: Call, tmp_path: Path) -> None:
    """No `cd` is needed then."""
    result = call("init")
    assert result.exit_code == 0
    assert result.stderr.startswith("next:\n  gateway check\n")
    assert (tmp_path / "functions" / "hello" / "latest" / "index.py").is_file()


def test_every_template_folder_has_a_name(call: Call) -> None:
    """And is offered."""
    folder = Path(init.__file__).parent / "templates"
    assert sorted(path.name for path in folder.iterdir()) == sorted(TEMPLATES)
    help_text = call("init", "--help").stdout
    assert "[minimal|grayscale]" in help_text


def test_nothing_is_written_over(call: Call, tmp_path: Path) -> None:
    """Exit code 6, and nothing else is written either."""
    (tmp_path / "stages.toml").write_text("mine")
    result = call("init")
    assert (result.exit_code, result.stdout) == (6, "")
    assert result.stderr.startswith(
        "error[already-there]: 'stages.toml' is there already; nothing was written\n"
    )
    assert (tmp_path / "stages.toml").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["stages.toml"]
    assert call("init", "x", "--template", "grayscale").exit_code == 0
    again = call("init", "x", "--template", "grayscale")
    assert again.exit_code == 6
    assert "' and 5 more are there already; " in again.stderr


def test_a_folder_that_cannot_be_made_is_a_sentence(call: Call, tmp_path: Path) -> None:
    """Exit code 3."""
    (tmp_path / "file").write_text("")
    result = call("init", "file/x")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith("error[cannot-write]: cannot write 'file/x")
    assert "Not a directory" in result.stderr

"""Files that cannot be read: a sentence each, never a traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.config import ConfigurationInvalid, Diagnostic, load


def mistake(path: Path | str) -> Diagnostic:
    """The only mistake of a file."""
    with pytest.raises(ConfigurationInvalid) as caught:
        load(path)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


def test_a_missing_file(tmp_path: Path) -> None:
    """The hint says how to get one."""
    found = mistake(tmp_path / "stages.toml")
    assert (found.code, found.line) == ("missing-file", 0)
    assert found.hint == "`gateway init` makes one"


def test_a_folder(tmp_path: Path) -> None:
    """The hint names the file that was meant."""
    found = mistake(tmp_path)
    assert found.code == "unreadable-file"
    assert str(tmp_path / "stages.toml") in found.hint


def test_a_file_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's reason is passed on."""

    def refuse(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    found = mistake(tmp_path / "stages.toml")
    assert found.code == "unreadable-file"
    assert found.message.endswith("Permission denied")


def test_a_name_that_no_file_can_have() -> None:
    """Python refuses NUL with an error of another kind."""
    assert mistake("stages\x00.toml").code == "unreadable-file"


def test_a_file_below_a_file(tmp_path: Path) -> None:
    """Not a folder: the system's reason is passed on."""
    (tmp_path / "file").write_text("")
    assert mistake(tmp_path / "file" / "stages.toml").code == "unreadable-file"


@pytest.mark.parametrize("folder", ["source", "siblings", "handler"])
def test_folders_without_permission(
    folder: str, write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What may not be looked into is reported at the place that names it."""
    source = {"source": "orders", "siblings": "nothing", "handler": "renamed"}[folder]
    path = write(f'[service]\nname = "shop"\n[functions.orders]\nsource = "functions/{source}"\n')
    listing = Path.iterdir

    def refuse(path: Path) -> object:
        if path.name in {"functions", "v2", "orders"}:
            raise PermissionError(13, "Permission denied")
        return listing(path)

    monkeypatch.setattr(Path, "iterdir", refuse)
    found = mistake(path)
    expected = {"source": "bad-source", "siblings": "missing-source", "handler": "missing-handler"}
    assert (found.code, found.line) == (expected[folder], 4)


def test_a_handler_file_that_may_not_be_seen(
    write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts as missing."""
    path = write('[service]\nname = "shop"\n[functions.orders]\nsource = "functions/orders"\n')

    def refuse(_path: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_file", refuse)
    assert mistake(path).code == "missing-handler"


def test_a_source_that_is_a_loop_of_links(project: Path, write: Callable[[str], Path]) -> None:
    """Python tells loops of links in two ways."""
    loop = project / "functions" / "loop"
    loop.unlink(missing_ok=True)
    loop.symlink_to(loop)
    try:
        path = write('[service]\nname = "x"\n[functions.orders]\nsource = "functions/loop"\n')
        assert mistake(path).code in {"bad-source", "missing-source"}
    finally:
        loop.unlink()


def test_many_files_of_a_folder_are_not_all_named(
    project: Path, write: Callable[[str], Path]
) -> None:
    """The message stays short."""
    folder = project / "functions" / "many" / "latest"
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(20):
        (folder / f"module_{index:02}.py").write_text("")
    path = write('[service]\nname = "x"\n[functions.orders]\nsource = "functions/many"\n')
    assert mistake(path).message.endswith("module_05.py and 14 more")

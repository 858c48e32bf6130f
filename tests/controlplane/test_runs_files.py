"""Names of files: what is in the project's folder, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.controlplane import runs_files
from gateway.controlplane.runs_files import inside, offered
from gateway.core.errors import Refused


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with two recordings, beside a file that is nobody's concern."""
    project = tmp_path / "project"
    (project / "logs").mkdir(parents=True)
    for name in ("shop.jsonl", "logs/Access.log.gz", "stages.toml", ".hidden.jsonl"):
        (project / name).write_text("x")
    (tmp_path / "secret.jsonl").write_text("x")
    (project / "way.jsonl").symlink_to(tmp_path / "secret.jsonl")
    (project / "outside").symlink_to(tmp_path)
    return project


def test_recordings_and_logs_are_offered(folder: Path) -> None:
    """Neither hidden ones nor what is deep below, nor what a link to a folder leads to."""
    deep = folder / "a" / "b" / "c"
    deep.mkdir(parents=True)
    (deep / "deep.jsonl").write_text("x")
    assert offered(folder) == ["logs/Access.log.gz", "shop.jsonl", "way.jsonl"]
    assert offered(folder / "nowhere") == []


@pytest.mark.parametrize("limit", ["LISTED", "_LOOKED_AT"])
def test_only_so_many_are_offered(
    folder: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    """A folder with a million files is not read to its end."""
    monkeypatch.setattr(runs_files, limit, 1)
    assert len(offered(folder)) <= 1


@pytest.mark.parametrize("name", ["shop.jsonl", "logs/Access.log.gz", "logs/../shop.jsonl"])
def test_a_file_of_the_project_is_found(folder: Path, name: str) -> None:
    """Seen from its folder."""
    assert (folder / inside(folder, name, ("log",))).is_file()


@pytest.mark.parametrize(
    "name",
    [
        "../secret.jsonl",
        "way.jsonl",
        "outside/secret.jsonl",
        "logs",
        "",
        "nothing.jsonl",
        "a\0b",
        "x" * 5000,
        "{absolute}",
    ],
)
def test_everything_else_is_refused(folder: Path, name: str) -> None:
    """Outside, also by a link; no file; no name; an absolute one."""
    name = name.replace("{absolute}", str(folder / "shop.jsonl"))
    with pytest.raises(Refused) as refused:
        inside(folder, name, ("log",))
    assert [(each.code, each.at) for each in refused.value.problems] == [("unknown-file", ("log",))]


def test_the_nearest_name_is_told(folder: Path) -> None:
    """As everywhere."""
    with pytest.raises(Refused) as refused:
        inside(folder, "shp.jsonl", ("log",))
    assert refused.value.problems[0].hint == "did you mean 'shop.jsonl'?"

"""Code folders: whole or not there, what their digest says, and one maker at a time."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from gateway.store import cache
from gateway.store.cache import CodeFolders
from gateway.store.packages import Package, read_files, read_folder, to_zip
from gateway.store.protocol import PackageNotFound, StateUnusable
from gateway.store.sqlite import SqliteStore

PACKAGE = read_files({"index.py": b"x = 1", "lib/run.sh": b"#!/bin/sh"}, ["lib/run.sh"])
OTHER = read_files({"index.py": b"x = 2"})


def names(root: Path) -> set[str]:
    """What is in the cache, but for its lock."""
    return {path.name for path in root.iterdir()} - {".lock"}


def test_a_package_becomes_a_folder(tmp_path: Path) -> None:
    """Named by its digest, with the same files, that nobody edits by mistake."""
    root = tmp_path / "state" / "code"
    folder = CodeFolders(root).folder(PACKAGE)
    assert folder == root / PACKAGE.digest[7:23]
    assert dict(read_folder(folder).files) == dict(PACKAGE.files)
    assert read_folder(folder) == PACKAGE
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}
    assert modes == {"index.py": 0o444, "lib": 0o755, "run.sh": 0o555}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    assert names(root) == {folder.name}


def test_a_folder_that_is_there_is_not_made_again(tmp_path: Path) -> None:
    """Neither by this process nor by the next, which may know the digest alone."""
    first = CodeFolders(tmp_path)
    folder = first.folder(PACKAGE)
    inode = folder.stat().st_ino
    later = CodeFolders(tmp_path)
    assert [first.folder(PACKAGE), first.folder(PACKAGE.digest)] == [folder, folder]
    assert [later.folder(PACKAGE.digest), later.folder(PACKAGE)] == [folder, folder]
    assert folder.stat().st_ino == inode


def _edit(folder: Path) -> None:
    (folder / "index.py").chmod(0o644)
    (folder / "index.py").write_text("x = 9")


def _link(folder: Path) -> None:
    (folder / "index.py").unlink()
    (folder / "index.py").symlink_to("/dev/zero")


def _replace(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))
    folder.symlink_to("elsewhere")


def _file(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))
    folder.write_text("no folder")


@pytest.mark.parametrize(
    "tamper",
    [
        pytest.param(_edit, id="edited"),
        pytest.param(_link, id="a link"),
        pytest.param(_replace, id="a link in its place"),
        pytest.param(_file, id="a file in its place"),
        pytest.param(lambda folder: (folder / "index.py").unlink(), id="a file is gone"),
        pytest.param(lambda folder: (folder / "more.py").touch(), id="a file more"),
        pytest.param(lambda folder: (folder / "more.pyc").touch(), id="bytecode"),
        pytest.param(lambda folder: (folder / "index.py").chmod(0o755), id="another mode"),
    ],
)
def test_a_folder_that_was_tampered_with_is_replaced(
    tamper: Callable[[Path], object], tmp_path: Path
) -> None:
    """By the next process, which checks each once; the digest alone is not enough to do so."""
    folder = CodeFolders(tmp_path).folder(PACKAGE)
    tamper(folder)
    later = CodeFolders(tmp_path)
    with pytest.raises(PackageNotFound, match=PACKAGE.digest):
        later.folder(PACKAGE.digest)
    assert later.folder(PACKAGE) == folder
    assert read_folder(folder) == PACKAGE
    assert not folder.is_symlink()
    assert later.folder(PACKAGE.digest) == folder


def test_a_folder_that_vanished_is_made_again(tmp_path: Path) -> None:
    """Even though this process has checked it."""
    folders = CodeFolders(tmp_path)
    folder = folders.folder(PACKAGE)
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(PackageNotFound):
        folders.folder(PACKAGE.digest)
    assert read_folder(folders.folder(PACKAGE)) == PACKAGE


def test_half_a_folder_is_never_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes wrong in between leaves what was there, and no more."""

    def write(_: Package, folder: Path) -> None:
        (folder / "index.py").touch()
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(cache, "_write", write)
    with pytest.raises(StateUnusable, match=r"the code folders in .*: No space left on device"):
        CodeFolders(tmp_path).folder(PACKAGE)
    assert names(tmp_path) == set()


def test_only_what_is_named_is_retained(tmp_path: Path) -> None:
    """What killed processes left goes too, and a folder that is needed again is made again."""
    folders = CodeFolders(tmp_path)
    kept, dropped = folders.folder(PACKAGE), folders.folder(OTHER)
    (tmp_path / ".new-left").mkdir()
    (tmp_path / ".new-left" / "index.py").touch()
    (tmp_path / "stray").touch()
    folders.retain([PACKAGE.digest, "sha256:unknown"])
    assert names(tmp_path) == {kept.name}
    with pytest.raises(PackageNotFound):
        folders.folder(OTHER.digest)
    assert folders.folder(OTHER) == dropped


def test_a_folder_that_was_made_lately_is_kept(tmp_path: Path) -> None:
    """Another process may be about to name it."""
    folders = CodeFolders(tmp_path)
    old, young = folders.folder(PACKAGE), folders.folder(OTHER)
    os.utime(old, (100.0, 100.0))
    folders.retain([], before=200.0)
    assert names(tmp_path) == {young.name}


def test_folders_come_from_the_store_when_they_are_missing(tmp_path: Path) -> None:
    """And only then."""

    async def scenario() -> None:
        store = await SqliteStore.open(":memory:")
        await store.put_package(PACKAGE.digest, to_zip(PACKAGE))
        await store.put_package(OTHER.digest, to_zip(PACKAGE))
        folders = CodeFolders(tmp_path)
        folder = await folders.fetch(store, PACKAGE.digest)
        assert read_folder(folder) == PACKAGE
        await store.retain_packages([OTHER.digest])
        assert await folders.fetch(store, PACKAGE.digest) == folder
        with pytest.raises(PackageNotFound):
            await CodeFolders(tmp_path / "new").fetch(store, PACKAGE.digest)
        with pytest.raises(StateUnusable, match=f"{OTHER.digest} is damaged: it is sha256:"):
            await folders.fetch(store, OTHER.digest)
        await store.close()

    asyncio.run(scenario())


def test_temporary_folders_are_removed_on_closing(tmp_path: Path) -> None:
    """Others stay for the next start."""
    temporary, lasting = CodeFolders.temporary(), CodeFolders(tmp_path)
    gone, stays = temporary.folder(PACKAGE), lasting.folder(PACKAGE)
    for _ in range(2):
        temporary.close()
        lasting.close()
    assert not gone.exists()
    assert not temporary.root.exists()
    assert read_folder(stays) == PACKAGE


def test_a_cache_that_cannot_be_is_said(tmp_path: Path) -> None:
    """In the words of the system."""
    (tmp_path / "file").touch()
    with pytest.raises(StateUnusable, match=r"the code folders in '.*/file/code' cannot be used"):
        CodeFolders(tmp_path / "file" / "code").folder(PACKAGE)


def test_threads_make_a_folder_once(tmp_path: Path) -> None:
    """The others wait for it."""
    made: list[int] = []

    def make() -> None:
        folder = CodeFolders(tmp_path).folder(PACKAGE)
        assert read_folder(folder) == PACKAGE
        made.append(folder.stat().st_ino)

    threads = [Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert len(set(made)) == 1


MAKER = """
import sys
from pathlib import Path
from gateway.store.cache import CodeFolders
from gateway.store.packages import read_files
package = read_files({f"f{n}": bytes([n]) * 9999 for n in range(100)})
sys.stdin.readline()
folders = CodeFolders(Path(sys.argv[1]))
for _ in range(10):
    print(folders.folder(package).stat().st_ino, flush=True)
"""


def maker(root: Path) -> subprocess.Popen[str]:
    """A process that makes a folder once it is told to."""
    command = [sys.executable, "-c", MAKER, str(root)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_processes_make_a_folder_once(tmp_path: Path) -> None:
    """Whoever comes first."""
    with maker(tmp_path) as one, maker(tmp_path) as other:
        for process in (one, other):
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        said = [process.communicate()[0].split() for process in (one, other)]
    assert len(said[0] + said[1]) == 20
    assert len({*said[0], *said[1]}) == 1
    assert len(names(tmp_path)) == 1

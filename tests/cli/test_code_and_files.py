"""Code and files between the disk and a real gateway; what fails leaves nothing behind."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from gateway.cli import folders
from gateway.cli.folders import inner, package_in
from gateway.store.packages import read_folder

if TYPE_CHECKING:
    from tests.cli.conftest import Answered, Call, Running

CODE = 'async def main_handler(event, context):\n    return {"statusCode": 200, "body": "new"}\n'


def write(folder: Path, code: str = CODE) -> Path:
    """A folder with code that can be executed, too."""
    folder.mkdir()
    (folder / "index.py").write_text(code)
    (folder / "lib").mkdir()
    (folder / "lib" / "run.sh").write_text("#!/bin/sh\n")
    (folder / "lib" / "run.sh").chmod(0o755)
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "index.pyc").write_bytes(b"x")
    return folder


def left(folder: Path) -> list[str]:
    """What a command may have left behind."""
    return [path.name for path in folder.iterdir() if path.name.startswith(".gateway-")]


@pytest.mark.sockets
def test_code_goes_there_and_comes_back(
    running: Running, call: Call, answered: Answered, tmp_path: Path
) -> None:
    """As a folder and as a zip, with who may be executed, without what Python made itself."""
    source = write(tmp_path / "new")
    result = call("code", "put", "orders", str(source))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "orders version $LATEST  new code   revision 2\n"
    result = call("code", "get", "orders")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "orders version $LATEST: 2 files to orders-latest.zip\n"
    told = answered("code", "get", "orders", "-o", "there/again")
    assert (told["files"], told["output"]) == (["index.py", "lib/run.sh"], "there/again")
    assert told["digest"] == read_folder(source).digest == read_folder(Path("there/again")).digest
    piped = call("code", "get", "orders", "-o", "-").stdout_bytes
    assert zipfile.ZipFile(io.BytesIO(piped)).namelist() == ["index.py", "lib/run.sh"]
    assert call("code", "put", "orders", "orders-latest.zip").stdout == (
        "nothing changed   revision 2\n"
    )
    result = call("code", "get", "orders", "--version", "1")
    assert result.stderr == "orders version 1: 1 file to orders-1.zip\n"
    assert left(tmp_path) == left(tmp_path / "there") == []
    assert running.gateway.live.snapshot.revision == 2


@pytest.mark.sockets
def test_code_makes_a_new_function(running: Running, call: Call, tmp_path: Path) -> None:
    """With a handler of its own."""
    folder = tmp_path / "payments"
    folder.mkdir()
    (folder / "app.py").write_text(CODE.replace("main_handler", "pay"))
    result = call("code", "put", "payments", str(folder), "--handler", "app.pay")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "payments version $LATEST  created",
        "payments/$DEFAULT         $LATEST   (new)",
        "revision 2",
    ]
    latest = running.gateway.live.snapshot.functions["payments"].versions["$LATEST"]
    assert latest.configuration.handler == "app.pay"


@pytest.mark.sockets
def test_code_that_does_not_load_is_refused(
    running: Running, call: Call, answered: Answered, tmp_path: Path
) -> None:
    """Exit code 4, with the stack of its author; the old code stays."""
    before = answered("functions")
    result = call("code", "put", "orders", str(write(tmp_path / "new", "1 / 0\n")))
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr.startswith("error[user-code-error]: function 'orders', version $LATEST: ")
    assert result.stderr.count("error[") == 1
    assert "\n  Traceback (most recent call last):\n" in result.stderr
    assert result.stderr.endswith("  ZeroDivisionError: division by zero\n")
    assert answered("functions") == before
    assert running.gateway.live.snapshot.revision == 1


def test_what_can_be_no_code_is_refused_before_it_is_sent(call: Call, tmp_path: Path) -> None:
    """Exit code 4, and every mistake."""
    nowhere = ("--control-url", "http://127.0.0.1:9")
    text = tmp_path / "index.py"
    text.write_text(CODE)
    result = call("code", "put", "orders", str(text), *nowhere)
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr.startswith(f"error[not-a-zip]: {text}: ")
    folder = write(tmp_path / "new")
    (folder / "one").symlink_to("/etc/hosts")
    (folder / "two").symlink_to("/etc/hosts")
    result = call("code", "put", "orders", str(folder), *nowhere)
    assert (result.exit_code, result.stderr.count(f"]: {folder}: ")) == (4, 2)


def test_a_file_that_cannot_be_read_is_a_sentence(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 3."""

    def fail(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    zipped = tmp_path / "a.zip"
    zipped.write_bytes(b"")
    monkeypatch.setattr(Path, "read_bytes", fail)
    result = call("code", "put", "orders", str(zipped), "--control-url", "http://127.0.0.1:9")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == f"error[cannot-read]: cannot read '{zipped}': Permission denied\n"


@pytest.mark.sockets
def test_what_is_there_is_replaced_only_by_force(
    running: Running, call: Call, tmp_path: Path
) -> None:
    """A file, a folder, and nothing but them."""
    for target in ("a.zip", "folder"):
        command = ("code", "get", "orders", "-o", target)
        assert call(*command).exit_code == 0
        if target == "folder":
            (tmp_path / target / "stale.py").write_text("")
        before = sorted(path.name for path in tmp_path.rglob("*"))
        result = call(*command)
        assert (result.exit_code, result.stdout) == (6, "")
        assert "--force" in result.stderr
        assert sorted(path.name for path in tmp_path.rglob("*")) == before
        assert call(*command, "--force").exit_code == 0
    assert sorted(path.name for path in (tmp_path / "folder").iterdir()) == ["index.py"]
    result = call("code", "get", "orders", "-o", "stages.toml")
    assert result.exit_code == 6
    assert result.stderr.startswith("error[no-folder]: 'stages.toml' is no folder")
    result = call("code", "get", "orders", "-o", "stages.toml/x")
    assert result.exit_code == 3
    assert result.stderr.startswith("error[cannot-write]: cannot write 'stages.toml/x': ")
    assert running.gateway.live.snapshot.revision == 1


@pytest.mark.sockets
def test_an_export_reproduces_what_is_live(
    running: Running, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file and every code folder; `check` finds nothing wrong."""
    call("code", "put", "orders", str(write(tmp_path / "new")))
    call("publish", "orders")
    call("alias", "set", "orders", "release", "--version", "3")
    picture = routing(running)
    result = call("export", "copy/one")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "stages.toml and 5 code folders to copy/one   revision 4\n" in result.stderr
    copy = tmp_path / "copy" / "one"
    assert sorted(str(p.relative_to(copy)) for p in copy.rglob("index.py")) == [
        "functions/orders/latest/index.py",
        "functions/orders/v1/index.py",
        "functions/orders/v2/index.py",
        "functions/orders/v3/index.py",
        "functions/other/latest/index.py",
    ]
    assert read_folder(copy / "functions/orders/v3").digest == read_folder(tmp_path / "new").digest
    assert left(tmp_path) == left(tmp_path / "copy") == []
    alone = call("export")
    assert alone.stdout == (copy / "stages.toml").read_text()
    monkeypatch.chdir(copy)
    result = call("explain", "--stage", "release", "GET", "/orders/1", "--json")
    assert (result.exit_code, '"version": "3"' in result.stdout) == (0, True)
    assert routing(running) == picture


def routing(running: Running) -> str:
    """Where every stage leads."""
    from gateway.cli.picture import routing_picture

    return routing_picture(running.gateway.live.snapshot)


@pytest.mark.sockets
def test_an_export_writes_over_nothing_but_by_force(
    running: Running, call: Call, answered: Answered, tmp_path: Path
) -> None:
    """By force, code folders are replaced whole and everything else stays."""
    folder = tmp_path / "copy"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    stale = folder / "functions" / "orders" / "v1" / "stale.py"
    stale.parent.mkdir(parents=True)
    stale.write_text("")
    result = call("export", "copy")
    assert (result.exit_code, result.stdout) == (6, "")
    assert result.stderr.startswith("error[not-empty]: the folder 'copy' is not empty\n")
    told = answered("export", "copy", "--force")
    assert (folder / "stages.toml").read_text() == told["toml"]
    assert (folder / "mine.txt").read_text() == "mine"
    assert not stale.exists()
    assert running.gateway.live.snapshot.revision == 1


@pytest.mark.sockets
def test_an_export_is_of_one_revision(
    running: Running, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What changes while it is fetched ends it, with nothing written."""
    write_package = folders.write_package

    def meanwhile(package: object, folder: Path) -> None:
        call("publish", "other")
        write_package(package, folder)  # type: ignore[arg-type]

    monkeypatch.setattr("gateway.cli.export.write_package", meanwhile)
    result = call("export", "copy")
    assert (result.exit_code, result.stdout) == (6, "")
    assert "error[stale-revision]: revision 2 came while 1 was exported\n" in result.stderr
    assert not (tmp_path / "copy").exists()
    assert running.gateway.live.snapshot.revision >= 2


@pytest.mark.parametrize("text", ["/etc", "../x", "a/../../x", "", "a\\b"])
def test_a_folder_outside_of_the_export_is_refused(
    capsys: pytest.CaptureFixture[str], text: str
) -> None:
    """Whatever the file says."""
    with pytest.raises(click.exceptions.Exit) as end:
        inner(text)
    assert end.value.exit_code == 6
    assert "lies outside of the export" in capsys.readouterr().err


def test_a_package_that_leads_out_of_a_folder_is_not_written(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whoever sent it."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("../evil.py", "")
    with pytest.raises(click.exceptions.Exit) as end:
        package_in(data.getvalue())
    assert end.value.exit_code == 1
    assert capsys.readouterr().err.startswith("error[bad-path]: the gateway's answer: ")

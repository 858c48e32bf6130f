"""Code packages: one digest however they come, and one set of rules for what they may hold."""

from __future__ import annotations

import os
import socket
import string
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import Refused
from gateway.store import contents, folders
from gateway.store.packages import (
    Package,
    differing,
    read_files,
    read_folder,
    read_zip,
    to_zip,
    unpack,
)
from gateway.store.protocol import StateUnusable

CODE = {"index.py": b"import lib.a", "lib/a.py": b"", "lib/b/c.txt": b"\0\xff", "z": b"z"}


def lay(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files into a folder."""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


# The digest


def test_a_digest_is_of_what_the_files_are(tmp_path: Path) -> None:
    """However they came, in whatever order, on whatever day; this is format 1 for ever."""
    package = read_files(CODE, ["z"])
    lay(tmp_path, CODE)
    (tmp_path / "z").chmod(0o700)
    (tmp_path / "empty").mkdir()
    backwards = read_files(dict(reversed(CODE.items())), {"z"})
    assert package == backwards == read_folder(tmp_path) == read_zip(to_zip(package))
    expected = "cae582c0ea9fa411a954aa9ccf49b9bbf5223bcea5b5db039f80723b508b284c"
    assert package.digest == f"sha256:{expected}"
    assert hash(package) == hash(backwards)
    assert list(package.files) == list(backwards.files) == sorted(CODE)
    assert package.size == sum(map(len, CODE.values()))


@pytest.mark.parametrize(
    ("files", "executable", "different"),
    [
        pytest.param({**CODE, "z": b"y"}, [], ["z"], id="another content"),
        pytest.param({**CODE, "z": b"zz"}, [], ["z"], id="another length"),
        pytest.param({**CODE, "y": b""}, [], ["y"], id="one more"),
        pytest.param({p: c for p, c in CODE.items() if p != "z"}, [], ["z"], id="one less"),
        pytest.param(CODE, ["z", "index.py"], ["index.py", "z"], id="who may be executed"),
        pytest.param(
            {("y" if p == "z" else p): c for p, c in CODE.items()}, [], ["y", "z"], id="renamed"
        ),
    ],
)
def test_what_differs_has_another_digest(
    files: dict[str, bytes], executable: list[str], different: list[str]
) -> None:
    """And the files that differ are named."""
    one, other = read_files(CODE), read_files(files, executable)
    assert one != other
    assert one.digest != other.digest
    assert differing(one, other) == differing(other, one) == different
    assert differing(one, one) == []


def test_names_do_not_run_into_each_other() -> None:
    """What is one file's end is never another's beginning."""
    packages = [
        read_files({"a": b"1", "b": b"2"}),
        read_files({"a": b"12", "b": b""}),
        read_files({"a": b"2", "b": b"1"}),
        read_files({"ab": b"12"}),
        read_files({"a/b": b"12"}),
    ]
    assert len({package.digest for package in packages}) == len(packages)


# Paths


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("", "is empty"),
        ("..", "leads out of the package by '..'"),
        ("../a", "leads out of the package by '..'"),
        ("a/../../b", "leads out of the package by '..'"),
        ("a/..", "leads out of the package by '..'"),
        ("/a", "is absolute"),
        ("//a/b", "is absolute"),
        ("C:/a", "names a drive"),
        ("c:a", "names a drive"),
        ("a\\b", "has a backslash"),
        ("\\\\host\\a", "has a backslash"),
        ("a\0.py", "has a control character"),
        ("a\n", "has a control character"),
        ("a\x7f", "has a control character"),
        ("a//b", "has an empty name between slashes"),
        ("a/", "has an empty name between slashes"),
        ("./a", "has the name '.'"),
        ("a/./b", "has the name '.'"),
        ("\ud800", "is no Unicode text"),
        ("x" * 256, "has a name of 256 bytes, more than 255"),
        ("a/" + "ü" * 128, "has a name of 256 bytes, more than 255"),
        ("/".join(["x" * 200] * 6), "has 1205 bytes, more than 1024"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_paths_that_lead_out_or_nowhere_are_refused(path: str, why: str) -> None:
    """Each with its reason; the others are none the worse for it."""
    with pytest.raises(Refused) as caught:
        read_files({"fine.py": b"", path: b""})
    (problem,) = caught.value.problems
    assert (problem.code, problem.at) == ("bad-path", (path,))
    assert problem.message.startswith(f"the path {path[:200]!r}")
    assert f" {why}; allowed: relative paths such as 'lib/a.py'" in problem.message


@pytest.mark.parametrize(
    "path",
    ["a..b", "..a", "...", ".hidden", "a b", "x" * 255, "ü" * 127, "ab:c", "1:", "日本/語.py"],
    ids=lambda path: ascii(path)[:20],
)
def test_odd_paths_are_none_of_our_business(path: str) -> None:
    """What every file system holds is fine."""
    assert list(read_zip(to_zip(read_files({path: b"x"}))).files) == [path]


SAME = "are the same where case is not told apart; allowed: one of them"


@pytest.mark.parametrize(
    ("paths", "sentence"),
    [
        pytest.param(["a", "A"], f"the paths 'a' and 'A' {SAME}", id="case"),
        pytest.param(
            ["lib/x", "LIB/y"], f"the paths 'lib' and 'LIB' {SAME}", id="case of a folder"
        ),
        pytest.param(["ss", "ß"], f"the paths 'ss' and 'ß' {SAME}", id="case folding"),
        pytest.param(
            [normalize("NFC", "é"), normalize("NFD", "é")],
            f"the paths {normalize('NFC', 'é')!r} and {normalize('NFD', 'é')!r} {SAME}",
            id="two spellings of an accent",
        ),
        pytest.param(
            ["a", "a/b"], "'a' is a file, and 'a' a folder; allowed: one of them", id="file first"
        ),
        pytest.param(
            ["a/b", "a"], "'a' is a file, and 'a' a folder; allowed: one of them", id="folder first"
        ),
        pytest.param(
            ["x/a/b/c", "x/A"],
            "'x/A' is a file, and 'x/a' a folder; allowed: one of them",
            id="file, folder and case",
        ),
    ],
)
def test_paths_that_clash_are_refused(paths: list[str], sentence: str) -> None:
    """On some disk one of the files would hide the other."""
    with pytest.raises(Refused) as caught:
        read_files(dict.fromkeys(paths, b""))
    assert [(p.code, p.message) for p in caught.value.problems] == [("clashing-paths", sentence)]


def test_every_bad_path_is_told_at_once() -> None:
    """Not one after the other."""
    with pytest.raises(Refused) as caught:
        read_files({"../a": b"", "b": b"", "/c": b"", "B": b""})
    codes = [problem.code for problem in caught.value.problems]
    assert codes == ["bad-path", "bad-path", "clashing-paths"]


# How much


def test_nothing_is_no_package() -> None:
    """A version without code cannot run."""
    with pytest.raises(Refused, match="has no files; allowed: 1 to 1,000") as caught:
        read_files({})
    assert caught.value.code == "empty-package"


def test_a_thousand_files_are_enough(tmp_path: Path) -> None:
    """One more is refused, from wherever it comes."""
    files = {f"f{number}": b"" for number in range(1000)}
    assert read_zip(to_zip(read_files(files))) == read_folder(lay(tmp_path, files))
    files["more"] = b""
    lay(tmp_path, files)
    for read in (partial(read_files, files), partial(read_folder, tmp_path)):
        with pytest.raises(Refused, match="has 1,001 files; allowed: at most 1,000") as caught:
            read()
        assert caught.value.code == "too-many-files"


def test_a_package_has_a_size_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over all its files; the one with which it becomes too much is named."""
    monkeypatch.setattr(contents, "MAX_SIZE", 1024**2)
    files = {"a": bytes(1024**2 - 1), "b": b"1", "c": b""}
    assert read_files(files) == read_folder(lay(tmp_path, files))
    files["c"] = b"2"
    lay(tmp_path, files)
    for read in (partial(read_files, files), partial(read_folder, tmp_path)):
        with pytest.raises(Refused, match=r"with 'c' .* more than 1 MB; allowed") as caught:
            read()
        assert caught.value.code == "package-too-large"


# Folders


def test_what_tools_leave_behind_is_left_out(tmp_path: Path) -> None:
    """At any depth; names that only look like it are code."""
    junk = (
        ".git/config", "__pycache__/index.cpython-311.pyc", "lib/__pycache__/x", "lib/old.pyc",
        ".DS_Store", "lib/.DS_Store", "lib/.git",
    )  # fmt: skip
    code = {**CODE, ".gitignore": b"", "lib/pycache/x": b"", "x.pyc.txt": b""}
    lay(tmp_path, {**code, **dict.fromkeys(junk, b"junk")})
    assert dict(read_folder(tmp_path).files) == code


@pytest.mark.parametrize(
    ("make", "what"),
    [
        pytest.param(lambda path: path.symlink_to("index.py"), "a link", id="a link to a file"),
        pytest.param(lambda path: path.symlink_to("lib"), "a link", id="a link to a folder"),
        pytest.param(lambda path: path.symlink_to("gone"), "a link", id="a dead link"),
        pytest.param(os.mkfifo, "no regular file", id="a pipe"),
    ],
)
def test_links_and_devices_are_refused(
    make: Callable[[Path], None], what: str, tmp_path: Path
) -> None:
    """They are not code, and a copy of them is something else."""
    make(lay(tmp_path, CODE) / "lib" / "odd")
    with pytest.raises(Refused) as caught:
        read_folder(tmp_path)
    (problem,) = caught.value.problems
    assert (problem.code, problem.at) == ("not-a-file", ("lib/odd",))
    sentence = f"'lib/odd' in the folder {str(tmp_path)!r} is {what}; allowed: files"
    assert problem.message == sentence


def test_a_socket_is_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is anything else that is no regular file."""
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("odd")
        with pytest.raises(Refused, match=r"'odd' in the folder .* is no regular file"):
            read_folder(tmp_path)


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    """Whoever names it decides where it leads."""
    lay(tmp_path / "real", CODE)
    (tmp_path / "link").symlink_to("real")
    assert read_folder(tmp_path / "link") == read_folder(tmp_path / "real")


@pytest.mark.parametrize(
    ("name", "why"),
    [("gone", "No such file or directory"), ("file", "Not a directory"), ("a\0b", "null byte")],
)
def test_a_folder_that_cannot_be_read_is_said(name: str, why: str, tmp_path: Path) -> None:
    """In the words of the system."""
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match=f"the folder '.*' cannot be read: .*{why}") as caught:
        read_folder(tmp_path / name)
    assert caught.value.code == "unreadable-folder"


@pytest.mark.parametrize("exchange", ["link", "gone", "grown"])
def test_a_file_that_is_exchanged_meanwhile_is_noticed(
    exchange: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at it and the reading of it."""
    lay(tmp_path, {"a": b"aa", "b": b"b"})
    monkeypatch.setattr(folders, "MAX_SIZE", 100)
    find = folders._find

    def found(folder: Path, skip: Callable[[str], bool]) -> folders.Found:
        result = find(folder, skip)
        (folder / "b").unlink()
        if exchange == "link":
            (folder / "b").symlink_to("a")
        elif exchange == "grown":
            (folder / "b").write_bytes(bytes(99))
        return result

    monkeypatch.setattr(folders, "_find", found)
    with pytest.raises(Refused) as caught:
        read_folder(tmp_path)
    expected = "package-too-large" if exchange == "grown" else "unreadable-folder"
    assert caught.value.code == expected
    assert "'b'" in str(caught.value)


# In the store


def test_a_kept_package_is_what_its_digest_says() -> None:
    """Whatever the store gives back."""
    package, other = read_files(CODE), read_files({"a": b""})
    assert unpack(package.digest, to_zip(package)) == package
    sentence = f"the code package {package.digest} is damaged: it is {other.digest}"
    with pytest.raises(StateUnusable, match=sentence):
        unpack(package.digest, to_zip(other))
    with pytest.raises(StateUnusable, match="is damaged: the 3 bytes are no zip archive"):
        unpack(package.digest, b"zip")


NAMES = st.text(string.ascii_letters + "ü_. ", min_size=1, max_size=8).filter(
    lambda name: name.strip(".")
)
FILES = st.dictionaries(
    st.lists(NAMES, min_size=1, max_size=3).map("/".join),
    st.binary(max_size=50) | st.builds(bytes, st.integers(0, 200_000)),
    min_size=1,
    max_size=8,
)


@given(files=FILES, marked=st.booleans())
def test_what_is_accepted_comes_back_from_a_zip(files: dict[str, bytes], *, marked: bool) -> None:
    """Byte by byte, under the same digest; and the same package is the same zip."""
    try:
        package = read_files(files, [min(files)] if marked else [])
    except Refused as refused:
        assert {problem.code for problem in refused.problems} == {"clashing-paths"}  # noqa: PT017
        return
    again = read_zip(to_zip(package))
    assert again == package
    assert (dict(again.files), again.executable) == (files, package.executable)
    assert to_zip(again) == to_zip(package)
    assert isinstance(again, Package)

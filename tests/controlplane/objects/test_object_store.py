"""Objects as files: whole or not there, within their room, and nobody's file left behind."""

from __future__ import annotations

import asyncio
import os
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.controlplane.objects.errors import ObjectRefused
from gateway.controlplane.objects.store import Objects
from gateway.controlplane.objects.stored import Coming, Room, Stored

MB = 1024 * 1024


class Clock:
    """Seconds that pass when something looks at them."""

    now = 1000.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


async def pieces(*parts: bytes | Exception) -> AsyncIterator[bytes]:
    """A body; a mistake in it ends it."""
    for part in parts:
        if isinstance(part, Exception):
            raise part
        yield part


def put(objects: Objects, key: str, *parts: bytes | Exception, md5: str = "") -> Stored:
    """Keep an object of the bucket `code-12`."""
    coming = Coming("code-12", key, "application/zip", md5)
    return asyncio.run(objects.put(coming, pieces(*parts)))


def content(objects: Objects, key: str) -> bytes | None:
    """What is under a key."""
    stored = objects.find("code-12", key)
    if stored is None:
        return None
    with objects.open(stored) as file:
        return file.read()


def files(objects: Objects) -> int:
    """How many files there are."""
    return len(list(objects.root.iterdir()))


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    """Objects with little room."""
    return Objects(tmp_path / "objects", Clock(), Room(largest=100, total=250, most=3))


def test_an_object_is_kept_and_found_again(objects: Objects) -> None:
    """By whoever looks at the folder, with everything that was told of it."""
    stored = put(objects, "a/b.zip", b"ab", b"", b"c")
    assert (stored.size, stored.md5) == (3, "900150983cd24fb0d6963f7d28e17f72")
    again = Objects(objects.root, Clock())
    assert again.find("code-12", "a/b.zip") == stored
    assert content(again, "a/b.zip") == b"abc"
    assert again.find("code-13", "a/b.zip") is None
    assert again.find("code-12", "a") is None
    assert objects.root.stat().st_mode & 0o777 == 0o700


def test_another_object_takes_the_place_of_the_first(objects: Objects) -> None:
    """And its file is gone."""
    put(objects, "k", b"old")
    reader = objects.open(objects.find("code-12", "k") or pytest.fail("it is gone"))
    put(objects, "k", b"new")
    with reader:
        assert reader.read() == b"old"
    assert content(objects, "k") == b"new"
    assert files(objects) == 2


def test_an_object_is_deleted_once_or_twice(objects: Objects) -> None:
    """One that is not there is no mistake."""
    put(objects, "k", b"x")
    objects.delete("code-12", "k")
    objects.delete("code-12", "k")
    assert (content(objects, "k"), files(objects)) == (None, 0)


def test_objects_are_listed_by_key(objects: Objects) -> None:
    """Those of a bucket whose keys begin so."""
    for key in ("b/2", "a", "b/1"):
        put(objects, key, b"x")
    assert [each.key for each in objects.listed("code-12")] == ["a", "b/1", "b/2"]
    assert [each.key for each in objects.listed("code-12", "b/")] == ["b/1", "b/2"]
    assert objects.listed("code") == []


def test_a_bucket_may_be_named_without_the_accounts_number(objects: Objects) -> None:
    """The exact one is meant first, and then the one that was put last."""
    put(objects, "k", b"first")
    asyncio.run(objects.put(Coming("code-13", "k", ""), pieces(b"second")))
    assert (objects.named("code", "k") or pytest.fail("none")).bucket == "code-13"
    assert (objects.named("code-12", "k") or pytest.fail("none")).bucket == "code-12"
    assert objects.named("cod", "k") is None
    assert objects.named("code-12/k", "") is None
    assert objects.named("code", "other") is None


@pytest.mark.parametrize("parts", [(b"x" * 101,), (b"x" * 60, b"x" * 60)])
def test_an_object_that_is_too_large_is_refused(objects: Objects, parts: tuple[bytes, ...]) -> None:
    """As soon as that can be told; what was there before stays."""
    put(objects, "k", b"old")
    with pytest.raises(ObjectRefused, match="above 100 bytes") as refused:
        put(objects, "k", *parts, RuntimeError("no more is read"))
    assert (refused.value.status, refused.value.code) == (400, "EntityTooLarge")
    assert (content(objects, "k"), files(objects)) == (b"old", 2)


def test_an_upload_that_ends_early_leaves_nothing(objects: Objects) -> None:
    """Neither an object nor a file, nor less room for others."""
    for _ in range(5):
        with pytest.raises(ConnectionError):
            put(objects, "k", b"x" * 90, ConnectionError())
    assert (content(objects, "k"), files(objects)) == (None, 0)


def test_an_upload_that_is_not_what_it_should_be_is_refused(objects: Objects) -> None:
    """The digest is in base64."""
    with pytest.raises(ObjectRefused, match="another one") as refused:
        put(objects, "k", b"abd", md5="kAFQmDzST7DWlj99KOF/cg==")
    assert (refused.value.code, files(objects)) == ("BadDigest", 0)
    put(objects, "k", b"abc", md5="kAFQmDzST7DWlj99KOF/cg==")
    assert content(objects, "k") == b"abc"


def test_the_oldest_objects_make_room(objects: Objects) -> None:
    """By their bytes and by their number; the one that is replaced is not in the way."""
    for key in ("a", "b", "c"):
        put(objects, key, b"x" * 80)
    put(objects, "c", b"x" * 81)
    assert [each.key for each in objects.listed("code-12")] == ["a", "b", "c"]
    put(objects, "d", b"x" * 80)
    assert [each.key for each in objects.listed("code-12")] == ["b", "c", "d"]
    put(objects, "e", b"")
    assert [each.key for each in objects.listed("code-12")] == ["c", "d", "e"]
    assert files(objects) == 6


def test_uploads_that_arrive_together_have_limits_together(objects: Objects) -> None:
    """Their files are on the same disk."""

    async def whole() -> list[object]:
        go = asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            yield b"x" * 90
            await go.wait()

        async def last() -> AsyncIterator[bytes]:
            yield b"x" * 90
            go.set()

        async def one(key: str, body: AsyncIterator[bytes]) -> str:
            try:
                await objects.put(Coming("b", key, ""), body)
            except ObjectRefused as refused:
                go.set()
                return f"{refused.status} {refused.code}"
            return "kept"

        return list(await asyncio.gather(one("a", slow()), one("b", slow()), one("c", last())))

    assert sorted(map(str, asyncio.run(whole()))) == ["503 SlowDown", "kept", "kept"]
    put(objects, "later", b"x" * 90)
    assert content(objects, "later") == b"x" * 90


def test_what_killed_processes_left_is_swept(objects: Objects) -> None:
    """Once it is old enough to be nobody's."""
    put(objects, "a", b"x")
    for name, age in (("object-old", 0.0), ("object-new", 900.0)):
        path = objects.root / name
        path.write_bytes(b"")
        os.utime(path, (age, age))
    clock = objects.root / "object-gone"
    clock.symlink_to("nowhere")
    objects._clock.now = 4000.0  # type: ignore[attr-defined]
    put(objects, "b", b"x")
    names = {path.name for path in objects.root.iterdir()}
    assert "object-old" not in names
    assert {"object-new", "object-gone"} <= names


@pytest.mark.parametrize("said", ["", "{", "[]", '{"bucket": "b"}'])
def test_a_file_that_says_nothing_sensible_is_none(objects: Objects, said: str) -> None:
    """The object is not there; others are."""
    put(objects, "a", b"x")
    put(objects, "b", b"x")
    place = objects._place("code-12", "a")
    place.write_text(said)
    assert content(objects, "a") is None
    assert [each.key for each in objects.listed("code-12")] == ["b"]


def test_temporary_objects_are_gone_in_the_end(tmp_path: Path) -> None:
    """Others are not."""
    temporary = Objects.temporary(Clock())
    put(temporary, "k", b"x")
    temporary.close()
    assert not temporary.root.exists()
    kept = Objects.beside(tmp_path / "state.db", Clock())
    put(kept, "k", b"x")
    kept.close()
    assert content(kept, "k") == b"x"
    assert kept.root == tmp_path / "objects"
    forgetful = Objects.beside(None, Clock())
    assert forgetful.root.exists()
    forgetful.close()
    assert not forgetful.root.exists()


def test_the_size_of_an_upload_is_not_felt_in_memory(tmp_path: Path) -> None:
    """50 MB in pieces as they come from a socket."""
    objects = Objects(tmp_path, Clock())

    async def body() -> AsyncIterator[bytes]:
        for _ in range(800):
            yield bytes(64 * 1024)

    tracemalloc.start()
    try:
        stored = asyncio.run(objects.put(Coming("b", "k", ""), body()))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert stored.size == 50 * MB
    assert peak < 8 * MB


@given(key=st.text(max_size=40), bucket=st.text(max_size=20), body=st.binary(max_size=50))
def test_any_key_may_be_used(
    tmp_path_factory: pytest.TempPathFactory, key: str, bucket: str, body: bytes
) -> None:
    """It never becomes a path."""
    objects = Objects(tmp_path_factory.mktemp("objects"), Clock())
    text = key.encode("utf-8", "replace").decode()
    asyncio.run(objects.put(Coming(bucket, text, ""), pieces(body)))
    (stored,) = objects.listed(bucket)
    assert stored.key == text
    assert all(path.parent == objects.root for path in objects.root.rglob("*"))

"""Uploaded objects as files: bounded, whole or not there, and nothing of them in memory.

What an object is stands in a small file beside its content and is replaced in one step, so that
readers see the old object or the new one. When there is no more room, the oldest objects go.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp, mkstemp
from typing import BinaryIO, Final, Self

from gateway.controlplane.objects.errors import refuse
from gateway.controlplane.objects.stored import Coming, Room, Stored, read_stored
from gateway.controlplane.objects.upload import Upload

_ABANDONED: Final = 3600.0  # seconds after which a file that nothing names is nobody's
_TOLD: Final = ".json"


class Objects:
    """The objects in a folder.

    Args:
        root: The folder; made when it is needed.
        clock: Seconds since 1970.
        room: How much is kept.
    """

    def __init__(self, root: Path, clock: Callable[[], float], room: Room | None = None) -> None:
        self.root = root
        self.room = room or Room()
        self._clock = clock
        self._temporary = False
        self._arriving = 0  # bytes of uploads that are not complete

    @classmethod
    def beside(cls, state: Path | None, clock: Callable[[], float]) -> Self:
        """The objects of a gateway: beside its state, or temporary where it keeps none.

        Args:
            state: The file of the journal.
            clock: Seconds since 1970.
        """
        return cls.temporary(clock) if state is None else cls(state.parent / "objects", clock)

    @classmethod
    def temporary(cls, clock: Callable[[], float]) -> Self:
        """Objects that `close` removes."""
        objects = cls(Path(mkdtemp(prefix="gateway-objects-")), clock)
        objects._temporary = True
        return objects

    def find(self, bucket: str, key: str) -> Stored | None:
        """The object under a key; `None` where there is none."""
        return read_stored(self._place(bucket, key))

    def listed(self, bucket: str, prefix: str = "") -> list[Stored]:
        """The objects of a bucket whose keys begin so, by key."""
        found = (each for each in self._all() if each.bucket == bucket)
        return sorted(
            (each for each in found if each.key.startswith(prefix)), key=lambda each: each.key
        )

    def named(self, bucket: str, key: str) -> Stored | None:
        """The object that somebody means who may leave out the account's number at the bucket."""
        exact = self.find(bucket, key)
        if exact is not None:
            return exact
        same = [
            each
            for each in self._all()
            if each.key == key and each.bucket.rpartition("-")[0] == bucket
        ]
        return max(same, key=lambda each: each.modified, default=None)

    def open(self, stored: Stored) -> BinaryIO:
        """The content of an object.

        Raises:
            FileNotFoundError: It is gone meanwhile.
        """
        return (self.root / stored.file).open("rb")

    async def put(self, coming: Coming, pieces: AsyncIterator[bytes]) -> Stored:
        """Keep an object, in place of the one that had its key.

        Raises:
            ObjectRefused: It is too large or not what it should be, or there is no room.
        """
        handle, name = await asyncio.to_thread(self._new_file)
        size = 0
        try:
            with os.fdopen(handle, "wb") as file:
                upload = Upload(file)
                async for piece in pieces:
                    size += len(piece)
                    self._arriving += len(piece)
                    self._check_room(size)
                    await upload.take(piece)
                await upload.flush()
            _check_digest(coming, upload.digest)
            stored = Stored(
                coming.bucket,
                coming.key,
                size,
                upload.digest.hex(),
                coming.media,
                self._clock(),
                name,
            )
            await asyncio.to_thread(self._put, stored)
        except BaseException:
            self._forget(name)
            raise
        finally:
            self._arriving -= size
        return stored

    def delete(self, bucket: str, key: str) -> None:
        """Keep an object no longer; one that is not there is no mistake."""
        place = self._place(bucket, key)
        self._drop(place, read_stored(place))

    def close(self) -> None:
        """Remove everything, if the objects are temporary."""
        if self._temporary:
            shutil.rmtree(self.root, ignore_errors=True)

    # --------------------------------------------------------------------------------------------

    def _new_file(self) -> tuple[int, str]:
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, path = mkstemp(dir=self.root, prefix="object-")
        return handle, Path(path).name

    def _forget(self, name: str) -> None:
        (self.root / name).unlink(missing_ok=True)

    def _check_room(self, size: int) -> None:
        if size > self.room.largest:
            message = f"the object is above {self.room.largest:,} bytes"
            refuse(400, "EntityTooLarge", message)
        if self._arriving > self.room.total:
            refuse(503, "SlowDown", "there is no room for more uploads at a time")

    def _put(self, stored: Stored) -> None:
        place = self._place(stored.bucket, stored.key)
        before = read_stored(place)
        self._make_room(stored)
        fresh = self.root / f"{stored.file}.new"
        fresh.write_text(json.dumps(asdict(stored)), encoding="utf-8")
        fresh.replace(place)
        if before is not None:
            self._forget(before.file)

    def _make_room(self, coming: Stored) -> None:
        """Let the oldest objects go until another one fits, and what killed processes left."""
        others = [
            each for each in self._all() if (each.bucket, each.key) != (coming.bucket, coming.key)
        ]
        others.sort(key=lambda each: each.modified)
        left = sum(each.size for each in others) + coming.size
        while others and (left > self.room.total or len(others) >= self.room.most):
            oldest = others.pop(0)
            left -= oldest.size
            self._drop(self._place(oldest.bucket, oldest.key), oldest)
        self._sweep({each.file for each in self._all()} | {coming.file})

    def _sweep(self, named: set[str]) -> None:
        for path in self.root.iterdir():
            if path.suffix == _TOLD or path.name in named:
                continue
            with suppress(FileNotFoundError):
                if self._clock() - path.stat().st_mtime > _ABANDONED:
                    path.unlink()

    def _drop(self, place: Path, stored: Stored | None) -> None:
        place.unlink(missing_ok=True)
        if stored is not None:
            self._forget(stored.file)

    def _all(self) -> Iterator[Stored]:
        for path in self.root.glob(f"*{_TOLD}"):
            stored = read_stored(path)
            if stored is not None:
                yield stored

    def _place(self, bucket: str, key: str) -> Path:
        digest = sha256(f"{bucket}\0{key}".encode()).hexdigest()[:32]
        return self.root / f"{digest}{_TOLD}"


def _check_digest(coming: Coming, digest: bytes) -> None:
    if coming.md5 and coming.md5 != b64encode(digest).decode():
        message = f"Content-MD5 is {coming.md5!r:.60}, and what came has another one"
        refuse(400, "BadDigest", message)

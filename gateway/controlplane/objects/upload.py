"""An upload on its way into a file: few pieces wait in memory, and none is written on the loop."""

from __future__ import annotations

import asyncio
from hashlib import md5
from typing import BinaryIO, Final

_WAITING: Final = 1024 * 1024


class Upload:
    """Writes pieces, and digests them.

    Args:
        file: Where to.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._waiting = bytearray()
        self._md5 = md5(usedforsecurity=False)

    @property
    def digest(self) -> bytes:
        """That of everything written so far."""
        return self._md5.digest()

    async def take(self, piece: bytes) -> None:
        """One more piece."""
        self._waiting += piece
        if len(self._waiting) >= _WAITING:
            await self.flush()

    async def flush(self) -> None:
        """Write what waits."""
        data, self._waiting = bytes(self._waiting), bytearray()
        await asyncio.to_thread(self._write, data)

    def _write(self, data: bytes) -> None:
        self._md5.update(data)
        self._file.write(data)
        self._file.flush()

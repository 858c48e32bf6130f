"""Uploaded code: a zip, or files as the parts of a form, taken in as it comes and held once.

A part's name is the file's path in the package, as `curl -F 'lib/a.py=@lib/a.py'` sends it; the
`filename` that comes with it only says that the part is a file.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Final

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.requests import Request

from gateway.controlplane.problems import rejected
from gateway.controlplane.rest.operation import MULTIPART
from gateway.controlplane.rest.reading import too_large
from gateway.core.errors import Problem, Refused
from gateway.store.packages import MAX_FILES, MAX_SIZE, Package, read_files, read_zip

MAX_UPLOAD: Final = MAX_SIZE + 2 * 1024 * 1024
"""Bytes that an upload may have on its way: those of the files, and what names and frames them."""


# Whoever sends a form that cannot be read is told so; it is nothing for the log.
logging.getLogger("python_multipart").setLevel(logging.ERROR)


async def read_upload(request: Request) -> Package:
    """The package in the body of a request.

    Raises:
        Rejected: The body is too large, or no form.
        Refused: It is no package.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    try:
        if kind == MULTIPART.encode():
            form = _Form(options.get(b"boundary", b""))
            await _take(request, form.write)
            files = form.finish()
            return await asyncio.to_thread(read_files, files)
        buffer = BytesIO()
        await _take(request, buffer.write)
        # The buffer hands out what it holds; joining pieces would hold everything twice.
        return await asyncio.to_thread(read_zip, buffer.getvalue())
    except Refused as refused:
        # Places in a package are no places in a JSON body; the sentences name the files.
        raise Refused(replace(problem, at=()) for problem in refused.problems) from None


async def _take(request: Request, write: Callable[[bytes], object]) -> None:
    declared = request.headers.get("content-length", "")
    size = int(declared) if declared.isdecimal() else 0
    if size > MAX_UPLOAD:
        raise too_large(MAX_UPLOAD)
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > MAX_UPLOAD:
            raise too_large(MAX_UPLOAD)
        write(piece)


class _Form:
    """The files of a form, part by part.

    Args:
        boundary: What parts them.
    """

    def __init__(self, boundary: bytes) -> None:
        if not boundary:
            raise rejected(400, "malformed-form", f"the {MULTIPART} body names no boundary")
        self._files: dict[str, BytesIO] = {}
        self._problems: list[Problem] = []
        self._header = (bytearray(), bytearray())
        self._disposition = ""
        self._current = BytesIO()
        self._ended = False
        callbacks = {
            "on_part_begin": self._begin,
            "on_header_field": self._add_to_name,
            "on_header_value": self._add_to_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._open,
            "on_part_data": self._add_to_part,
            "on_end": self._end,
        }
        try:
            self._parser = MultipartParser(boundary, callbacks)  # type: ignore[arg-type]
        except FormParserError as error:
            raise rejected(400, "malformed-form", f"the form cannot be read: {error}") from None

    def write(self, piece: bytes) -> None:
        """Take in a piece of the body."""
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise rejected(400, "malformed-form", f"the form cannot be read: {error}") from None

    def finish(self) -> dict[str, bytes]:
        """The content of each file by its path.

        Raises:
            Rejected: The form is cut off.
            Refused: A part is no file, or is there twice.
        """
        if not self._ended:
            raise rejected(400, "malformed-form", "the form ends before its last boundary")
        if self._problems:
            raise Refused(self._problems)
        return {path: content.getvalue() for path, content in self._files.items()}

    def _begin(self) -> None:
        self._disposition = ""

    def _add_to_name(self, data: bytes, start: int, end: int) -> None:
        self._header[0].extend(data[start:end])

    def _add_to_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1].extend(data[start:end])

    def _end_header(self) -> None:
        name, value = self._header
        if name.lower() == b"content-disposition":
            self._disposition = value.decode("latin-1")
        self._header = (bytearray(), bytearray())

    def _open(self) -> None:
        """A part begins: its content goes to its file, or nowhere when it is a mistake."""
        self._current = BytesIO()
        _, options = parse_options_header(self._disposition)
        path = options.get(b"name", b"").decode(errors="replace")
        if b"filename" not in options:
            message = f"the part {path!r} of the form is no file; give it a filename"
            self._problems.append(Problem("not-a-file", message))
        elif path in self._files:
            message = f"the form has the file {path!r} more than once"
            self._problems.append(Problem("duplicate-path", message))
        elif len(self._files) == MAX_FILES:
            message = f"the form has more files than allowed: at most {MAX_FILES:,}"
            raise Refused([Problem("too-many-files", message)])
        else:
            self._files[path] = self._current

    def _add_to_part(self, data: bytes, start: int, end: int) -> None:
        self._current.write(memoryview(data)[start:end])

    def _end(self) -> None:
        self._ended = True

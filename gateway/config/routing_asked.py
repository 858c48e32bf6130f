"""Requests in a file of routing tests: `request = "GET /orders/42"`, with a stage and headers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.config.fields import strings, whole
from gateway.core import names
from gateway.core.errors import Place, Problem, listed, nearest
from gateway.core.routes import METHODS
from gateway.core.shapes import Reader
from gateway.core.snapshot import Snapshot

MOST: Final = 1_000_000
"""How often one request of the traffic may come, and how many draws a split may take."""

_REQUEST = re.compile(r"(\S+) +(\S+)")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_SENT = tuple(method for method in METHODS if method != "ANY")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request.

    Attributes:
        stage: Its stage, by the stage's own name.
        method: Its method.
        path: Its path without the stage, with its query.
        headers: Its headers.
        body: Its body.
    """

    stage: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""

    def __str__(self) -> str:
        """The request in one line."""
        told = "".join(
            f", {name}: {value if value.isprintable() else ascii(value)}"
            for name, value in self.headers
        )
        return f"{self.method} {self.path} on {self.stage}{told}"


class Asking:
    """Reads requests; where a table names no stage, the file's own `stage` is meant.

    Args:
        snapshot: The state that is to be tested.
        document: The whole file.
    """

    def __init__(self, snapshot: Snapshot, document: Reader) -> None:
        service = snapshot.default_service
        self.stages = tuple(service.stages) if service else ()
        self.document = document
        self.usual = self.stage(document, "") if document.has("stage") else document.text("stage")

    def stage(self, reader: Reader, usual: str) -> str:
        """The field `stage`; empty after a mistake was recorded, or where there is none."""
        given = reader.text("stage", usual)
        stage = names.stage_name(given)
        if reader.has("stage") and given and stage not in self.stages:
            message = f"{reader.what} names the stage {given!r}; there are {listed(self.stages)}"
            hint = nearest(given.lower(), self.stages)
            reader.wrong("unknown-stage", message, "stage", hint=hint)
            return ""
        return stage

    def request(self, reader: Reader) -> Asked | None:
        """The fields `stage`, `request`, `headers` and `body`; `None` after a mistake."""
        before = len(reader.problems)
        stage = self.stage(reader, self.usual)
        if not stage and len(reader.problems) == before:
            hint = f'for example: stage = "{next(iter(self.stages), names.STAGES[0])}"'
            reader.wrong("missing-key", f"{reader.what} needs 'stage'", hint=hint)
        text = reader.required("request", '"GET /orders/42"')
        headers = strings(reader, "headers")
        body = reader.text("body")
        method, path = _line(reader, text) if text is not None else ("", "")
        for name in headers:
            if _NAME.fullmatch(name) is None:
                message = f"{name!r} of {reader.what} cannot name a header"
                place = (*reader.at, "headers", name)
                reader.problems.append(Problem("bad-name", message, place, on_key=True))
        if len(reader.problems) > before:
            return None
        return Asked(stage, method, path, tuple(headers.items()), body)


def _line(reader: Reader, text: str) -> tuple[str, str]:
    parts = _REQUEST.fullmatch(text)
    if parts is None or not parts[2].startswith("/") or not text.isprintable():
        message = f"the request {text!r} of {reader.what} is not 'METHOD /path'"
        reader.wrong("bad-request", message, "request", hint="for example: GET /orders/42?page=2")
        return "", ""
    if parts[1] not in _SENT:
        message = f"{parts[1]!r} is no method; allowed: {listed(_SENT)}"
        hint = nearest(parts[1].upper(), _SENT)
        reader.wrong("unknown-method", message, "request", hint=hint)
    return parts[1], parts[2]


def read_traffic(
    asking: Asking, folder: Path
) -> tuple[tuple[tuple[Asked, int], ...], tuple[tuple[Place, Path], ...], str]:
    """`[traffic]`: requests with how often they come, recordings with their places, and the stage.

    Args:
        asking: Reads requests.
        folder: What recordings are relative to.
    """
    document = asking.document
    if not document.has("traffic"):
        document.get("traffic")
        return (), (), ""
    reader = Reader(document.get("traffic"), "the traffic", document.problems, ("traffic",))
    requests = []
    for index, raw in enumerate(reader.sequence("requests")):
        at = ("traffic", "requests", index)
        entry = Reader(raw, f"request {index + 1} of the traffic", document.problems, at)
        asked = asking.request(entry)
        times = whole(entry, "times", 1, (range(1, MOST + 1), f"1 to {MOST:,}"))
        entry.finish()
        if asked is not None:
            requests.append((asked, times))
    stage = asking.stage(reader, asking.usual)
    recordings = tuple(_recordings(reader, folder))
    reader.finish()
    return tuple(requests), recordings, stage


def _recordings(reader: Reader, folder: Path) -> Iterable[tuple[Place, Path]]:
    for index, raw in enumerate(reader.sequence("recordings")):
        if not isinstance(raw, str):
            message = f"recording {index + 1} of the traffic must be the name of a file"
            reader.wrong("wrong-type", message, "recordings", index)
        elif not (path := folder / raw).is_file():
            reader.wrong("missing-file", f"there is no recording {raw!r}", "recordings", index)
        else:
            yield (*reader.at, "recordings", index), path

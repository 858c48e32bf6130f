"""What is told of objects: of one that comes, of one that is kept, and how much is kept at all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_MB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Room:
    """How much is kept.

    Attributes:
        largest: Bytes of one object.
        total: Bytes of all objects, and of those that are being uploaded.
        most: How many objects.
    """

    largest: int = 250 * _MB
    total: int = 1024 * _MB
    most: int = 1000


@dataclass(frozen=True, slots=True)
class Coming:
    """An object that is to be kept.

    Attributes:
        bucket: Its bucket.
        key: Its key in the bucket.
        media: Its media type.
        md5: What its digest has to be, in base64; empty for any.
    """

    bucket: str
    key: str
    media: str
    md5: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """One object.

    Attributes:
        bucket: Its bucket.
        key: Its key in the bucket.
        size: Its length in bytes.
        md5: The digest that clients know it by.
        media: Its media type.
        modified: When it was put there, in seconds since 1970.
        file: The name of the file with its content.
    """

    bucket: str
    key: str
    size: int
    md5: str
    media: str
    modified: float
    file: str


def read_stored(place: Path) -> Stored | None:
    """What a file says; one that says nothing sensible is as good as none."""
    try:
        return Stored(**json.loads(place.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None

"""A rewriting as people write it: one table, from TOML or from options, every mistake at its place.

The keys are those of the options, so that a profile is what was tried on the command line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Final, TypeVar, cast

from gateway.config.diagnostics import ConfigurationInvalid
from gateway.config.source import read
from gateway.config.syntax import parse
from gateway.core.errors import Problem, Refused
from gateway.core.shapes import Reader, kind_of
from gateway.traffic.mapping import HeaderEdit, HostMap, PathMap
from gateway.traffic.rewriting import SAMPLE_BY, Rewriting, SampleBy, user_key

KEYS: Final = (
    "user_from",
    "paths",
    "hosts",
    "set_headers",
    "remove_headers",
    "sample",
    "sample_by",
    "from",
    "until",
    "loop",
)
"""Every key of a profile."""

_UNITS: Final = {"": 1, "ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_PART: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d|)")
_DURATION: Final = "seconds, or such as 90s, 10m, 1h30m or 2d"

T = TypeVar("T")


def read_profile(path: Path) -> Mapping[str, object]:
    """The table that a profile holds; every mistake in it has been told.

    Raises:
        ConfigurationInvalid: With every mistake, at its place in the file.
    """
    source = read(path)
    raw = parse(source)
    try:
        parse_rewriting(raw, "the profile")
    except Refused as refused:
        raise ConfigurationInvalid(source.explain(refused.problems)) from None
    return raw


def parse_rewriting(raw: Mapping[str, object], what: str) -> Rewriting:
    """Read a table of `KEYS`; none of them is required.

    Args:
        raw: The table.
        what: What it is, for messages.

    Raises:
        Refused: With every mistake found.
    """
    problems: list[Problem] = []
    reader = Reader(raw, what, problems)
    begin, end = _window(reader)
    rewriting = Rewriting(
        user_from=_user(reader),
        paths=_maps(reader, "paths", PathMap.parse),
        hosts=_maps(reader, "hosts", HostMap.parse),
        headers=_headers(reader),
        sample=_share(reader),
        sample_by=cast("SampleBy", reader.choice("sample_by", SAMPLE_BY, "user")),
        begin=begin,
        end=end,
        loop=_loop(reader),
    )
    reader.finish()
    if problems:
        raise Refused(problems)
    return rewriting


def duration(value: object) -> float:
    """Seconds, as a number or as `1h30m`.

    Raises:
        ValueError: It is neither.
    """
    number = _number(value)
    if number is not None and number >= 0:
        return number
    text = value.replace(" ", "") if isinstance(value, str) else ""
    parts = _PART.findall(text)
    whole = "".join(number + unit for number, unit in parts) == text
    if not text or not whole or (len(parts) > 1 and not all(unit for _, unit in parts)):
        raise ValueError(f"{_shown(value)} is no time; allowed: {_DURATION}")
    return float(sum(float(number) * _UNITS[unit] for number, unit in parts))


def _user(reader: Reader) -> str | None:
    text = reader.text("user_from")
    if not text:
        return None
    checked = _told(reader, ("user_from",), partial(user_key, text))
    return None if checked is None else text


def _maps(reader: Reader, key: str, build: Callable[[str], T]) -> tuple[T, ...]:
    maps = []
    for index, text in _texts(reader, key):
        built = _told(reader, (key, index), partial(build, text))
        if built is not None:
            maps.append(built)
    return tuple(maps)


def _headers(reader: Reader) -> HeaderEdit:
    put: dict[str, str] = {}
    for name, value in reader.mapping("set_headers").items():
        if isinstance(value, str):
            put[name] = value
            continue
        message = f"the header {name!r} must be a string, not {kind_of(value)}"
        reader.wrong("wrong-type", message, "set_headers", name)
    put = {name: value for name, value in put.items() if _fits(reader, name, value)}
    remove = [
        name
        for index, name in _texts(reader, "remove_headers")
        if _told(reader, ("remove_headers", index), partial(HeaderEdit.parse, (name,), {}))
    ]
    return HeaderEdit.parse(tuple(remove), put)


def _fits(reader: Reader, name: str, value: str) -> bool:
    build = partial(HeaderEdit.parse, (), {name: value})
    return _told(reader, ("set_headers", name), build) is not None


def _share(reader: Reader) -> float:
    value = reader.get("sample")
    share = 1.0 if value is None else _number(value)
    if share is not None and 0 < share <= 1:
        return share
    message = f"sample is {_shown(value)}; allowed: a share above 0 and up to 1"
    reader.wrong("bad-sample", message, "sample", hint="10 % is 0.1")
    return 1.0


def _loop(reader: Reader) -> int:
    value = reader.get("loop")
    if value is None:
        return 1
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    message = f"loop is {_shown(value)}; allowed: a whole number from 1"
    reader.wrong("bad-loop", message, "loop")
    return 1


def _number(value: object) -> float | None:
    """A finite number; `None` for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return float(value) if math.isfinite(value) else None


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, str) else str(value)


def _window(reader: Reader) -> tuple[float, float | None]:
    begin, end = (_moment(reader, key) for key in ("from", "until"))
    if begin is not None and end is not None and end <= begin:
        message = f"the window ends at {end:g} s, before it begins at {begin:g} s"
        reader.wrong("empty-window", message, "until")
    return begin or 0.0, end


def _moment(reader: Reader, key: str) -> float | None:
    value = reader.get(key)
    if value is None:
        return None
    try:
        return duration(value)
    except ValueError as error:
        reader.wrong("bad-time", str(error), key)
        return None


def _texts(reader: Reader, key: str) -> list[tuple[int, str]]:
    texts = []
    for index, value in enumerate(reader.sequence(key)):
        if isinstance(value, str):
            texts.append((index, value))
            continue
        message = f"{key} must be a list of strings; here is {kind_of(value)}"
        reader.wrong("wrong-type", message, key, index)
    return texts


def _told(reader: Reader, at: tuple[str | int, ...], build: Callable[[], T]) -> T | None:
    """What is built; `None` after its mistakes were recorded at a place."""
    try:
        return build()
    except Refused as refused:
        reader.problems += [problem.under(*reader.at, *at) for problem in refused.problems]
        return None

"""`[keys.NAME]` and `[plans.NAME]`: who may call the APIs that ask for a key."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from gateway.config.features import read_throttle
from gateway.config.fields import number, wrong_key
from gateway.core import names
from gateway.core.access import QUOTAS, Access, Key, UsagePlan
from gateway.core.errors import Problem, listed, nearest
from gateway.core.shapes import Reader, kind_of

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,50}")
_TEXT: Final = re.compile(r"[!#-\[\]-~]{1,128}")
_QUOTA: Final = f"whole requests, 1 to {QUOTAS[-1]}"


def read_access(document: Reader) -> Access:
    """Read `[keys]` and `[plans]`; mistakes are added to the document's.

    Args:
        document: The whole file.
    """
    keys: dict[str, Key] = {}
    for name, reader in _tables(document, "keys", "key"):
        key = Key(_text(reader, "id", '"AKIDexample"'), _text(reader, "secret", '"example"'))
        reader.finish()
        same = [other for other, known in keys.items() if known.id == key.id and key.id]
        if same:
            message = f"{reader.what} has the id of key {same[0]!r}"
            reader.wrong("duplicate-name", message, "id")
        keys[name] = key
    plans = {name: _plan(reader, keys) for name, reader in _tables(document, "plans", "plan")}
    return Access(keys, plans)


def _tables(document: Reader, key: str, what: str) -> list[tuple[str, Reader]]:
    found = []
    for name, raw in document.mapping(key).items():
        if _NAME.fullmatch(name) is None:
            message = f"{name!r} cannot name a {what}; allowed: 1 to 50 letters, digits, '-' or '_'"
            wrong_key(document, Problem("bad-name", message, (key, name)))
        found.append((name, Reader(raw, f"{what} {name!r}", document.problems, (key, name))))
    return found


def _text(reader: Reader, key: str, example: str) -> str:
    text = reader.required(key, example)
    if text is not None and _TEXT.fullmatch(text) is None:
        # The value may be a secret, so it is not told.
        allowed = "1 to 128 visible ASCII characters without '\"' and '\\'"
        reader.wrong("bad-key", f"{key} of {reader.what} cannot be used; allowed: {allowed}", key)
    return text or ""


def _plan(reader: Reader, keys: Mapping[str, Key]) -> UsagePlan:
    named = _names(reader, "keys", keys, lambda name: name)
    stages = _names(reader, "stages", names.STAGES, names.stage_name)
    throttle, quota = read_throttle(reader), _quota(reader)
    reader.finish()
    return UsagePlan(named, stages, throttle, quota)


def _names(
    reader: Reader, key: str, known: Sequence[str] | Mapping[str, Key], meant: Callable[[str], str]
) -> tuple[str, ...]:
    """A required list of names that there are."""
    if not reader.has(key):
        reader.required(key, '["release"]' if key == "stages" else '["partner"]')
        return ()
    found = []
    for index, name in enumerate(reader.sequence(key)):
        if not isinstance(name, str):
            message = f"{key} of {reader.what} must be a list of strings, not of {kind_of(name)}"
            reader.wrong("wrong-type", message, key, index)
        elif meant(name) not in known:
            what = key.removesuffix("s")
            message = f"{reader.what} names the {what} {name!r}; there is {listed(known)}"
            reader.wrong(f"unknown-{what}", message, key, index, hint=nearest(name, known))
        else:
            found.append(meant(name))
    return tuple(dict.fromkeys(found))


def _quota(reader: Reader) -> int | None:
    value = number(reader, "quota")
    if value is None:
        return None
    if isinstance(value, int) and value in QUOTAS:
        return value
    reader.wrong("out-of-range", f"quota of {reader.what} is {value}; allowed: {_QUOTA}", "quota")
    return None

"""Names and how they are spelled: functions, aliases, versions, stages.

The spelling rules are the cloud's (functions up to 60 characters, aliases 1-64), but a function
may have one letter, as in examples. `$LATEST` and `$DEFAULT` alone may start with `$`.
"""

from __future__ import annotations

import re
from typing import Final

LATEST: Final = "$LATEST"
"""The one editable version of a function."""

DEFAULT: Final = "$DEFAULT"
"""The alias that every function has and that cannot be deleted."""

STAGES: Final = ("dev", "prepub", "release")
"""The stages a service can be released to, in the order in which code moves through them."""

STAGE_SYNONYMS: Final = {"test": "dev"}
"""Other names that reach a stage: the cloud calls the first one `test`."""

_FUNCTION = re.compile(r"[A-Za-z](?:[A-Za-z0-9_-]{0,58}[A-Za-z0-9])?")
_ALIAS = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")

FUNCTION_RULE: Final = (
    "1 to 60 letters, digits, '-' or '_', starting with a letter and ending with a letter or digit"
)
ALIAS_RULE: Final = "'$DEFAULT', or 1 to 64 letters, digits, '-' or '_' that start with a letter"
VERSION_RULE: Final = "a published number such as '1', or '$LATEST'"


def is_function(name: str) -> bool:
    """Whether `name` can name a function."""
    return _FUNCTION.fullmatch(name) is not None


def is_alias(name: str) -> bool:
    """Whether `name` can name an alias."""
    return name == DEFAULT or _ALIAS.fullmatch(name) is not None


def is_number(name: str) -> bool:
    """Whether `name` is spelled like a published version."""
    return _NUMBER.fullmatch(name) is not None


def is_version(name: str) -> bool:
    """Whether `name` is spelled like a version, `$LATEST` included."""
    return name == LATEST or is_number(name)


def stage_name(name: str) -> str:
    """The stage's own name for any name that reaches it (`test` is `dev`)."""
    return STAGE_SYNONYMS.get(name, name)


def version_order(version: str) -> tuple[bool, int]:
    """Sort key for versions: numbers ascending, `$LATEST` last."""
    return (True, 0) if version == LATEST else (False, int(version))

"""Key pairs that clients sign with, as they are configured: `ID:KEY`, several divided by commas.

A secret key is never repeated in a message.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.core.errors import Problem, Refused

FORM: Final = "ID:KEY, several divided by ','"
"""How key pairs are written."""

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_KEY: Final = re.compile(r"[!-+\--~]{1,256}")  # visible ASCII but for the comma


def parse_keys(text: str) -> dict[str, str]:
    """Read secret keys by secret id.

    Args:
        text: The key pairs; white space around them is of no account.

    Raises:
        Refused: Some are no key pairs, or an id is there twice; all of them are named.
    """
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for number, pair in enumerate(text.split(","), start=1):
        secret_id, _, key = pair.strip().partition(":")
        at = f"key pair {number}"
        if _ID.fullmatch(secret_id) is None:
            said = "its id has other characters than letters, digits, '-' and '_', or none"
            problems.append(Problem("bad-key-pair", f"{at}: {said}; allowed: {FORM}"))
        elif _KEY.fullmatch(key) is None:
            said = f"the key of {secret_id!r} is missing or has other characters than visible ASCII"
            problems.append(Problem("bad-key-pair", f"{at}: {said}; allowed: {FORM}"))
        elif secret_id in found:
            problems.append(Problem("bad-key-pair", f"{at}: {secret_id!r} is there already"))
        found[secret_id] = key
    if problems:
        raise Refused(problems)
    return found

"""Telling of refusals: each once, however often a client tries."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from gateway.intercept.app import Tell

REMEMBERED: Final = 256
"""Refusals that are not told again."""


class Once:
    """Tells a sentence that was not told lately.

    Args:
        tell: Is given the sentence.
    """

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._told: OrderedDict[str, None] = OrderedDict()

    def __call__(self, message: str) -> None:
        """Tell it, unless it was told."""
        new = message not in self._told
        self._told[message] = None
        self._told.move_to_end(message)
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)
        if new:
            self._tell(message)

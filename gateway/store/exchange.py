"""What processes that share a state tell each other, and how a gateway can do without.

It is worth less than the journal: what is told is kept for a quarter of an hour, and while it
cannot be told, nothing else is disturbed.
"""

from __future__ import annotations

from typing import Final, Protocol

KEPT_SECONDS: Final = 900.0
"""How long what was told is kept."""

PAGE: Final = 20
"""How many words are read at once."""


class Exchange(Protocol):
    """Where processes leave words for each other; opened by the first thing that is asked of it.

    Attributes:
        name: What it is, for sentences about it.
    """

    name: str

    async def publish(self, word: bytes) -> None:
        """Leave a word; whoever does not know whether it was left may leave it again.

        Raises:
            StateUnusable: It cannot be left.
        """

    async def latest(self) -> list[bytes]:
        """The last word of every other process.

        Raises:
            StateUnusable: It cannot be read.
        """

    async def news(self) -> list[bytes]:
        """The first words of others since the last question, in the order in which they came.

        At most `PAGE`; fewer when there are no more. A word may come again.

        Raises:
            StateUnusable: They cannot be read.
        """

    async def prune(self) -> None:
        """Forget what is older than `KEPT_SECONDS`.

        Raises:
            StateUnusable: It cannot be forgotten.
        """

    async def close(self) -> None:
        """Let go of everything; what still waits for an answer is broken off."""

"""What the one writer is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.core.changes import Batch, Change
from gateway.core.diff import Difference
from gateway.core.snapshot import Snapshot
from gateway.store.protocol import Author

Ask = Change | Callable[[Snapshot], Change]
"""A change, or what makes one from the snapshot that it will be applied to."""


@dataclass(frozen=True, slots=True)
class Note:
    """What the journal remembers of a change beside the change itself.

    Attributes:
        author: Who asked for it.
        restores: For a roll-back, the revision whose state it brings back.
        declared: For an applied stages.toml, everything that the file declares.
    """

    author: Author
    restores: int | None = None
    declared: Batch | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a change.

    Attributes:
        revision: The revision that is live now.
        differences: What it altered; nothing where everything already was as asked for.
        restores: For a roll-back, the revision whose state was brought back.
    """

    revision: int
    differences: tuple[Difference, ...] = ()
    restores: int | None = None

    @property
    def changed(self) -> bool:
        """Whether anything was altered."""
        return bool(self.differences)

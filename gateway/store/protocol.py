"""What every store promises; whoever keeps the journal, the code above it is the same.

A store holds one journal: records of changes, numbered by the revision that each of them made. A
record is accepted only directly after the newest one, so that two writers cannot both succeed. An
accepted record is durable before `commit` returns.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from dataclasses import dataclass
from math import inf
from typing import ClassVar, Protocol

from gateway.core.changes import Batch, Change
from gateway.core.diff import Difference, Path
from gateway.core.errors import GatewayError
from gateway.store.invocations import Invocations


class StaleRevision(GatewayError):
    """Somebody else changed the state first.

    Attributes:
        expected: The revision that the writer had seen.
        actual: The newest one.
    """

    code: ClassVar[str] = "stale-revision"

    def __init__(self, expected: int, actual: int) -> None:
        self.expected = expected
        self.actual = actual
        super().__init__(f"the state is at revision {actual}, not {expected}")


class StateUnusable(GatewayError):
    """The state cannot be used: unreadable, damaged, full, held, or written by a newer program."""

    code: ClassVar[str] = "state-unusable"


class StateAway(StateUnusable):
    """The state cannot be reached at the moment; what is live stays live meanwhile."""


class PackageNotFound(GatewayError):
    """No code package has this digest."""

    code: ClassVar[str] = "package-not-found"

    def __init__(self, digest: str) -> None:
        self.digest = digest
        super().__init__(f"there is no code package {digest}")


@dataclass(frozen=True, slots=True)
class Author:
    """Who asked for a change.

    Attributes:
        who: A name; who is told nothing about it trusts it as little as any other claim.
        origin: From where: an address and a program, or a file.
    """

    who: str
    origin: str


@dataclass(frozen=True, slots=True)
class Record:
    """One accepted change.

    Attributes:
        revision: The revision it made.
        at: When, in seconds since 1970.
        author: Who asked for it.
        change: What was asked for.
        differences: What it altered: each part before and after.
        restores: For a roll-back, the revision whose state it brought back.
        declared: For an applied stages.toml, everything that the file declared.
    """

    revision: int
    at: float
    author: Author
    change: Change
    differences: tuple[Difference, ...]
    restores: int | None = None
    declared: Batch | None = None


@dataclass(frozen=True, slots=True)
class Journal:
    """What recovery starts from.

    Attributes:
        revision: The revision of the checkpoint.
        checkpoint: Builds the state of that revision from the empty one.
        tail: Every later change, in order.
        declared: What stages.toml declared when it was applied last; `None` before that.
        source: Where it came from, for sentences about it.
    """

    revision: int
    checkpoint: Batch
    tail: tuple[Change, ...]
    declared: Batch | None
    source: str = "the state"


class Store(Protocol):
    """One journal and the code packages that its changes name."""

    @property
    def invocations(self) -> Invocations:
        """The asynchronous invocations, which belong to no revision."""

    @property
    def age(self) -> float | None:
        """Seconds since what is known of the state was its newest; `None` where it is always."""

    async def load(self) -> Journal:
        """The newest checkpoint and everything after it.

        Raises:
            StateUnusable: The state is damaged or cannot be read.
        """

    async def commit(self, record: Record) -> None:
        """Add a record, durably, directly after the newest one.

        Whoever is cancelled meanwhile does not know whether the record was accepted.

        Raises:
            StaleRevision: The newest revision is not the one before the record's.
            UnknownChange: What would be written could not be read again.
            StateUnusable: It cannot be written; the journal is as it was.
        """

    def watch(self, after: int) -> AsyncGenerator[Record, None]:
        """Every record with a later revision: those that exist, then each new one, in order.

        Records of this and of other processes alike; ends when the store is closed.
        """

    async def records(
        self, *, path: Path = (), before: int | None = None, limit: int = 100
    ) -> list[Record]:
        """Accepted records, newest first.

        Args:
            path: Only those that altered this part or one below it.
            before: Only those with an earlier revision.
            limit: At most so many.
        """

    async def checkpoint(self, revision: int, state: Batch) -> None:
        """Remember what builds the state of a revision, so that recovery may start there.

        A checkpoint of an earlier revision than the newest one is not needed and not kept.

        Raises:
            StaleRevision: The journal has no such revision yet.
        """

    async def put_package(self, digest: str, data: bytes, at: float = 0.0) -> None:
        """Keep a code package; one that is there already is left as it is.

        Args:
            digest: Its name.
            data: Its bytes.
            at: When it was asked for, in seconds since 1970: the change that names it follows.
        """

    async def package(self, digest: str) -> bytes:
        """A code package.

        Raises:
            PackageNotFound: There is none.
        """

    async def retain_packages(self, digests: Collection[str], before: float = inf) -> None:
        """Drop every other code package.

        Args:
            digests: What versions name.
            before: Only packages that nobody asked for since: others may be named any moment.
        """

    def heed(self) -> None:
        """Whoever watches looks at once: somebody says that there is something new."""

    async def leads(self) -> bool:
        """Whether this node does what only one at a time should do for all.

        A node leads until it lets go of the store or loses it; then the next one that asks does.

        Raises:
            StateAway: Nobody can tell at the moment.
        """

    async def close(self) -> None:
        """Let go of everything; whoever watches is told by the end of the iteration."""

"""Invocations that were waited for, remembered for a while: in memory, and within bounds.

Whoever asks what became of an invocation gets the same description of it, whether somebody waited
for it or not. The invocation log cannot tell that: it has only what has ended, leaves out what is
too much, and keeps nothing of what handlers returned.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final

from gateway.controlplane.attempts import result_of
from gateway.controlplane.invoking import Invoked
from gateway.controlplane.problems import to_json
from gateway.core.entries import Target
from gateway.runtime.outcome import OK
from gateway.store.invocations import Invocation, Status

KEPT: Final = 1000
"""How many invocations are remembered, the newest ones."""

KEPT_BYTES: Final = 8 * 1024 * 1024
"""Bytes of what came of them, all together."""


class Recent:
    """The newest invocations; the oldest ones make room.

    Args:
        clock: Seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: dict[str, tuple[Invocation, int]] = {}
        self._bytes = 0

    async def around(self, target: Target, request_id: str, work: Awaitable[Invoked]) -> Invoked:
        """Remember an invocation while it runs and afterwards.

        Args:
            target: A function and a qualifier.
            request_id: Its id.
            work: The invocation.

        Raises:
            Exception: What the work raises; it reached no version, and is forgotten.
        """
        function, qualifier = target
        begun = Invocation(request_id, function, qualifier, None, None, self._clock(), attempts=1)
        self._put(begun, 0)
        try:
            invoked = await work
        except BaseException:
            self._drop(request_id)
            raise
        result = {**result_of(invoked), "memory": invoked.memory}
        status: Status = "FINISHED" if invoked.status == OK else "FAILED"
        ended = replace(begun, status=status, ended_at=self._clock(), result=result)
        self._put(ended, len(to_json(result)))
        return invoked

    async def listed(self, function: str) -> Sequence[Invocation]:
        """Those of a function, newest first."""
        known = reversed(self._known.values())
        return [invocation for invocation, _ in known if invocation.function == function]

    def _put(self, invocation: Invocation, size: int) -> None:
        self._bytes += size - self._known.get(invocation.request_id, (None, 0))[1]
        self._known[invocation.request_id] = invocation, size
        while len(self._known) > KEPT or self._bytes > KEPT_BYTES:
            self._drop(next(iter(self._known)))

    def _drop(self, request_id: str) -> None:
        _, size = self._known.pop(request_id, (None, 0))
        self._bytes -= size

"""The controller: looks at every running rollout, again and again, and carries out its next move.

A move is one change: the alias and the rollout's own state together, or neither, so that a process
which is killed at any point leaves a rollout that can go on. Before a move is made, and under the
writer's lock, the live state is compared with what was judged: whoever moved the alias in between
is not overruled, and the rollout is paused.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final, Protocol

from gateway.core.changes import Batch, Change, PutResource
from gateway.core.errors import GatewayError, listed, nearest, refuse
from gateway.core.snapshot import Snapshot
from gateway.live import Live
from gateway.rollout.judging import Before, Finding, Seen, judge, latency_limits
from gateway.rollout.moves import begun, disturbed, forgotten, kept, moving, stored, words
from gateway.rollout.plan import parse_plan
from gateway.rollout.rollout import GROUP, Rollout, asked, next_move, read_rollout
from gateway.rollout.watching import Watching

BEAT: Final = 0.25
"""Seconds between two looks."""

ITSELF: Final = "rollout"
"""Who moves an alias where nobody asked."""


class Changing(Protocol):
    """Makes changes."""

    async def __call__(
        self, ask: Callable[[Snapshot], Change], who: str, why: str, expected: int | None = None
    ) -> int:
        """Make one, if the revision is the expected one, and give the live revision."""


class _Overtaken(GatewayError):
    """The live state is no longer what was judged."""


class Rollouts:
    """Every rollout of a gateway.

    Args:
        live: The cell that the data plane reads.
        change: Makes changes.
        watching: Counts what versions answer.
        clock: Seconds since 1970.
        tell: Is told when a move cannot be made, and of which rollout.
    """

    def __init__(
        self,
        live: Live,
        change: Changing,
        watching: Watching,
        clock: Callable[[], float],
        tell: Callable[[GatewayError, str], None],
    ) -> None:
        self._live = live
        self._change = change
        self._watching = watching
        self._clock = clock
        self._tell = tell
        self._told: dict[str, str] = {}

    def all(self) -> list[Rollout]:
        """Every rollout that is remembered, the newest first."""
        found = [read_rollout(key, raw) for key, raw in stored(self._live.snapshot).items()]
        return sorted(found, key=lambda rollout: rollout.started, reverse=True)

    def get(self, rollout_id: str) -> Rollout | None:
        """One rollout; `None` where none has that id."""
        raw = stored(self._live.snapshot).get(rollout_id)
        return None if raw is None else read_rollout(rollout_id, raw)

    def found(self, rollout: Rollout) -> tuple[Seen, list[Finding]]:
        """What was seen in the step that goes on, and what the guards say about it."""
        seen = self._watching.seen(rollout)
        before = self._with_limits(rollout).before
        return seen, judge(rollout.plan, rollout.step, seen, before)

    async def start(self, raw: object, who: str, expected: int | None = None) -> Rollout:
        """Begin a rollout with its first step.

        Raises:
            Refused: The plan is wrong, does not fit where the alias leads, or the alias is in
                another rollout.
        """
        plan, now = parse_plan(raw), self._clock()
        made: list[Rollout] = []

        def ask(snapshot: Snapshot) -> Change:
            rollout = begun(plan, snapshot, now)
            whole = self._watching.whole(rollout)
            rollout = replace(rollout, before=Before(whole.requests, whole.failed))
            made[:] = [rollout]
            old = [PutResource(GROUP, key, None) for key in forgotten(snapshot)]
            return Batch((moving(snapshot, rollout), *old))

        await self._change(ask, who, f"starts the rollout to {plan.to}", expected)
        self._watching.begin(made[0])
        return made[0]

    async def act(
        self, rollout_id: str, verb: str, who: str, expected: int | None = None
    ) -> Rollout:
        """Pause, resume, promote or abort a rollout.

        Raises:
            Refused: There is none of that id, it has ended, or it does that already.
        """
        done: list[Rollout] = []

        def ask(snapshot: Snapshot) -> Change:
            known = stored(snapshot)
            if rollout_id not in known:
                message = f"there is no rollout {rollout_id!r}; known: {listed(known)}"
                refuse("unknown-rollout", message, nearest(rollout_id, known))
            rollout = read_rollout(rollout_id, known[rollout_id])
            moved = asked(rollout, verb, f"{verb} by {who}", self._clock())
            done[:] = [moved]
            return kept(moved) if verb == "pause" else moving(snapshot, moved)

        await self._change(ask, who, f"{verb}s rollout {rollout_id}", expected)
        self._watching.forget(rollout_id)
        return done[0]

    async def run(self, pause: Callable[[float], Awaitable[None]]) -> None:
        """Look at every rollout, again and again, until cancelled."""
        while True:
            await pause(BEAT)
            await self.look()

    async def look(self) -> None:
        """Look at every rollout once, and carry out what is to be done."""
        for key, raw in list(stored(self._live.snapshot).items()):
            if raw["status"] != "running":
                continue
            try:
                await self._step(read_rollout(key, raw))
            except _Overtaken:
                continue  # somebody was faster; the next look sees what is now
            except GatewayError as error:
                self._trouble(key, error)

    async def _step(self, rollout: Rollout) -> None:
        snapshot = self._live.snapshot
        why = disturbed(snapshot, rollout)
        if why:
            paused = replace(rollout, status="paused", reason=why)
            await self._put(rollout, paused, why, moves=False)
            return
        limited = self._with_limits(rollout)
        seen = self._watching.seen(rollout)
        findings = judge(rollout.plan, rollout.step, seen, limited.before)
        moved = next_move(limited, findings, seen, self._clock())
        if moved is None:
            if limited is not rollout:
                await self._put(rollout, limited, "settles its latency limits", moves=False)
            return
        await self._put(rollout, moved, words(moved), moves=True)
        if moved.ended:
            self._watching.forget(moved.id)
        else:
            self._watching.begin(moved)

    async def _put(self, judged: Rollout, moved: Rollout, why: str, *, moves: bool) -> None:
        def ask(snapshot: Snapshot) -> Change:
            raw = stored(snapshot).get(judged.id)
            if raw is None or read_rollout(judged.id, raw) != judged:
                raise _Overtaken(judged.id)
            if not moves:
                return kept(moved)
            if disturbed(snapshot, judged):
                raise _Overtaken(judged.id)
            return moving(snapshot, moved)

        await self._change(ask, ITSELF, f"{judged.id}: {why}")

    def _trouble(self, rollout_id: str, error: GatewayError) -> None:
        """A move could not be made: the rollout stands still, and that is told once."""
        if self._told.get(rollout_id) != str(error):
            self._told[rollout_id] = str(error)
            self._tell(error, rollout_id)

    def _with_limits(self, rollout: Rollout) -> Rollout:
        """The rollout with the latencies to compare with, as far as they are known by now."""
        before = rollout.before
        old = self._watching.whole(rollout).latency
        limits = latency_limits(rollout.plan, old, before.limits)
        if limits == dict(before.limits):
            return rollout
        return replace(rollout, before=replace(before, limits=limits))

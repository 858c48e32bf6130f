"""A recording as a rehearsal needs it: the requests that reach the alias, as its rules see them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.core.errors import RoutingError
from gateway.core.snapshot import FunctionBackend

if TYPE_CHECKING:
    from gateway.rollout.rehearsing_plan import Rehearsal
    from gateway.rollout.rehearsing_traffic import Arrival
    from gateway.traffic.recording import Recorded
    from gateway.traffic.whatif import Look


@dataclass(slots=True)
class Reading:
    """Reads the requests of a recording that reach the alias of a rehearsal.

    Attributes:
        rehearsal: What is rehearsed.
        user: Who sent a request.
        requests: All requests of the recording.
        unmatched: Those that no API of their stage takes.
        elsewhere: Those that another function, alias or back end answers.
    """

    rehearsal: Rehearsal
    user: Callable[[Recorded], str | None]
    requests: int = 0
    unmatched: int = 0
    elsewhere: int = 0

    def over(self, recording: Iterable[Recorded]) -> Iterator[Arrival]:
        """Those requests, one after another."""
        from gateway.cli.whatif_state import looker

        looks: dict[str, Look] = {}
        for recorded in recording:
            self.requests += 1
            stage = self._stage(recorded)
            if stage not in looks:
                looks[stage] = looker(self.rehearsal.snapshot, stage)
            arrival = self._arrival(recorded, looks[stage])
            if arrival is not None:
                yield arrival

    def words(self) -> str:
        """Which requests do not reach the alias; empty where all do."""
        parts = [f"{self.requests:,} requests"]
        if self.unmatched:
            parts.append(f"{self.unmatched:,} match no API of their stage")
        if self.elsewhere:
            parts.append(f"{self.elsewhere:,} are answered by something else")
        return ", ".join(parts) if len(parts) > 1 or not self.requests else ""

    def _arrival(self, recorded: Recorded, look: Look) -> Arrival | None:
        from gateway.rollout.rehearsing_traffic import Arrival

        try:
            api, view = look(recorded)
        except RoutingError:
            self.unmatched += 1
            return None
        backend = api.backend
        if isinstance(backend, FunctionBackend) and backend.target == self.rehearsal.target:
            return Arrival(recorded.at, self.user(recorded), view)
        self.elsewhere += 1
        return None

    def _stage(self, recorded: Recorded) -> str:
        """Where it goes: as the plan says, as it was recorded, or where the alias is used."""
        return self.rehearsal.playing.stage or recorded.stage or self._usual

    @property
    def _usual(self) -> str:
        service = self.rehearsal.snapshot.default_service
        target = self.rehearsal.target
        stages = service.stages.values() if service else ()
        return next((stage.name for stage in stages if target in stage.targets()), "")

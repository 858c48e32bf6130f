"""What the control plane asks of whoever carries rollouts out."""

from __future__ import annotations

from typing import Any, Protocol

Plain = dict[str, Any]
"""A rollout as JSON values; times are seconds since 1970."""


class Rollouts(Protocol):
    """Whoever carries rollouts out."""

    def listed(self) -> list[Plain]:
        """Every rollout that is remembered, the newest first."""

    def one(self, rollout_id: str) -> Plain | None:
        """One rollout; `None` where none has that id."""

    async def start(self, raw: object, who: str, expected: int | None = None) -> Plain:
        """Begin a rollout."""

    async def act(self, rollout_id: str, verb: str, who: str, expected: int | None = None) -> Plain:
        """Pause, resume, promote or abort."""

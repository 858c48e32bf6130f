"""How many users there are at each moment of a ramp, a spike or a soak; pure."""

from __future__ import annotations

from typing import Final

BASE: Final = 0.2
"""The share of the users that are there before and after the crowd of a spike."""

CROWD: Final = (0.4, 0.6)
"""When the crowd comes and when it goes, as shares of the time."""

RISEN: Final = 0.8
"""The share of the time after which a ramp has all its users."""

SETTLED: Final = 0.05
"""The share of the time after which a soak has all its users."""


def users_at(shape: str, passed: float, users: int) -> int:
    """The number of users at a moment; at least one.

    Args:
        shape: `ramp`, `spike` or `soak`.
        passed: The share of the time that has passed, 0 or more; 1 is the end.
        users: The most users.
    """
    if shape == "spike":
        share = 1.0 if CROWD[0] <= passed < CROWD[1] else BASE
    else:
        share = min(1.0, passed / (RISEN if shape == "ramp" else SETTLED))
    return max(1, round(users * share))

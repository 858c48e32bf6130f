"""Who asks: the users of a log, many sticky keys, or users whose names only look alike; pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import Final

from loadtests.traffic import BOB, OTHERS, Step

LOOKALIKES: Final = (
    "bob", "BOB", "Bobby", "B", "Bo", "Rob", "Bob1", "Bob.", "'Bob'", "Bob,Alice", "Alice,Bob",
    "Bob%00", "%42ob",
)  # fmt: skip
"""Names that an exact rule for Bob does not mean."""

SPELLINGS: Final = ("User", "user", "USER")
"""Names of headers do not differ by case."""


def keyed(steps: Sequence[Step], keys: int) -> tuple[Step, ...]:
    """So many users, each with the next line: `user-1`, `user-2`, and so on; none is Bob."""
    return tuple(
        _by(steps[number % len(steps)], OTHERS, f"user-{number + 1}") for number in range(keys)
    )


def lookalikes(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Every line, and after each of Bob's one by somebody whose name only looks like his.

    Bob's own header is spelled in every case.
    """
    mixed: list[Step] = []
    spellings, names = cycle(SPELLINGS), cycle(LOOKALIKES)
    for step in steps:
        if step.who != BOB:
            mixed.append(step)
            continue
        mixed.append(_by(step, BOB, BOB, next(spellings)))
        mixed.append(_by(step, OTHERS, next(names)))
    return tuple(mixed)


def _by(step: Step, who: str, user: str, header: str = "User") -> Step:
    rest = {name: value for name, value in step.headers.items() if name != "User"}
    return step._replace(who=who, user=user, headers={header: user, **rest})

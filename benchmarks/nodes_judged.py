"""Changes through several nodes, and whether any was lost or is out of order.

Every change carries a text of its own. What was acknowledged is looked for in the database in the
end, and its revisions must be in the order in which the changes were asked for and acknowledged:
one that ended before another began has the lower revision, whichever nodes they went through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter

import psycopg

from benchmarks.steering import ALIAS, Line


@dataclass(frozen=True, slots=True)
class Accepted:
    """A change that was acknowledged.

    Attributes:
        began: When it was asked for.
        ended: When it was acknowledged.
        revision: Its revision, as its node said.
        text: What it carries.
    """

    began: float
    ended: float
    revision: int
    text: str


@dataclass(slots=True)
class Outcome:
    """What happened to the callers and to the changes.

    Attributes:
        answers: Requests of callers that were answered 200.
        lost: Requests that were answered otherwise, or not at all.
        accepted: The changes that were acknowledged.
        refused: How many changes were not.
        caught_up: Seconds from the return of the database until all nodes had the newest revision.
    """

    answers: int = 0
    lost: list[str] = field(default_factory=list)
    accepted: list[Accepted] = field(default_factory=list)
    refused: int = 0
    caught_up: list[float] = field(default_factory=list)


async def change(control: Line, text: str) -> Accepted:
    """Make one change."""
    began = perf_counter()
    body = {"version": "1234"[hash(text) % 4], "description": text}
    answer = await control.change("PUT", ALIAS, body)
    return Accepted(began, perf_counter(), answer["revision"], text)


def missing(url: str, accepted: Sequence[Accepted]) -> list[str]:
    """The acknowledged changes that the database does not have at their revisions."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT revision, change FROM gateway_records").fetchall()
    kept: dict[int, str] = dict(rows)
    if sorted(kept) != list(range(1, len(kept) + 1)):
        return ["revisions are missing"]
    return [
        f"{one.text!r} at revision {one.revision}"
        for one in accepted
        if f'"{one.text}"' not in kept.get(one.revision, "")
    ]


def disordered(accepted: Sequence[Accepted]) -> list[str]:
    """Changes with a lower revision than one that was acknowledged before they were asked for."""
    found = []
    ended = sorted(accepted, key=lambda one: one.ended)
    highest, position = 0, 0
    for one in sorted(accepted, key=lambda one: one.began):
        while position < len(ended) and ended[position].ended < one.began:
            highest = max(highest, ended[position].revision)
            position += 1
        if one.revision <= highest:
            found.append(f"{one.text!r} has revision {one.revision}, after {highest}")
    return found

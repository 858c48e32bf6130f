"""Which answers, or which keys, a question is about; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from gateway.verdict.stickiness import Stickiness
from gateway.verdict.sticky import MOVED
from loadtests.expectations import Expectation
from loadtests.tally import Cell, Tally
from loadtests.terms import Terms


def questions(tally: Tally, terms: Terms) -> tuple[Expectation, ...]:
    """The expectations, those of sticky keys one for each revision: between two, keys may move."""
    if not terms.by_keys:
        return terms.expectations
    asked: list[Expectation] = []
    for expectation in terms.expectations:
        seen = sorted(
            {revision for stage, revision in tally.keys if stage == expectation.stage},
            key=lambda revision: (len(revision), revision),
        )
        if len(seen) > 1:
            asked += [replace(expectation, revision=revision) for revision in seen]
        else:
            asked.append(expectation)
    return tuple(asked)


def cells_of(expectation: Expectation, tally: Tally, terms: Terms) -> Counter[Cell]:
    """The answers that an expectation is about."""
    named = {each.who for each in terms.expectations if each.stage == expectation.stage}
    return Counter(
        {
            cell: count
            for cell, count in tally.answers.items()
            if cell.stage == expectation.stage
            and (cell.who == expectation.who if expectation.who else cell.who not in named)
            and expectation.revision in {"", cell.revision}
        }
    )


def keys_of(expectation: Expectation, tally: Tally) -> Stickiness:
    """The keys that an expectation is about."""
    found = [
        keys
        for (stage, revision), keys in tally.keys.items()
        if stage == expectation.stage and expectation.revision in {"", revision}
    ]
    return found[0] if found else Stickiness()


def counted(expectation: Expectation, tally: Tally, terms: Terms) -> dict[str, int]:
    """What a split is judged by: answers by version, or keys that stayed by version."""
    if not terms.by_keys:
        return versions(cells_of(expectation, tally, terms))
    return homes(keys_of(expectation, tally))


def versions(cells: Mapping[Cell, int]) -> dict[str, int]:
    """Answers by version."""
    counts: Counter[str] = Counter()
    for cell, count in cells.items():
        counts[cell.version] += count
    return dict(counts)


def homes(keys: Stickiness) -> dict[str, int]:
    """Keys by the one version on which they stayed; the others are on a version of their own."""
    return dict(
        Counter(next(iter(seen)) if len(seen) == 1 else MOVED for seen in keys.sightings.values())
    )

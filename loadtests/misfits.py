"""What no chance explains: one such answer fails the run; pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from loadtests.expectations import Expectation
from loadtests.samples import cells_of
from loadtests.tally import Tally
from loadtests.terms import Terms


def misfits(tally: Tally, terms: Terms, asked: tuple[Expectation, ...]) -> tuple[str, ...]:
    """One sentence for each kind."""
    return (
        *_wrong_reasons(tally, terms, asked),
        *_broken_laws(tally),
        *_outdated(tally),
        *(_strange_revisions(tally, asked) if terms.revisions_known else ()),
    )


def _wrong_reasons(tally: Tally, terms: Terms, asked: tuple[Expectation, ...]) -> Iterator[str]:
    """What gave another reason than the only one it may give."""
    for expectation in asked:
        wrong: Counter[tuple[str, str]] = Counter()
        for cell, count in cells_of(expectation, tally, terms).items():
            wanted = expectation.reasons.get(cell.version, cell.reason)
            if cell.reason != wanted:
                wrong[cell.version, cell.reason] += count
        for (version, reason), count in sorted(wrong.items()):
            yield (
                f"{expectation.name}: version {version} answered {count:,} times for the reason"
                f" {reason!r}; only {expectation.reasons[version]!r} is expected of it"
            )


def _broken_laws(tally: Tally) -> Iterator[str]:
    """What no configuration explains: one revision of a stage has one version per rule or main."""
    seen: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for cell in tally.answers:
        seen[cell.stage, cell.revision][cell.reason].add(cell.version)
    for (stage, revision), reasons in sorted(seen.items()):
        where = f"{stage} at revision {revision or '?'}"
        for reason, found in sorted(reasons.items()):
            if len(found) > 1 and (reason in {"main", "pinned"} or reason.startswith("rule:")):
                yield f"{where}: {' and '.join(sorted(found))} all claim the reason {reason!r}"
        for version in sorted(reasons["main"] & reasons["weight"]):
            yield f"{where}: version {version} claims to be the main version and to have a weight"


def _outdated(tally: Tally) -> Iterator[str]:
    """A change holds for every request that is sent after it was answered."""
    late: Counter[tuple[str, str]] = Counter()
    for cell, count in tally.outdated.items():
        late[cell.stage, cell.revision] += count
    for (stage, revision), count in sorted(late.items()):
        yield (
            f"{stage}: {count:,} answers at revision {revision} to requests that were sent after"
            " it had been replaced"
        )


def _strange_revisions(tally: Tally, asked: tuple[Expectation, ...]) -> Iterator[str]:
    """Somebody else has changed the routing, and what it should be is not known."""
    stages = {each.stage for each in asked}
    known = {each.revision for each in asked}
    strange: Counter[tuple[str, str]] = Counter()
    for cell, count in tally.answers.items():
        if cell.stage in stages and cell.revision not in known:
            strange[cell.stage, cell.revision] += count
    for (stage, revision), count in sorted(strange.items()):
        yield f"{stage}: {count:,} answers at revision {revision}, which this test did not make"

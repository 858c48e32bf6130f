"""What was left out, and why, in sentences: a verdict on a part must not pass for one on all."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.traffic.observed import Leavings, Observed


def notes(observed: Observed) -> Iterator[str]:
    """Every sentence that there is to say."""
    yield from _left(observed.leavings)
    if observed.leavings.unstaged:
        [stage] = observed.expected
        yield f"the records name no stage; they were taken as those of {stage!r}"
    for what, count in observed.misfits.items():
        yield f"{what}: {_times(count)}"
    for stage, expected in observed.expected.items():
        hit = {split.rule for split in observed.counts if split.stage == stage}
        for rule in expected.rules.keys() - hit:
            yield f"no request hit {rule} of {stage}; nothing is known of it"
    yield from _strangers(observed)
    if not all(keys.complete for keys in observed.keys.values()):
        yield "there were more keys than can be kept; a fair sample of them was judged"


def _strangers(observed: Observed) -> Iterator[str]:
    """A hint, where a split has none of the versions that it should have."""
    for split, counts in observed.counts.items():
        shares = observed.expected[split.stage].shares
        if not split.rule and not counts.keys() & shares.keys():
            seen, wanted = min(counts), next(iter(shares))
            hint = f"does it stand for one, as in --map {seen}={wanted}?"
            yield f"no expected version was seen, but {seen!r}: {hint}"


def _left(leavings: Leavings) -> Iterator[str]:
    for why, (count, lines) in leavings.unusable.items():
        some = ", ".join(map(str, lines)) + (", ..." if count > len(lines) else "")
        number = "line" if count == 1 else "lines"
        yield f"{_records(count)} left out, {why}: {number} {some}"
    if leavings.filtered:
        yield f"{_records(leavings.filtered)} left out, not asked for"
    if leavings.elsewhere:
        yield f"{_records(leavings.elsewhere)} left out, of other stages"
    if leavings.pinned:
        yield f"{_records(leavings.pinned)} left out, whose version the caller had named"
    if leavings.keyless:
        yield f"{_records(leavings.keyless)} left out, without a sticky key"


def _records(count: int) -> str:
    return f"{count:,} record{'' if count == 1 else 's'}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"

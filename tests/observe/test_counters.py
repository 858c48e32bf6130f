"""Counters: every answer once, under its label and its status."""

from __future__ import annotations

from gateway.observe import Counters, Label, Seen, count


def label(stage: str, version: str, reason: str = "main") -> Label:
    """The label of an answer of `orders@release`."""
    return Label(stage, "orders", "release", version, reason)


def test_nothing_was_answered_in_the_beginning() -> None:
    """No versions and a total of none."""
    counters = Counters()
    assert (counters.total(), counters.by_version()) == (0, {})


def test_versions_are_counted_by_stage_function_and_qualifier() -> None:
    """Whatever the reason and the status; reasons and statuses are added up."""
    counters = Counters()
    for times, stage, version, reason, status in [
        (3, "release", "1", "main", 200),
        (2, "release", "1", "rule:1", 201),
        (1, "release", "2", "weight", 200),
        (1, "prepub", "1", "main", 200),
    ]:
        for _ in range(times):
            count(counters.tally(label(stage, version, reason)), status)
    assert counters.by_version() == {
        ("prepub", "orders", "release"): {"1": Seen(1, 0)},
        ("release", "orders", "release"): {"1": Seen(5, 0), "2": Seen(1, 0)},
    }
    assert counters.total() == 7


def test_answers_of_no_version_count_in_the_total_alone() -> None:
    """A mock, an unknown path, an unknown stage."""
    counters = Counters()
    for empty in (Label("dev"), Label("dev"), Label()):
        count(counters.tally(empty), 404)
    assert (counters.total(), counters.by_version()) == (3, {})


def test_errors_are_function_status_codes_and_server_errors() -> None:
    """What is below 430 is the caller's mistake or the function's own word."""
    counters = Counters()
    for status in (200, 304, 403, 404, 429, 430, 433, 500, 599):
        count(counters.tally(label("release", "1")), status)
    assert counters.by_version() == {("release", "orders", "release"): {"1": Seen(9, 4)}}


def test_a_tally_without_answers_shows_nowhere() -> None:
    """Whoever will answer takes it beforehand; the same label has the same tally."""
    counters = Counters()
    tally = counters.tally(label("release", "1"))
    assert (counters.total(), counters.by_version()) == (0, {})
    count(tally, 200)
    assert counters.tally(label("release", "1")) == {200: 1}
    assert counters.by_version() == {("release", "orders", "release"): {"1": Seen(1, 0)}}


def test_malformed_answers_are_errors_and_a_403_that_a_function_means_is_none() -> None:
    """They have the same status and are counted apart."""
    counters = Counters()
    count(counters.tally(label("release", "1")), 403)
    count(counters.malformed(label("release", "1")), 403)
    count(counters.tally(label("release", "1")), 407)
    assert counters.by_version() == {("release", "orders", "release"): {"1": Seen(3, 2)}}
    assert counters.total() == 3

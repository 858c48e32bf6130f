"""Counters: every answer once, under its label and its status."""

from __future__ import annotations

import pytest

from gateway.observe import Counters, Label, Seen


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
            counters.cell(label(stage, version, reason)).count(status)
    assert counters.by_version() == {
        ("prepub", "orders", "release"): {"1": Seen(1, 0)},
        ("release", "orders", "release"): {"1": Seen(5, 0), "2": Seen(1, 0)},
    }
    assert counters.total() == 7


def test_answers_of_no_version_count_in_the_total_alone() -> None:
    """A mock, an unknown path, an unknown stage."""
    counters = Counters()
    for empty in (Label("dev"), Label("dev"), Label()):
        counters.cell(empty).count(404)
    assert (counters.total(), counters.by_version()) == (3, {})


def test_errors_are_function_status_codes_and_server_errors() -> None:
    """What is below 430 is the caller's mistake or the function's own word."""
    counters = Counters()
    for status in (200, 304, 403, 404, 429, 430, 433, 500, 599):
        counters.cell(label("release", "1")).count(status)
    assert counters.by_version() == {("release", "orders", "release"): {"1": Seen(9, 4)}}


def test_a_cell_without_answers_shows_nowhere() -> None:
    """Whoever will answer takes it beforehand; the same label has the same cell."""
    counters = Counters()
    cell = counters.cell(label("release", "1"))
    assert (counters.total(), counters.by_version()) == (0, {})
    cell.count(200)
    assert counters.cell(label("release", "1")) is cell
    assert counters.by_version() == {("release", "orders", "release"): {"1": Seen(1, 0)}}


def test_malformed_answers_are_errors_and_a_403_that_a_function_means_is_none() -> None:
    """They have the same status and are counted apart."""
    counters = Counters()
    counters.cell(label("release", "1")).count(403)
    counters.cell(label("release", "1"), malformed=True).count(403)
    counters.cell(label("release", "1")).count(407)
    assert counters.by_version() == {("release", "orders", "release"): {"1": Seen(3, 2)}}
    assert counters.total() == 3


@pytest.mark.parametrize(
    ("status", "malformed", "kind"),
    [
        (200, False, ""), (403, False, ""), (406, False, ""), (429, False, ""),
        (403, True, "malformed"), (407, False, "too-large"), (430, False, "exception"),
        (432, False, "throttled"), (433, False, "timeout"), (434, False, "memory"),
        (439, False, "exit"), (443, False, "function"), (499, False, "caller-gone"),
        (500, False, "server"), (504, False, "server"),
    ],
)  # fmt: skip
def test_errors_have_kinds(status: int, malformed: bool, kind: str) -> None:
    """What counts as an error has one, and nothing else has."""
    counters = Counters()
    cell = counters.cell(label("release", "1"), malformed=malformed)
    cell.count(status)
    assert cell.kind(status) == kind
    assert counters.by_version()["release", "orders", "release"]["1"].errors == bool(kind)


def test_tallies_tell_errors_by_kind_and_what_came_too_fast() -> None:
    """By stage and version, whatever the reason; answers of no version have none."""
    counters = Counters()
    for status, reason in [(200, "main"), (429, "main"), (432, "rule:1"), (500, "main")]:
        counters.cell(label("release", "1", reason)).count(status)
    counters.cell(label("release", "1"), malformed=True).count(403)
    counters.cell(Label("release")).count(404)
    ((whose, tally),) = counters.tallies().items()
    assert whose == ("release", "orders", "release", "1")
    assert (tally.requests, tally.errors, tally.throttled) == (5, 3, 2)
    assert tally.kinds == {"throttled": 1, "server": 1, "malformed": 1}

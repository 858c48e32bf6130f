"""A record says what its fields say: under their usual names, or those that were given."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.traffic.observed_fields import Fields, Looker, Sighting, moment
from gateway.traffic.observed_filters import (
    UnreadableCondition,
    condition,
    every,
    within,
)

Json = dict[str, Any]


def look(record: dict[str, Any], **fields: Any) -> Sighting:  # noqa: ANN401 - of `Fields`
    """What a record says by such fields."""
    return Looker(Fields(**fields))(record)


@pytest.mark.parametrize(
    ("record", "sighting"),
    [
        pytest.param({}, Sighting(None), id="nothing"),
        pytest.param(
            {
                "at": 1.5,
                "stage": "release",
                "answer": {"version": 2, "reason": "weight", "status": 200, "seconds": 0.5,
                           "revision": 7},
            },
            Sighting("2", "release", "weight", 1.5, 200, 0.5, None, "7"),
            id="a recording",
        ),
        pytest.param(
            {"version": "1", "time": "2015-05-17T10:05:03Z", "status": "x", "seconds": "-"},
            Sighting("1", at=1431857103.0),
            id="no numbers",
        ),
        pytest.param(
            {"x_gateway_version": "$LATEST", "time_local": "17/May/2015:10:05:03 +0000"},
            Sighting("$LATEST", at=1431857103.0),
            id="nginx",
        ),
    ],
)  # fmt: skip
def test_usual_names_are_found(record: dict[str, Any], sighting: Sighting) -> None:
    """Those of the gateway's own records, and of servers in front of it."""
    assert look(record) == sighting


def test_records_may_differ_in_what_they_have() -> None:
    """One has its version here, the next one there."""
    looker = Looker(Fields())
    seen = [looker(record).version for record in ({"version": 1}, {"answer": {"version": 2}}, {})]
    assert seen == ["1", "2", None]


@pytest.mark.parametrize(
    ("answer", "version"), [({"version": 2}, "2"), ({}, None)], ids=["later", "nowhere"]
)
def test_a_field_that_is_empty_gives_way_to_the_next(answer: Json, version: str | None) -> None:
    """Of the usual names of a thing, the first that tells it counts."""
    assert look({"version": "-", "answer": answer}).version == version
    assert look({"version": 1, "answer": answer}).version == "1"


def test_records_of_very_many_kinds_are_read_all_the_same() -> None:
    """What is remembered of them is bounded."""
    looker = Looker(Fields())
    seen = [looker({f"field-{number}": 1, "version": number}).version for number in range(300)]
    assert seen == [str(number) for number in range(300)]


def test_named_fields_are_the_only_ones() -> None:
    """What was named is not looked for elsewhere."""
    record = {"version": "1", "v": "2", "ms": "20", "user": "amy", "pod": "a"}
    fields: dict[str, Any] = {"named": {"version": "v", "latency": "ms"}, "unit": "ms"}
    seen = look(record, **fields, key="user", by=("pod", "zone"))
    assert seen == Sighting("2", seconds=0.02, key="amy", by=("a", "-"))
    assert look({"version": "1"}, named={"version": "v"}).version is None


@pytest.mark.parametrize(
    ("value", "version"),
    [
        ("127.0.0.1:9001", "1"),
        ("127.0.0.1:9002", "2"),
        ("127.0.0.1:9003", "127.0.0.1:9003"),
        ("127.0.0.1:9001, 127.0.0.1:9002", "2"),
        ("127.0.0.1:9001 : 127.0.0.1:9002", "2"),
    ],
)
def test_values_stand_for_versions(value: str, version: str) -> None:
    """Of several servers that were tried, the last one answered."""
    versions = {"127.0.0.1:9001": "1", "127.0.0.1:9002": "2"}
    assert look({"version": value}, versions=versions).version == version


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        ("1431857103.25", 1431857103.25),
        ("1431857103250", 1431857103.25),
        ("2015-05-17T10:05:03", 1431857103.0),
        ("2015-05-17T12:05:03+02:00", 1431857103.0),
        ("17/May/2015:12:05:03 +0200", 1431857103.0),
        ("yesterday", None),
        ("nan", None),
        ("-1", None),
    ],
)
def test_moments_are_read_as_logs_write_them(text: str | None, seconds: float | None) -> None:
    """Without a time zone they are UTC."""
    assert moment(text) == seconds


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("a=1", True),
        ("a=2", False),
        ("a!=2", True),
        ("a!=1", False),
        ("b^=/rel", True),
        ("b^=x", False),
        ("b=/release/a=c", True),
        ("c=", True),
        ("c!=x", True),
    ],
)
def test_a_condition_holds_or_not(text: str, *, held: bool) -> None:
    """A field that is absent is the empty text."""
    assert condition(text)({"a": 1, "b": "/release/a=c"}) is held


@pytest.mark.parametrize("text", ["", "a", "=1", "!=1"])
def test_what_is_no_condition_is_refused(text: str) -> None:
    """With how one is written."""
    with pytest.raises(UnreadableCondition, match="FIELD=VALUE"):
        condition(text)


def test_all_conditions_must_hold() -> None:
    """No condition is none, and costs nothing."""
    assert every([]) is None
    both = every([condition("a=1"), condition("b=2")])
    assert both is not None
    assert both({"a": 1, "b": 2})
    assert not both({"a": 1, "b": 3})


@pytest.mark.parametrize(
    ("at", "since", "until", "inside"),
    [
        (None, None, None, True),
        (None, 1.0, None, False),
        (1.0, 1.0, None, True),
        (0.9, 1.0, None, False),
        (2.0, None, 2.0, False),
        (1.9, 1.0, 2.0, True),
    ],
)
def test_a_window_begins_with_its_beginning(
    at: float | None, since: float | None, until: float | None, *, inside: bool
) -> None:
    """And ends before its end; what has no time is in none."""
    assert within(Sighting("1", at=at), since, until) is inside

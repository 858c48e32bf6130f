"""Profiles: the options of a rewriting in a file, with every mistake at its place."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import ConfigurationInvalid
from gateway.core.errors import Refused
from gateway.traffic.mapping import HeaderEdit, HostMap, PathMap
from gateway.traffic.profile import KEYS, duration, parse_rewriting, read_profile
from gateway.traffic.rewriting import Rewriting

WHOLE = """\
user_from = "invoke.cookies.sid"
paths = ["/shop/ -> /", "~/v[0-9]+(/.*) -> \\\\1"]
hosts = ["* -> localhost:8080"]
remove_headers = ["Authorization", "X-*"]
sample = 0.1
sample_by = "request"
from = "10m"
until = 3600
loop = 2

[set_headers]
User = "{user}"
"""


def test_a_whole_profile(tmp_path: Path) -> None:
    """Every key of it."""
    path = tmp_path / "profile.toml"
    path.write_text(WHOLE, encoding="utf-8")
    raw = read_profile(path)
    assert set(raw) == set(KEYS)
    assert parse_rewriting(raw, "it") == Rewriting(
        user_from="invoke.cookies.sid",
        paths=(PathMap.parse("/shop/ -> /"), PathMap.parse(r"~/v[0-9]+(/.*) -> \1")),
        hosts=(HostMap.parse("* -> localhost:8080"),),
        headers=HeaderEdit.parse(("Authorization", "X-*"), {"User": "{user}"}),
        sample=0.1,
        sample_by="request",
        begin=600.0,
        end=3600.0,
        loop=2,
    )


def test_an_empty_profile_alters_nothing() -> None:
    """Nothing is required."""
    assert parse_rewriting({}, "it") == Rewriting()
    assert parse_rewriting({"user_from": ""}, "it") == Rewriting()


MISTAKES = """\
user_from = "adress"
paths = ["/a", 7, "~( -> /"]
hosts = "x"
remove_headers = ["a b", "c"]
sample = 1.5
sample_by = "users"
from = "soon"
until = -1
loop = 0
pats = []

[set_headers]
a = 1
"b c" = "d"
"""


def test_every_mistake_is_told_at_its_place(tmp_path: Path) -> None:
    """All of them at once, in the order of the file."""
    path = tmp_path / "profile.toml"
    path.write_text(MISTAKES, encoding="utf-8")
    with pytest.raises(ConfigurationInvalid) as invalid:
        read_profile(path)
    found = [(each.line, each.column, each.code) for each in invalid.value.diagnostics]
    assert found == [
        (1, 13, "unknown-key"),
        (2, 10, "bad-mapping"),
        (2, 16, "wrong-type"),
        (2, 19, "bad-mapping"),
        (3, 9, "wrong-type"),
        (4, 19, "bad-header"),
        (5, 10, "bad-sample"),
        (6, 13, "unknown-value"),
        (7, 8, "bad-time"),
        (8, 9, "bad-time"),
        (9, 8, "bad-loop"),
        (10, 1, "unknown-key"),
        (13, 5, "wrong-type"),
        (14, 9, "bad-header"),
    ]
    assert "did you mean 'paths'?" in str(invalid.value)


REFUSED: dict[str, tuple[dict[str, object], str]] = {
    "a window without time": (
        {"from": "2h", "until": 3600},
        "the window ends at 3600 s, before it begins at 7200 s",
    ),
    "no number of a sample": ({"sample": "half"}, "sample is 'half'; allowed: a share above 0"),
    "no share": ({"sample": Decimal("NaN")}, "sample is NaN; allowed: a share above 0"),
    "a sample of nothing": ({"sample": 0}, "sample is 0; allowed: a share above 0"),
    "a sample that is true": ({"sample": True}, "sample is True; allowed: a share above 0"),
    "half a round": ({"loop": 1.5}, "loop is 1.5; allowed: a whole number from 1"),
    "a round that is true": ({"loop": True}, "loop is True; allowed: a whole number from 1"),
}


@pytest.mark.parametrize(("raw", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_meant_is_refused(raw: dict[str, object], sentence: str) -> None:
    """With what is allowed."""
    with pytest.raises(Refused) as refused:
        parse_rewriting(raw, "the rewriting")
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("90", 90.0),
        ("90s", 90.0),
        ("250ms", 0.25),
        ("1.5m", 90.0),
        ("1h30m", 5400.0),
        ("1h 30m", 5400.0),
        ("2d", 172_800.0),
        (7, 7.0),
        (0, 0.0),
        (Decimal("0.5"), 0.5),
    ],
)
def test_times(value: object, seconds: float) -> None:
    """As numbers or in units."""
    assert duration(value) == seconds


@pytest.mark.parametrize(
    "value", ["", "m", "1x", "1h30", "-1", "1 000s!", -1, True, None, [], 1e999]
)
def test_times_that_are_none(value: object) -> None:
    """With what is allowed."""
    with pytest.raises(ValueError, match="is no time; allowed: seconds, or such as 90s"):
        duration(value)


@given(st.dictionaries(st.sampled_from([*KEYS, "x"]), st.none() | st.text() | st.integers()))
def test_any_table_is_a_rewriting_or_refused(raw: dict[str, object]) -> None:
    """Nothing else can happen."""
    with suppress(Refused):
        assert isinstance(parse_rewriting(raw, "it"), Rewriting)

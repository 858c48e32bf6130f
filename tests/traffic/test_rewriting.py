"""Recorded requests altered on their way: users, samples, windows, rounds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import Refused
from gateway.traffic.mapping import HeaderEdit, HostMap, PathMap
from gateway.traffic.recording import Recorded
from gateway.traffic.rewriting import NOTHING, Rewriting, sample_draw, user_key
from gateway.traffic.view import RecordedView

BASE = Recorded(
    1.0,
    "POST",
    "/shop/a",
    "u=3&u=4",
    (
        ("Cookie", 'a=1; sid="5"'),
        ("User", "Bob"),
        ("user", "Al"),
        ("X-Forwarded-For", "192.0.2.1, 192.0.2.2"),
    ),
    b'{"user": {"id": 7}, "ids": ["x"]}',
    "before",
)


def requests(number: int, users: int = 1) -> list[Recorded]:
    """Requests of some users in turn, one each second."""
    return [
        Recorded(float(n), "GET", f"/{n}", user=f"user {n % users}" if users else None)
        for n in range(number)
    ]


def paths(found: Iterator[Recorded]) -> list[str]:
    """What is left."""
    return [request.path for request in found]


def test_nothing_costs_nothing() -> None:
    """The requests themselves come through."""
    given_ = requests(3)
    assert all(a is b for a, b in zip(NOTHING.once(given_), given_, strict=True))
    assert all(a is b for a, b in zip(NOTHING.over(lambda: given_), given_, strict=True))


KEYS = {
    "address": "192.0.2.1",
    "invoke.headers.User": "Bob, Al",
    "invoke.headers.Missing": None,
    "invoke.cookies.sid": "5",
    "invoke.cookies.a": "1",
    "invoke.cookies.b": None,
    "invoke.query.u": "4",
    "invoke.query.v": None,
    "invoke.body.$.user.id": "7",
    "invoke.body.$.ids[0]": "x",
    "invoke.body.$..id": "7",
    "invoke.body.$.none": None,
}


@pytest.mark.parametrize(("key", "user"), KEYS.items(), ids=KEYS)
def test_who_the_user_is(key: str, user: str | None) -> None:
    """By the keys that rules have, and the client's address."""
    [request] = Rewriting(user_from=key).once([BASE])
    assert request == BASE._replace(user=user)


@pytest.mark.parametrize("headers", [(), (("X-Forwarded-For", " ,a"),)], ids=["none", "empty"])
def test_an_address_that_nobody_wrote_down(headers: tuple[tuple[str, str], ...]) -> None:
    """Is none."""
    assert user_key("address")(BASE._replace(headers=headers)) is None


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
def test_bodies_that_are_no_json_tell_no_user(body: bytes) -> None:
    """And are no error."""
    assert user_key("invoke.body.$.a")(BASE._replace(body=body)) is None


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("adress", "'adress' is none that rules can read; allowed: "),
        ("invoke.path.id", "cannot tell users: recordings know no API's path"),
        ("invoke.body.user", "does not start with '$'"),
        ("invoke.headers.a b", "cannot be the name of a header"),
    ],
)
def test_keys_that_tell_no_user(key: str, sentence: str) -> None:
    """Are refused when they are given."""
    with pytest.raises(Refused) as refused:
        Rewriting(user_from=key)
    assert sentence in str(refused.value)


def test_a_recorded_request_has_no_path_parameters() -> None:
    """No API is known that would name them."""
    assert RecordedView(BASE).path_parameter("id") is None


def test_paths_hosts_and_headers() -> None:
    """The first map that fits counts; the user is known before headers are set."""
    rewriting = Rewriting(
        user_from="invoke.query.u",
        paths=(PathMap.parse("/x -> /y"), PathMap.parse("/shop -> /"), PathMap.parse("/ -> /z")),
        hosts=(HostMap.parse("other -> a"), HostMap.parse("* -> b"), HostMap.parse("* -> c")),
        headers=HeaderEdit.parse(("cookie", "x-*"), {"User": "{user}"}),
    )
    [request] = rewriting.once([BASE])
    assert request == BASE._replace(path="/a", user="4", headers=(("Host", "b"), ("User", "4")))


def test_what_no_map_fits_stays() -> None:
    """Path and host."""
    rewriting = Rewriting(paths=(PathMap.parse("/x -> /y"),), hosts=(HostMap.parse("x -> y"),))
    assert list(rewriting.once([BASE])) == [BASE]


def test_a_sample_keeps_whole_users() -> None:
    """About as many as its share says, and the same in every process."""
    rewriting = Rewriting(sample=0.25)
    kept = list(rewriting.once(requests(8000, users=2000)))
    counts: dict[str | None, int] = {}
    for request in kept:
        counts[request.user] = counts.get(request.user, 0) + 1
    assert set(counts.values()) == {4}
    assert 430 < len(counts) < 570
    assert kept == list(rewriting.once(requests(8000, users=2000)))


def test_a_larger_sample_keeps_the_users_of_a_smaller_one() -> None:
    """So that one can be compared with the other."""
    small, large = (
        {request.user for request in Rewriting(sample=share).once(requests(500, users=500))}
        for share in (0.1, 0.3)
    )
    assert small < large


@pytest.mark.parametrize("users", [0, 1], ids=["nobody", "one user"])
def test_a_sample_of_requests(users: int) -> None:
    """Also of those that no user sent."""
    by = "request" if users else "user"
    rewriting = Rewriting(sample=0.25, sample_by=by)  # type: ignore[arg-type]
    assert 430 < len(list(rewriting.once(requests(2000, users)))) < 570


@given(st.text())
def test_draws_of_a_sample(key: str) -> None:
    """Always the same, in [0, 1)."""
    assert 0 <= sample_draw(key) == sample_draw(key) < 1


@pytest.mark.parametrize(
    ("begin", "end", "left"),
    [
        (0.0, None, ["/0", "/1", "/2", "/3", "/4"]),
        (2.0, None, ["/2", "/3", "/4"]),
        (0.0, 2.0, ["/0", "/1"]),
        (1.5, 3.0, ["/2"]),
        (9.0, None, []),
    ],
)
def test_windows(begin: float, end: float | None, left: list[str]) -> None:
    """The end is not inside; times count from the beginning of the window."""
    found = list(Rewriting(begin=begin, end=end).once(requests(5)))
    assert paths(iter(found)) == left
    assert all(request.at == int(request.path[1:]) - begin for request in found)


@pytest.mark.parametrize(
    ("rewriting", "number", "times"),
    [
        (Rewriting(loop=2), 3, [0, 1, 2, 3, 4, 5]),
        (Rewriting(loop=3), 1, [0, 1, 2]),
        (Rewriting(loop=2), 0, []),
        (Rewriting(loop=2, end=10.0), 2, [0, 1, 10, 11]),
        (Rewriting(loop=2, begin=1.0, end=3.0), 4, [0, 1, 2, 3]),
        (Rewriting(loop=2, begin=1.0), 3, [0, 1, 2, 3]),
    ],
    ids=["rounds", "of one request", "of none", "of a window", "a part of it", "an open one"],
)
def test_rounds(rewriting: Rewriting, number: int, times: list[float]) -> None:
    """One begins a usual gap after the other, or where a window ends."""
    played = []

    def play() -> Iterator[Recorded]:
        played.append(number)
        return iter(requests(number))

    assert [request.at for request in rewriting.over(play)] == times
    assert len(played) == rewriting.loop

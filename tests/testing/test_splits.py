"""`assert_split`: what passes, what fails, and what it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from gateway.testing import RunningGateway, assert_split, running_gateway
from gateway.testing.splits import USUAL, _watched
from gateway.verdict import Unjudgeable

pytestmark = pytest.mark.sockets

ALIASES: dict[str, dict[str, Any]] = {
    "dev": {
        "version": "1",
        "weights": {"2": 0.5},
        "split": "sticky",
        "sticky_by": "invoke.query.u",
    },
    "prepub": {
        "version": "1",
        "rules": [{"when": "invoke.headers.User exact Bob", "version": "2"}],
    },
    "release": {"version": "1", "weights": {"2": 0.1}},
}
TENTH = {"1": 0.9, "2": 0.1}


@pytest.fixture(scope="module")
def served() -> Iterator[RunningGateway]:
    """One gateway for all tests; nothing here moves its aliases."""
    apis: list[dict[str, Any]] = [
        {"method": "GET", "path": "=/ping", "mock": {"body": "pong"}},
        {"method": "POST", "path": "/orders/{id}", "function": "orders"},
    ]
    with running_gateway(
        functions={"orders": {"1": "one", "2": "two"}},
        aliases={"orders": ALIASES},
        stages={stage: stage for stage in ALIASES},
        apis=apis,
    ) as gateway:
        yield gateway


def test_a_right_split_passes(served: RunningGateway) -> None:
    """Watched until it is decided, or judged once; requests fit the stage's first function."""
    watched = assert_split(served, "release", TENTH)
    assert 100 < sum(watched.values()) < 2_257  # fewer than the exact test would need
    once = assert_split(served, "release", TENTH, requests=2_500)
    assert sum(once.values()) == 2_500


@pytest.mark.parametrize(
    ("user", "version"), [pytest.param("Bob", "2", id="Bob"), pytest.param("Eve", "1", id="Eve")]
)
def test_what_is_sent_can_be_said(served: RunningGateway, user: str, version: str) -> None:
    """Headers that a rule reads, method, path and body."""
    counts = assert_split(
        served,
        "prepub",
        {version: 1.0},
        headers={"User": user},
        path="/orders/9",
        method="POST",
        body="{}",
    )
    assert counts == {version: 90}  # as many as show that 5 points are nobody else's


def test_headers_may_differ_from_request_to_request(served: RunningGateway) -> None:
    """Every other request is Bob's."""

    def headers(number: int) -> Mapping[str, str]:
        return {"User": "Bob" if number % 2 else "Eve"}

    counts = assert_split(served, "prepub", {"1": 0.5, "2": 0.5}, headers=headers)
    assert abs(counts["1"] - counts["2"]) <= 1


@pytest.mark.parametrize(
    ("expected", "given_", "lines"),
    [
        pytest.param(
            {"1": 0.5, "2": 0.5},
            {"requests": 1_000},
            [
                "stage 'release' failed: version ",
                "VERSION  EXPECTED  REQUESTS  SHARE ",  # as wide as what chance has brought
                "1        50 %      ",
                "2        50 %      ",
                "a right split fails with probability <= 1e-06; one that is off by 5 points passes",
                "seed 0, revision 1",
            ],
            id="judged once",
        ),
        pytest.param(
            {"1": 0.5, "2": 0.5},
            {},
            [
                "stage 'release' failed: ",
                "VERSION  EXPECTED  REQUESTS  SHARE ",
                "1        50 %      ",
                "2        50 %      ",
                "a right split fails with probability <= 1e-06, however often it is looked at;",
                "seed 0, revision 1",
            ],
            id="watched",
        ),
        pytest.param(
            {"1": 0.9, "3": 0.1},
            {},
            [
                "stage 'release' failed: ",
                "VERSION  EXPECTED  REQUESTS  SHARE ",
                "1        90 %      ",
                "3        10 %      0",
                "2        0 %       1",
                "a right split fails ",
                "seed 0, revision 1",
            ],
            id="a version that nobody expects",
        ),
        pytest.param(
            TENTH,
            {"requests": 100},
            [
                "stage 'release' undecided: 100 requests could only have shown a deviation of ",
                "VERSION ",
                "1        90 % ",
                "2        10 % ",
                "a right split fails ",
                "seed 0, revision 1",
            ],
            id="too few",
        ),
        pytest.param(
            TENTH,
            {"requests": 0},
            [
                "stage 'release' undecided: no requests were counted; 2,257 are needed",
                "VERSION  EXPECTED  REQUESTS  SHARE  INTERVAL (99 %)",
                "1        90 %      0         0 %    0 % .. 100 %",
                "2        10 %      0         0 %    0 % .. 100 %",
                "a right split fails ",
                "seed 0, revision 1",
            ],
            id="none",
        ),
    ],
)
def test_what_fails_says_what_it_found(
    served: RunningGateway,
    expected: Mapping[str, float],
    given_: dict[str, Any],
    lines: list[str],
) -> None:
    """A table, the error rates, and what is needed to see it again."""
    with pytest.raises(AssertionError) as failure:
        assert_split(served, "release", expected, **given_)
    told = str(failure.value).splitlines()
    assert len(told) == len(lines), told
    for line, beginning in zip(told, lines, strict=True):
        assert line.startswith(beginning)


def test_patience_has_an_end() -> None:
    """Requests that neither fail nor pass are told as too few, with a band for each version."""
    counts, wrong = _watched(iter(["1"] * 9 + ["2"]), TENTH, USUAL)
    assert counts == {"1": 9, "2": 1}
    assert wrong.startswith("undecided: 10 requests could not decide it\nVERSION ")


def test_an_answer_without_a_version_ends_the_test(served: RunningGateway) -> None:
    """With the status and what was answered."""
    with pytest.raises(AssertionError, match="PUT /release/orders/1 was answered by no version"):
        assert_split(served, "release", TENTH, method="PUT")


def test_a_stage_without_functions_is_asked_for_its_root() -> None:
    """And has no version to tell."""
    apis = [{"method": "GET", "path": "=/ping", "mock": {"body": "pong"}}]
    with (
        running_gateway(functions={"orders": {"1": "one"}}, apis=apis) as gateway,
        pytest.raises(AssertionError, match="GET /dev/ was answered by no version: 404"),
    ):
        assert_split(gateway, "dev", {"1": 1.0})


@pytest.mark.parametrize("mode", ["random", "even", "sticky"])
def test_each_mode_is_judged_right(mode: str) -> None:
    """A tenth passes as a tenth, and 15 % do not."""

    def headers(number: int) -> Mapping[str, str]:
        return {"User": f"user-{number}"}

    split = {"split": mode} | ({"sticky_by": "invoke.headers.User"} if mode == "sticky" else {})
    with running_gateway(functions={"orders": {"1": "one", "2": "two"}}) as gateway:
        gateway.alias_set("$DEFAULT", version="1", weights={"2": 0.1}, **split)
        assert_split(gateway, "dev", TENTH, headers=headers)
        gateway.alias_set("$DEFAULT", version="1", weights={"2": 0.15}, **split)
        with pytest.raises(AssertionError, match="stage 'dev' failed: "):
            assert_split(gateway, "dev", TENTH, headers=headers)


def test_shares_that_are_none_are_refused(served: RunningGateway) -> None:
    """Before a request is sent."""
    with pytest.raises(Unjudgeable, match="shares that sum to 1"):
        assert_split(served, "release", {"1": 0.9})


def test_a_sticky_split_by_keys(served: RunningGateway) -> None:
    """Paths may carry the key: one key is on one version."""
    for user in ("Bob", "Eve", "Mallory", "Trent"):
        version = served.explain("POST", f"/orders/1?u={user}", stage="dev")["version"]
        assert_split(served, "dev", {version: 1.0}, path=f"/orders/1?u={user}", requests=90)

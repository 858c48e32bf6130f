"""What was waited for is remembered, within bounds, and never what reached no version."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.controlplane.invoking import Invoked
from gateway.controlplane.recent import KEPT, KEPT_BYTES, Recent
from gateway.core.entries import Target
from gateway.core.errors import FunctionNotFound
from gateway.store.invocations import Invocation

TARGET = Target("orders", "release")
ERROR = {"errorCode": -1, "errorMessage": "as asked", "statusCode": 430}


async def came(request_id: str, value: object = None, status: int = 200) -> Invoked:
    """The end of an invocation."""
    error = None if status == 200 else ERROR
    return Invoked(request_id, "1", "main", 7, status, value, error, 0.5, 1024, "the log")


async def fails() -> Invoked:
    """An invocation that reaches no version."""
    raise FunctionNotFound("orders")


def run(*works: Awaitable[Invoked], recent: Recent | None = None) -> list[Invocation]:
    """Remember some, in turn; gives what is remembered."""
    known = recent or Recent(lambda: 5.0)

    async def whole() -> list[Invocation]:
        for number, work in enumerate(works):
            await known.around(TARGET, f"r{number}", work)
        return list(await known.listed("orders"))

    return asyncio.run(whole())


def test_an_end_is_remembered_as_the_background_does() -> None:
    """The same words, and the bytes of memory beside."""
    failed, fine = run(came("r0", {"a": 1}), came("r1", status=430))
    assert (fine.status, fine.request_id, fine.qualifier) == ("FINISHED", "r0", "release")
    assert (fine.at, fine.ended_at, fine.attempts) == (5.0, 5.0, 1)
    assert fine.result == {
        "version": "1",
        "reason": "main",
        "revision": 7,
        "status": 200,
        "value": {"a": 1},
        "value_kept": True,
        "error": None,
        "seconds": 0.5,
        "log": "the log",
        "memory": 1024,
    }
    assert failed.status == "FAILED"
    assert failed.result is not None
    assert failed.result["error"] == ERROR


def test_others_are_of_others() -> None:
    """A function is told its own."""
    recent = Recent(lambda: 5.0)
    run(came("r0"), recent=recent)
    assert asyncio.run(recent.listed("idle")) == []


def test_what_reached_no_version_is_forgotten() -> None:
    """Whoever asked has the reason."""
    recent = Recent(lambda: 5.0)
    with pytest.raises(FunctionNotFound):
        run(fails(), recent=recent)
    assert asyncio.run(recent.listed("orders")) == []


def test_the_oldest_make_room() -> None:
    """There is a number of them that is never exceeded."""
    found = run(*(came(f"r{number}") for number in range(KEPT + 5)))
    assert len(found) == KEPT
    assert (found[0].request_id, found[-1].request_id) == (f"r{KEPT + 4}", "r5")


@settings(max_examples=25)
@given(st.lists(st.integers(0, 60_000), min_size=150, max_size=200))
def test_their_bytes_are_bounded(sizes: list[int]) -> None:
    """The newest ones stay, as many as fit."""
    found = run(*(came(f"r{number}", "x" * size) for number, size in enumerate(sizes)))
    values = [len(str(each.result["value"])) for each in found if each.result]
    assert sum(values) <= KEPT_BYTES
    assert values == sizes[::-1][: len(values)]
    if len(values) < len(sizes):
        assert sum(values) + sizes[::-1][len(values)] > KEPT_BYTES - 1000 * len(sizes)

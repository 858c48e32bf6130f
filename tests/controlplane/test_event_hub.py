"""The hub: everybody hears everything, in order; nobody waits for anybody."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gateway.controlplane.events import WAITING, Event, Events, Subscription
from gateway.core.changes import DeleteFunction
from gateway.core.diff import Difference
from gateway.store.protocol import Author, Record


def numbered(*numbers: int) -> list[Event]:
    """Events that can be told apart."""
    return [Event("reload", {"number": number}) for number in numbers]


async def heard(subscription: Subscription) -> list[Event]:
    """Everything until the subscription ends."""
    return [event async for event in subscription]


def run(story: Callable[[Events], Awaitable[None]]) -> None:
    """A story of one hub."""

    async def told() -> None:
        await story(Events())

    asyncio.run(told())


def test_everybody_hears_everything_in_order() -> None:
    """From the moment of subscribing on."""

    async def story(events: Events) -> None:
        early = events.subscribe()
        for event in numbered(1, 2):
            events.publish(event)
        late = events.subscribe()
        events.publish(*numbered(3))
        events.close()
        assert await heard(early) == numbered(1, 2, 3)
        assert await heard(late) == numbered(3)

    run(story)


def test_who_waits_is_woken() -> None:
    """By an event, and by the end."""

    async def story(events: Events) -> None:
        subscription = events.subscribe()
        waiting = asyncio.ensure_future(heard(subscription))
        await asyncio.sleep(0)
        events.publish(*numbered(1))
        await asyncio.sleep(0)
        assert not waiting.done()
        events.close()
        assert await waiting == numbered(1)

    run(story)


def test_who_lags_is_told_and_let_go() -> None:
    """With what waited until then; the others hear everything, and publishing never waits."""

    async def story(events: Events) -> None:
        slow, quick = events.subscribe(limit=2), events.subscribe()
        for event in numbered(1, 2, 3, 4):
            events.publish(event)
        assert await heard(slow) == [*numbered(1, 2), Event("lagged", {"waiting": 2})]
        await slow.over()
        events.close()
        assert await heard(quick) == numbered(1, 2, 3, 4)

    run(story)


def test_a_queue_may_be_full_without_lagging() -> None:
    """The limit is what may wait."""

    async def story(events: Events) -> None:
        subscription = events.subscribe()
        for event in numbered(*range(WAITING)):
            events.publish(event)
        events.close()
        assert await heard(subscription) == numbered(*range(WAITING))

    run(story)


def test_who_left_hears_nothing_more() -> None:
    """And leaving twice is leaving once."""

    async def story(events: Events) -> None:
        subscription = events.subscribe()
        for _ in range(2):
            events.unsubscribe(subscription)
        events.publish(*numbered(1))
        subscription.end()
        assert await heard(subscription) == []

    run(story)


def test_nobody_waits_for_a_hub_that_is_closed() -> None:
    """Neither those who come late nor those who close it twice."""

    async def story(events: Events) -> None:
        for _ in range(2):
            events.close()
        subscription = events.subscribe()
        events.publish(*numbered(1))
        assert await heard(subscription) == []
        await subscription.over()

    run(story)


def test_who_is_cancelled_loses_nothing() -> None:
    """An event that comes meanwhile is still there."""

    async def story(events: Events) -> None:
        subscription = events.subscribe()
        waiting = asyncio.ensure_future(anext(subscription))
        await asyncio.sleep(0)
        events.publish(*numbered(1))
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        events.close()
        assert await heard(subscription) == numbered(1)

    run(story)


def test_a_change_is_told_as_it_stands_in_the_journal() -> None:
    """With its revision as id."""
    difference = Difference(("functions", "orders", "aliases", "a"), {"version": "1"}, None)
    change = DeleteFunction("orders")
    record = Record(7, 1.5, Author("me", "here"), change, (difference,), restores=3)
    assert Event.revision(record) == Event(
        "revision",
        {
            "revision": 7,
            "at": "1970-01-01T00:00:01.500Z",
            "who": "me",
            "origin": "here",
            "differences": [
                {
                    "path": ["functions", "orders", "aliases", "a"],
                    "before": {"version": "1"},
                    "after": None,
                }
            ],
            "restores": 3,
        },
        7,
    )


def test_what_is_no_change_cannot_be_resumed_after() -> None:
    """A reload and an error have no id."""
    assert Event.reload("orders", 0.123456789) == Event(
        "reload", {"function": "orders", "seconds": 0.123457}
    )
    data = {"code": "bad", "message": "wrong", "where": "a file", "text": "long"}
    assert Event.error("bad", "wrong", where="a file", text="long") == Event("error", data)

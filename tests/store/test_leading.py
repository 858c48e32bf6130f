"""What one node at a time does for all waits until this node leads."""

from __future__ import annotations

import asyncio

import pytest

from gateway.store.leading import in_the_lead
from gateway.store.protocol import StateAway
from gateway.store.sqlite import SqliteStore


@pytest.mark.parametrize(
    ("answers", "pauses"),
    [
        pytest.param([True], 1, id="who leads"),
        pytest.param([False, False, True], 3, id="who leads later"),
        pytest.param([StateAway("away"), True], 2, id="who cannot ask at first"),
    ],
)
def test_whoever_leads_goes_on(
    answers: list[bool | StateAway], pauses: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each pause it is asked again; a state that is away is led by nobody."""
    paused: list[float] = []

    async def pause(seconds: float) -> None:
        paused.append(seconds)

    async def leads() -> bool:
        answer = answers[len(paused) - 1]
        if isinstance(answer, StateAway):
            raise answer
        return answer

    async def scenario() -> None:
        store = await SqliteStore.open(":memory:")
        monkeypatch.setattr(store, "leads", leads)
        await in_the_lead(store, pause)(0.25)
        await store.close()

    asyncio.run(scenario())
    assert paused == [0.25] * pauses


def test_a_file_is_always_led() -> None:
    """And never away."""

    async def scenario() -> tuple[bool, float | None]:
        store = await SqliteStore.open(":memory:")
        found = await store.leads(), store.age
        await store.close()
        return found

    assert asyncio.run(scenario()) == (True, None)

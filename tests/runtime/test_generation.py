"""Seats are shared by all versions of a function; the last one out of a retired version unloads."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

import pytest

from gateway.runtime import LoadedVersion
from gateway.runtime.generation import Generation, Seats

Loaded = Callable[..., LoadedVersion]
INDEX = "def main_handler(event, context): ..."


def test_seats_are_counted_over_all_versions(loaded: Loaded) -> None:
    """Each version brings its own limit; the count is the function's."""
    seats = Seats()
    small = Generation(loaded(INDEX, "1", concurrency=2), seats)
    large = Generation(loaded(INDEX, "2", concurrency=3), seats)
    assert [small.enter(), large.enter(), small.enter(), large.enter(), large.enter()] == [
        True, True, False, True, False,
    ]  # fmt: skip
    small.leave()
    assert (small.enter(), large.enter()) == (False, True)
    assert seats.taken == 3


@pytest.mark.parametrize("running", [0, 1, 3])
def test_a_retired_version_is_unloaded_by_the_last_one(loaded: Loaded, running: int) -> None:
    """At once if nothing runs."""
    version = loaded(INDEX)
    generation = Generation(version, Seats())
    for _ in range(running):
        assert generation.enter()
    generation.retire()
    generation.retire()
    for _ in range(running):
        assert version.package in sys.modules
        assert not generation.ended
        generation.leave()
    assert version.package not in sys.modules
    assert generation.ended
    assert not generation.enter()


def test_born_retired_it_lives_for_its_invocations(loaded: Loaded) -> None:
    """Loaded for a request that came late, it is gone when the request is answered."""
    version = loaded(INDEX)
    generation = Generation(version, Seats(), retired=True)
    assert generation.enter()
    generation.leave()
    assert generation.ended


def test_seats_are_given_back_from_any_thread(loaded: Loaded) -> None:
    """Counting does not lose anything."""
    seats = Seats()
    generation = Generation(loaded(INDEX, concurrency=4), seats)

    def work() -> None:
        for _ in range(2000):
            if generation.enter():
                generation.leave()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seats.taken == 0


def test_every_invocation_has_a_context_of_its_own(loaded: Loaded) -> None:
    """A handler may change what it was given."""
    generation = Generation(loaded(INDEX), Seats())
    first = generation.context("a")
    first["function_name"] = "changed"
    second = generation.context("b")
    assert (second["function_name"], second["request_id"]) == ("orders", "b")

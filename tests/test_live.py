"""The live cell: one snapshot at a time, swapped whole."""

from __future__ import annotations

import pytest

from gateway.core.snapshot import EMPTY, Snapshot
from gateway.live import Live


def test_it_begins_with_nothing() -> None:
    """The state before the first change."""
    assert Live().snapshot is EMPTY


def test_a_swap_puts_the_new_one_live_and_gives_the_old_one_back() -> None:
    """The very objects; nothing is copied."""
    first, second = Snapshot(revision=1), Snapshot(revision=2)
    live = Live(first)
    assert live.swap(second) is first
    assert live.snapshot is second


def test_who_has_read_it_keeps_what_was_read() -> None:
    """A request in flight does not see a swap."""
    first = Snapshot(revision=1)
    live = Live(first)
    read = live.snapshot
    live.swap(Snapshot(revision=2))
    assert (read, read.revision) == (first, 1)


def test_it_holds_nothing_else() -> None:
    """One mutable cell, and no place for a second one."""
    with pytest.raises(AttributeError):
        Live().other = 1  # type: ignore[attr-defined]


def test_followers_are_told_of_what_is_live() -> None:
    """After it is live, each time."""
    live, heard = Live(), []
    live.followers.append(lambda snapshot: heard.append((snapshot, live.snapshot)))
    first = Snapshot(revision=1)
    live.swap(first)
    assert heard == [(first, first)]

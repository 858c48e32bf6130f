"""What changes once along a line of whole numbers is found by halving, not by walking."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable


def first(candidates: range, holds: Callable[[int], bool]) -> int:
    """Return the first of consecutive `candidates` that `holds`, or their stop if none does.

    If it holds and stops holding in turn, the one returned holds and the one before does not.
    """
    return candidates.start + bisect_left(candidates, 1, key=lambda number: int(holds(number)))


def first_near(guess: int, above: int, holds: Callable[[int], bool]) -> int:
    """Return a number beyond `above` that `holds` while the one before, if beyond it, does not.

    Strides from `guess`, doubled each time, fence it in, so that a good guess saves most of the
    work. It must hold for all numbers that are great enough.
    """
    low, high, stride = above, max(guess, above + 1), 1 + guess // 64
    while not holds(high):
        low, high, stride = high, high + stride, stride * 2
    while high - stride > low and holds(high - stride):
        high, stride = high - stride, stride * 2
    return first(range(max(low, high - stride) + 1, high), holds)

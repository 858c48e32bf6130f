"""The dice: the only source of chance for routing, made by `app` from one seed.

Sequences of `even` splits live here and not in the snapshot, so that a swap cannot disturb an
alias it does not touch: a sequence goes on for as long as its split stays equal.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random, SystemRandom

from gateway.core.split import EvenSequence, Split


class Dice:
    """Draws for decisions, reproducible by seed.

    Args:
        seed: Equal seeds give equal draws in equal order; `None` takes one from the system.
    """

    __slots__ = ("_sequences", "random")

    def __init__(self, seed: int | None = None) -> None:
        self.random = Random(seed).random  # noqa: S311 - a split needs speed, not secrecy
        self._sequences: dict[tuple[str, str], tuple[Split, EvenSequence]] = {}

    def even(self, split: Split) -> float:
        """The next draw of the split's even sequence, in [0, 1)."""
        held = self._sequences.get(split.owner)
        if held is None or (held[0] is not split and held[0] != split):
            held = self._sequences[split.owner] = (split, EvenSequence(split))
        return held[1].step(self)


class Fixed:
    """Dice that always show the same draw, for what-if questions.

    Args:
        draw: A number in [0, 1).
    """

    __slots__ = ("_draw",)

    def __init__(self, draw: float) -> None:
        self._draw = draw

    def random(self) -> float:
        """The draw."""
        return self._draw

    def even(self, _split: Split) -> float:
        """The draw."""
        return self._draw


def request_ids() -> Callable[[], str]:
    """Ids of 32 hexadecimal digits, from dice of their own: a seed must not repeat them."""
    bits = Random(SystemRandom().getrandbits(128)).getrandbits  # noqa: S311 - ids are no secrets
    return lambda: bits(128).to_bytes(16).hex()

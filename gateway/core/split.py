"""Splits: a draw in [0, 1) against the weights' cumulative shares, in three modes.

One mechanism settles every weighted choice: the unit interval is laid out once, each version owns
a stretch as long as its weight, and the draw falls into one of them. The modes differ only in
where the draw comes from: `random` from independent dice, `even` from `EvenSequence`, `sticky`
from a hash of the request's own key.

The layout grows additional versions from both ends of the interval and leaves the main version
the middle: the first from 0 upwards, the second from 1 downwards, the third next to the first,
and so on. With one or two additional versions a raised weight therefore takes from the main
version only. With more, no sticky key ever leaves the raised version either, while the versions
laid out behind it on the same side shift by at most what was added.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from hashlib import blake2b
from typing import Final, Literal, Protocol, cast

Mode = Literal["random", "even", "sticky"]
MODES: Final[tuple[Mode, ...]] = ("random", "even", "sticky")


class Draw(Protocol):
    """The dice; the only source of chance that a decision has."""

    def random(self) -> float:
        """An independent draw in [0, 1)."""

    def even(self, split: Split) -> float:
        """The next draw of the split's even sequence, in [0, 1)."""


@dataclass(frozen=True, slots=True)
class Split:
    """The weights of one alias, laid out on [0, 1).

    Attributes:
        owner: `(function, alias)`: salts the sticky hash, so that the unlucky users of one alias
            are not those of every other.
        main: The version that gets what the weights leave over.
        weights: Additional versions with their exact shares, in the order written.
        versions: Versions in the order of the layout.
        bounds: Upper end of each version's stretch but the last, ascending; the exact cumulative
            shares rounded once, so that weights 0 and 1 mean never and always.
    """

    owner: tuple[str, str]
    main: str
    weights: Mapping[str, Decimal] = field(hash=False)
    versions: tuple[str, ...] = field(init=False)  # compared: another order is another layout
    shares: tuple[Fraction, ...] = field(init=False, compare=False)
    bounds: tuple[float, ...] = field(init=False, compare=False)
    _salt: bytes = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        low, high = list(self.weights)[0::2], list(self.weights)[1::2]
        versions = (*low, self.main, *reversed(high))
        exact = {version: Fraction(weight) for version, weight in self.weights.items()}
        exact[self.main] = 1 - sum(exact.values(), Fraction())
        shares = tuple(exact[version] for version in versions)
        cumulative = [sum(shares[: index + 1], Fraction()) for index in range(len(shares) - 1)]
        owner = "\0".join(self.owner).encode()
        object.__setattr__(self, "versions", versions)
        object.__setattr__(self, "shares", shares)
        object.__setattr__(self, "bounds", tuple(map(float, cumulative)))
        object.__setattr__(self, "_salt", blake2b(owner, digest_size=32).digest())

    def index(self, draw: float) -> int:
        """Which of `versions` a draw in [0, 1) falls to."""
        return bisect_right(self.bounds, draw)

    def sticky_draw(self, key: str) -> float:
        """The draw of a sticky key: the same in every process and on every machine.

        The first 53 bits of BLAKE2b (RFC 7693) of the key's UTF-8, keyed with the owner's
        BLAKE2b-256, as a fraction of 2**53.
        """
        digest = blake2b(key.encode(errors="surrogatepass"), digest_size=8, key=self._salt)
        return (int.from_bytes(digest.digest()) >> 11) * 2.0**-53


class EvenSequence:
    """Draws whose counts keep within 1 of the weights at every prefix, without a rhythm.

    The count of a share `a/b` after N choices is rounded from N*a/b to one of its two neighbours
    by dependent randomised rounding (Gandhi, Khuller, Parthasarathy, Srinivasan: Dependent
    rounding and its applications, J. ACM 53(3), 2006), here along the path of all prefixes: a
    two-state Markov chain that rounds up with probability exactly frac(N*a/b) and moves by 0 or 1
    a step. So every single choice has the exact share, whatever its position: periodic traffic
    sees the same shares as any other. All arithmetic is on integers; nothing drifts.

    More than two versions are settled by a chain of such choices, this one or a later one; each
    count then stays within `len(versions) - 1`.
    """

    __slots__ = ("_bounds", "_chain")

    def __init__(self, split: Split) -> None:
        self._bounds = (0.0, *split.bounds, 1.0)
        self._chain: list[_Rounding] = []
        rest = Fraction(1)
        for share in split.shares[:-1]:
            part = share / rest if rest else Fraction()
            self._chain.append(_Rounding(part.numerator, part.denominator))
            rest -= share

    def step(self, dice: Draw) -> float:
        """The next draw, somewhere in the stretch of the version whose turn it is."""
        index = next((i for i, link in enumerate(self._chain) if link.step(dice.random())), -2)
        low, high = self._bounds[index], self._bounds[index + 1]
        return low + (high - low) / 2


class _Rounding:
    """The rounded count of one share numerator/denominator over a growing number of choices."""

    __slots__ = ("_denominator", "_fraction", "_numerator", "_up")

    def __init__(self, numerator: int, denominator: int) -> None:
        self._numerator = numerator
        self._denominator = denominator
        self._fraction = 0  # frac(N * share) * denominator
        self._up = False  # whether the count is rounded up at N

    def step(self, draw: float) -> bool:
        """Whether the next choice goes to the share."""
        before = self._fraction
        after = before + self._numerator
        if after < self._denominator:
            self._fraction = after
            if self._up:
                return False
            self._up = draw * (self._denominator - before) < self._numerator
            return self._up
        after -= self._denominator
        self._fraction = after
        if not self._up:
            return True
        self._up = draw * before < after
        return self._up


def as_mode(text: str) -> Mode:
    """A checked mode name as its type."""
    return cast("Mode", text)

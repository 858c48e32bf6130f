"""What an independent program says of the same counts: sequential p-values by PyPI's `ssrm-test`.

The package asks for older numbers than this project's tools, so that it is installed on its own:

    python -m venv /tmp/ssrm && /tmp/ssrm/bin/pip install ssrm-test
    /tmp/ssrm/bin/python benchmarks/ssrm_oracle.py > tests/verdict/ssrm_oracle.csv

This module needs nothing else: the inputs come from a seed, the outputs are kept beside the test
that compares them.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from random import Random

INPUTS = 1_000
SEED = 20_260


@dataclass(frozen=True)
class Watched:
    """A split that is looked at several times.

    Attributes:
        shares: The expected share of each version.
        tolerance: The deviation that matters.
        weight: The weight of the mixture.
        looks: What came of each version between two looks.
    """

    shares: list[float]
    tolerance: float
    weight: float
    looks: list[list[int]]


def inputs() -> list[Watched]:
    """Random splits with counts, most of them near what is expected; always the same ones."""
    return [_one(Random(f"{SEED}-{number}")) for number in range(INPUTS)]


def _one(dice: Random) -> Watched:
    parts = [dice.randint(1, 20) for _ in range(dice.randint(2, 5))]
    shares = [part / sum(parts) for part in parts]
    tolerance = dice.uniform(0.01, 0.3)
    weight = max(1.0, max(share * (1 - share) for share in shares) / tolerance**2 - 1)
    bent = [share * dice.uniform(0.5, 1.7) for share in shares]
    looks = []
    for _ in range(3):
        size = dice.randint(1, 200)
        came = dice.choices(range(len(shares)), bent, k=size)
        looks.append([came.count(version) for version in range(len(shares))])
    return Watched(shares, tolerance, weight, looks)


def main() -> None:
    """Print the p-value at every look of every input."""
    from ssrm_test.ssrm_test import sequential_p_values  # type: ignore[import-not-found]

    warnings.simplefilter("ignore")
    for watched in inputs():
        looked = sequential_p_values(
            watched.looks, watched.shares, dirichlet_concentration=watched.weight
        )
        print(",".join(f"{value:.9g}" for value in looked))


if __name__ == "__main__":
    main()

"""Figures for people: never rounded to all or nothing, nor to a promise that was not kept; pure."""

from __future__ import annotations

from math import ceil, floor, log10


def percent(share: float) -> str:
    """A share for people: 0.1 is `10 %`, and no share but 1 is `100 %`."""
    value = 100 * share
    rounded = f"{value:.2f}".rstrip("0").rstrip(".")
    if rounded == "100" and share < 1:
        return "> 99.99 %"
    return "< 0.01 %" if rounded == "0" and share > 0 else f"{rounded} %"


def points(deviation: float) -> str:
    """A deviation for people, rounded up to three digits: 0.03 is `3 points`."""
    value = 100 * deviation
    scale = 10.0 ** (2 - floor(log10(value)))
    value = ceil(value * scale * (1 - 1e-12)) / scale
    return f"{value:g} point{'' if value == 1 else 's'}"

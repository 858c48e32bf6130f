"""Splits over sockets: right ones at 1, 10 and 50 % in each mode pass, one off by 2 points fails.

A gateway in this process, one connection, 100,000 requests each, judged once by the exact test; the
sticky mode gets another key with each request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any, Final

from gateway.testing import assert_split, running_gateway
from gateway.verdict import Question, judge

REQUESTS: Final = 100_000
QUESTION: Final = Question(false_alarm=1e-6, miss=0.01, tolerance=0.02)
MODES: Final[Mapping[str, Mapping[str, Any]]] = {
    "random": {},
    "even": {"split": "even"},
    "sticky": {"split": "sticky", "sticky_by": "invoke.headers.User"},
}


def nobody(_number: int) -> Mapping[str, str]:
    """No header."""
    return {}


def somebody_else(number: int) -> Mapping[str, str]:
    """Another user with each request."""
    return {"User": f"user-{number}"}


def sent(
    weight: float, expected: float, mode: str, headers: Callable[[int], Mapping[str, str]]
) -> str:
    """Send the requests to an alias with a weight, and tell what was found."""
    alias = {"version": "1", "weights": {"2": weight}, **MODES[mode]}
    shares, began = {"1": 1 - expected, "2": expected}, perf_counter()
    with running_gateway(
        functions={"orders": {"1": "one", "2": "two"}}, aliases={"orders": {"release": alias}}
    ) as gateway:
        try:
            counts = assert_split(
                gateway, "release", shares, requests=REQUESTS, question=QUESTION, headers=headers
            )
        except AssertionError as error:
            return str(error).partition("\n")[0]
    rate = REQUESTS / (perf_counter() - began)
    return f"{judge(counts, shares, question=QUESTION).sentence} ({rate:,.0f} requests/s)"


def main() -> None:
    """Print what was found."""
    for mode in MODES:
        headers = somebody_else if mode == "sticky" else nobody
        for weight in (0.01, 0.1, 0.5):
            print(f"{mode} {weight:.0%}: {sent(weight, weight, mode, headers)}")
        print(f"{mode} 12% for 10%: {sent(0.12, 0.1, mode, headers)}")


if __name__ == "__main__":
    main()

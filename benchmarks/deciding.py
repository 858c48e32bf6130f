"""Time of one decision and of one path look-up, with one API and with ten thousand.

Small and large snapshots take turns, round by round; the figures are medians over the rounds and
the ratio is the median of the ratios of neighbouring rounds.
"""

from __future__ import annotations

from random import Random
from statistics import median
from timeit import timeit

from gateway.core.alias import parse_route
from gateway.core.apply import apply
from gateway.core.changes import Batch, Change, Publish, PutAlias, PutFunction, PutService, Release
from gateway.core.decide import decide
from gateway.core.entries import Target
from gateway.core.routes import parse_path
from gateway.core.snapshot import EMPTY, Api, FunctionBackend, Snapshot
from gateway.dataplane.request import HttpRequest
from gateway.dice import Dice

ROUNDS = 25
CALLS = 20_000
_ROUTE = {
    "version": "1",
    "weights": {"2": 0.1},
    "rules": [{"when": "invoke.headers.User exact Bob", "version": "2"}],
}


def build(apis: int, aliases: int) -> Snapshot:
    """A snapshot with so many APIs and so many aliases that each have a rule and a weight."""
    route, _ = parse_route(_ROUTE, "alias")
    backend = FunctionBackend("orders", "alias0")
    paths = [f"/orders/{number}" + ("/{id}" if number % 2 else "") for number in range(apis)]
    released = tuple(Api(path, "ANY", parse_path(path), backend) for path in paths)
    changes: list[Change] = [PutFunction("orders", "code"), Publish("orders"), Publish("orders")]
    changes += [PutAlias("orders", f"alias{number}", route) for number in range(aliases)]
    changes += [PutService("shop", "shop"), Release("shop", "release", released)]
    return apply(EMPTY, Batch(tuple(changes)))


def decision_time(snapshot: Snapshot, aliases: int) -> float:
    """Microseconds of one decision in which no rule hits and a weight is drawn."""
    dice, request = Dice(Random(1).getrandbits(32)), HttpRequest({"user": "Alice"})
    target = Target("orders", f"alias{aliases - 1}")
    seconds = timeit(lambda: decide(snapshot, target, request, dice), number=CALLS)
    return seconds / CALLS * 1e6


def match_time(snapshot: Snapshot) -> float:
    """Microseconds of one path look-up."""
    service = snapshot.default_service
    assert service is not None
    table = service.stage("release").table
    return timeit(lambda: table.match("GET", "/orders/0"), number=CALLS) / CALLS * 1e6


def main() -> None:
    """Print the figures."""
    small, large = build(1, 1), build(10_000, 1_000)
    rows = [
        (decision_time(small, 1), decision_time(large, 1_000), match_time(small), match_time(large))
        for _ in range(ROUNDS)
    ]
    decided = median(row[1] / row[0] for row in rows)
    matched = median(row[3] / row[2] for row in rows)
    one, many, path_one, path_many = (median(column) for column in zip(*rows, strict=True))
    print(f"one decision (a rule that misses, a weight), {ROUNDS} rounds of {CALLS} in turn")
    print(f"  1 api {one:.2f} us  10,000 apis, 1,000 aliases {many:.2f} us  ratio {decided:.2f}")
    print("one path look-up")
    print(f"  1 api {path_one:.2f} us  10,000 apis {path_many:.2f} us  ratio {matched:.2f}")


if __name__ == "__main__":
    main()

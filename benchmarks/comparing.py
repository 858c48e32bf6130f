"""The gateway against what people would use in its place, in one run in which all take turns.

All servers run at once and answer the same request one after another, round by round, in a closed
loop. Processor time is that of everything that answers: a proxy, and the applications behind it.
Two cores are shared by a server and the generator of its load; `--pin` keeps the generator to one.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click

from benchmarks.comparing_apps import write_project
from benchmarks.comparing_report import Measured, plain, table, told, wanted
from benchmarks.comparing_servers import CONTENDERS, Absent, Contender
from benchmarks.driving import OURS, WRK, drive, generator
from benchmarks.servers import Running

_PATH: Final = "/release/orders/42"
_LOOKS: Final = 300
"""Requests by which a split of 10 % is seen to be one."""

Found = dict[int, dict[str, list[Measured]]]
"""The rounds of each contender, by the number of connections."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How it is measured.

    Attributes:
        rounds: How many turns each takes.
        seconds: How long a turn is.
        connections: With how many connections, one number after the other in each round.
        sender: What sends.
    """

    rounds: int
    seconds: float
    connections: Sequence[int]
    sender: str


class Misrouted(Exception):
    """A contender does not follow the scheme, so that its figures would say nothing."""


def prove(name: str, server: Running) -> None:
    """Find out whether a contender follows the scheme.

    Raises:
        Misrouted: It does not.
    """
    bob, alice = (_versions(server, "/prepub/orders/42", user, 5) for user in ("Bob", "Alice"))
    if (set(bob), set(alice)) != ({"4"}, {"3"}):
        raise Misrouted(f"{name} gives Bob {set(bob)} and Alice {set(alice)} on prepub")
    drawn = _versions(server, _PATH, "Alice", _LOOKS)
    if set(drawn) != {"1", "2"} or not 5 <= drawn.count("2") <= 70:
        raise Misrouted(f"{name} gives {drawn.count('2')} of {_LOOKS} to version 2 on release")


def _versions(server: Running, path: str, user: str, count: int) -> list[str | None]:
    """Which versions answered."""
    line = http.client.HTTPConnection(*server.address)
    found = []
    for _ in range(count):
        line.request("GET", path, headers={"User": user})
        answer = line.getresponse()
        answer.read()
        found.append(answer.getheader("x-gateway-version"))
    line.close()
    return found


def _turn(server: Running, connections: int, plan: Plan) -> Measured:
    before = server.processor_seconds()
    driven = drive(server.address, _PATH, connections, plan.seconds, plan.sender)
    spent = server.processor_seconds() - before
    return Measured(
        processor=spent / driven.requests * 1e6,
        rate=driven.requests / driven.seconds,
        p99=driven.p99 * 1e3,
    )


def compare(servers: Mapping[str, Running], plan: Plan) -> Found:
    """Let all servers take turns; every other round goes backwards."""
    found: Found = {each: {name: [] for name in servers} for each in plan.connections}
    for number in range(plan.rounds + 1):
        _say(f"round {number} of {plan.rounds}" if number else "warming up")
        names = list(servers)[:: 1 if number % 2 else -1]
        for connections in plan.connections:
            for name in names:
                measured = _turn(servers[name], connections, plan)
                if number:
                    found[connections][name].append(measured)
    return found


def start(stack: ExitStack, folder: Path, contenders: Sequence[Contender]) -> dict[str, Running]:
    """Start whoever can take part, and say why the others cannot.

    Raises:
        Misrouted: Somebody does not follow the scheme.
    """
    servers = {}
    for each in contenders:
        _say(f"starting {each.name}: {each.what}")
        try:
            server = each.start(stack, folder)
        except Absent as absent:
            _say(f"{each.name} is left out: {absent}")
            continue
        if each.routes:
            prove(each.name, server)
        servers[each.name] = server
    return servers


def _say(text: str) -> None:
    click.echo(text, err=True)


def _report(found: Found, plan: Plan) -> None:
    shared = f"{os.cpu_count()} cores shared with {plan.sender}"
    print(f"{plan.rounds} rounds of {plan.seconds:g} s in turn, {shared};")
    print("medians, and medians of the ratios within a round")
    for connections, rounds in found.items():
        print("\n".join(table(connections, rounds)))
    rows = [row for connections, rounds in found.items() for row in wanted(connections, rounds)]
    if rows:
        print("the gateway, as wanted")
    for row in rows:
        print(told(row))


def _as_json(found: Found, plan: Plan) -> str:
    return json.dumps({
        "generator": plan.sender,
        "cores": os.cpu_count(),
        "python": sys.version.split()[0],
        "connections": {str(each): plain(rounds) for each, rounds in found.items()},
        "wanted": [row for each, rounds in found.items() for row in wanted(each, rounds)],
    })  # fmt: skip


@click.command()
@click.argument("names", nargs=-1, type=click.Choice([each.name for each in CONTENDERS]))
@click.option("--rounds", type=click.IntRange(1), default=7, show_default=True)
@click.option("--seconds", type=click.FloatRange(1), default=2.0, show_default=True)
@click.option("--connections", type=click.IntRange(1), multiple=True, default=(1, 16, 64))
@click.option(
    "--generator", "sender", type=click.Choice([WRK, OURS]), default=generator, show_default=WRK
)
@click.option("--pin", is_flag=True, help="Keep the generator to the last core.")
@click.option("--json", "as_json", is_flag=True, help="Print all rounds as JSON.")
def main(  # noqa: PLR0913 - one parameter for each option
    names: tuple[str, ...],
    rounds: int,
    seconds: float,
    connections: tuple[int, ...],
    sender: str,
    *,
    pin: bool,
    as_json: bool,
) -> None:
    """Compare all contenders, or those that are named."""
    chosen = [each for each in CONTENDERS if not names or each.name in names]
    plan = Plan(rounds, seconds, connections, sender)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        write_project(folder)
        servers = start(stack, folder, chosen)
        if pin:  # after the servers have started, which would inherit it
            os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        found = compare(servers, plan)
    if as_json:
        print(_as_json(found, plan))
    else:
        _report(found, plan)


if __name__ == "__main__":
    main()

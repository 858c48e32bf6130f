"""Clients change and read one alias through two nodes while processes and connections are ended.

Everything that they ask and are answered is held against the journal in the end: is there one order
of it all in which each took effect between its request and its answer?
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

import psycopg

from benchmarks.databases import Database
from benchmarks.linearizable_faults import FAULTS, Faults, Node
from benchmarks.linearizable_judged import Kind, Operation, judge
from benchmarks.nodes import node_command
from benchmarks.steering import ALIAS, Line

PATIENCE: Final = 2.0
"""Seconds after which a client gives up and does not know."""

_PAUSE: Final = 0.02  # before somebody who was answered 503, or not at all, asks again
_KINDS: Final = {
    "write": 14, "write if": 10, "write if stale": 16, "write again": 6, "read": 36, "look": 18,
}  # fmt: skip
"""What is asked for, and how often."""


class Client:
    """Asks one thing after another, at one node or another.

    Args:
        number: Its number.
        nodes: Whom it asks.
        seed: Makes what it asks repeatable.
    """

    def __init__(self, number: int, nodes: Sequence[Node], seed: int) -> None:
        self.history: list[Operation] = []
        self.refused: Counter[str] = Counter()
        self._name = f"c{number}"
        self._nodes = nodes
        self._dice = random.Random(f"{seed} {number}")
        self._lines: dict[str, Line] = {}
        self._seen = {1: ""}
        self._written = 0

    async def ask(self) -> None:
        """Ask for one thing, and remember what became of it."""
        (kind,) = self._dice.choices([*_KINDS], [*_KINDS.values()])
        node = self._dice.choice(self._nodes)
        name, address = node.name, node.control
        try:
            if name not in self._lines:
                self._lines[name] = await Line.to(address)
        except OSError:  # it is just being started
            self.refused["no connection"] += 1
            await asyncio.sleep(_PAUSE)
            return
        if "write" in kind:
            await self._write(name, *self._wish(kind))
        else:
            await self._read(name, fresh=kind == "read")

    async def close(self) -> None:
        """Hang up."""
        for name in [*self._lines]:
            await self._hang_up(name)

    def _wish(self, kind: str) -> tuple[str, int | None]:
        newest = max(self._seen)
        if kind == "write again":
            return self._seen[newest], None
        self._written += 1
        text = f"{self._name}-{self._written}"
        if kind == "write":
            return text, None
        return text, newest if kind == "write if" else self._dice.choice([*self._seen])

    async def _write(self, name: str, value: str, expected: int | None) -> None:
        began = perf_counter()
        body = {"version": _version(value), "description": value}
        headers = "" if expected is None else f'If-Match: "{expected}"\r\n'
        answer = await self._send(name, "PUT", headers, json.dumps(body))
        ended = perf_counter()
        status, tag, found = answer or (0, 0, {})
        kind, revision = Kind.UNKNOWN, 0
        if status in {200, 201}:
            kind, revision = Kind.WRITTEN if found["changed"] else Kind.SAME, tag
            self._see(revision, value)
        elif status == 412 and expected is not None:
            kind = Kind.REFUSED
        elif status == 503 and "is not known" not in found["detail"]:
            self.refused["503"] += 1  # nothing was changed, it says
            await asyncio.sleep(_PAUSE)
            return
        elif status not in {0, 503}:
            raise RuntimeError(f"{value!r} if {expected} was answered {status}: {found}")
        ended = inf if kind is Kind.UNKNOWN else ended
        self.history.append(Operation(kind, began, ended, value, revision, expected, name))

    async def _read(self, name: str, *, fresh: bool) -> None:
        began = perf_counter()
        headers = "Cache-Control: no-cache\r\n" if fresh else ""
        answer = await self._send(name, "GET", headers)
        ended = perf_counter()
        if answer is None or answer[0] == 503:
            self.refused["no answer" if answer is None else "503"] += 1
            await asyncio.sleep(_PAUSE)
            return
        status, revision, found = answer
        if status != 200:
            raise RuntimeError(f"a read was answered {status}: {found}")
        value = found["description"]
        if found["version"] != _version(value):
            raise RuntimeError(f"{found} is half of one change and half of another")
        self._see(revision, value)
        kind = Kind.READ if fresh else Kind.LOOK
        self.history.append(Operation(kind, began, ended, value, revision, None, name))

    async def _send(
        self, name: str, method: str, headers: str, body: str = ""
    ) -> tuple[int, int, dict[str, str]] | None:
        """Status, revision and body of the answer; `None` where there is none."""
        if body:
            headers += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        request = f"{method} {ALIAS} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n{body}"
        try:
            async with asyncio.timeout(PATIENCE):
                status, fields, found = await self._lines[name].send(request.encode())
        except (OSError, EOFError):  # a timeout is an OSError
            await self._hang_up(name)
            return None
        return status, int(fields.get("etag", '"0"').strip('"')), json.loads(found)

    def _see(self, revision: int, value: str) -> None:
        self._seen[revision] = value
        if len(self._seen) > 8:
            del self._seen[min(self._seen)]

    async def _hang_up(self, name: str) -> None:
        await self._lines.pop(name).close()


def _version(value: str) -> str:
    """The version to which a value leads: half a change would show."""
    return "1234"[sum(value.encode()) % 4]


async def ask_all(
    nodes: Sequence[Node], faults: Faults | None, clients: int, operations: int, seed: int
) -> tuple[list[Operation], Counter[str]]:
    """Let clients ask until so many operations were answered; gives the history, and the rest."""
    everyone = [Client(number, nodes, seed) for number in range(clients)]
    left = operations

    async def ask(client: Client) -> None:
        nonlocal left
        while left > 0:
            before = len(client.history)
            await client.ask()
            left -= sum(one.kind is not Kind.UNKNOWN for one in client.history[before:])
        await client.close()

    harm = None if faults is None else asyncio.create_task(faults.run())
    async with asyncio.TaskGroup() as group:
        for client in everyone:
            group.create_task(ask(client))
    if faults is not None and harm is not None:
        faults.stop()
        await harm
    ends = [Client(clients + number, [node], seed) for number, node in enumerate(nodes)]
    for client in ends:  # nothing that was acknowledged is missing in the end, at any node
        while not client.history:
            await client.ask()
        await client.close()
    refused = sum((client.refused for client in everyone), Counter[str]())
    return [one for client in (*everyone, *ends) for one in client.history], refused


def journal_of(url: str) -> dict[int, str]:
    """The value of the alias at each revision, as the database has it."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT revision, differences FROM gateway_records ORDER BY revision"
        ).fetchall()
    journal, value = {}, ""
    for revision, text in rows:
        for path, _, after in json.loads(text):
            if path[-2:] == ["aliases", "release"]:
                value = after["description"]
        journal[revision] = value
    return journal


@contextmanager
def two_nodes(folder: Path, url: str) -> Iterator[list[Node]]:
    """Two nodes on one database that may be killed."""
    command = node_command(folder, url)
    nodes = [Node(f"node {number}", command) for number in range(2)]
    try:
        for node in nodes:
            node.start()
        yield nodes
    finally:
        for node in nodes:
            node.close()


def main() -> None:
    """Print what happened."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.linearizable")
    options.add_argument("--operations", type=int, default=100_000)
    options.add_argument("--clients", type=int, default=8)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--without-faults", action="store_true")
    asked = options.parse_args()
    database = Database()
    try:
        url = database.space()
        with TemporaryDirectory() as folder, two_nodes(Path(folder), url) as nodes:
            faults = None if asked.without_faults else Faults(nodes, database, asked.seed)
            began = perf_counter()
            history, refused = asyncio.run(
                ask_all(nodes, faults, asked.clients, asked.operations, asked.seed)
            )
            seconds = perf_counter() - began
        journal = journal_of(url)
    finally:
        database.close()
    _print(history, journal, refused, faults, seconds)


def _print(
    history: Sequence[Operation],
    journal: dict[int, str],
    refused: Counter[str],
    faults: Faults | None,
    seconds: float,
) -> None:
    kinds = Counter(one.kind for one in history)
    known = len(history) - kinds[Kind.UNKNOWN]
    print(f"{known:,} operations answered in {seconds:.0f} s, {len(journal):,} revisions")
    for kind, count in kinds.most_common():
        print(f"  {kind.value:<24} {count:>7,}")
    print("  neither done nor counted: " + ", ".join(f"{n} {c:,}" for n, c in refused.items()))
    done = faults.done if faults else Counter[str]()
    print("faults: " + (", ".join(f"{FAULTS[name]} {n}" for name, n in done.items()) or "none"))
    began = perf_counter()
    wrong = judge(history, journal)
    print(f"anomalies: {len(wrong)} (judged in {perf_counter() - began:.2f} s)")
    for line in wrong[:10]:
        print(f"  {line}")


if __name__ == "__main__":
    main()

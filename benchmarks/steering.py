"""Steering under load: aliases move and roll back while many connections ask without a pause.

Every answer is held against the changes that were acknowledged when its request was sent and those
that were on their way when it arrived: it must name a revision between the two, and a version that
its alias had at that revision.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, Final

from benchmarks.servers import Running, shop_command, started

CONNECTIONS: Final = 32
ALIAS: Final = "/api/functions/orders/aliases/release"
_ASK: Final = b"GET /release/orders/42 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class Line:
    """One keep-alive connection, one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, address: tuple[str, int]) -> Line:
        """A connection to a listener."""
        return cls(*await asyncio.open_connection(*address))

    async def send(self, request: bytes) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers in lower case, and body of the answer."""
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *rows = head.rstrip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (row.partition(": ") for row in rows)}
        body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return int(first.split(" ")[1]), headers, body

    async def change(self, method: str, path: str, body: Mapping[str, object]) -> Any:  # noqa: ANN401
        """Send a change to the control plane and give back what it answers."""
        text = json.dumps(body)
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        request = f"{head}Content-Length: {len(text)}\r\n\r\n{text}".encode()
        status, _, answer = await self.send(request)
        if status >= 300:
            raise RuntimeError(f"{method} {path} {text} was answered {status}: {answer!r}")
        return json.loads(answer)

    async def close(self) -> None:
        """Hang up, also on somebody who has gone."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


@dataclass(slots=True)
class Steered:
    """What happened.

    Attributes:
        answers: How many requests were answered 200.
        lost: Requests that were answered otherwise, or not at all.
        wrong: Answers of a version or a revision that was not current meanwhile.
        changes: How many changes were acknowledged.
        seconds: How long each change took to be acknowledged.
    """

    answers: int = 0
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    changes: int = 0
    seconds: list[float] = field(default_factory=list)


class Steering:
    """A gateway under load while its alias `release` moves.

    Args:
        server: The gateway; its function `orders` has versions 1 to 4.
        requests: How many requests are sent.
        moves: How many times the alias is pointed somewhere else.
        roll_backs: How many times it is rolled back.
    """

    def __init__(self, server: Running, requests: int, moves: int, roll_backs: int) -> None:
        self.server = server
        self.result = Steered()
        self._left = requests
        self._pace = max(1, requests // (moves + roll_backs + 1))
        self._steps = ["roll back" if i % 5 == 4 else "move" for i in range(moves + roll_backs)]
        self._dice = random.Random(7)
        self._main = "1"
        self._current: dict[int, set[str]] = {}
        self._acknowledged = 0
        self._on_its_way = 0
        self._seen: list[tuple[int, int, int, str]] = []
        self._progress = asyncio.Condition()

    async def run(self) -> Steered:
        """Do it all."""
        control = await Line.to(self.server.control)
        start = await control.change("PUT", ALIAS, {"version": "1"})
        self._acknowledged = self._on_its_way = start["revision"]
        self._current[start["revision"]] = {"1"}
        callers = [self._caller() for _ in range(CONNECTIONS)]
        await asyncio.gather(*callers, self._steer(control))
        await control.close()
        self._judge()
        return self.result

    async def _caller(self) -> None:
        line = await Line.to(self.server.address)
        while self._left > 0:
            self._left -= 1
            sent = self._acknowledged
            try:
                status, headers, _ = await line.send(_ASK)
            except (OSError, EOFError) as error:
                self.result.lost.append(repr(error))
                line = await Line.to(self.server.address)
                continue
            if status != 200:
                self.result.lost.append(f"status {status}")
                continue
            revision, version = int(headers["x-gateway-revision"]), headers["x-gateway-version"]
            self._seen.append((sent, self._on_its_way, revision, version))
            self.result.answers += 1
            if self.result.answers % self._pace == 0:
                async with self._progress:
                    self._progress.notify_all()
        await line.close()
        async with self._progress:
            self._progress.notify_all()

    async def _steer(self, control: Line) -> None:
        for number, step in enumerate(self._steps, 1):
            await self._reached(number * self._pace)
            if step == "roll back":
                await self._change(control, "POST", f"{ALIAS}/rollback", {})
            else:
                await self._change(control, "PUT", ALIAS, self._route(number))

    async def _reached(self, answers: int) -> None:
        def there() -> bool:
            return self.result.answers >= answers or self._left <= 0

        async with self._progress:
            await self._progress.wait_for(there)

    def _route(self, number: int) -> dict[str, object]:
        """Somewhere else than before, and now and then divided."""
        self._main, other = self._dice.sample([v for v in "1234" if v != self._main], 2)
        return {"version": self._main, "weights": {} if number % 2 else {other: 0.5}}

    async def _change(
        self, control: Line, method: str, path: str, body: Mapping[str, object]
    ) -> None:
        self._on_its_way = self._acknowledged + 1
        began = perf_counter()
        answer = await control.change(method, path, body)
        self.result.seconds.append(perf_counter() - began)
        self._acknowledged = self._on_its_way = answer["revision"]
        if answer["changed"]:
            alias = answer["differences"][0]["after"]
            self.result.changes += 1
            self._main = alias["version"]
            self._current[self._acknowledged] = {alias["version"], *alias["weights"]}

    def _judge(self) -> None:
        for sent, newest, revision, version in self._seen:
            if not sent <= revision <= max(sent, newest):
                self.result.wrong.append(f"revision {revision}, not {sent} to {newest}")
            elif version not in self._current[revision]:
                self.result.wrong.append(f"version {version} at revision {revision}")


async def first_answers(server: Running, count: int) -> tuple[list[float], list[float]]:
    """Seconds from asking for a change, and from its acknowledgement, to the first new answer.

    Raises:
        RuntimeError: The first answer after the acknowledgement was of another version.
    """
    control, caller = await Line.to(server.control), await Line.to(server.address)
    asked: list[float] = []
    acknowledged: list[float] = []
    for number in range(count):
        version = "1234"[number % 4]
        began = perf_counter()
        await control.change("PUT", ALIAS, {"version": version})
        done = perf_counter()
        _, headers, _ = await caller.send(_ASK)
        ended = perf_counter()
        if headers["x-gateway-version"] != version:
            raise RuntimeError(f"version {headers['x-gateway-version']} answered, not {version}")
        asked.append(ended - began)
        acknowledged.append(ended - done)
    await control.close()
    await caller.close()
    return asked, acknowledged


def milliseconds(seconds: list[float]) -> str:
    """Median and 99th percentile."""
    cuts = quantiles(seconds, n=100)
    return f"p50 {cuts[49] * 1000:.2f} ms, p99 {cuts[98] * 1000:.2f} ms"


def main() -> None:
    """Print the figures."""
    with TemporaryDirectory() as folder, started("gateway", shop_command(Path(folder))) as server:
        asked, acknowledged = asyncio.run(first_answers(server, 500))
        print("a change and its first request, 500 times")
        print(f"  from asking           {milliseconds(asked)}")
        print(f"  from acknowledgement  {milliseconds(acknowledged)}")

        async def steer() -> Steered:
            return await Steering(server, 100_000, 200, 50).run()

        result = asyncio.run(steer())
    print(f"{CONNECTIONS} connections, 100,000 requests, {result.changes} changes that altered")
    print(f"  answered {result.answers:,}, lost {len(result.lost)}, wrong {len(result.wrong)}")
    print(f"  change acknowledged   {milliseconds(result.seconds)}")
    for line in (*result.lost[:5], *result.wrong[:5]):
        print(f"  {line}")


if __name__ == "__main__":
    main()

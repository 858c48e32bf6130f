"""A gateway killed in the middle of commits, again and again: what was acknowledged stays.

After each kill the gateway must start, and its alias must lead where the last acknowledged change
put it, or where the one that was on its way would have: nothing older, nothing in between.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.servers import Running, shop_command, started
from benchmarks.steering import ALIAS, Line

LONGEST_SECONDS: Final = 0.12
"""A process lives at most so long after its first change was asked for."""

_READ: Final = f"GET {ALIAS} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


@dataclass(slots=True)
class Killed:
    """What happened.

    Attributes:
        kills: How many processes were killed.
        acknowledged: How many changes were acknowledged.
        unanswered: How many changes were on their way when their process was killed.
        survived: How many of those are remembered all the same.
        wrong: What was lost, or half done.
    """

    kills: int = 0
    acknowledged: int = 0
    unanswered: int = 0
    survived: int = 0
    wrong: list[str] = field(default_factory=list)


class Killing:
    """Kills gateways that share one state, one after another.

    Args:
        folder: Where they live.
        seed: Makes the moments repeatable, as far as a machine is.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.result = Killed()
        self._command = shop_command(folder)
        self._dice = random.Random(seed)
        self._known: Mapping[str, object] = {}
        self._on_its_way: Mapping[str, object] | None = None
        self._revision = 0

    async def run(self, times: int) -> Killed:
        """Do it so many times."""
        for _ in range(times):
            with started("gateway", self._command) as server:
                await self._look(server)
                await self._steer_until_killed(server)
                server.process.wait(20)
        with started("gateway", self._command) as server:
            await self._look(server)
        return self.result

    async def _look(self, server: Running) -> None:
        """Hold what is live against what was acknowledged."""
        line = await Line.to(server.control)
        _, headers, body = await line.send(_READ)
        await line.close()
        revision, alias = int(headers["etag"].strip('"')), json.loads(body)
        if self._known:
            survived = revision == self._revision + 1 and same(alias, self._on_its_way)
            self.result.survived += survived
            if not survived and not (revision == self._revision and same(alias, self._known)):
                self.result.wrong.append(
                    f"revision {revision} leads to {alias}; acknowledged was {self._revision} "
                    f"to {self._known}, and on its way {self._on_its_way}"
                )
        self._known, self._revision, self._on_its_way = alias, revision, None

    async def _steer_until_killed(self, server: Running) -> None:
        loop = asyncio.get_running_loop()
        line = await Line.to(server.control)
        loop.call_later(self._dice.uniform(0, LONGEST_SECONDS), server.process.kill)
        try:
            while True:
                self._on_its_way = self._somewhere_else()
                answer = await line.change("PUT", ALIAS, self._on_its_way)
                self._known, self._revision = self._on_its_way, answer["revision"]
                self.result.acknowledged += 1
        except (OSError, EOFError):
            self.result.kills += 1
            self.result.unanswered += 1
        await line.close()

    def _somewhere_else(self) -> dict[str, object]:
        version, other = self._dice.sample("1234", 2)
        share = self._dice.randint(1, 99) / 100
        note = f"{self._dice.getrandbits(64)}" * self._dice.randint(1, 200)
        return {"version": version, "weights": {other: share}, "description": note}


def same(alias: Mapping[str, object], asked: Mapping[str, object] | None) -> bool:
    """Whether an alias leads where somebody asked for."""
    return asked is not None and {key: alias[key] for key in asked} == dict(asked)


def main() -> None:
    """Print what happened."""
    with TemporaryDirectory() as folder:
        result = asyncio.run(Killing(Path(folder), seed=1).run(200))
    print(f"{result.kills} processes killed, {result.acknowledged:,} changes acknowledged before")
    print(f"  on their way when killed {result.unanswered}, of which remembered {result.survived}")
    print(f"  lost or half done        {len(result.wrong)}")
    for line in result.wrong[:5]:
        print(f"  {line}")


if __name__ == "__main__":
    main()

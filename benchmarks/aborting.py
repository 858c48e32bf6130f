"""Roll-backs under load: how soon the old version answers, and whether a request is lost.

Rollouts begin and are aborted, one after the other, while many connections ask without a pause.
Every answer is held against the acknowledgements: what was sent after a roll-back was acknowledged
must come from the old version. Then rollouts to a broken version, which the guards roll back.

    python -m benchmarks.aborting [--rollouts 100]
"""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, time
from typing import Any, Final

from benchmarks.servers import Running, shop_command, started
from benchmarks.steering import Line, milliseconds

CONNECTIONS: Final = 32
_ASK: Final = b"GET /release/orders/42 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
_PLAN: Final[dict[str, object]] = {"function": "orders", "alias": "release", "to": "2"}
_BROKEN: Final = 'async def main_handler(event, context):\n    raise ValueError("broken")\n'


@dataclass(slots=True)
class Aborted:
    """What happened.

    Attributes:
        answers: How many requests were answered 200.
        new: How many of them by the new version.
        lost: Requests that were answered otherwise, or not at all.
        stale: Answers of the new version to requests that were sent after a roll-back.
        seconds: From asking for each roll-back to the answer of the next request.
    """

    answers: int = 0
    new: int = 0
    lost: list[str] = field(default_factory=list)
    stale: int = 0
    seconds: list[float] = field(default_factory=list)


class Aborting:
    """A gateway under load while rollouts begin and are aborted.

    Args:
        server: The gateway; its function `orders` has two versions.
        rollouts: How many rollouts are aborted.
        pace: Answers between two steps.
    """

    def __init__(self, server: Running, rollouts: int, pace: int) -> None:
        self._server = server
        self._rollouts = rollouts
        self._pace = pace
        self._done = False
        self._old_only = True
        self._until = 0
        self._there = asyncio.Event()
        self.result = Aborted()

    async def run(self) -> Aborted:
        """All of it."""
        control, caller = await Line.to(self._server.control), await Line.to(self._server.address)
        callers = [asyncio.create_task(self._call()) for _ in range(CONNECTIONS)]
        try:
            for _ in range(self._rollouts):
                await self._abort(control, caller)
        finally:
            self._done = True
            await asyncio.gather(*callers)
            await control.close()
            await caller.close()
        return self.result

    async def _abort(self, control: Line, caller: Line) -> None:
        self._old_only = False
        plan = {**_PLAN, "steps": [0.5, 1], "every": 3600}
        rollout = await control.change("POST", "/api/rollouts", plan)
        await self._answers(self._pace)
        began = perf_counter()
        await _asked(control, "POST", f"/api/rollouts/{rollout['id']}/abort")
        self._old_only = True
        _, headers, _ = await caller.send(_ASK)
        self.result.seconds.append(perf_counter() - began)
        self.result.stale += headers["x-gateway-version"] != "1"
        await self._answers(self._pace)

    async def _answers(self, number: int) -> None:
        self._until = self.result.answers + number
        self._there.clear()
        await self._there.wait()

    async def _call(self) -> None:
        line = await Line.to(self._server.address)
        while not self._done:
            old_only = self._old_only
            try:
                status, headers, _ = await line.send(_ASK)
            except (OSError, EOFError, asyncio.IncompleteReadError) as error:
                self.result.lost.append(repr(error))
                break
            if status != 200:
                self.result.lost.append(f"status {status}")
                continue
            self.result.answers += 1
            is_new = headers["x-gateway-version"] == "2"
            self.result.new += is_new
            self.result.stale += is_new and old_only
            if self.result.answers >= self._until:
                self._there.set()
        await line.close()


async def _asked(control: Line, method: str, path: str) -> Any:  # noqa: ANN401 - JSON
    """What the control plane answers to a request without a body."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n"
    status, _, answer = await control.send(head.encode())
    if status >= 300:
        raise RuntimeError(f"{method} {path} was answered {status}: {answer!r}")
    return json.loads(answer)


async def quiet(server: Running, count: int) -> list[float]:
    """Seconds from asking for a roll-back to the answer of the next request, with no other load."""
    control, caller = await Line.to(server.control), await Line.to(server.address)
    seconds = []
    for _ in range(count):
        plan = {**_PLAN, "steps": [0.5, 1], "every": 3600}
        rollout = await control.change("POST", "/api/rollouts", plan)
        began = perf_counter()
        await _asked(control, "POST", f"/api/rollouts/{rollout['id']}/abort")
        _, headers, _ = await caller.send(_ASK)
        seconds.append(perf_counter() - began)
        if headers["x-gateway-version"] != "1":
            raise RuntimeError(f"version {headers['x-gateway-version']} answered, not 1")
    await control.close()
    await caller.close()
    return seconds


async def decided(server: Running, count: int) -> list[float]:
    """Seconds from the guards' decision to roll back to the first answer after it.

    Args:
        server: The gateway; version 2 of its function is broken.
        count: How many rollouts.
    """
    control, caller = await Line.to(server.control), await Line.to(server.address)
    seconds = []
    for _ in range(count):
        plan = {**_PLAN, "steps": [0.9, 1], "every": 3600}
        rollout = await control.change("POST", "/api/rollouts", plan)
        seconds.append(await _rolled_back(control, caller, rollout["id"]))
    await control.close()
    await caller.close()
    return seconds


async def _rolled_back(control: Line, caller: Line, rollout: str) -> float:
    """Ask without a pause until the rollout has ended."""
    answers: list[tuple[int, float]] = []
    while True:
        _, headers, _ = await caller.send(_ASK)
        answers.append((int(headers["x-gateway-revision"]), time()))
        if len(answers) > 1 and answers[-1][0] > answers[0][0]:
            found = await _asked(control, "GET", f"/api/rollouts/{rollout}")
            if found["status"] == "rolled-back":
                break
    at = datetime.fromisoformat(found["since"]).timestamp()
    last = answers[-1][0]
    return next(arrived for revision, arrived in answers if revision == last) - at


def main() -> None:
    """Print the figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rollouts", type=int, default=100)
    rollouts = options.parse_args().rollouts
    with TemporaryDirectory() as folder, started("gateway", shop_command(Path(folder))) as server:

        async def abort() -> Aborted:
            return await Aborting(server, rollouts, 500).run()

        alone = asyncio.run(quiet(server, rollouts))
        found = asyncio.run(abort())
    print(f"{rollouts} rollouts aborted, no other load")
    print(f"  from asking to the next answer   {milliseconds(alone)}")
    print(f"{rollouts} rollouts aborted, {CONNECTIONS} connections without a pause")
    print(f"  answered {found.answers:,}, {found.new:,} by the new version")
    print(f"  lost {len(found.lost)}, stale {found.stale}")
    print(f"  from asking to the next answer   {milliseconds(found.seconds)}")
    with TemporaryDirectory() as folder:
        command = shop_command(Path(folder))
        (Path(folder) / "orders" / "v2" / "index.py").write_text(_BROKEN)
        with started("gateway", command) as server:
            seconds = asyncio.run(decided(server, rollouts))
    print(f"{rollouts} rollouts of a broken version, rolled back by the guards")
    print(f"  from the decision to the first answer  {milliseconds(seconds)}")


if __name__ == "__main__":
    main()

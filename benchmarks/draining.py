"""Gateways that take over from one another on one port, under load: how many requests are lost.

A second gateway is started on the port of the first, which is then told to stop, and so on. Callers
keep their connections and go elsewhere only when an answer says so; some connect for each request.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.servers import Running, gateway_command, started

RESTARTS: Final = 3
KEPT: Final = 16
SINGLE: Final = 2
SECONDS: Final = 2.0
"""Between one restart and the next."""

_ASK: Final = b"GET /release/orders/42 HTTP/1.1\r\nHost: 127.0.0.1\r\nUser: Alice\r\n\r\n"


@dataclass(slots=True)
class Lost:
    """What happened.

    Attributes:
        answered: Requests that were answered with 200.
        told: Answers that asked their callers to go elsewhere.
        lost: What went wrong with all others.
    """

    answered: int = 0
    told: int = 0
    lost: list[str] = field(default_factory=list)


async def call(port: int, result: Lost, over: asyncio.Event, *, kept: bool) -> None:
    """Ask again and again."""
    while not over.is_set():
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError as error:
            result.lost.append(repr(error))
            continue
        try:
            while not over.is_set():
                writer.write(_ASK)
                answer = await reader.readuntil(b'"price": 20}')
                result.answered += answer.startswith(b"HTTP/1.1 200 ")
                told = b"\r\nconnection: close\r\n" in answer
                result.told += told
                if told or not kept:
                    break
        except (OSError, EOFError) as error:
            result.lost.append(repr(error))
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def drive(first: Running, command: list[str], stack: ExitStack, restarts: int) -> Lost:
    """Restart so many times while callers ask."""
    result, over, port = Lost(), asyncio.Event(), first.address[1]
    callers = [
        asyncio.create_task(call(port, result, over, kept=number < KEPT))
        for number in range(KEPT + SINGLE)
    ]
    ports = ["--port", str(port), "--control-port", str(first.control[1])]
    running = first
    for _ in range(restarts):
        await asyncio.sleep(SECONDS)
        other = await asyncio.to_thread(
            lambda: stack.enter_context(started("gateway", [*command, *ports]))
        )
        running.process.terminate()
        await asyncio.to_thread(running.process.wait, 20)
        running = other
    await asyncio.sleep(SECONDS)
    over.set()
    await asyncio.gather(*callers)
    return result


def main() -> None:
    """Print what happened; `python -m benchmarks.draining 50` for more than three."""
    restarts = int(sys.argv[1]) if len(sys.argv) > 1 else RESTARTS
    with TemporaryDirectory() as folder, ExitStack() as stack:
        command = [*gateway_command(Path(folder)), "--state", ":memory:", "--reuse-port"]
        first = stack.enter_context(started("gateway", command))
        result = asyncio.run(drive(first, command, stack, restarts))
    print(f"{restarts} gateways told to stop under load, each replaced on the same port before")
    print(f"  answered                 {result.answered:,}, of which told to go {result.told}")
    print(f"  lost                     {len(result.lost)}")
    for line in result.lost[:5]:
        print(f"  {line}")


if __name__ == "__main__":
    main()

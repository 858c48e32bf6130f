"""Hot reload: from an edit on disk to the first answer of the new code, and what a thousand cost.

The clock starts when the file has been written. Answers are asked for without a pause, so that the
figure is the gateway's and not the asker's.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

from benchmarks.servers import Running, shop_command, started
from benchmarks.steering import Line

RELOADS: Final = 1000
WARM: Final = 100
"""Reloads before memory is looked at for the first time: pools and caches fill once."""

_ASK: Final = b"GET /release/orders/42 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
_CODE: Final = """
TABLE = {{number: str(number) for number in range(20_000)}}
async def main_handler(event, context):
    return {{"statusCode": 200, "body": "{number}"}}
"""


async def reload_once(line: Line, file: Path, number: int) -> float:
    """Seconds from an edit to the first answer of the edited code.

    Raises:
        TimeoutError: The edit was not picked up.
    """
    await asyncio.to_thread(file.write_text, _CODE.format(number=number))
    began = perf_counter()
    async with asyncio.timeout(10):
        while True:
            status, _, body = await line.send(_ASK)
            if status == 200 and body == str(number).encode():
                return perf_counter() - began


async def measure(server: Running, file: Path) -> tuple[list[float], list[float]]:
    """Seconds for each of the first edits, and megabytes after every hundredth reload."""
    control, caller = await Line.to(server.control), await Line.to(server.address)
    alias = "/api/functions/orders/aliases/release"
    await control.change("PUT", alias, {"version": "$LATEST"})
    seconds, megabytes = [], []
    for number in range(1, WARM + RELOADS + 1):
        seconds.append(await reload_once(caller, file, number))
        if number >= WARM and number % 100 == 0:
            megabytes.append(server.process.memory_info().rss / 2**20)
    await control.close()
    await caller.close()
    return seconds, megabytes


def main() -> None:
    """Print the figures."""
    with TemporaryDirectory() as folder, started("gateway", shop_command(Path(folder))) as server:
        file = Path(folder) / "orders" / "latest" / "index.py"
        seconds, megabytes = asyncio.run(measure(server, file))
    cuts = [cut * 1000 for cut in quantiles(seconds, n=100)]
    print(f"{len(seconds)} edits of code, each picked up once")
    print(f"  edit to first new answer  p50 {cuts[49]:.0f} ms, p95 {cuts[94]:.0f} ms")
    growth = megabytes[-1] / megabytes[0] - 1
    print(
        f"  memory over {RELOADS} reloads  {megabytes[0]:.1f} MB to {megabytes[-1]:.1f} MB"
        f" ({growth:+.1%})"
    )


if __name__ == "__main__":
    main()

"""Does `whatif` agree with the gateway: 100,000 requests sent, recorded, and asked about.

The requests go through the data plane of a gateway in this process; what the answers' headers
say is recorded, written, read again, and held against the pure decision, with a sticky split and
five rules. Then the same recording is asked about under another alias, and timed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any
from urllib.parse import unquote

from gateway.app import Gateway, Setup
from gateway.cli.whatif_state import looker
from gateway.core.alias import parse_route
from gateway.core.apply import apply
from gateway.core.changes import PutAlias
from gateway.core.entries import Target
from gateway.core.snapshot import Snapshot
from gateway.traffic.opening import open_lines
from gateway.traffic.recording import Answered, Recorded, read, write
from gateway.traffic.whatif import Comparison, Question

REQUESTS = 100_000
STAGES = """
[service]
name = "shop"
[functions.orders]
source = "orders"
[functions.orders.aliases.release]
version = "1"
weights = { "2" = 0.3, "3" = 0.2 }
split = "sticky"
sticky_by = "invoke.headers.User"
rules = [
  { when = "invoke.headers.User prefix b1", version = "2" },
  { when = "invoke.cookies.sid in s1, s2", version = "3" },
  { when = "invoke.path.id range [1,9]", version = "4" },
  { when = "invoke.body.$.vip exact true", version = "4" },
  { when = "invoke.query.q exact a b", version = "1" },
]
[[apis]]
method = "ANY"
path = "/orders/{id}"
function = "orders"
[stages.release]
alias = "release"
"""
CODE = 'async def main_handler(event, context):\n    return {"statusCode": 200}\n'
TARGET = Target("orders", "release")


def requests() -> Iterator[Recorded]:
    """Requests that every rule and the sticky key have something to say about."""
    for n in range(REQUESTS):
        yield Recorded(
            at=n / 1000,
            method="POST" if n % 2 else "GET",
            path=f"/orders/{n * 7919 % 2000}" if n % 5 else "/orders/%C3%BC%20x",
            query=("", "q=a+b", "q=a%20b&q=c", "q")[n % 4],
            headers=(("User", f"{'abc'[n % 3]}{n * 31 % 20_000}"), ("Cookie", f"sid=s{n % 40}")),
            body=(b"", b'{"vip": true}', b"{", b'{"vip": 1}')[n // 3 % 4] if n % 2 else b"",
            user=f"{'abc'[n % 3]}{n * 31 % 20_000}",
        )


async def answered(gateway: Gateway, request: Recorded) -> Recorded:
    """The request with the version that its answer names."""
    path, heads = f"/release{request.path}", {}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def send(message: Mapping[str, Any]) -> None:
        heads.update(message.get("headers", ()))

    headers = [(name.lower().encode(), value.encode()) for name, value in request.headers]
    if request.body:
        headers.append((b"content-length", b"%d" % len(request.body)))
    scope = {
        "type": "http",
        "method": request.method,
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": request.query.encode(),
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "scheme": "http",
        "http_version": "1.1",
    }
    await gateway.plane(scope, receive, send)
    version, reason = (heads[b"x-gateway-" + name].decode() for name in (b"version", b"reason"))
    return request._replace(answer=Answered(200, version=version, reason=reason))


async def record(folder: Path, output: Path) -> Snapshot:
    """Send everything, write the recording, and give the state that decided."""
    for place in ("latest", "v1", "v2", "v3", "v4"):
        index = folder / "orders" / place / "index.py"
        index.parent.mkdir(parents=True)
        index.write_text(CODE, encoding="utf-8")
    (folder / "stages.toml").write_text(STAGES, encoding="utf-8")
    gateway = await Gateway.open(Setup(file=folder / "stages.toml"))
    try:
        with output.open("wb") as file:
            for request in requests():
                file.write(write(await answered(gateway, request)))
        return gateway.live.snapshot
    finally:
        await gateway.close()


def ask(now: Snapshot, then: Snapshot, recording: Path) -> tuple[Comparison, float]:
    """The comparison, and its seconds with reading the file."""
    start = perf_counter()
    with open_lines(recording) as lines:
        question = Question(now, then, TARGET, "release")
        found = Comparison(question, looker(now, "release")).over(read(lines))
    return found, perf_counter() - start


def main() -> None:
    """Record, ask, print."""
    with TemporaryDirectory() as name:
        recording = Path(name) / "shop.jsonl"
        now = asyncio.run(record(Path(name), recording))
        found, seconds = ask(now, now, recording)
        agreement = found.agreement
        print(
            f"{agreement.same:,} of {found.requests:,} requests agree "
            f"({agreement.other:,} differ, {agreement.drawn:,} drawn), {seconds:.1f} s"
        )
        raw = {**found.question.alias(then=True).route.to_dict(), "weights": {"2": 0.4, "3": 0.2}}
        then = apply(now, PutAlias(*TARGET, parse_route(raw, "it")[0]))
        found, seconds = ask(now, then, recording)
        users = found.users()
        print(
            f"another alias: {users['moved']:,} of {users['total']:,} users would move, "
            f"{seconds:.1f} s, {found.requests / seconds:,.0f} requests/s"
        )


if __name__ == "__main__":
    main()

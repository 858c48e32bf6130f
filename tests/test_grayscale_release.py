"""The story of a grayscale release, told through HTTP, in the order in which it happens.

A service is released to three stages once. From then on only aliases move: code is tried on dev,
by one user on prepub, and then shifted to everybody on release, until it fails and everybody is
back on the old version with the next request. No step after the first two touches the API.
"""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from gateway.app import Gateway
from gateway.config import load
from gateway.core.alias import parse_route
from gateway.core.changes import Publish, PutAlias
from gateway.observe import Seen
from gateway.verdict import Outcome, judge

STAGES = """
[service]
name = "shop"

[functions.orders]
source = "functions/orders"

[functions.orders.aliases]
prepub = { version = "$LATEST" }
release = { version = "$LATEST" }

[[apis]]
method = "ANY"
path = "/orders/{id}"
function = "orders"

[stages.dev]
alias = "$DEFAULT"
[stages.prepub]
alias = "prepub"
[stages.release]
alias = "release"
"""
BOB = "invoke.headers.User exact Bob"


class Shop:
    """A developer's hands: edit code, publish it, move aliases, and look at what callers get."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "functions" / "orders"
        self.edit("idea 0")
        (folder / "stages.toml").write_text(STAGES)
        self.gateway = Gateway(load(folder / "stages.toml"), seed=20)
        transport = httpx.ASGITransport(self.gateway.plane)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080")

    def edit(self, code: str, *, broken: bool = False) -> None:
        """Write the editable version."""
        latest = self.folder / "latest"
        latest.mkdir(parents=True, exist_ok=True)
        answer = "1 / 0" if broken else '{"statusCode": 200, "body": CODE}'
        (latest / "index.py").write_text(
            f"CODE = {code!r}\nasync def main_handler(event, context):\n    return {answer}\n"
        )

    def publish(self, code: str, *, broken: bool = False) -> str:
        """Edit, then freeze the editable version into the next number."""
        self.edit(code, broken=broken)
        number = str(self.gateway.live.snapshot.functions["orders"].last + 1)
        frozen = self.folder / f"v{number}"
        shutil.copytree(self.folder / "latest", frozen)
        self.gateway.change(Publish("orders", code=str(frozen), number=number))
        return number

    def point(self, alias: str, **route: object) -> None:
        """Point an alias somewhere else."""
        parsed, _ = parse_route(route, f"alias {alias!r}")
        self.gateway.change(PutAlias("orders", alias, parsed))

    async def get(self, stage: str, user: str = "Alice") -> httpx.Response:
        """What a user gets from a stage."""
        return await self.client.get(f"/{stage}/orders/42", headers={"User": user})

    async def versions(self, stage: str, count: int) -> Counter[str]:
        """Which versions answer a number of requests."""
        answers = [await self.get(stage) for _ in range(count)]
        return Counter(answer.headers["X-Gateway-Version"] for answer in answers)

    def seen(self, stage: str) -> dict[str, Seen]:
        """What the gateway counted on a stage, by version."""
        alias = {"dev": "$DEFAULT"}.get(stage, stage)
        return self.gateway.counters.by_version()[stage, "orders", alias]


@asynccontextmanager
async def open_shop(folder: Path) -> AsyncIterator[Shop]:
    """A shop that is closed again."""
    shop = Shop(folder)
    try:
        yield shop
    finally:
        await shop.client.aclose()
        await shop.gateway.close()


def test_a_grayscale_release_from_the_first_idea_to_the_roll_back(tmp_path: Path) -> None:
    """The whole story."""

    async def story() -> None:
        async with open_shop(tmp_path) as shop:
            # 1, 2. Aliases release and prepub exist, the API is released to three stages.
            for stage in ("dev", "prepub", "release"):
                answer = await shop.get(stage)
                assert (answer.status_code, answer.text) == (200, "idea 0")
                assert answer.headers["X-Gateway-Version"] == "$LATEST"
            released = shop.gateway.live.snapshot.services

            # 3. Four versions are published; nothing moves by that.
            for number in ("1", "2", "3", "4"):
                assert shop.publish(f"version {number}", broken=number == "2") == number
            assert await shop.versions("release", 5) == {"$LATEST": 5}

            # 4. Development goes on with the editable code; release starts from version 1.
            shop.point("$DEFAULT", version="$LATEST")
            shop.point("release", version="1")
            assert (await shop.get("dev")).headers["X-Gateway-Version"] == "$LATEST"
            assert (await shop.get("release")).text == "version 1"

            # 5. Testers get version 3 on prepub.
            shop.point("prepub", version="3")
            assert (await shop.get("prepub")).text == "version 3"

            # 6. Bob alone gets version 4 there.
            shop.point("prepub", version="3", rules=[{"when": BOB, "version": "4"}])
            bob, alice = await shop.get("prepub", "Bob"), await shop.get("prepub", "Alice")
            assert (bob.text, bob.headers["X-Gateway-Reason"]) == ("version 4", "rule:1")
            assert (alice.text, alice.headers["X-Gateway-Reason"]) == ("version 3", "main")
            assert (await shop.get("release", "Bob")).text == "version 1"

            # 7. Release shifts from 1 to 2, step by step, and both versions are watched.
            requests = 2_000
            for weight in (0.1, 0.5, 1):
                shop.point("release", version="1", weights={"2": weight})
                counts = await shop.versions("release", requests)
                expected = {"1": 1 - weight, "2": float(weight)}
                assert judge(counts, expected).outcome is not Outcome.FAILED, (weight, counts)
            seen = shop.seen("release")
            assert seen["1"].errors == 0
            assert seen["2"].errors == seen["2"].requests > requests

            # 8. Version 2 fails: everybody is back on 1 with the very next request.
            failing = await shop.get("release")
            assert (failing.status_code, failing.json()["statusCode"]) == (430, 430)
            shop.point("release", version="1")
            assert await shop.versions("release", 100) == {"1": 100}

            # No step after the first two touched the API or a stage.
            assert shop.gateway.live.snapshot.services is released

    asyncio.run(story())


def test_a_roll_back_wins_over_stickiness_on_the_next_request(tmp_path: Path) -> None:
    """A user who stuck to the new version does not stay behind."""

    async def story() -> None:
        async with open_shop(tmp_path) as shop:
            shop.publish("version 1")
            shop.publish("version 2")
            sticky = {"split": "sticky", "sticky_by": "invoke.headers.User"}
            shop.point("release", version="1", weights={"2": 0.5}, **sticky)
            users = [f"user {number}" for number in range(200)]
            first = {user: (await shop.get("release", user)).text for user in users}
            again = {user: (await shop.get("release", user)).text for user in users}
            assert first == again
            assert set(first.values()) == {"version 1", "version 2"}
            shop.point("release", version="1", weights={"2": 0}, **sticky)
            after = {(await shop.get("release", user)).text for user in users}
            assert after == {"version 1"}

    asyncio.run(story())

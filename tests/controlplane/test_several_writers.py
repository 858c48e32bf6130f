"""Several gateways on one state, of which one has not seen yet what another has written.

Whatever it answers must be as if it had: its own snapshot decides nothing that others may have
altered.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from time import time
from typing import Any

import httpx
import pytest

from gateway.app import Gateway, Setup
from gateway.controlplane import writer
from gateway.controlplane.cloud.access import Access
from gateway.controlplane.cloud.app import CloudApi, key_pair
from gateway.controlplane.cloud.asked import Caller
from gateway.controlplane.cloud.received import Parameters
from gateway.core.alias import Route
from gateway.core.changes import PutAlias
from gateway.core.entries import Target
from gateway.core.errors import GatewayError
from gateway.store.packages import read_files
from gateway.store.protocol import Author, StaleRevision, StateAway

ME = Author("me", "here")
TO_1 = PutAlias("orders", "release", Route("1"))
TO_2 = PutAlias("orders", "release", Route("2"))
ALIAS = "/api/functions/orders/aliases/release"
STAGES = """
[service]
name = "shop"

[functions.orders]
source = "orders"

[functions.orders.aliases]
release = { version = "1" }

[[apis]]
method = "GET"
path = "/orders"
function = "orders"

[stages.release]
alias = "release"
"""

Story = Callable[[Gateway, Gateway], Awaitable[None]]
Tell = Callable[[Story], None]


def code(text: str) -> str:
    """A handler that answers with a text."""
    return f"def main_handler(event, context):\n    return {text!r}\n"


@asynccontextmanager
async def following(gateway: Gateway) -> AsyncIterator[None]:
    """From now on a gateway sees what others write."""
    task = asyncio.create_task(gateway.writer.follow())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def opened(file: Path) -> AsyncIterator[Gateway]:
    """A gateway with its state in a file beside the configuration; it does not follow."""
    gateway = await Gateway.open(Setup(file, file.parent / ".gateway" / "state.db", seed=1))
    try:
        yield gateway
    finally:
        await gateway.close()


@pytest.fixture
def tell(tmp_path: Path) -> Tell:
    """Tell a story to two gateways at revision 1 that do not follow each other."""
    for version in ("latest", "v1", "v2"):
        folder = tmp_path / "orders" / version
        folder.mkdir(parents=True)
        (folder / "index.py").write_text(code(version))
    file = tmp_path / "stages.toml"
    file.write_text(STAGES)

    def run(story: Story) -> None:
        async def told() -> None:
            async with opened(file) as ahead, opened(file) as behind:
                await story(ahead, behind)

        asyncio.run(told())

    return run


def panel(gateway: Gateway) -> httpx.AsyncClient:
    """A client of a gateway's control plane."""
    transport = httpx.ASGITransport(gateway.control)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")


def test_what_is_only_here_as_asked_for_is_written(tell: Tell) -> None:
    """Elsewhere it was altered, and that was acknowledged."""

    async def story(ahead: Gateway, behind: Gateway) -> None:
        await ahead.service.change(TO_2, ME)
        async with following(behind):
            done = await behind.service.change(TO_1, ME)
        assert (done.revision, done.changed) == (3, True)

    tell(story)


def test_what_is_everywhere_as_asked_for_makes_no_revision(tell: Tell) -> None:
    """As it always did."""

    async def story(ahead: Gateway, _: Gateway) -> None:
        done = await ahead.service.change(TO_1, ME)
        assert (done.revision, done.changed) == (1, False)

    tell(story)


def test_a_revision_that_was_seen_elsewhere_is_waited_for(tell: Tell) -> None:
    """If-Match means the same on every node; for a roll-back, too."""

    async def story(ahead: Gateway, behind: Gateway) -> None:
        await ahead.service.change(TO_2, ME)
        async with following(behind):
            done = await behind.service.roll_back("orders", "release", None, ME, expected=2)
            assert done.revision == 3
        async with following(ahead):
            done = await ahead.service.change(TO_2, ME, expected=3)
        assert done.revision == 4

    tell(story)


@pytest.mark.parametrize("expected", [1, 9])
def test_another_revision_is_refused_at_once(tell: Tell, expected: int) -> None:
    """One that is over, and one that nobody has written yet."""

    async def story(ahead: Gateway, _: Gateway) -> None:
        await ahead.service.change(TO_2, ME)
        with pytest.raises(StaleRevision) as caught:
            await ahead.service.change(TO_1, ME, expected=expected)
        assert caught.value.actual == 2

    tell(story)


def test_the_newest_code_is_published(tell: Tell) -> None:
    """Not what was `$LATEST` on this node when it was asked."""

    async def story(ahead: Gateway, behind: Gateway) -> None:
        package = read_files({"index.py": code("edited").encode()})
        await ahead.service.put_code("orders", package, ME)
        async with following(behind):
            await behind.service.publish("orders", "", ME)
            told = await behind.service.invoke(Target("orders", "3"), None, {})
        assert told.value == "edited"

    tell(story)


def test_a_read_that_wants_the_newest_waits_for_it(tell: Tell) -> None:
    """Others are answered by the node's own revision."""

    async def story(ahead: Gateway, behind: Gateway) -> None:
        await ahead.service.change(TO_2, ME)
        async with panel(behind) as client, following(behind):
            found = await client.get(ALIAS, headers={"Cache-Control": "max-age=0, No-Cache"})
        assert found.json()["version"] == "2"
        assert found.headers["etag"] == '"2"'

    tell(story)


def test_a_read_that_wants_nothing_special_does_not_wait(tell: Tell) -> None:
    """It may be of the revision before."""

    async def story(ahead: Gateway, behind: Gateway) -> None:
        await ahead.service.change(TO_2, ME)
        async with panel(behind) as client:
            assert (await client.get(ALIAS)).headers["etag"] == '"1"'

    tell(story)


def test_what_another_node_has_just_made_can_be_altered(tell: Tell) -> None:
    """It is no 404 because this node has not heard of it."""

    async def story(ahead: Gateway, behind: Gateway) -> None:
        await ahead.service.change(PutAlias("orders", "canary", Route("1")), ME)
        async with panel(behind) as client, following(behind):
            gone = await client.delete(ALIAS.replace("release", "canary"))
            unknown = await client.delete(ALIAS.replace("release", "canary"))
        assert (gone.status_code, unknown.status_code) == (200, 404)

    tell(story)


async def asked_by_a_client(gateway: Gateway, alias: str) -> Mapping[str, Any]:
    """What a client of the cloud is answered about an alias."""
    cloud = CloudApi(gateway.service, Access(key_pair(None), time))
    caller = Caller(ME, "ap-guangzhou", "2018-04-16", "http://127.0.0.1")
    parameters = Parameters({"FunctionName": "orders", "Name": alias}, typed=True)
    return await cloud._run("GetAlias", parameters, caller)


def test_clients_of_the_cloud_find_what_another_node_has_just_made(tell: Tell) -> None:
    """Where nothing is known to be new, what is missing is missing."""

    async def story(ahead: Gateway, behind: Gateway) -> None:
        await ahead.service.change(PutAlias("orders", "canary", Route("2")), ME)
        async with following(behind):
            found = await asked_by_a_client(behind, "canary")
            with pytest.raises(GatewayError, match="other"):
                await asked_by_a_client(behind, "other")
        assert found["FunctionVersion"] == "2"

    tell(story)


def test_a_node_that_cannot_catch_up_says_so(tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 in place of an old answer, or of a 412 that nobody asked for."""
    monkeypatch.setattr(writer, "CATCH_UP_SECONDS", 0.01)

    async def story(ahead: Gateway, behind: Gateway) -> None:
        await ahead.service.change(TO_2, ME)
        with pytest.raises(StateAway, match="revision 2 is recorded and not live here yet; 1 is"):
            await behind.service.change(TO_1, ME)
        async with panel(behind) as client:
            found = await client.get(ALIAS, headers={"Cache-Control": "no-cache"})
        assert found.status_code == 503
        with pytest.raises(GatewayError, match="canary"):
            await asked_by_a_client(behind, "canary")
        assert found.headers["retry-after"] == "1"

    tell(story)


def test_whoever_is_never_first_is_told(tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    """After so many attempts; nothing was changed."""
    monkeypatch.setattr(writer, "ATTEMPTS", 1)

    async def story(ahead: Gateway, behind: Gateway) -> None:
        await ahead.service.change(TO_2, ME)
        async with following(behind):
            with pytest.raises(StateAway, match="were faster 1 times; nothing was changed"):
                await behind.service.change(PutAlias("orders", "release", Route("$LATEST")), ME)

    tell(story)

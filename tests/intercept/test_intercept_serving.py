"""A gateway that is served with a front: one more listener, one more line, and the same end."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import signal
import ssl
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import httpx
import pytest

from gateway.app import Gateway, Setup
from gateway.controlplane.events import Event
from gateway.dataplane.server import PortInUse, bind
from gateway.intercept import Authority
from gateway.serving import Addresses, Interception, serve

pytestmark = pytest.mark.sockets

SCF = "https://scf.tencentcloudapi.com/"


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    """A served gateway freezes the heap of its process; a test process goes on living."""
    yield
    gc.unfreeze()


def served(
    where: Addresses,
    project: Path,
    scenario: Callable[[str, list[Event]], Awaitable[None]],
) -> None:
    """Serve a project, let a scenario happen with what was said and told, and stop by a signal."""

    async def whole() -> None:
        gateway = await Gateway.open(Setup(project / "stages.toml", seed=1))
        said = asyncio.get_running_loop().create_future()
        told: list[Event] = []
        serving = asyncio.create_task(serve(gateway, where, said.set_result, tell=told.append))
        await asyncio.wait((serving, said), return_when=asyncio.FIRST_COMPLETED)
        if not serving.done():
            await scenario(said.result(), told)
            os.kill(os.getpid(), signal.SIGTERM)
        await serving

    asyncio.run(whole())


def test_the_front_reaches_the_control_plane(project: Path, authority: Authority) -> None:
    """Which tells of itself where it is, and not where the front is; the rest is refused."""

    async def scenario(said: str, told: list[Event]) -> None:
        ready, front = said.split("\n")
        assert re.fullmatch(r"gateway ready data=http://\S+ control=http://\S+ revision=1", ready)
        found = re.fullmatch(r"gateway intercept proxy=(http://127\.0\.0\.1:\d+) ca=(\S+)", front)
        assert found is not None
        assert Path(found[2]) == authority.file
        context = ssl.create_default_context(cafile=authority.file)
        async with httpx.AsyncClient(proxy=found[1], verify=context, trust_env=False) as client:
            api = await client.get(f"{SCF}?Action=ListFunctions")
            assert "AuthFailure.InvalidAuthorization" in api.text
            uploads = await client.put("https://b-1.cos.ap-guangzhou.myqcloud.com/x", content=b"")
            assert uploads.status_code == 403
            assert (await client.get("http://example.com/")).status_code == 403
        (event,) = [event for event in told if event.name == "error"]
        assert event.data["code"] == "intercept-refused"
        assert str(event.data["text"]).startswith("intercept: the request is for 'example.com'")

    where = Addresses(port=0, control_port=0, intercept=Interception(0, authority))
    served(where, project, scenario)


def test_a_front_whose_port_is_taken_is_not_half_served(
    project: Path, authority: Authority
) -> None:
    """The other listeners are given back."""

    async def never(_said: str, _told: list[Event]) -> None:
        raise AssertionError("nothing is served")

    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        where = Addresses(port=0, control_port=0, intercept=Interception(port, authority))
        with pytest.raises(PortInUse, match=f"127.0.0.1:{port}: "):
            served(where, project, never)


def test_a_place_with_white_space_is_told_in_quotes(project: Path, tmp_path: Path) -> None:
    """A shell can take the line as it is."""
    authority = Authority.open(None, tmp_path / "my ca.pem")

    async def scenario(said: str, _told: list[Event]) -> None:
        assert said.endswith(f" ca='{tmp_path}/my ca.pem'")

    where = Addresses(port=0, control_port=0, intercept=Interception(0, authority))
    served(where, project, scenario)

"""How a gateway begins: what its file declares is applied, and the code of every version proved."""

from __future__ import annotations

from asyncio import create_task, gather

from gateway.config import ConfigurationInvalid
from gateway.controlplane import Control
from gateway.controlplane.news import failure_text
from gateway.runtime import BrokenVersions
from gateway.setup import Setup
from gateway.store.protocol import Author


async def declare(setup: Setup, service: Control) -> tuple[str, ...]:
    """Apply the file; gives what it may say and hardly means.

    Raises:
        ConfigurationInvalid: The file is wrong.
        BrokenVersions: It declares versions that do not load.
    """
    if setup.file is None:
        return ()
    author = Author("stages.toml", str(setup.file))
    following = create_task(service.writer.follow())  # others may change the same state just now
    try:
        return (await service.apply_file(None, author)).warnings
    except (ConfigurationInvalid, BrokenVersions) as error:
        if not setup.again:
            raise
        return (failure_text(error),)
    finally:
        following.cancel()
        await gather(following, return_exceptions=True)


async def prove(setup: Setup, service: Control) -> tuple[str, ...]:
    """Load every version of the live snapshot; gives what is wrong and cannot be mended here.

    Raises:
        BrokenVersions: Versions do not load that can.
    """
    snapshot = service.live.snapshot
    versions = list(snapshot.versions())
    if setup.role.steered:
        await service.code.forget(snapshot)
    await service.code.fetch(versions)
    try:
        service.runtime.prove_all(versions)
    except BrokenVersions as broken:
        if not (setup.follows or setup.again):
            raise
        return (f"warning[{broken.errors[0].code}]: {broken}",)
    return ()

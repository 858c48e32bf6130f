"""Whom a replay is sent to: the running gateway, or who is named; what its aliases should do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gateway.cli.exits import Exit
from gateway.cli.failures import fail
from gateway.cli.remote import path_of

if TYPE_CHECKING:
    from gateway.cli.remote import Remote
    from gateway.traffic.replay_verdict import Aliases

_ANYWHERE = ("0.0.0.0", "::")  # noqa: S104 - read, and never bound


def data_url(remote: Remote) -> str:
    """Where callers reach the gateway that is steered there."""
    url: str = remote.get("/api/addresses").body["data"]
    parts = urlsplit(url)
    if parts.hostname in _ANYWHERE:  # it listens everywhere: also where it is steered
        host = urlsplit(remote.url).hostname or ""
        host = f"[{host}]" if ":" in host else host
        return f"{parts.scheme}://{host}:{parts.port}"
    return url


def check_stages(remote: Remote, stages: Iterable[str], stage: str | None) -> None:
    """End the command if there is no such stage, or if requests were recorded on none.

    Args:
        remote: Who knows the stages.
        stages: Those that the requests were recorded on; empty text for none.
        stage: The one to send everything to; `None` to keep them apart.
    """
    for name in sorted({stage} if stage is not None else set(stages)):
        if not name:
            message = "the recording does not say which stage its requests were sent to"
            fail("no-stage", message, Exit.USAGE, "name one with --stage")
        remote.get(path_of("stages", name))


def live_aliases(remote: Remote) -> tuple[str, Aliases]:
    """The live revision, and what its aliases should do."""
    from gateway.traffic.replay_verdict import aliases_of

    snapshot = remote.get("/api/snapshot").body
    return str(snapshot["revision"]), aliases_of(snapshot)

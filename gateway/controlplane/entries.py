"""What the invocation log keeps of a request: an entry, with secrets hidden; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gateway.controlplane.invoking import Invoked
from gateway.controlplane.problems import to_json
from gateway.core.entries import Target
from gateway.observe import Cell, Detailed, Label, Observation
from gateway.observe.observer import KEPT_BODY, Asked
from gateway.store.logged import Entry

KEPT_OUTPUT: Final = 16_384
"""Characters that are kept of what a handler printed, the last ones."""

HIDDEN: Final = "***"
"""What is kept of a secret."""

SECRETS: Final = frozenset(
    (
        "authorization", "cookie", "proxy-authorization", "set-cookie", "x-api-key",
        "x-auth-token", "x-csrf-token",
    )
)  # fmt: skip
"""Headers whose values are hidden."""

ADDED: Final = frozenset(
    ("requestsource", "x-api-requestid", "x-api-scheme", "x-b3-traceid", "x-qualifier")
)
"""Headers that the gateway adds for the function; the caller has not sent them."""


def entry_of(seen: Observation, since_epoch: float) -> Entry:
    """An observation as it is kept.

    Args:
        seen: The observation.
        since_epoch: What makes seconds since 1970 of seconds of the monotonic clock.
    """
    asked, outcome, label = seen.asked, seen.outcome, seen.cell.label
    body, cut = _text(asked.body)
    more: dict[str, Any] = {}
    if outcome is not None:
        more = {
            "duration": outcome.seconds,
            "memory": outcome.memory,
            "error": outcome.error,
            "output": outcome.output[-KEPT_OUTPUT:],
        }
    return Entry(
        request_id=asked.id,
        at=asked.began + since_epoch,
        source="http",
        **label._asdict(),
        revision=seen.revision,
        status=seen.status,
        kind=seen.cell.kind(seen.status),
        seconds=seen.seconds,
        method=asked.method,
        path=_target(asked),
        headers=as_sent(asked.headers),
        body=body,
        body_cut=cut,
        **more,
    )


def as_sent(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers as the caller sent them, with the values of secrets hidden."""
    return {
        name: HIDDEN if name in SECRETS else value
        for name, value in headers.items()
        if name not in ADDED
    }


def _target(asked: Asked) -> str:
    """The path with its query, as a request names both."""
    path = asked.path.replace("?", "%3F")
    query = asked.query_string.decode(errors="replace")
    return f"{path}?{query}" if query else path


def entry_plain(entry: Entry) -> dict[str, object]:
    """An entry as JSON values."""
    return {name: getattr(entry, name) for name in entry.__slots__}


def _text(body: bytes) -> tuple[str, bool]:
    return body[:KEPT_BODY].decode(errors="replace"), len(body) > KEPT_BODY


def invoked_entry(
    target: Target,
    routing_key: Mapping[str, str] | None,
    event: object,
    found: Invoked,
    now: float,
) -> Entry:
    """An invocation that the control plane was asked for, as it is kept.

    Args:
        target: A function and a qualifier.
        routing_key: What rules saw in the place of headers; kept as these are.
        event: The event; kept as the body is.
        found: What came of it.
        now: Seconds since 1970.
    """
    body, cut = _text(to_json(event))
    return Entry(
        request_id=found.request_id,
        at=now - found.seconds,
        source="invoke",
        stage="",
        function=target.function,
        qualifier=target.qualifier,
        version=found.version or "",
        reason=found.reason or "",
        revision=found.revision,
        status=found.status,
        kind=Cell(Label()).kind(found.status),
        seconds=found.seconds,
        headers=as_sent(routing_key or {}),
        body=body,
        body_cut=cut,
        duration=found.seconds,
        memory=found.memory,
        error=found.error,
        output=found.output[-KEPT_OUTPUT:],
    )


def apart(batch: Sequence[Detailed]) -> tuple[list[Detailed], list[Detailed]]:
    """Errors, and the rest, of what was noted."""
    failed: list[Detailed] = []
    others: list[Detailed] = []
    for noted in batch:
        status = noted[1]
        (failed if status >= 400 and noted[0].kind(status) else others).append(noted)
    return failed, others

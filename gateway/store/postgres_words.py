"""What PostgreSQL says, as one sentence about the state: unusable, or only away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import psycopg

from gateway.store.protocol import StateAway, StateUnusable
from gateway.store.records import Damaged

_REASONS: Final[Mapping[str, str]] = {
    "25006": "it is read-only; the address may name another host, or target_session_attrs",
    "53100": "its disk is full; nothing was recorded",
    "57014": "the database gave the statement up",
    "57P01": "the database is being stopped",
    "57P02": "the database has stopped unexpectedly",
    "57P03": "the database is starting",
}

_AWAY: Final = ("08", "57P", "53300")
"""Classes of what passes by itself: no connection, a server that stops or starts, or is full."""


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Turns what the database says into one sentence about the state.

    Raises:
        StateAway: It cannot be reached at the moment.
        StateUnusable: It refuses.
    """
    try:
        yield
    except psycopg.Error as error:
        kind = StateAway if _away(error) else StateUnusable
        raise kind(f"{name} cannot be used: {_reason(error)}") from error
    except Damaged as error:
        raise StateUnusable(f"{name} cannot be used: {error}") from error
    except TimeoutError as error:
        raise StateAway(f"{name} cannot be used: it gives no answer") from error


def _away(error: psycopg.Error) -> bool:
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return error.sqlstate.startswith(_AWAY)


def _reason(error: psycopg.Error) -> str:
    known = _REASONS.get(error.sqlstate or "")
    if known is not None:
        return known
    said = (str(error).strip() or type(error).__name__).splitlines()[0]
    return said.removeprefix("connection failed: ")

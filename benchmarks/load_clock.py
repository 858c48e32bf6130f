"""A locustfile without users, beside another one: tells the processor time of the sending alone."""

from __future__ import annotations

from time import process_time
from typing import Any, Final

from locust import events

_events: Any = events
_BEGUN: Final[list[float]] = []


def begin(**_kwargs: object) -> None:
    """Note the time."""
    _BEGUN.append(process_time())


def end(**_kwargs: object) -> None:
    """Tell it."""
    print(f"cpu={process_time() - _BEGUN[-1]:.4f}", flush=True)


_events.test_start.add_listener(begin)
_events.test_stop.add_listener(end)

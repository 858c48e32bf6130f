"""From the options and a part of the requests to what sends them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from loadtests.catalogue import chosen
from loadtests.course import Part, parse_mix
from loadtests.pace import Pace
from loadtests.sender import Sender
from loadtests.source import source
from loadtests.traffic import Step


class Deal(NamedTuple):
    """What one process is to do in a run.

    Attributes:
        run: The number of the run.
        part: What it sends of the whole.
        rate: Requests a second of each of its users; `None` is as fast as the answers come.
    """

    run: int
    part: Part
    rate: float | None


NOTHING = Deal(0, Part(0, 1, 0), None)
"""What a process is to do before it is told."""


def rate_of_each(options: Any) -> float | None:  # noqa: ANN401 - a namespace of options
    """A user's share of the rate of all: so fewer users send less."""
    return options.rate / max(options.num_users or 1, 1) if options.rate else None


def sender(
    options: Any,  # noqa: ANN401 - a namespace of options
    deal: Deal,
    when_done: Callable[[], None],
    steps: Sequence[Step] | None = None,
) -> Sender:
    """What sends one process's part.

    Args:
        options: A namespace of options.
        deal: What this process is to do.
        when_done: Is called once everything is sent and settled.
        steps: The requests, where somebody else has read them; `None` reads what options name.

    Raises:
        Misuse: The traffic cannot be read.
    """
    if steps is None:
        steps = source(options).steps
    traffic = steps, parse_mix(options.mix)
    return Sender(chosen(options), traffic, deal.part, Pace(deal.rate), when_done)

"""Nobody takes the last places: they are kept for functions and back ends that hold few.

A function may be told to run as many invocations as it likes, and a back end that hangs holds
every request for it. Either alone would take all places of a listener, and then nothing else is
answered. Nobody looks before the places run out.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.core.errors import RoutingError
from gateway.dataplane.overload import Load
from gateway.dataplane.plans import FixedPlan, FunctionPlan, GuardedPlan, HttpPlan, Plan


class Crowding(RoutingError):
    """Somebody holds so many places that the last ones are for others."""

    code = "overloaded"
    status = 503

    def __init__(self, whom: str, most: int) -> None:
        self.whom = whom
        super().__init__(
            f"{whom} is answering half of the {most} requests that the gateway may answer, "
            "and the last places are for others"
        )


def crowding(
    plan: Plan, load: Load, running: Callable[[str], int], forwarded: Callable[[str], int]
) -> Crowding | None:
    """Why a request gets none of the last places; `None` where it gets one.

    Args:
        plan: What would answer it.
        load: How much is being answered.
        running: How many invocations of a function run.
        forwarded: How many requests a back end is asked.
    """
    plain = plan.inner if isinstance(plan, GuardedPlan) else plan
    if isinstance(plain, FixedPlan):
        return None
    if isinstance(plain, HttpPlan):
        whom, held = f"the back end {plain.backend.url}", forwarded(plain.backend.url)
    else:
        function = plain if isinstance(plain, FunctionPlan) else plain.function
        name = function.target.function
        whom, held = f"function {name!r}", running(name)
    return Crowding(whom, load.most) if held >= load.half else None

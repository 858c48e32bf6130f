"""What happened: counts, latencies, the course over time; by stage, alias, version and reason."""

from gateway.observe.counters import Cell, Counters, Label, Seen
from gateway.observe.intervals import Interval
from gateway.observe.observer import Detailed, Noted, Observation, Observer
from gateway.observe.portions import Portion
from gateway.observe.series import Series

__all__ = [
    "Cell", "Counters", "Detailed", "Interval", "Label", "Noted", "Observation", "Observer",
    "Portion", "Seen", "Series",
]  # fmt: skip

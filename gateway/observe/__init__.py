"""What happened: counts, latencies, the course over time; by stage, alias, version and reason."""

from gateway.observe.counters import Cell, Counters, Label, Seen
from gateway.observe.observer import Detailed, Noted, Observation, Observer
from gateway.observe.series import Interval, Series

__all__ = [
    "Cell", "Counters", "Detailed", "Interval", "Label", "Noted", "Observation", "Observer", "Seen",
    "Series",
]  # fmt: skip

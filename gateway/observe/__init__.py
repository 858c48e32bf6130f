"""What happened: counts of answers by stage, function, alias, version and reason."""

from gateway.observe.counters import Counters, Label, Seen, Tally, count

__all__ = ["Counters", "Label", "Seen", "Tally", "count"]

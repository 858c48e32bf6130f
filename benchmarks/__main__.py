"""All benchmarks, one after the other: `python -m benchmarks`."""

from __future__ import annotations

from benchmarks import (
    deciding,
    isolation,
    killing,
    processor,
    recovery,
    reloading,
    startup,
    steering,
)

for benchmark in (deciding, recovery, startup, processor, steering, reloading, killing, isolation):
    benchmark.main()

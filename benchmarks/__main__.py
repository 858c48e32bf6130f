"""All benchmarks, one after the other: `python -m benchmarks`."""

from __future__ import annotations

from benchmarks import deciding, killing, processor, recovery, reloading, startup, steering

for benchmark in (deciding, recovery, startup, processor, steering, reloading, killing):
    benchmark.main()

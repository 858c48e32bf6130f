"""All benchmarks, one after the other: `python -m benchmarks`."""

from __future__ import annotations

from benchmarks import deciding, processor, recovery, startup

for benchmark in (deciding, recovery, startup, processor):
    benchmark.main()

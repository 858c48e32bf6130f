"""All benchmarks, one after the other: `python -m benchmarks`."""

from __future__ import annotations

from benchmarks import deciding, processor, startup

for benchmark in (deciding, startup, processor):
    benchmark.main()

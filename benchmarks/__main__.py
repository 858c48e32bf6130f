"""All benchmarks, one after the other: `python -m benchmarks`."""

from __future__ import annotations

from benchmarks import (
    deciding,
    forwarding,
    isolation,
    killing,
    processor,
    recovery,
    reloading,
    scaling,
    startup,
    steering,
)

for benchmark in (
    deciding, recovery, startup, processor, scaling,
    forwarding, isolation, steering, reloading, killing,
):  # fmt: skip
    benchmark.main()

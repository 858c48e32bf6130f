"""Benchmarks: ratios measured in interleaved runs, never tests."""

"""A verdict as one HTML file: the answer first, then what it rests on, then how to repeat it."""

from __future__ import annotations

from gateway.traffic.page import Part, Table, Text, page
from gateway.traffic.verify_report_plots import bars, latency, over_time
from gateway.traffic.verify_report_words import (
    HEADINGS,
    LATENCY,
    LEFT,
    Verified,
    latency_rows,
    rows,
    sentences,
)


def report(verified: Verified) -> str:
    """The whole file."""
    parts: list[Part] = [
        Text("", (verified.source,)),
        Table(
            "Splits",
            HEADINGS,
            tuple(rows(verified)),
            LEFT,
            "INTERVAL holds the true share (99 %), exactly, and at every moment where the split was"
            " watched; WOULD SHOW is the smallest deviation that so many requests would have"
            " shown.",
        ),
        Text("Findings", tuple(sentences(verified))),
        bars(verified),
        *over_time(verified),
    ]
    if verified.latency:
        parts += [
            latency(verified),
            Table("Latency", LATENCY, tuple(latency_rows(verified)), LEFT),
        ]
    return page("Is the split right?", verified.sentence, parts, verified.facts)

"""Results go to standard output and to a file; talk and progress go to standard error."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loadtests.document import document
from loadtests.report import Result, text

if TYPE_CHECKING:
    from loadtests.collection import Collection
    from loadtests.gate import Refusal


def say(sentence: str) -> None:
    """Talk."""
    print(sentence, file=sys.stderr, flush=True)


def complain(refusal: Refusal) -> None:
    """Say why a run may not start."""
    say(f"error[{refusal.kind}]: {refusal.sentence}")
    if refusal.hint:
        say(f"  = hint: {refusal.hint}")


def publish(result: Result, path: str) -> None:
    """Print the result for people and write it for programs."""
    print(text(result), flush=True)
    try:
        Path(path).write_text(json.dumps(document(result), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        say(f"error[report]: {path} cannot be written: {error.strerror}")
    else:
        say(f"everything as JSON: {path}")


class Progress:
    """One line on a terminal, where Locust has been told to say nothing itself."""

    def __init__(self, options: Any) -> None:  # noqa: ANN401 - a namespace of options
        self._shown = bool(options.headless and options.only_summary and sys.stderr.isatty())

    def show(self, collection: Collection, seconds: float) -> None:
        """Write the line anew."""
        if self._shown:
            tally = collection.tally
            rate = tally.requests / max(seconds, 0.001)
            wanted = "" if collection.requests is None else f" of {collection.requests:,}"
            line = (
                f"{tally.requests:,}{wanted} requests, {rate:,.0f} per second,"
                f" {tally.errors.total():,} errors"
            )
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Leave no trace."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

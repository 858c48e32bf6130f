"""What an import leaves out is counted by its reason, with the first places; never in silence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from gateway.traffic.failures import BadLine

NAMED: Final = 3
"""Places that are told for each reason."""

TOO_LONG: Final = "longer than a line may be"
"""The reason for a line that was not held."""


@dataclass(slots=True)
class Reason:
    """How often a reason was met, and where first.

    Attributes:
        count: How often.
        lines: The first few lines, or entries.
    """

    count: int = 0
    lines: list[int] = field(default_factory=list)


class Skipped:
    """Counts what an importer leaves out.

    Args:
        file: The file as it was named.
        strict: Whether to raise in place of counting.

    Attributes:
        reasons: What was met, by reason, in the order of the file.
        passed: What was passed over because it is no request, such as recorded answers.
        strict: Whether nothing may be left out.
        broken: Why the file was not read to its end, where it was not.
    """

    def __init__(self, file: str, *, strict: bool = False) -> None:
        self.file = file
        self.reasons: dict[str, Reason] = {}
        self.passed: dict[str, int] = {}
        self.strict = strict
        self.broken = ""

    @property
    def total(self) -> int:
        """How much was left out."""
        return sum(reason.count for reason in self.reasons.values())

    def __call__(self, line: int, why: str, detail: str = "") -> None:
        """Leave a line out.

        Args:
            line: Its number.
            why: The reason; one of few, for each is counted.
            detail: What the line has there; only told where the import stops.

        Raises:
            BadLine: The import is strict.
        """
        if self.strict:
            raise BadLine(self.file, line, f"{why}: {shortened(detail)!r}" if detail else why)
        reason = self.reasons.setdefault(why, Reason())
        reason.count += 1
        if len(reason.lines) < NAMED:
            reason.lines.append(line)

    def passing(self, what: str) -> None:
        """Tell of something that is no request and no mistake, or of what became of one."""
        self.passed[what] = self.passed.get(what, 0) + 1

    def sentences(self) -> list[str]:
        """What was left out, one sentence for each reason."""
        return [_sentence(why, reason) for why, reason in self.reasons.items()]


def shortened(text: str, most: int = 60) -> str:
    """A text that fits in a sentence."""
    return text if len(text) <= most else text[: most - 3] + "..."


def _sentence(why: str, reason: Reason) -> str:
    places = ", ".join(map(str, reason.lines)) + (", ..." if reason.count > NAMED else "")
    return f"{reason.count:,} skipped, {why}: line {places}"

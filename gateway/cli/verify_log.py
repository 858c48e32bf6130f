"""A log that somebody wrote is read and judged, whoever it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import click

from gateway.cli.exits import Exit
from gateway.cli.failures import fail
from gateway.cli.options import pairs
from gateway.cli.verify_expected import Wish
from gateway.cli.verify_shown import Progress, so_far
from gateway.core.errors import nearest
from gateway.traffic.failures import TrafficError
from gateway.traffic.observed import Expected, Observed, TooMany
from gateway.traffic.observed_fields import USUAL, Fields, moment
from gateway.traffic.observed_filters import UnreadableCondition, condition, every
from gateway.traffic.observed_formats import UnreadableFormat
from gateway.traffic.observed_judging import (
    Limits,
    Watches,
    Word,
    complaints,
    judged,
    word,
)
from gateway.traffic.observed_notes import notes
from gateway.traffic.observed_reading import Reading, UnknownFormat, Wanted
from gateway.traffic.observed_records import LONGEST, Format, named, written
from gateway.traffic.opening import Opened, open_bytes
from gateway.traffic.verify_report_words import Verified
from gateway.verdict import Question

Given = Mapping[str, Any]

UNUSABLE: Final = 0.01
"""The greatest share of records that cannot be used, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a log is judged by.

    Attributes:
        expected: What should have happened.
        question: The error rates.
        limits: How much may go wrong beside it.
        by: The fields by which splits are told apart.
        until_decided: Whether to stop as soon as it is decided.
    """

    expected: tuple[Expected, ...]
    question: Question
    limits: Limits
    by: tuple[str, ...]
    until_decided: bool


def verify_log(given: Given, wishes: Sequence[Wish], question: Question) -> Verified:
    """Read the log and judge it."""
    terms = _terms(given, wishes, question)
    wanted = _wanted(given)
    observed = Observed(terms.expected)
    reading = Reading(wanted, observed)
    looking = _Looking(terms, observed, reading)
    whole = looking.read(given["log"])
    _check_found(observed, reading)
    answers = judged(observed, question, terms.by, looking.decisive)
    answer = word(answers, observed, terms.limits) if whole else Word.INTERRUPTED
    name = "standard input" if given["log"] == "-" else given["log"]
    form = reading.format.name if reading.format else "no known format"
    return Verified(
        answer,
        answers,
        question,
        f"{observed.total:,} requests in {reading.lines:,} lines of {name} ({form})",
        observed.total,
        tuple(complaints(observed, terms.limits)),
        tuple(notes(observed)),
        observed.failures,
        observed.timeline,
        observed.latency,
    )


def _terms(given: Given, wishes: Sequence[Wish], question: Question) -> Terms:
    expected = tuple(_expected(wish, given["sticky_key"]) for wish in wishes)
    if given["until_decided"] and (given["sticky_key"] or given["by"]):
        message = "--until-decided cannot be used with --sticky-key or --by: they are judged once"
        raise click.UsageError(message)
    unusable = given["max_unusable"]
    limits = Limits(given["max_errors"], UNUSABLE if unusable is None else unusable)
    return Terms(expected, question, limits, given["by"], given["until_decided"])


def _expected(wish: Wish, sticky_key: str | None) -> Expected:
    if wish.sticky_by and not sticky_key:
        message = (
            f"stage {wish.stage!r} is split by the key {wish.sticky_by}, so that keys must be"
            " judged: name the field that holds it with --sticky-key"
        )
        raise click.UsageError(message)
    rules = wish.versions_of_rules
    return Expected(wish.stage, wish.shares, rules, bool(sticky_key), wish.source)


def _wanted(given: Given) -> Wanted:
    accepts = every(map(_condition, given["where"]))
    since, until = (_moment(given[name], f"--{name}") for name in ("since", "until"))
    return Wanted(_format(given), _fields(given), accepts, since, until)


def _format(given: Given) -> Format | None:
    if given["log_format"] is None:
        return None if given["form"] is None else named(given["form"])
    if given["form"] is not None:
        raise click.UsageError("--format and --log-format say the same thing; give one of them")
    try:
        return written(given["log_format"])
    except UnreadableFormat as error:
        raise click.BadParameter(str(error), param_hint="--log-format") from None


def _fields(given: Given) -> Fields:
    known = pairs(given["fields"], "--field", "time=when")
    for what in known:
        if what not in USUAL:
            hint = nearest(what, USUAL) or f"allowed: {', '.join(USUAL)}"
            message = f"{what!r} is nothing that a field can tell; {hint}"
            raise click.BadParameter(message, param_hint="--field")
    if given["version_field"]:
        known["version"] = given["version_field"]
    return Fields(
        known,
        given["sticky_key"] or "",
        given["by"],
        given["latency_unit"] or _unit(given["form"]),
        _versions(given["versions"]),
    )


def _unit(form: str | None) -> str:
    """Envoy writes milliseconds."""
    return "ms" if form == "envoy" else "s"


def _versions(texts: Sequence[str]) -> dict[str, str]:
    """`VALUE=VERSION` options; a value may hold a `=`, a version does not."""
    found: dict[str, str] = {}
    for text in texts:
        value, separator, version = text.rpartition("=")
        if not separator or not value or not version:
            message = f"{text!r} is no value and version; for example: --map 127.0.0.1:9001=1"
            raise click.BadParameter(message, param_hint="--map")
        if value in found:
            raise click.BadParameter(f"{value!r} is given twice", param_hint="--map")
        found[value] = version
    return found


def _condition(text: str) -> Any:  # noqa: ANN401 - what accepts records
    try:
        return condition(text)
    except UnreadableCondition as error:
        raise click.BadParameter(str(error), param_hint="--where") from None


def _moment(text: str | None, option: str) -> float | None:
    found = moment(text)
    if text is not None and found is None:
        message = f"{text!r} is no time; such as 2026-01-31T12:00:00Z, or seconds as the log has"
        raise click.BadParameter(message, param_hint=option)
    return found


class _Looking:
    """Reads, and looks at the splits while it does."""

    def __init__(self, terms: Terms, observed: Observed, reading: Reading) -> None:
        self._terms, self._observed, self._reading = terms, observed, reading
        sticky = any(each.sticky for each in terms.expected)
        self._watches = None if sticky or terms.by else Watches(terms.expected, terms.question)
        self._progress = Progress()
        self._opened: Opened | None = None

    @property
    def decisive(self) -> Watches | None:
        """The looks, where they decide."""
        return self._watches if self._terms.until_decided else None

    def read(self, path: str) -> bool:
        """Read the log; whether to its end, or to the decision."""
        whole = True
        try:
            with open_bytes(path) as self._opened:
                self._reading.read(self._opened.lines(LONGEST), self._pause)
        except KeyboardInterrupt:
            whole = False
        except TrafficError as error:
            self._progress.clear()
            fail(error.code, str(error), Exit.USAGE, error.hint)
        except (UnknownFormat, TooMany) as error:
            self._progress.clear()
            raise click.UsageError(str(error)) from None
        self._progress.clear()
        if self.decisive is not None:
            self.decisive.look(self._observed)
        return whole

    def _pause(self) -> bool:
        """Look; whether it is decided and reading may end."""
        if self._watches is None or not (self._terms.until_decided or self._progress.shown):
            decided = False
        else:
            decided = self._watches.look(self._observed)
        self._progress.show(self._words)
        return decided and self._terms.until_decided

    def _words(self) -> str:
        share = self._opened.share() if self._opened else None
        read = f"{self._reading.lines:,} lines" + (f", {share:.0%}" if share is not None else "")
        counts = {split.name(self._terms.by): c for split, c in self._observed.counts.items()}
        looks = self._watches.looks if self._watches else {}
        return f"{read}; {so_far(counts, {split.name(): look for split, look in looks.items()})}"


def _check_found(observed: Observed, reading: Reading) -> None:
    """Refuse a log of which no line tells a version: a wrong field was named, or none."""
    if observed.total or not reading.names:
        return
    left = observed.leavings
    if left.unusable:
        fields = ", ".join(reading.names)
        why = " and ".join(left.unusable)
        message = f"no record can be used: {why}; the fields of the first one are: {fields}"
        raise click.UsageError(f"{message}. Name the right one with --version-field or --field")

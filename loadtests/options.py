"""What a run may be told, checked while the command line is read and kept as plain values.

Locust sends every option to its workers and offers some in its web UI, so an option stays the
text or number that it was written as; whoever needs more reads it again.
"""

from __future__ import annotations

from argparse import ArgumentTypeError
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gateway.verdict import USUAL as QUESTION
from gateway.verdict import Question
from loadtests import course, expectations, traffic
from loadtests.expectations import Misuse
from loadtests.judgement import Terms
from loadtests.traffic import Log, Step

if TYPE_CHECKING:
    from locust.argument_parser import LocustArgumentParser

SAMPLE: Final = Path(__file__).with_name("sample.log")
"""A small invented access log."""

REQUESTS: Final = 20_000
"""Enough to see three percentage points in the example's splits."""

REPORT: Final = Path("reports/verdict.json")

LOOPBACK: Final = "127.0.0.1"


@lru_cache(maxsize=4)
def read_log(path: str) -> tuple[Log, tuple[Step, ...]]:
    """Read an access log, once.

    Raises:
        Misuse: It cannot be read, or no line of it is usable.
    """
    try:
        with Path(path).open(encoding="utf-8", errors="replace") as lines:
            log = traffic.parse(lines)
        return log, traffic.steps(log)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Misuse(f"{path} is no usable access log: {reason}") from error


def add_options(parser: LocustArgumentParser, **_kwargs: object) -> None:
    """Add ours to Locust's options, and keep its two listeners on this machine unless told."""
    parser.set_defaults(web_host=LOOPBACK, master_bind_host=LOOPBACK)
    parser.prog = "locust"  # and not the file that `python -m locust` happens to run
    _add_traffic(parser)
    _add_verdict(parser)


def _add_traffic(parser: LocustArgumentParser) -> None:
    group: Any = parser.add_argument_group(
        "Traffic", "Requests as an access log has them, to the stages of a running gateway."
    )
    group.add_argument(
        "--access-log",
        metavar="FILE",
        type=log_file,
        default=str(SAMPLE),
        help="Access log in common or combined format; each client address is a user, the busiest"
        " one is Bob. Default: an invented sample",
    )
    requests = group.add_argument(
        "--requests",
        metavar="N",
        type=count,
        default=REQUESTS,
        help="Stop after exactly N requests of all users together; the log is repeated as often"
        " as it takes. Default: %(default)s",
    )
    requests.include_in_web_ui = True  # the others name files and hosts: not for a web form
    group.add_argument(
        "--mix",
        metavar="STAGE=SHARE,...",
        type=mix,
        default=course.MIX,
        help="How the requests are spread over the stages. Default: %(default)s",
    )
    group.add_argument(
        "--allow-host",
        metavar="NAME",
        action="append",
        default=[],
        help="Host that may be load-tested although it is not this machine; repeatable",
    )


def _add_verdict(parser: LocustArgumentParser) -> None:
    group: Any = parser.add_argument_group(
        "Verdict",
        "Exit codes: 0 passed, 10 a split or a reason is wrong, 11 too many errors, 12 undecided,"
        " 2 usage, 3 no gateway answers, 130 interrupted.",
    )
    group.add_argument(
        "--expect",
        metavar="STAGE[/WHO]=VERSION:SHARE[:REASON],...",
        action="append",
        type=expectation,
        default=[],
        help="Expected split of a stage, or of Bob or the others there; repeatable, replaces what"
        f" is usual for them. Usual: {' '.join(expectations.USUAL)}",
    )
    _add_rates(group)
    group.add_argument(
        "--until-decided",
        action="store_true",
        default=False,
        help="Watch the splits while requests are sent and stop as soon as they are decided, with"
        " the same error rates; --requests is then the most that is sent",
    )
    group.add_argument(
        "--max-errors",
        metavar="SHARE",
        type=share,
        default=0.0,
        help="Greatest share of failed requests. Default: %(default)s",
    )
    group.add_argument(
        "--verdict-json",
        metavar="FILE",
        default=str(REPORT),
        help="Where everything is written as JSON. Default: %(default)s",
    )
    group.add_argument(
        "--gateway-seed",
        metavar="N",
        type=int,
        help="The seed that the gateway was started with; only noted in the JSON",
    )


def _add_rates(group: Any) -> None:  # noqa: ANN401 - argparse's own class is private
    rates = {
        "false-alarm": "Greatest probability that correct splits fail, for all of them together",
        "miss": "Greatest probability that a split passes which is off by the tolerance",
        "tolerance": "Deviation of a share that matters; 0.03 is three percentage points",
    }
    for name, words in rates.items():
        usual = getattr(QUESTION, name.replace("-", "_"))
        told = f"{words}. Default: %(default)s"
        group.add_argument(f"--{name}", metavar="P", type=rate, default=usual, help=told)


def terms(options: Any) -> Terms:  # noqa: ANN401 - a namespace of options
    """What a run is judged by.

    Raises:
        Misuse: The options contradict each other.
    """
    chosen = expectations.choose(options.expect, course.parse_mix(options.mix))
    question = Question(options.false_alarm, options.miss, options.tolerance)
    return Terms(chosen, question, options.max_errors, options.until_decided)


def log_file(text: str) -> str:
    """A usable access log."""
    try:
        read_log(text)
    except Misuse as error:
        raise ArgumentTypeError(str(error)) from error
    return text


def expectation(text: str) -> str:
    """A readable expectation."""
    try:
        expectations.parse(text)
    except Misuse as error:
        raise ArgumentTypeError(str(error)) from error
    return text


def mix(text: str) -> str:
    """A readable mix."""
    try:
        course.parse_mix(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error
    return text


def count(text: str) -> int:
    """A whole number, 1 or more."""
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise ArgumentTypeError(f"{text!r} is no whole number, 1 or more")
    return number


def rate(text: str) -> float:
    """A probability that is neither 0 nor 1."""
    number = _number(text)
    if not 0 < number < 1:
        raise ArgumentTypeError(f"{text!r} is no number above 0 and below 1")
    return number


def share(text: str) -> float:
    """A share, 0 to 1."""
    number = _number(text)
    if not 0 <= number <= 1:
        raise ArgumentTypeError(f"{text!r} is no number from 0 to 1")
    return number


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return -1.0

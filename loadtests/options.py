"""What a run may be told, checked while the command line is read and kept as plain values.

Locust sends every option to its workers and offers some in its web UI, so an option stays the
text or number that it was written as; whoever needs more reads it again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gateway.verdict import USUAL as QUESTION
from gateway.verdict import Question
from loadtests import arguments, course, expectations, moves, steering
from loadtests.catalogue import SHAPES, LoadTest, chosen
from loadtests.expectations import Misuse
from loadtests.source import SAMPLE
from loadtests.terms import PARTS, Terms

if TYPE_CHECKING:
    from locust.argument_parser import LocustArgumentParser

REPORT: Final = Path("reports/verdict.json")

LOOPBACK: Final = "127.0.0.1"


def options_of(test: LoadTest) -> Callable[..., None]:
    """What adds the options of one test to Locust's."""

    def add(parser: LocustArgumentParser, **_kwargs: object) -> None:
        # Locust's two listeners stay on this machine unless told.
        parser.set_defaults(web_host=LOOPBACK, master_bind_host=LOOPBACK, load_test=test.name)
        parser.prog = "locust"  # and not the file that `python -m locust` happens to run
        _add_traffic(parser, test)
        _add_verdict(parser, test)
        if test.name in SHAPES:
            _add_shape(parser)
        if test.moves:
            _add_moves(parser)

    return add


def _add_traffic(parser: LocustArgumentParser, test: LoadTest) -> None:
    group: Any = parser.add_argument_group(
        "Traffic", "Requests as an access log has them, to the stages of a running gateway."
    )
    source = group.add_mutually_exclusive_group()
    source.add_argument(
        "--access-log",
        metavar="FILE",
        type=arguments.log_file,
        default=str(SAMPLE),
        help="Access log in common or combined format; each client address is a user, the busiest"
        " one is Bob. Default: an invented sample",
    )
    source.add_argument(
        "--recording",
        metavar="FILE",
        type=arguments.recording_file,
        help="Recording; its requests are sent as they are, but for the stage and the time",
    )
    _add_amount(group, test)
    group.add_argument(
        "--mix",
        metavar="STAGE=SHARE,...",
        type=arguments.mix,
        default=test.mix,
        help="How the requests are spread over the stages. Default: %(default)s",
    )
    group.add_argument(
        "--keys",
        metavar="N",
        type=arguments.whole,
        help="Send each request by the next of N users; 0 is the users of the traffic. Default:"
        f" {test.keys}",
    )
    group.add_argument(
        "--allow-host",
        metavar="NAME",
        action="append",
        default=[],
        help="Host that may be load-tested although it is not this machine; repeatable",
    )


def _add_amount(group: Any, test: LoadTest) -> None:  # noqa: ANN401 - argparse's own is private
    amounts = [
        group.add_argument(
            "--requests",
            metavar="N",
            type=arguments.whole,
            default=test.requests or 0,
            help="Stop after exactly N requests of all users together; the traffic is repeated as"
            " often as it takes. 0 is no such limit. Default: %(default)s",
        ),
        group.add_argument(
            "--seconds",
            metavar="S",
            type=arguments.amount,
            default=test.seconds or 0.0,
            help="Stop after so many seconds. 0 is no such limit. Default: %(default)s",
        ),
        group.add_argument(
            "--rate",
            metavar="R",
            type=arguments.amount,
            default=test.rate or 0.0,
            help="Requests a second of all users together; 0 is as fast as the answers come."
            " Default: %(default)s",
        ),
    ]
    group.add_argument(
        "--workers-within",
        metavar="S",
        type=arguments.amount,
        default=0.0,
        help="A master without a page gives up when its --expect-workers are not there after so"
        " many seconds; 0 waits for ever. Default: %(default)s",
    )
    for each in amounts:
        each.include_in_web_ui = True  # the others name files and hosts: not for a web form


def _add_shape(parser: LocustArgumentParser) -> None:
    group: Any = parser.add_argument_group("Shape", "How many users there are when.")
    group.add_argument(
        "--shape",
        dest="load_test",
        choices=SHAPES,
        help="More and more users, a sudden crowd, or the same for long. Default: %(default)s",
    )


def _add_moves(parser: LocustArgumentParser) -> None:
    group: Any = parser.add_argument_group("Rollout", "Which alias is moved, and how.")
    group.add_argument(
        "--control",
        metavar="URL",
        default=steering.USUAL,
        help="The control plane. Default: %(default)s",
    )
    for name, usual, words in (
        ("function", "orders", "The function"),
        ("alias", "release", "Its alias"),
        ("to", "2", "The version whose weight is moved"),
    ):
        told = f"{words}. Default: %(default)s"
        group.add_argument(f"--{name}", metavar="NAME", default=usual, help=told)
    group.add_argument(
        "--steps",
        metavar="WEIGHT,...",
        type=arguments.steps,
        default=moves.STEPS,
        help="Its weights, one after another. Default: %(default)s",
    )


def _add_verdict(parser: LocustArgumentParser, test: LoadTest) -> None:
    group: Any = parser.add_argument_group(
        "Verdict",
        "Exit codes: 0 passed, 10 a split or a reason is wrong, 11 too many errors, 12 undecided,"
        " 2 usage, 3 no gateway answers, 130 interrupted.",
    )
    group.add_argument(
        "--expect",
        metavar="STAGE[/WHO]=VERSION:SHARE[:REASON],...",
        action="append",
        type=arguments.expectation,
        default=[],
        help="Expected split of a stage, or of Bob or the others there; repeatable, replaces what"
        f" is usual for them. Usual: {' '.join(test.usual)}",
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
        "--by",
        action="append",
        choices=PARTS,
        default=[],
        help="Judge each split once more in parts; repeatable, within the same error rates",
    )
    group.add_argument(
        "--max-errors",
        metavar="SHARE",
        type=arguments.share,
        default=0.0,
        help="Greatest share of failed requests. Default: %(default)s",
    )
    _add_report(group)


def _add_report(group: Any) -> None:  # noqa: ANN401 - argparse's own class is private
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
        group.add_argument(f"--{name}", metavar="P", type=arguments.rate, default=usual, help=told)


def terms(options: Any) -> Terms:  # noqa: ANN401 - a namespace of options
    """What a run is judged by.

    Raises:
        Misuse: The options contradict each other.
    """
    test = chosen(options)
    asked = expectations.choose(options.expect, course.parse_mix(options.mix), test.usual)
    if test.by_keys and any(each.who for each in asked):
        raise Misuse("sticky keys are judged stage by stage: give --expect STAGE=..., without /WHO")
    return Terms(
        asked,
        Question(options.false_alarm, options.miss, options.tolerance),
        options.max_errors,
        options.until_decided,
        by_keys=test.by_keys,
        by=tuple(dict.fromkeys(options.by)),
    )

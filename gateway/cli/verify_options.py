"""The options of `gateway verify`, by what they are about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from gateway.cli.named import STAGE
from gateway.cli.options import Address, control_url_option
from gateway.cli.verify_master import MasterAddress
from gateway.traffic.observed_fields import UNITS, USUAL
from gateway.traffic.observed_records import FORMATS
from gateway.verdict import USUAL as QUESTION

Command = Callable[..., None]
_RATE: Final = click.FloatRange(0, 1, min_open=True, max_open=True)
_SHARE: Final = click.FloatRange(0, 1)
_FILE: Final = click.Path(path_type=str)

ABOUT: Final = (
    click.option(
        "--stage",
        "stages",
        multiple=True,
        # Logs of others know other stages.
        shell_complete=STAGE.shell_complete,
        help="A stage to verify; repeatable.",
    ),
    click.option(
        "--expect",
        "expectations",
        multiple=True,
        metavar="[STAGE:]VERSION=SHARE,...",
        help="What should be answered; without it the live alias says. Repeatable with STAGE:.",
    ),
    click.option("--function", help="Whose alias, where a stage has several functions."),
    click.option(
        "--false-alarm",
        type=_RATE,
        default=QUESTION.false_alarm,
        show_default=True,
        metavar="P",
        help="Greatest probability that correct splits fail, for all of them together.",
    ),
    click.option(
        "--miss",
        type=_RATE,
        default=QUESTION.miss,
        show_default=True,
        metavar="P",
        help="Greatest probability that a split passes which is off by the tolerance.",
    ),
    click.option(
        "--tolerance",
        type=_RATE,
        default=QUESTION.tolerance,
        show_default=True,
        metavar="P",
        help="The deviation of a share that matters: 0.03 is three percentage points.",
    ),
    click.option(
        "--until-decided",
        is_flag=True,
        help="Stop as soon as it is decided; the error rates hold however often it is looked at.",
    ),
    click.option(
        "--max-errors",
        type=_SHARE,
        metavar="SHARE",
        help="Greatest share of errors; 0 for what is sent, none for a log.",
    ),
    click.option(
        "--by",
        multiple=True,
        metavar="FIELD",
        help="Judge each value of a log's field by itself; of answers: alias, reason, revision,"
        " worker.",
    ),
)
"""What is asked."""

SENDING: Final = (
    click.option(
        "--against",
        type=Address("http://127.0.0.1:9000"),
        metavar="URL",
        help="Send to this, not to the gateway.",
    ),
    click.option(
        "--requests",
        type=click.IntRange(1),
        default=20_000,
        show_default=True,
        help="How many requests to send; at most, with --until-decided.",
    ),
    click.option(
        "--users", type=click.IntRange(1), default=20, show_default=True, help="Connections."
    ),
    click.option("--processes", type=click.IntRange(1), help="Locust's worker processes."),
    click.option(
        "--locust-master",
        type=MasterAddress(),
        metavar="HOST[:PORT]",
        help="Listen there for Locust's workers on other machines, which send the requests.",
    ),
    click.option(
        "--expect-workers",
        type=click.IntRange(1),
        metavar="N",
        help="Workers to wait for.  [default: 1]",
    ),
    click.option(
        "--workers-within",
        type=click.FloatRange(0),
        metavar="SECONDS",
        help="Give up when they are not there by then; 0 is never.  [default: 300]",
    ),
    click.option(
        "--rate",
        type=click.FloatRange(0, min_open=True),
        metavar="PER SECOND",
        help="Requests per second; without it, as fast as they are answered.",
    ),
    click.option(
        "--from",
        "source",
        type=_FILE,
        metavar="FILE",
        help="Requests to send: a recording, or an access log as the load tests read it.",
    ),
    click.option(
        "--seed", type=int, help="The seed that the gateway was started with, for the report."
    ),
)
"""What is sent, where no log is judged."""

READING: Final = (
    click.option("--log", type=_FILE, metavar="FILE", help="Judge a log; - is standard input."),
    click.option(
        "--format", "form", type=click.Choice(FORMATS), help="Its format; else its first line says."
    ),
    click.option(
        "--log-format",
        metavar="TEXT",
        help="The format string of the server: nginx's log_format, or Envoy's.",
    ),
    click.option(
        "--version-field",
        metavar="FIELD",
        help="The field that tells the version; behind an access log's own: 1, 2, ...",
    ),
    click.option(
        "--field",
        "fields",
        multiple=True,
        metavar="WHAT=FIELD",
        help=f"The field that tells something else: {', '.join([*USUAL][1:])}. Repeatable.",
    ),
    click.option(
        "--map",
        "versions",
        multiple=True,
        metavar="VALUE=VERSION",
        help="The version that a value stands for, such as 127.0.0.1:9001=1; repeatable.",
    ),
    click.option(
        "--latency-unit", type=click.Choice(UNITS), help="Unit of the latency.  [default: s]"
    ),
    click.option(
        "--sticky-key",
        metavar="FIELD",
        help="Judge keys in place of requests: each must stay on one version.",
    ),
    click.option(
        "--where",
        multiple=True,
        metavar="CONDITION",
        help="Only records with FIELD=VALUE, FIELD!=VALUE or FIELD^=BEGINNING; repeatable.",
    ),
    click.option("--since", metavar="TIME", help="Only records at or after this moment."),
    click.option("--until", metavar="TIME", help="Only records before this moment."),
    click.option(
        "--max-unusable",
        type=_SHARE,
        metavar="SHARE",
        help="Greatest share of records that cannot be used.  [default: 0.01]",
    ),
)
"""What is read of a log."""

SHOWING: Final = (
    control_url_option,
    click.option("--json", "as_json", is_flag=True, help="Write everything as JSON."),
    click.option(
        "--html",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Write a report with plots, as one file that needs nothing else.",
    ),
)
"""How it is shown."""

Option = Callable[[Any], Any]


def options(*groups: tuple[Option, ...]) -> Option:
    """All options of some groups, in order."""

    def decorate(command: Any) -> Any:  # noqa: ANN401 - what click makes of a command
        for option in reversed([option for group in groups for option in group]):
            command = option(command)
        return command

    return decorate

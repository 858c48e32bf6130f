"""`gateway record`: traffic as a recording, from the running gateway or from other files."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import click

from gateway.cli.exits import Exit
from gateway.cli.failures import fail
from gateway.cli.importing import Importing, summary, words
from gateway.cli.options import Option, pairs
from gateway.cli.picture import clean, json_text
from gateway.cli.talk import note
from gateway.cli.traffic_options import rewriting_options

if TYPE_CHECKING:
    from gateway.traffic.importing import Wanted
    from gateway.traffic.rewriting import Rewriting

FORMATS: Final = ("access-log", "nginx-json", "har", "gor", "csv", "invocations", "recording")
"""What can be imported."""

UNITS: Final = ("s", "ms", "us", "ns")
STREAM: Final = "-"


class _Record(click.Group):
    """A group that records by itself where no subcommand is named."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 - click's signature
    ) -> click.Context:
        if args and args[0].startswith("-") and args[0] not in {"-h", "--help"}:
            from gateway.cli.recording_live import command as live

            return live.make_context(info_name, args, parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.group("record", cls=_Record, short_help="Record traffic, or import what others recorded.")
def command() -> None:
    """Record what the running gateway is asked, or import what others wrote down.

    'gateway record --stage STAGE -o FILE' records until Ctrl-C.

    \b
    Examples:
      gateway record --stage release -o shop.jsonl
      gateway record import access.log.gz -o shop.jsonl
    """  # noqa: D301 - \b is click's mark for lines that stay as they are


@command.command("import", short_help="Make a recording of an access log, a HAR file, a trace.")
@click.argument(
    "source", metavar="IN", type=click.Path(exists=True, dir_okay=False, allow_dash=True)
)
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="OUT",
    type=click.Path(dir_okay=False, allow_dash=True),
    help="The recording; .gz and .zst compress it, - is standard output.",
)
@click.option("--format", "kind", type=click.Choice(FORMATS), help="What IN is; told by itself.")
@click.option("--strict", is_flag=True, help="Stop at what cannot be read, in place of counting.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="ROLE=NAME",
    help="What a column of CSV is: time, gap, method, path, query, body, user or header:NAME.",
)
@click.option(
    "--request", metavar="'METHOD PATH'", help="What rows of CSV ask for, where they do not say."
)
@click.option("--time-unit", type=click.Choice(UNITS), help="The unit of CSV's numeric times.")
@rewriting_options
@click.option("--json", "as_json", is_flag=True, help="Write what was imported as JSON.")
def import_(
    source: str, *, output: str, rewriting: Rewriting, as_json: bool, strict: bool, **given: Option
) -> None:
    """Make a recording of IN; - is standard input.

    Read are access logs in common and combined format and nginx's in JSON, HAR files, GoReplay's
    files, arrival traces as CSV, the gateway's own log of invocations, and recordings; plain or
    compressed with gzip or zstd. What cannot be read is counted, and told in the end.

    \b
    Examples:
      gateway record import access.log.gz -o shop.jsonl
      gateway record import shop.har -o shop.jsonl --map-path '/api/ -> /'
      gateway record import trace.csv -o trace.jsonl --column time=arrived --request 'GET /orders/1'
      gateway record import access.log -o few.jsonl --sample 0.1 --from 1h --until 2h
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    if as_json and output == STREAM:
        raise click.UsageError("--json and '-o -' cannot both have standard output")
    if source == STREAM and rewriting.loop > 1:
        raise click.UsageError("standard input cannot be read more than once; --loop needs a file")
    importing = Importing(source, _wanted(**given), strict=strict)
    count, last = _written(importing, rewriting, output)
    told = summary(importing, count, last)
    for line in words(source, told, importing.skipped):
        note(line)
    if as_json:
        click.echo(json_text(told))


def _wanted(
    kind: str | None, columns: tuple[str, ...], request: str | None, time_unit: str | None
) -> Wanted:
    from gateway.traffic.csv_arrivals import UNITS as SECONDS
    from gateway.traffic.csv_arrivals import Columns
    from gateway.traffic.importing import Wanted

    if kind not in {None, "csv"} and (columns or request or time_unit):
        raise click.UsageError("--column, --request and --time-unit are for CSV alone")
    named = pairs(columns, "--column", "time=TIMESTAMP")
    try:
        return Wanted(kind, Columns(named, request or "GET /", SECONDS[time_unit or "s"]))
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _written(importing: Importing, rewriting: Rewriting, output: str) -> tuple[int, float]:
    """Write the recording; how many requests it has, and the time of the last one."""
    from gateway.traffic.failures import NothingLeft, TrafficError
    from gateway.traffic.recording import write
    from gateway.traffic.saving import saving

    count, last = 0, 0.0
    try:
        with saving(output) as sink, closing(rewriting.over(importing.play)) as requests:
            for request in requests:
                sink.write(write(request))
                count, last = count + 1, request.at
            if not count:
                raise NothingLeft(importing.source)  # inside, so that no empty file is left
    except TrafficError as error:
        for line in importing.skipped.sentences():
            note(line)
        fail(error.code, clean(str(error)), Exit.INVALID, error.hint)
    except BrokenPipeError:
        raise  # whoever read has seen enough
    except OSError as error:
        message = f"cannot write {output!r}: {error.strerror}"
        fail("cannot-write", message, Exit.CANNOT_START)
    return count, last

"""`gateway verify`: is my split right? An answer with its error rates, live or from a log."""

from __future__ import annotations

import platform
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Self

import click

from gateway import __version__
from gateway.cli.verify_expected import Wish, given, live
from gateway.cli.verify_options import ABOUT, READING, SENDING, SHOWING, options
from gateway.cli.verify_shown import conclude
from gateway.core import names
from gateway.traffic.verify_report_words import Verified
from gateway.verdict import Question

if TYPE_CHECKING:
    from gateway.cli.remote import Remote

_ONLY_SENDING: Final = (
    "against", "requests", "users", "processes", "locust_master", "expect_workers",
    "workers_within", "rate", "source", "seed",
)  # fmt: skip
_ONLY_READING: Final = (
    "form", "log_format", "version_field", "fields", "versions", "latency_unit", "sticky_key",
    "where", "since", "until", "max_unusable",
)  # fmt: skip


@click.command("verify", short_help="Tell whether a split is right, with stated error rates.")
@options(ABOUT, SENDING, READING, SHOWING)
@click.pass_context
def command(ctx: click.Context, /, **asked: Any) -> None:  # noqa: ANN401 - options of all kinds
    """Tell whether a split is right, with stated error rates.

    Requests are sent to the running gateway by Locust, or, with --log, what was written down is
    judged: the gateway's recordings and invocation log, or the access log of any server. What is
    expected is what the live alias says, or --expect.

    \b
    Examples:
      gateway verify --stage release
      gateway verify --stage release --expect 1=0.9,2=0.1 --until-decided
      gateway verify --log access.log --version-field 1 --expect 1=0.9,2=0.1
      tail -f access.log | gateway verify --log - --log-format '$time_iso8601 $upstream_addr' \\
        --version-field upstream_addr --map 127.0.0.1:9001=1 --map 127.0.0.1:9002=2 \\
        --expect 1=0.9,2=0.1 --until-decided

    Exit codes: 0 passed, 10 a split is wrong, 11 too many errors, 12 undecided.
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    question = Question(asked["false_alarm"], asked["miss"], asked["tolerance"])
    _refuse_idle(ctx, reads=asked["log"] is not None)
    with _Control(asked["control_url"]) as control:
        wishes = _wishes(asked, control)
        verified = _verify(asked, wishes, question, control)
    expected = {f"expected of {wish.stage or 'the log'}": wish.source for wish in wishes}
    facts = {
        "command": shlex.join(["gateway", *sys.argv[1:]]),
        **expected,
        **({} if asked["seed"] is None else {"seed": str(asked["seed"])}),
        "gateway-simulator": __version__,
        "python": platform.python_version(),
        **verified.facts,
    }
    conclude(replace(verified, facts=facts), as_json=asked["as_json"], html=asked["html"])


class _Control:
    """The control plane, reached when it is first needed: a log may need none."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.opened: Remote | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.opened is not None:
            self.opened.__exit__()

    def remote(self) -> Remote:
        """The client."""
        from gateway.cli.remote import Remote

        self.opened = self.opened or Remote(self._url)
        return self.opened


def _refuse_idle(ctx: click.Context, *, reads: bool) -> None:
    """Refuse options that would have no effect."""
    for parameter in ctx.command.params:
        idle = _ONLY_SENDING if reads else _ONLY_READING
        source = ctx.get_parameter_source(str(parameter.name))
        if parameter.name in idle and source is click.core.ParameterSource.COMMANDLINE:
            beside = "with --log" if reads else "without --log"
            raise click.UsageError(f"{parameter.opts[0]} has no effect {beside}")


def _wishes(asked: Mapping[str, Any], control: _Control) -> Sequence[Wish]:
    """What is expected of each stage: as given, or else as the live aliases say."""
    stages = tuple(dict.fromkeys(map(names.stage_name, asked["stages"])))
    if not stages and asked["log"] is None:
        raise click.UsageError("name a stage with --stage, or a log with --log")
    if not stages and not asked["expectations"]:
        raise click.UsageError("say what is expected: with --expect, or with --stage of a gateway")
    told = given(asked["expectations"], stages)
    sends = asked["log"] is None and asked["source"] is None
    unknown = [stage for stage in stages if sends or stage not in told]
    if unknown:
        found = live(control.remote(), unknown, asked["function"])
        told = {stage: as_given(told.get(stage), wish) for stage, wish in found.items()} | {
            stage: wish for stage, wish in told.items() if stage not in found
        }
    return [told[stage] for stage in stages or ("",)]


def as_given(told: Wish | None, found: Wish) -> Wish:
    """What the alias says, but for the shares that were given; these are of all its answers."""
    if told is None:
        return found
    return replace(found, shares=told.shares, rules=(), source=told.source)


def _verify(
    asked: Mapping[str, Any], wishes: Sequence[Wish], question: Question, control: _Control
) -> Verified:
    if asked["log"] is not None:
        from gateway.cli.verify_log import verify_log

        return verify_log(asked, wishes, question)
    from gateway.cli.verify_live import Live
    from gateway.cli.verify_locust import verify_by_locust

    watched = control.opened if asked["against"] else control.remote()
    return verify_by_locust(asked, wishes, question, Live(watched, wishes, question))

"""`gateway status`: where every alias leads, and what it did: configured and observed shares."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from time import sleep
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.breaker import breakers_of, standing_words
from gateway.cli.options import reads
from gateway.cli.picture import clean, fault_words, json_text, percent, table
from gateway.cli.status_nodes import node_lines
from gateway.cli.status_screen import Screen
from gateway.cli.status_watch import MINUTE, configured, going_on, summary, watched
from gateway.core import names

if TYPE_CHECKING:
    from gateway.cli.talk import Talk


@click.command("status", short_help="Show configured and observed shares of every alias.")
@click.option("--watch", is_flag=True, help="Draw it again and again until Ctrl-C.")
@click.option(
    "--every",
    type=click.FloatRange(min=0.1),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="How often --watch draws.",
)
@reads
def command(talk: Talk, *, watch: bool, every: float) -> None:
    """Show every alias with the share that each version should have and the one it had.

    Counts are those since the gateway started. A version that only rules lead to has the
    configured share 'rule'; one that the alias does not name any more has '-'. Versions that
    callers named themselves have lines of their own. Processes that share the state are seen as
    one; where there are several, each has a line below.

    With --watch shares are those since the alias leads where it leads, with the verdict on them;
    requests, errors and latencies are those of the last minute. Rollouts that go on stand below.

    \b
    Examples:
      gateway status
      gateway status --watch
      gateway status --json
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    if not watch:
        click.echo(json_text(_everything(talk)) if talk.as_json else _drawn(talk))
        return
    screen = Screen.of(sys.stdout)
    try:
        while True:
            told = _everything(talk)
            if talk.as_json:
                click.echo(json_text(told))
            else:
                screen.show(watched(told, *screen.size()))
            sleep(every)
    except KeyboardInterrupt:
        return  # the way in which watching ends


def _everything(talk: Talk) -> dict[str, Any]:
    """All that a picture is made of."""
    return {
        "snapshot": talk.read("/api/snapshot").body,
        "metrics": talk.read("/api/metrics").body,
        "lately": talk.read("/api/metrics", window=MINUTE).body,
        "shares": talk.read("/api/shares").body,
        "course": talk.read("/api/metrics/course", window=MINUTE).body,
        "rollouts": talk.read("/api/rollouts").body,
        "nodes": talk.read("/api/nodes").body,
    }


def _drawn(talk: Talk) -> str:
    snapshot = talk.read("/api/snapshot").body
    metrics = talk.read("/api/metrics").body
    rollouts = talk.read("/api/rollouts").body["rollouts"]
    counts = _counts(metrics)
    rows = [
        row
        for function in snapshot["functions"].values()
        for name, alias in [*function["aliases"].items(), *_pinned(function, counts)]
        for row in _rows((function["name"], name), alias, counts)
    ]
    headings = ("FUNCTION", "ALIAS", "VERSION", "CONFIGURED", "OBSERVED", "REQUESTS", "ERRORS")
    lines = [
        f"fault: {clean(function['name'])} version {version}  {fault_words(fault)}"
        for function in snapshot["functions"].values()
        for version, fault in function["faults"].items()
    ]
    lines += [
        f"breaker: {clean(name)} version {clean(circuit['version'])}  {standing_words(circuit)}"
        for name, breaker in breakers_of(talk, snapshot).items()
        for circuit in breaker["circuits"]
        if circuit["state"] != "closed"
    ]
    lines += [f"rollout: {line}" for line in going_on(rollouts)]
    lines += node_lines(talk.read("/api/nodes").body["nodes"], snapshot["revision"])
    told = {"snapshot": snapshot, "metrics": metrics}
    return "\n".join([table(headings, rows), *lines, summary(told)])


Counts = dict[tuple[str, str], dict[str, tuple[int, int]]]


def _counts(metrics: Mapping[str, Any]) -> Counts:
    """Requests and errors of each version by function and alias, all stages together."""
    counts: Counts = {}
    for seen in metrics["versions"]:
        versions = counts.setdefault((seen["function"], seen["qualifier"]), {})
        requests, errors = versions.get(seen["version"], (0, 0))
        versions[seen["version"]] = requests + seen["requests"], errors + seen["errors"]
    return counts


def _pinned(function: Mapping[str, Any], counts: Counts) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The versions that callers named themselves, as aliases that lead nowhere else."""
    for owner, qualifier in sorted(counts):
        if owner == function["name"] and names.is_version(qualifier):
            yield qualifier, {"version": qualifier, "weights": {}, "rules": []}


def _rows(
    owner: tuple[str, str], alias: Mapping[str, Any], counts: Counts
) -> Iterator[tuple[str, ...]]:
    shares = configured(alias)
    seen = counts.get(owner, {})
    everything = sum(requests for requests, _ in seen.values())
    shown = owner
    for version in [*shares, *sorted(seen.keys() - shares, key=names.version_order)]:
        requests, errors = seen.get(version, (0, 0))
        observed = percent(requests / everything) if everything else "-"
        errors_shown = click.style(f"{errors:,}", fg="red") if errors else "0"
        share = shares.get(version, "-")
        yield (*shown, version, share, observed, f"{requests:,}", errors_shown)
        shown = ("", "")

"""`gateway status`: where every alias leads, and what it did: configured and observed shares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from time import sleep
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.options import reads
from gateway.cli.picture import clean, fault_words, json_text, percent, shares_of, table
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
    callers named themselves have lines of their own.

    \b
    Examples:
      gateway status
      gateway status --watch
      gateway status --json
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    if not watch:
        click.echo(_drawn(talk))
        return
    try:
        while True:
            picture = _drawn(talk)
            click.clear()  # does nothing where there is no terminal
            click.echo(picture if talk.as_json else f"{picture}\n")
            sleep(every)
    except KeyboardInterrupt:
        return  # the way in which watching ends


def _drawn(talk: Talk) -> str:
    snapshot = talk.read("/api/snapshot").body
    metrics = talk.read("/api/metrics").body
    if talk.as_json:
        return json_text({"snapshot": snapshot, "metrics": metrics})
    counts = _counts(metrics)
    rows = [
        row
        for function in snapshot["functions"].values()
        for name, alias in [*function["aliases"].items(), *_pinned(function, counts)]
        for row in _rows((function["name"], name), alias, counts)
    ]
    headings = ("FUNCTION", "ALIAS", "VERSION", "CONFIGURED", "OBSERVED", "REQUESTS", "ERRORS")
    faults = "".join(
        f"\nfault: {clean(function['name'])} version {version}  {fault_words(fault)}"
        for function in snapshot["functions"].values()
        for version, fault in function["faults"].items()
    )
    answered = metrics["answered"]
    said = f"{answered:,} {'request' if answered == 1 else 'requests'}"
    since = clean(metrics["since"])
    drawn = f"{table(headings, rows)}{faults}"
    return f"{drawn}\nrevision {snapshot['revision']}   {said} since {since}"


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
    configured = _configured(alias)
    seen = counts.get(owner, {})
    everything = sum(requests for requests, _ in seen.values())
    shown = owner
    for version in [*configured, *sorted(seen.keys() - configured, key=names.version_order)]:
        requests, errors = seen.get(version, (0, 0))
        observed = percent(requests / everything) if everything else "-"
        errors_shown = click.style(f"{errors:,}", fg="red") if errors else "0"
        share = configured.get(version, "-")
        yield (*shown, version, share, observed, f"{requests:,}", errors_shown)
        shown = ("", "")


def _configured(alias: Mapping[str, Any]) -> dict[str, str]:
    """What each version that the alias names should get of what no rule has taken."""
    shares = {version: percent(share) for version, share in shares_of(alias).items()}
    ruled = dict.fromkeys(rule["version"] for rule in alias["rules"])
    for version in ruled:
        shares[version] = f"rule, {shares[version]}" if version in shares else "rule"
    return shares

"""What a stage should answer: as it was given, or as the live alias says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import fsum
from typing import TYPE_CHECKING, Any, Final

import click

from gateway.cli.exits import Exit
from gateway.cli.failures import fail
from gateway.cli.picture import alias_words, shares_of
from gateway.core import names
from gateway.core.errors import listed, nearest

if TYPE_CHECKING:
    from gateway.cli.remote import Remote

FORM: Final = "VERSION=SHARE,VERSION=SHARE, such as 1=0.9,2=0.1"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is expected of one stage.

    Attributes:
        stage: The stage; empty where a log is of no stage.
        shares: The share of each version, of what no rule takes.
        rules: The rules, as the API writes them.
        sticky_by: The key by which the split is sticky; empty if it is not.
        function: The function; empty where it is not known.
        source: Where this is known from.
    """

    stage: str
    shares: Mapping[str, float]
    rules: Sequence[Mapping[str, str]] = ()
    sticky_by: str = ""
    function: str = ""
    source: str = "--expect"
    apis: Sequence[Mapping[str, Any]] = field(default=(), repr=False)

    @property
    def versions_of_rules(self) -> dict[str, str]:
        """The version of each rule, by the reason that its answers give."""
        return {f"rule:{at}": rule["version"] for at, rule in enumerate(self.rules, start=1)}


def given(texts: Sequence[str], stages: Sequence[str]) -> dict[str, Wish]:
    """Read `[STAGE:]VERSION=SHARE,...` options.

    Args:
        texts: The options.
        stages: The stages that are asked about; none where a log is of no stage.

    Raises:
        click.BadParameter: One does not read so, or it is not clear which stage it is about.
    """
    found: dict[str, Wish] = {}
    for text in texts:
        stage, shares = _split(text, stages)
        if stage in found:
            about = f"stage {stage!r}" if stage else "the same"
            raise _wrong(f"{text!r} is the second one about {about}")
        found[stage] = Wish(stage, _shares(shares, text))
    return found


def _split(text: str, stages: Sequence[str]) -> tuple[str, str]:
    """The stage that an option is about, and the rest of it."""
    for stage in stages:
        if text.startswith(f"{stage}:"):
            return stage, text.removeprefix(f"{stage}:")
    if len(stages) > 1:
        raise _wrong(
            f"{text!r} does not say which stage it is about: write {stages[0]}:{text}, or another"
            f" one of {', '.join(stages)}"
        )
    return (stages[0] if stages else ""), text


def _shares(text: str, whole: str) -> dict[str, float]:
    shares: dict[str, float] = {}
    for part in text.split(","):
        version, _, share = part.strip().rpartition("=")
        if not version:
            raise _wrong(f"{part.strip()!r} in {whole!r} has no version and share; {FORM}")
        if version in shares:
            raise _wrong(f"version {version} stands twice in {whole!r}")
        shares[version] = _share(share, whole)
    total = fsum(shares.values())
    if abs(total - 1) > 1e-9:
        raise _wrong(f"the shares of {whole!r} sum to {total:.10g}; they must sum to 1")
    return shares


def _share(text: str, whole: str) -> float:
    try:
        share = float(Fraction(text.strip()))
    except (ValueError, ZeroDivisionError, OverflowError):
        share = -1.0
    if not 0 <= share <= 1:
        raise _wrong(f"{text!r} in {whole!r} is no share; allowed: 0 to 1, such as 0.1 or 1/3")
    return share


def _wrong(message: str) -> click.BadParameter:
    return click.BadParameter(message, param_hint="--expect")


def live(remote: Remote, stages: Sequence[str], function: str | None) -> dict[str, Wish]:
    """What the aliases of some stages say at this moment.

    Args:
        remote: The control plane.
        stages: The stages.
        function: Whose alias, where a stage has several functions.
    """
    answer = remote.get("/api/snapshot")
    return {stage: _wish(answer.body, stage, function) for stage in stages}


def _wish(snapshot: Mapping[str, Any], stage: str, function: str | None) -> Wish:
    apis = _apis(snapshot, stage)
    targets = {(api["function"], api["qualifier"]) for api in apis if "function" in api}
    if function is not None:
        targets = {target for target in targets if target[0] == function}
    if not targets:
        whose = f"function {function!r}" if function else "a function"
        fail("nothing-to-verify", f"stage {stage!r} has no API of {whose}", Exit.NOT_FOUND)
    if len(targets) > 1:
        every = ", ".join(sorted(f"{name} ({qualifier})" for name, qualifier in targets))
        hint = "say which one with --function; its APIs are asked"
        message = f"stage {stage!r} leads to several functions: {every}"
        fail("several-functions", message, Exit.USAGE, hint)
    [(name, qualifier)] = targets
    source = f"alias {qualifier} of {name} at revision {snapshot['revision']}"
    alias = snapshot["functions"][name]["aliases"].get(qualifier)
    if alias is None:
        if not names.is_version(qualifier):
            message = f"stage {stage!r} uses {name!r} by {qualifier!r}, and there is no such alias"
            fail("alias-not-found", message, Exit.NOT_FOUND)
        alias = {"version": qualifier, "weights": {}, "rules": [], "split": "random"}
        source = f"{name} version {qualifier} at revision {snapshot['revision']}"
    shares = {version: float(share) for version, share in shares_of(alias).items()}
    return Wish(
        stage,
        shares,
        alias["rules"],
        alias["sticky_by"] if alias["split"] == "sticky" else "",
        name,
        f"{source}: {alias_words(alias)}",
        [api for api in apis if api.get("function") == name],
    )


def _apis(snapshot: Mapping[str, Any], stage: str) -> Sequence[Mapping[str, Any]]:
    """The APIs of a stage: of the service that stages.toml declares, or else of any other."""
    services = snapshot["services"].values()
    found = [service["stages"][stage] for service in services if stage in service["stages"]]
    if not found:
        known = sorted({name for service in services for name in service["stages"]})
        hint = nearest(stage, known) or f"there are: {listed(known)}"
        fail("stage-not-found", f"there is no stage {stage!r}", Exit.NOT_FOUND, hint)
    apis: Sequence[Mapping[str, Any]] = found[0]["apis"]
    return apis

"""Options that alter recorded requests: the same for importing, for replaying and for asking."""

from __future__ import annotations

from collections.abc import Mapping
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from gateway.cli.exits import Exit
from gateway.cli.options import Command, Option

if TYPE_CHECKING:
    from gateway.traffic.rewriting import Rewriting

_MAP: Final = "'FROM -> TO'"

_OPTIONS: Final = (
    click.option(
        "--profile",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="A TOML file with the options below; those given here win.",
    ),
    click.option(
        "--user-from",
        metavar="KEY",
        help="Who the user is: address, or a key as in invoke.headers.User.",
    ),
    click.option("--map-path", "paths", multiple=True, metavar=_MAP, help="Another path."),
    click.option(
        "--map-host", "hosts", multiple=True, metavar=_MAP, help="Another Host; * is any."
    ),
    click.option(
        "--set-header",
        "set_headers",
        multiple=True,
        metavar="'NAME: VALUE'",
        help="A header; {user} in VALUE is the user.",
    ),
    click.option(
        "--remove-header",
        "remove_headers",
        multiple=True,
        metavar="NAME",
        help="A header to leave out; X-* is every one that begins so.",
    ),
    click.option("--sample", type=float, metavar="SHARE", help="Keep this share, above 0 to 1."),
    click.option(
        "--sample-by",
        type=click.Choice(["user", "request"]),
        help="Keep whole users (the default), or single requests.",
    ),
    click.option("--from", "from", metavar="TIME", help="Begin so far into it: 90s, 1h30m."),
    click.option("--until", metavar="TIME", help="End so far into it."),
    click.option("--loop", type=click.IntRange(min=1), metavar="N", help="Play it so often."),
)
_KEYS: Final = (
    "profile",
    "user_from",
    "paths",
    "hosts",
    "set_headers",
    "remove_headers",
    "sample",
    "sample_by",
    "from",
    "until",
    "loop",
)


def rewriting_options(command: Command) -> Command:
    """Give a command `rewriting`, and the options that make it."""

    @wraps(command)
    def run(**given: Option) -> None:
        asked = {key: given.pop(key) for key in _KEYS}
        command(rewriting=_rewriting(asked), **given)

    for option in reversed(_OPTIONS):
        run = option(run)
    return run


def _rewriting(asked: Mapping[str, Option]) -> Rewriting:
    """The options above the profile, as one rewriting, or the end of the command."""
    from gateway.core.errors import Refused
    from gateway.traffic.profile import parse_rewriting

    raw = _of_profile(asked["profile"])
    raw |= {key: asked[key] for key in _KEYS[1:] if asked[key] not in {None, ()}}
    for key in ("paths", "hosts", "remove_headers"):
        if asked[key]:
            raw[key] = list(asked[key])
    if asked["set_headers"]:
        raw["set_headers"] = _headers(asked["set_headers"])
    try:
        return parse_rewriting(raw, "the rewriting")
    except Refused as refused:
        lines = [": ".join(filter(None, (p.message, p.hint))) for p in refused.problems]
        raise click.UsageError("\n".join(lines)) from None


def _of_profile(path: Path | None) -> dict[str, object]:
    if path is None:
        return {}
    from gateway.config import ConfigurationInvalid, render
    from gateway.traffic.profile import read_profile

    try:
        return dict(read_profile(path))
    except ConfigurationInvalid as invalid:
        click.echo(render(invalid.diagnostics), err=True)
        raise click.exceptions.Exit(Exit.INVALID) from None


def _headers(texts: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        name, separator, value = text.partition(":")
        name = name.strip()
        if not separator or not name:
            message = f"{text!r} is no header; for example: --set-header 'User: {{user}}'"
            raise click.BadParameter(message, param_hint="--set-header")
        if name in found:
            raise click.BadParameter(f"{name!r} is given twice", param_hint="--set-header")
        found[name] = value.strip()
    return found

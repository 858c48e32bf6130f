"""Where a gateway remembers its changes: the option, and what it means."""

from __future__ import annotations

from pathlib import Path

import click

FORGETFUL = ":memory:"

state_option = click.option(
    "--state",
    metavar="FILE",
    envvar="GATEWAY_STATE",
    show_envvar=True,
    help="Where changes are remembered: .gateway/state.db beside the file by default, or :memory: "
    "to forget them in the end.",
)
"""Which journal a command is about."""


def state_file(state: str | None, config: Path) -> Path | None:
    """The journal's file; `None` for one that is forgotten.

    Raises:
        click.BadParameter: It is no file.
    """
    if state is None:
        return config.absolute().parent / ".gateway" / "state.db"
    if state == FORGETFUL:
        return None
    if "://" in state:
        message = f"{state!r} is no file; allowed: a file, or {FORGETFUL}"
        raise click.BadParameter(message, param_hint="--state")
    return Path(state).absolute()

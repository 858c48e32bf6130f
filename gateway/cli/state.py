"""Where a gateway remembers its changes: the option, and what it means."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final

import click

FORGETFUL: Final = ":memory:"

_DATABASES: Final = ("postgresql://", "postgres://")

state_option = click.option(
    "--state",
    metavar="FILE|URL",
    envvar="GATEWAY_STATE",
    show_envvar=True,
    help="Where changes are remembered: .gateway/state.db beside the file by default, or :memory: "
    "to forget them in the end. For several gateways: postgresql://user:password@host/database.",
)
"""Which journal a command is about."""

role_option = click.option(
    "--role",
    type=click.Choice(["all", "data", "control"]),
    default="all",
    show_default=True,
    help="data: read no stages.toml, serve what other gateways declare in the same database. "
    "control: be steered, and leave callers to them.",
)
"""What a gateway does of what several can share."""


def declared_file(role: str, config: Path, database: str | None) -> Path | None:
    """The stages.toml that a gateway applies; `None` where others do.

    Raises:
        click.UsageError: There are no others.
    """
    if role == "all":
        return config
    if database is None:
        others = {"data": "declare into", "control": "serve from"}[role]
        message = f"--role {role} needs a database that others {others}: --state URL"
        raise click.UsageError(message)
    return config if role == "control" else None


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
        message = f"{_spoken(state)} is no file; allowed: a file, or {FORGETFUL}"
        raise click.BadParameter(message, param_hint="--state")
    return Path(state).absolute()


def state_place(state: str | None, config: Path) -> tuple[Path | None, str | None]:
    """The journal's file and database; where there is a database, the file only names a folder.

    Raises:
        click.BadParameter: It is neither.
        click.UsageError: An extra is missing.
    """
    if state is None or "://" not in state:
        return state_file(state, config), None
    if not state.startswith(_DATABASES):
        allowed = f"a file, {FORGETFUL}, or postgresql://user:password@host:port/database"
        message = f"{_spoken(state)} is neither a file nor a database; allowed: {allowed}"
        raise click.BadParameter(message, param_hint="--state")
    if find_spec("psycopg") is None:
        message = "a state in PostgreSQL needs an extra: pip install 'gateway-simulator[postgres]'"
        raise click.UsageError(message)
    return config.absolute().parent / ".gateway" / "node" / "state.db", state


def _spoken(state: str) -> str:
    """An address as far as anybody may read it: what follows may hold a password."""
    return repr(f"{state.partition('://')[0]}://...")

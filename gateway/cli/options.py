"""Options that several commands share: one meaning, one wording."""

from __future__ import annotations

from pathlib import Path

import click

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("stages.toml"),
    show_default=True,
    help="The file that declares functions, APIs and stages.",
)
"""Which stages.toml a command is about."""

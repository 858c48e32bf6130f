"""The group of all commands; knows their names and one line on each, so that help costs nothing."""

from __future__ import annotations

import importlib
import os
from typing import Final

import click

from gateway import __version__
from gateway.cli.exits import Exit
from gateway.core.errors import nearest

COMMANDS: Final = {
    "check": "Check stages.toml and the code it names.",
    "explain": "Tell which version would answer a request, and why.",
    "serve": "Serve the stages of stages.toml.",
}
"""Each command with its line in the help; the module `gateway.cli.NAME` holds it."""


class _Lazy(click.Group):
    """Imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"gateway.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise click.exceptions.Exit(Exit.INTERRUPTED) from None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            hint = nearest(args[0], COMMANDS)
            if hint:
                raise click.UsageError(f"{error.message} {hint.capitalize()}", ctx) from None
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=_Lazy,
    epilog="Start with 'gateway serve' in a folder that holds a stages.toml.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="gateway")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Run API stages bound to function aliases on this machine."""
    if os.environ.get("NO_COLOR"):
        ctx.color = False

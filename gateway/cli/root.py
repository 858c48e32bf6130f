"""The group of all commands; knows their names and one line on each, so that help costs nothing."""

from __future__ import annotations

import importlib
import os
from typing import Final

import click

from gateway import __version__
from gateway.cli.exits import Exit
from gateway.core.errors import nearest

SECTIONS: Final = {
    "On this machine": {
        "init": "Make a folder that can be served.",
        "check": "Check stages.toml and the code it names.",
        "serve": "Serve the stages of stages.toml.",
        "host": "Serve one version as a plain HTTP server.",
        "explain": "Tell which version would answer a request, and why.",
        "completion": "Write what a shell needs for completion.",
    },
    "Look at a running gateway": {
        "verify": "Tell whether a split is right, with stated error rates.",
        "status": "Show configured and observed shares of every alias.",
        "functions": "List the functions.",
        "versions": "List the versions of a function.",
        "aliases": "List the aliases of a function.",
        "stages": "List the stages and the aliases they use.",
        "apis": "List the APIs and who answers them.",
        "logs": "Show what was answered, request by request.",
        "events": "Follow what happens, one line each.",
        "changes": "Show who altered what, newest first.",
    },
    "Move code": {
        "publish": "Freeze $LATEST into the next version.",
        "alias": "Move an alias; read it, delete it, see its history.",
        "rollback": "Bring back where an alias led before.",
        "rollout": "Move an alias step by step, watched.",
        "deploy": "Publish, and share traffic with $LATEST.",
        "invoke": "Run a function once.",
        "invocations": "Show or abort asynchronous invocations.",
        "code": "Fetch code, or give $LATEST other code.",
        "function": "Configure a function, or delete it.",
        "version": "Delete a published version.",
        "fault": "Get a version wrong on purpose.",
        "breaker": "Leave a version alone while it fails.",
        "stage": "Release the APIs to a stage, or delete it.",
    },
    "Replay traffic": {
        "record": "Record traffic, or import what others recorded.",
        "replay": "Play a recording again, in its own rhythm.",
        "rehearse": "Run a rollout on recorded traffic, in virtual time.",
        "whatif": "Tell what recorded requests would get under another alias.",
    },
    "stages.toml and what is live": {
        "apply": "Apply stages.toml to the running gateway.",
        "diff": "Compare stages.toml with what is live.",
        "export": "Write a stages.toml that reproduces what is live.",
    },
}
"""Each command with its line in the help, by what it is for."""

COMMANDS: Final = {name: line for lines in SECTIONS.values() for name, line in lines.items()}
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
        for title, lines in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(list(lines.items()))


@click.group(
    cls=_Lazy,
    epilog="Start with 'gateway init', or with 'gateway serve' where there is a stages.toml.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="gateway")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Run API stages bound to function aliases on this machine."""
    if os.environ.get("NO_COLOR"):
        ctx.color = False

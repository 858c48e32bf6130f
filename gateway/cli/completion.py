"""`gateway completion`: what a shell needs to complete commands, options and live names."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from gateway.cli.root import main


@click.command("completion", short_help="Write what a shell needs for completion.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Write a script that teaches SHELL to complete commands, options and live names.

    Names of functions, aliases and versions come from the control plane, when it answers at once.

    \b
    Examples:
      gateway completion bash > ~/.local/share/bash-completion/completions/gateway
      gateway completion zsh > "${fpath[1]}/_gateway"
      gateway completion fish > ~/.config/fish/completions/gateway.fish
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click knows the three of them
    click.echo(kind(main, {}, "gateway", "_GATEWAY_COMPLETE").source())

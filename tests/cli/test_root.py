"""The command line as a whole: help, names, near misses, and what it costs to ask for help."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from gateway import __version__
from gateway.cli import main
from gateway.cli.root import COMMANDS

if TYPE_CHECKING:
    from tests.cli.conftest import Call, Process

NAMES = sorted(COMMANDS)
OFFLINE = {"init", "check", "host", "record", "serve", "completion"}


def command_of(name: str) -> click.Command:
    """A command of the command line."""
    command: click.Command = importlib.import_module(f"gateway.cli.{name}").command
    return command


def group_of(name: str) -> click.Group:
    """A command that is a group."""
    group = command_of(name)
    assert isinstance(group, click.Group)
    return group


GROUPS = [name for name in NAMES if isinstance(command_of(name), click.Group)]
SUBCOMMANDS = [(name, sub) for name in GROUPS for sub in group_of(name).commands]


def test_help_lists_every_command_with_its_line(call: Call) -> None:
    """In the order in which they are declared."""
    result = call("--help")
    assert (result.exit_code, result.stderr) == (0, "")
    rows = [" ".join(row.split()) for row in result.stdout.splitlines()]
    wanted = [f"{name} {line}" for name, line in COMMANDS.items()]
    assert [row for row in rows if row in wanted] == wanted
    assert call("-h").stdout == result.stdout


@pytest.mark.parametrize("name", NAMES)
def test_the_line_of_a_command_is_its_own_short_help(name: str) -> None:
    """The group knows it by heart, so that help imports nothing."""
    command = command_of(name)
    assert (command.name, command.short_help) == (name, COMMANDS[name])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_of_a_command_has_an_example(call: Call, name: str, flag: str) -> None:
    """And says what every option is for."""
    result = call(name, flag)
    assert (result.exit_code, result.stderr) == (0, "")
    _, separator, examples = result.stdout.partition("\n  Examples:\n")
    assert separator
    assert examples.startswith(f"    gateway {name}")
    options = [option for option in command_of(name).params if isinstance(option, click.Option)]
    assert all(option.help for option in options)


@pytest.mark.parametrize(("name", "sub"), SUBCOMMANDS, ids=" ".join)
def test_help_of_a_command_of_a_group_has_an_example(call: Call, name: str, sub: str) -> None:
    """As that of any command."""
    result = call(name, sub, "--help")
    assert (result.exit_code, result.stderr) == (0, "")
    _, separator, examples = result.stdout.partition("\n  Examples:\n")
    assert separator
    assert examples.startswith(f"    gateway {name} {sub}")
    command = group_of(name).commands[sub]
    assert command.short_help
    options = [option for option in command.params if isinstance(option, click.Option)]
    assert all(option.help for option in options)


@pytest.mark.parametrize(("name", "sub"), SUBCOMMANDS, ids=" ".join)
def test_the_command_line_page_knows_every_command_of_a_group(name: str, sub: str) -> None:
    """With each of its options."""
    page = Path(__file__).parents[2] / "docs" / "command-line.md"
    text = page.read_text(encoding="utf-8")
    assert f"gateway {name} {sub}" in text
    for parameter in group_of(name).commands[sub].params:
        for option in parameter.opts if isinstance(parameter, click.Option) else ():
            assert f"`{option}`" in text, option


@pytest.mark.parametrize("name", [name for name in NAMES if name not in OFFLINE])
def test_every_command_that_talks_to_a_gateway_has_the_same_options(name: str) -> None:
    """An address, and JSON in place of words; writes may name the revision they have seen."""
    command = command_of(name)
    commands = list(command.commands.values()) if isinstance(command, click.Group) else [command]
    for each in commands:
        options = {option for parameter in each.params for option in parameter.opts}
        assert {"--control-url", "--json"} <= options, each.name


def test_a_shell_can_complete_every_command() -> None:
    """The names come from the group."""
    assert main.list_commands(click.Context(main)) == list(COMMANDS)


def test_the_version_is_told(call: Call) -> None:
    """With the program's name."""
    assert call("--version").stdout == f"gateway, version {__version__}\n"


@pytest.mark.parametrize(
    ("wrong", "right"), [("chek", "check"), ("expalin", "explain"), ("server", "serve")]
)
def test_a_misspelt_command_is_answered_with_the_nearest(
    call: Call, wrong: str, right: str
) -> None:
    """Exit code 2, and one sentence."""
    result = call(wrong)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"No such command '{wrong}'. Did you mean '{right}'?" in result.stderr


def test_a_command_that_resembles_none_gets_no_guess(call: Call) -> None:
    """Only that there is none."""
    result = call("xyzzy")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "No such command 'xyzzy'." in result.stderr
    assert "Did you mean" not in result.stderr


def test_help_imports_nothing_that_costs_time() -> None:
    """No server, no client, no configuration, no command."""
    code = (
        "import json, sys\n"
        "from gateway.cli import main\n"
        "main(['--help'], standalone_mode=False)\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    modules = set(json.loads(done.stderr))
    costly = {
        "aiohttp", "asyncio", "httpx", "locust", "pydantic", "starlette", "tree_sitter", "uvicorn",
    }  # fmt: skip
    ours = {name for name in modules if name.startswith("gateway.")}
    assert not costly & modules
    assert ours <= {
        "gateway.cli",
        "gateway.cli.exits",
        "gateway.cli.root",
        "gateway.core",
        "gateway.core.errors",
    }


@pytest.mark.parametrize(
    "command",
    [("--help",), ("alias", "set", "--help"), ("init", "--help"), ("status", "--help")],
    ids=" ".join,
)
def test_help_needs_no_client_and_no_server(command: tuple[str, ...]) -> None:
    """As the interpreter itself tells what it imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "gateway", *command],
        check=True,
        capture_output=True,
        text=True,
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "gateway.cli.root" in imported
    assert not {"httpx", "starlette", "pydantic", "asyncio"} & imported


def test_the_module_is_the_program(process: Process) -> None:
    """`python -m gateway`."""
    told = process("--version")
    assert (told.returncode, told.stdout) == (0, f"gateway, version {__version__}\n")
    nothing = process()
    assert "Usage:" in nothing.stdout + nothing.stderr
    assert "Traceback" not in nothing.stderr


def test_importing_the_module_runs_nothing() -> None:
    """Only running it does."""
    assert (
        importlib.import_module("gateway.__main__").main
        is importlib.import_module("gateway.cli").main
    )

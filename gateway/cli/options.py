"""Options that several commands share: one meaning, one wording."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import click

from gateway.cli.named import ALIAS, FUNCTION

Option = Any
"""What click made of an option."""

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("stages.toml"),
    show_default=True,
    help="The file that declares functions, APIs and stages.",
)
"""Which stages.toml a command is about."""

function_argument = click.argument("function", type=FUNCTION)
"""Which function a command is about."""

alias_argument = click.argument("alias", type=ALIAS)
"""Which alias of the function a command is about."""


class Address(click.ParamType[str]):
    """An address: `http://HOST[:PORT][/PATH]`.

    Args:
        example: One such as is meant.
    """

    name = "url"

    def __init__(self, example: str) -> None:
        self._example = example

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """The address without a slash at its end."""
        text = str(value).rstrip("/")
        try:
            parts = urlsplit(text)
            right = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:  # a port that is no number
            right = False
        if not right or any(mark in text for mark in "?#@ ") or not text.isprintable():
            self.fail(f"{text!r} is no address; for example: {self._example}", param, ctx)
        return text


class Revision(click.ParamType[int]):
    """The number of a revision, also as an `ETag` writes it."""

    name = "revision"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """The number."""
        text = str(value).strip('"')
        if not (text.isascii() and text.isdecimal() and len(text) <= 18):
            self.fail(f"{value!r} is no revision; for example: 7", param, ctx)
        return int(text)


REVISION: Final = Revision()

control_url_option = click.option(
    "--control-url",
    type=Address("http://127.0.0.1:8081"),
    envvar="GATEWAY_CONTROL_URL",
    default="http://127.0.0.1:8081",
    show_default=True,
    show_envvar=True,
    is_eager=True,
    metavar="URL",
    help="The control plane to talk to.",
)
"""Where the gateway is steered."""

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Write what the gateway answers, as JSON."
)
"""JSON in place of words."""

if_match_option = click.option(
    "--if-match",
    type=REVISION,
    metavar="REVISION",
    help="Only if this revision is still the newest.",
)
"""Do nothing when somebody else was faster."""

Command = Callable[..., None]


def reads(command: Command) -> Command:
    """Give a command its `Talk` with the control plane, and the options that go with it."""

    @control_url_option
    @json_option
    @wraps(command)
    def run(*, control_url: str, as_json: bool, **given: Option) -> None:
        _talk(command, (control_url, as_json, None), given)

    return run


def writes(command: Command) -> Command:
    """The same for a command that changes something."""

    @if_match_option
    @control_url_option
    @json_option
    @wraps(command)
    def run(*, control_url: str, as_json: bool, if_match: int | None, **given: Option) -> None:
        _talk(command, (control_url, as_json, if_match), given)

    return run


def _talk(command: Command, how: tuple[str, bool, int | None], given: dict[str, Option]) -> None:
    from gateway.cli.remote import Remote
    from gateway.cli.talk import Talk

    url, as_json, if_match = how
    with Remote(url) as remote:
        command(Talk(remote, as_json=as_json, if_match=if_match), **given)


def pairs(texts: tuple[str, ...], option: str, example: str) -> dict[str, str]:
    """`NAME=VALUE` options as a table.

    Raises:
        click.BadParameter: One has no `=`, or a name comes twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not name:
            message = f"{text!r} has no name and value; for example: {option} {example}"
            raise click.BadParameter(message, param_hint=option)
        if name in found:
            raise click.BadParameter(f"{name!r} is given twice", param_hint=option)
        found[name] = value
    return found

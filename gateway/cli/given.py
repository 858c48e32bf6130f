"""Values that users write on the command line: JSON, from the option itself, a file or a pipe."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

Value = Any
"""What JSON can say."""


def json_value(text: str, option: str) -> Value:
    """JSON as written, or from `@FILE`, or from standard input for `-`.

    Args:
        text: What the option was given.
        option: Its name, for messages.

    Raises:
        click.BadParameter: There is no such file, or what it holds is no JSON.
    """
    return json_written(text, option)[1]


def json_written(text: str, option: str) -> tuple[str, Value]:
    """The same, and how it was written: a number's spelling may matter.

    Args:
        text: What the option was given.
        option: Its name, for messages.

    Raises:
        click.BadParameter: There is no such file, or what it holds is no JSON.
    """
    source, where = _source(text, option)
    try:
        return source, json.loads(source, parse_constant=_no_number, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        message = f"{where} is no JSON: {error}"
        if where != repr(text):
            raise click.BadParameter(message, param_hint=option) from None
        hint = """; strings have double quotes, as in '{"id": 42}'"""
        raise click.BadParameter(message + hint, param_hint=option) from None


def _source(text: str, option: str) -> tuple[str, str]:
    """The JSON text, and how to name where it is from."""
    try:
        if text == "-":
            return sys.stdin.buffer.read().decode(), "standard input"
        if text.startswith("@"):
            return Path(text[1:]).read_bytes().decode(), f"file {text[1:]!r}"
    except OSError as error:
        message = f"cannot read {text[1:]!r}: {error.strerror}"
        raise click.BadParameter(message, param_hint=option) from None
    except UnicodeDecodeError:
        raise click.BadParameter(f"{text!r} is not UTF-8", param_hint=option) from None
    return text, repr(text)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _once(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} is there twice")
    return found

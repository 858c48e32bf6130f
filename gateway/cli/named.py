"""Names on the command line: checked before anything is asked, completed from what is live.

A name that no function, alias, version or stage can have is a mistake of usage. Whether there is
one of that name only the control plane knows; while somebody presses Tab it has a moment to say
so, and when it does not, nothing is offered and nothing is said.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable
from contextlib import redirect_stderr
from typing import Any, Final

import click
from click.shell_completion import CompletionItem

from gateway.core import names

MOMENT: Final = 0.3
"""Seconds that a completion may take to reach the control plane, and again to be answered."""

Live = Any
"""What the control plane answered."""

_Context = click.Context
_Found = list[CompletionItem]


class Name(click.ParamType[str]):
    """A name of one kind.

    Args:
        kind: The kind, for sentences.
        allowed: Whether a text can be such a name, and how such names are spelled.
        known: Names to offer, out of the live functions or of the function that was named before.
    """

    def __init__(
        self,
        kind: str,
        allowed: tuple[Callable[[str], bool], str],
        known: Callable[[_Context], Iterable[str]],
    ) -> None:
        self.name = kind
        self._allowed, self._rule = allowed
        self._known = known

    def convert(self, value: object, param: click.Parameter | None, ctx: _Context | None) -> str:
        """The name as it was given, if it can be one."""
        text = str(value)
        if not self._allowed(text):
            hint = ""
            if not text:
                hint = "; a shell replaces $LATEST and $DEFAULT by nothing without single quotes"
            elif text.strip("$").upper() in {"LATEST", "DEFAULT"}:
                hint = f"; did you mean '${text.strip('$').upper()}'?"
            self.fail(f"{text!r} is no {self.name}; allowed: {self._rule}{hint}", param, ctx)
        return text

    def shell_complete(self, ctx: _Context, param: click.Parameter, incomplete: str) -> _Found:  # noqa: ARG002 - click's signature
        """Live names that begin like what was typed."""
        return [
            CompletionItem(_quoted(name))
            for name in self._known(ctx)
            if name.startswith(incomplete)
        ]


def live(ctx: _Context, path: str) -> Live:
    """What the control plane has there; `None` when it does not say so at once."""
    from gateway.cli.remote import DEFAULT_URL, Remote

    url = ctx.params.get("control_url") or os.environ.get("GATEWAY_CONTROL_URL") or DEFAULT_URL
    try:
        with redirect_stderr(io.StringIO()), Remote(url, MOMENT, MOMENT) as remote:
            return remote.get(path).body
    except Exception:  # noqa: BLE001 - a line that somebody is typing is no place for mistakes
        return None


def _functions(ctx: _Context) -> list[str]:
    return [function["name"] for function in _listed(ctx)]


def _listed(ctx: _Context) -> list[Live]:
    found = live(ctx, "/api/functions")
    return list(found["functions"]) if found else []


def _function(ctx: _Context) -> Live:
    """The function that was named before; one without anything where there is none."""
    # An option that still lacks its value ends click's parsing: what came before is in `args`.
    name = ctx.params.get("function") or next(iter(ctx.args), None)
    here = (function for function in _listed(ctx) if function["name"] == name)
    return next(here, {"aliases": {}, "versions": []})


def _published(ctx: _Context) -> list[str]:
    return [number for number in _function(ctx)["versions"] if number != names.LATEST]


def _versions(ctx: _Context) -> list[str]:
    return [*_published(ctx), names.LATEST]


def _aliases(ctx: _Context) -> list[str]:
    return list(_function(ctx)["aliases"])


def _qualifiers(ctx: _Context) -> list[str]:
    return [*_aliases(ctx), *_versions(ctx)]


def _stages(_ctx: _Context) -> Iterable[str]:
    return names.STAGES


def _quoted(name: str) -> str:
    """In bash a name is put into the line as it is; the other shells quote it themselves."""
    in_bash = os.environ.get("_GATEWAY_COMPLETE", "").startswith("bash")
    return name.replace("$", r"\$") if in_bash else name


def _is_stage(name: str) -> bool:
    return names.stage_name(name) in names.STAGES


_QUALIFIER_RULE: Final = f"{names.ALIAS_RULE}; or {names.VERSION_RULE}"

FUNCTION: Final = Name("function name", (names.is_function, names.FUNCTION_RULE), _functions)
ALIAS: Final = Name("alias name", (names.is_alias, names.ALIAS_RULE), _aliases)
VERSION: Final = Name("version", (names.is_version, names.VERSION_RULE), _versions)
NUMBER: Final = Name("published version", (names.is_number, "a number such as '1'"), _published)
QUALIFIER: Final = Name(
    "qualifier",
    (lambda text: names.is_alias(text) or names.is_version(text), _QUALIFIER_RULE),
    _qualifiers,
)
STAGE: Final = Name("stage", (_is_stage, "dev, prepub, release; test is dev"), _stages)

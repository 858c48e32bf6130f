"""What is answered about changes, past and possible, and about what went wrong."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from gateway.controlplane.rest.answers import Alias, Answer


class Difference(Answer):
    """One altered part; `null` where there was none, or is none any more."""

    path: list[str]
    before: JsonValue
    after: JsonValue


class Done(Answer):
    """What became of a change."""

    revision: int
    changed: bool
    differences: list[Difference]


class Published(Done):
    """What became of a publication."""

    version: str


class RolledBack(Done):
    """What became of a roll-back."""

    alias: Alias
    restores: int | None = Field(
        description="The revision whose state was brought back; `null` where it is live already."
    )


class Kept(Answer):
    """What was changed live and survives the file."""

    path: list[str]
    declared: JsonValue
    live: JsonValue


class Applied(Done):
    """What became of an applied file."""

    kept: list[Kept]
    warnings: list[str]


class Diff(Answer):
    """What applying the file would alter, and what it would not."""

    revision: int
    differences: list[Difference]
    kept: list[Kept]


class Move(Answer):
    """One change of where an alias leads."""

    revision: int
    at: str
    who: str
    origin: str
    before: Alias | None
    after: Alias | None
    restores: int | None


class History(Answer):
    """Moves of an alias, newest first."""

    moves: list[Move]


class Change(Answer):
    """One entry of the audit log."""

    revision: int
    at: str
    who: str
    origin: str
    change: dict[str, JsonValue]
    differences: list[Difference]
    restores: int | None


class Changes(Answer):
    """The audit log, newest first."""

    changes: list[Change]


class NeededPackage(Answer):
    """Code that the exported file expects in a folder."""

    function: str
    version: str
    folder: str


class Export(Answer):
    """A stages.toml that reproduces the live state."""

    toml: str
    notes: list[str]
    packages: list[NeededPackage]


class Mistake(Answer):
    """One mistake."""

    code: str
    message: str
    pointer: str = Field(description="JSON pointer into the body of the request.")
    hint: str


class Broken(Answer):
    """A version that does not load."""

    code: str
    function: str
    version: str
    message: str
    stack: str
    output: str | None = Field(None, description="What the code said before it failed.")


class Diagnostic(Answer):
    """One mistake in a file."""

    severity: Literal["error", "warning"]
    code: str
    message: str
    hint: str | None
    file: str
    line: int | None
    column: int | None
    length: int | None
    source_line: str | None


class Problem(Answer):
    """What went wrong (RFC 9457), with every mistake."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    problems: list[Mistake]
    revision: int | None = Field(None, description="With 412: the actual revision.")
    broken: list[Broken] | None = None
    diagnostics: list[Diagnostic] | None = None
    text: str | None = None

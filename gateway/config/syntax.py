"""TOML text to values; what tomllib refuses is said in this project's words, at its place.

tomllib stops at the first mistake and tells where, by line and column or as the end of the file.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from gateway.config.diagnostics import ConfigurationInvalid, Diagnostic
from gateway.config.positions import Span
from gateway.config.sentences import TWICE, Failure, understood
from gateway.config.source import Source
from gateway.core.errors import Place, Problem

_WHERE = re.compile(
    r"(?P<gist>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of .*)\)", re.DOTALL
)
_LARGEST: Final = 2**63


def parse(source: Source) -> Mapping[str, object]:
    """The values of a file.

    Raises:
        ConfigurationInvalid: It is not TOML, or has an integer of more than 64 bits.
    """
    try:
        document = tomllib.loads(source.text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationInvalid([_explain(source, str(error))]) from None
    except RecursionError:
        problem = Problem("syntax", "lists and tables are nested too deeply")
        raise ConfigurationInvalid(source.explain([problem])) from None
    except (ValueError, ArithmeticError):  # thousands of digits, or of zeros in an exponent
        problem = Problem("bad-number", "the file holds a number that is too long to be read")
        raise ConfigurationInvalid(source.explain([problem])) from None
    problems = [
        Problem("bad-number", "the number is out of range; allowed: integers of 64 bits", place)
        for place in _outsize(document)
    ]
    if problems:
        raise ConfigurationInvalid(source.explain(problems))
    return document


def _outsize(document: Mapping[str, object]) -> list[Place]:
    """Where integers stand that TOML does not promise: their texts may be of any length."""
    places: list[Place] = []
    pending: list[tuple[Place, object]] = [((), document)]
    while pending:
        place, value = pending.pop()
        if isinstance(value, dict):
            pending += [((*place, key), inner) for key, inner in value.items()]
        elif isinstance(value, list):
            pending += [((*place, index), inner) for index, inner in enumerate(value)]
        elif isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
            places.append(place)
    return places


def _explain(source: Source, sentence: str) -> Diagnostic:
    where = _WHERE.fullmatch(sentence)
    gist = where["gist"] if where else sentence
    if where is None or where["line"] is None:
        return _unfinished(source, gist)
    lines = source.text.split("\n")
    number, column = int(where["line"]), int(where["column"])
    if gist.startswith(TWICE):
        for place, span in source.positions.repeated[:1]:
            if source.data.count(b"\n", 0, span.start) < number:
                return _repeated(source, place, span)
    start = sum(len(line) + 1 for line in lines[: number - 1])
    failure = Failure(gist, lines[number - 1].removesuffix("\r"), column - 1, start)
    problem, first, last = understood(failure)
    before = len(source.text[: start + first].encode())
    meant = len(failure.line[first:last].encode())
    return source.at_bytes(Span(before, before + meant), problem)


def _repeated(source: Source, place: Place, span: Span) -> Diagnostic:
    name = ".".join(part for part in place if isinstance(part, str))
    message = f"{name!r} is given twice; the first time in line {source.line_of(place)}"
    hint = "a list of tables starts each of them with [[...]]; keep one of the two"
    hint = hint if source.data[span.start - 1 : span.start] == b"[" else "keep one of the two"
    return source.at_bytes(span, Problem("duplicate-key", message, hint=hint))


def _last_quote(text: str, gist: str) -> int:
    """Where a string without an end begins: a quote that nothing closes is the last of its kind."""
    if "string" in gist:
        return text.rfind('"""' if text.count('"""') % 2 else '"')
    if "'" in gist:
        return text.rfind("'''" if "'''" in gist else "'")
    return -1


def _unfinished(source: Source, gist: str) -> Diagnostic:
    """A string, list or table that runs to the end of the file: shown where it seems to begin."""
    start = _last_quote(source.text, gist)
    if start >= 0:
        message = "the string that begins here is not closed before the end of the file"
        at = len(source.text[:start].encode())
        line_end = source.data.find(b"\n", at)
        span = Span(at, line_end if line_end >= 0 else len(source.data))
        hint = "close it with the quotes it began with"
        return source.at_bytes(span, Problem("syntax", message, hint=hint))
    message = "a list or table that begins here or below is not closed before the end of the file"
    end = len(source.data)
    span = source.positions.broken or Span(end, end)
    space = len(source.data[span.start :]) - len(source.data[span.start :].lstrip())
    span = Span(min(span.start + space, end), span.end)
    return source.at_bytes(span, Problem("syntax", message, hint="close it with ']' or '}'"))

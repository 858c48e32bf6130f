"""What the text of an option must be, asked while the command line is read; pure but for files."""

from __future__ import annotations

from argparse import ArgumentTypeError
from math import inf
from typing import Final

from loadtests import course, expectations, moves
from loadtests.expectations import Misuse
from loadtests.source import read_log, read_recording

MASTER_PORT: Final = 5557
"""Where a master listens, unless told otherwise."""


def master_address(text: str) -> tuple[str, int]:
    """Host and port of a master."""
    host, colon, port = text.rpartition(":")
    if not colon:
        return text, MASTER_PORT
    if not host or ":" in host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise ArgumentTypeError(f"{text!r} is no HOST or HOST:PORT, such as 0.0.0.0:{MASTER_PORT}")
    return host, int(port)


def log_file(text: str) -> str:
    """A usable access log."""
    try:
        read_log(text)
    except Misuse as error:
        raise ArgumentTypeError(str(error)) from error
    return text


def recording_file(text: str) -> str:
    """A usable recording."""
    try:
        read_recording(text)
    except Misuse as error:
        raise ArgumentTypeError(str(error)) from error
    return text


def steps(text: str) -> str:
    """Readable steps."""
    try:
        moves.parse_steps(text)
    except Misuse as error:
        raise ArgumentTypeError(str(error)) from error
    return text


def expectation(text: str) -> str:
    """A readable expectation."""
    try:
        expectations.parse(text)
    except Misuse as error:
        raise ArgumentTypeError(str(error)) from error
    return text


def mix(text: str) -> str:
    """A readable mix."""
    try:
        course.parse_mix(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error
    return text


def whole(text: str) -> int:
    """A whole number, 0 or more."""
    if not (text.isascii() and text.isdigit()):
        raise ArgumentTypeError(f"{text!r} is no whole number, 0 or more")
    return int(text)


def amount(text: str) -> float:
    """A number, 0 or more."""
    number = _number(text)
    if not 0 <= number < inf:
        raise ArgumentTypeError(f"{text!r} is no number, 0 or more")
    return number


def rate(text: str) -> float:
    """A probability that is neither 0 nor 1."""
    number = _number(text)
    if not 0 < number < 1:
        raise ArgumentTypeError(f"{text!r} is no number above 0 and below 1")
    return number


def share(text: str) -> float:
    """A share, 0 to 1."""
    number = _number(text)
    if not 0 <= number <= 1:
        raise ArgumentTypeError(f"{text!r} is no number from 0 to 1")
    return number


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return -1.0

"""What APIs and stages do besides routing, as a file says it: limits, networks, CORS, bodies."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from typing import Final

from gateway.config.fields import number, wrong_key
from gateway.config.parameters import read_constants, read_parameters
from gateway.core.errors import Problem
from gateway.core.features import AUTHS, BODIES, RATES, ApiFeatures, StageFeatures
from gateway.core.networks import network
from gateway.core.routes import Path
from gateway.core.shapes import Reader, kind_of

_SIZE: Final = re.compile(r"([0-9]{1,12}) ?(|[kmg]i?b?)", re.IGNORECASE)
_UNITS: Final = {"": 1} | {
    f"{letter}{end}": base**power
    for power, letter in enumerate("kmg", 1)
    for base, ends in ((1000, ("b",)), (1024, ("", "i", "ib")))
    for end in ends
}
_RATES: Final = f"whole requests per second, 1 to {RATES[-1]}"


def read_api_features(api: Reader, path: Path | None) -> ApiFeatures:
    """The features of one of `[[apis]]`.

    Args:
        api: Its table.
        path: Its path; `None` where that has a mistake of its own.
    """
    if api.has("base64") and not api.has("function"):
        message = f"'base64' of {api.what} has no effect without 'function'"
        wrong_key(api, Problem("unused-key", message, ("base64",)))
    return ApiFeatures(
        throttle=read_throttle(api),
        cors=api.flag("cors", default=False),
        base64=api.flag("base64", default=False),
        gzip=api.flag("gzip", default=False),
        parameters=read_parameters(api, path),
        constants=read_constants(api),
        auth=api.choice("auth", AUTHS, "none"),
        max_body=_read_max_body(api),
    )


def read_stage_features(stage: Reader) -> StageFeatures:
    """The features of `[stages.NAME]`."""
    return StageFeatures(read_throttle(stage), _networks(stage, "allow"), _networks(stage, "deny"))


def read_throttle(reader: Reader) -> int | None:
    """A limit of requests per second; `None` where there is none, or none that is allowed."""
    value = number(reader, "throttle")
    if value is None:
        return None
    if isinstance(value, int) and value in RATES:
        return value
    message = f"throttle of {reader.what} is {value}; allowed: {_RATES}"
    reader.wrong("out-of-range", message, "throttle")
    return None


def _read_max_body(reader: Reader) -> int | None:
    text = reader.get("max_body")
    size = _SIZE.fullmatch(text.strip()) if isinstance(text, str) else None
    if size is not None:
        number_of_bytes = int(size[1]) * _UNITS[size[2].lower()]
        message = f"max_body of {reader.what} must be a number, not a string"
        hint = f"write it in bytes: max_body = {number_of_bytes:_}"
        reader.wrong("wrong-type", message, "max_body", hint=hint)
        return None
    value = number(reader, "max_body")
    if value is None or (isinstance(value, int) and value in BODIES):
        return value if isinstance(value, int) else None
    message = f"max_body of {reader.what} is {value}; allowed: whole bytes, 0 to {BODIES[-1]}"
    reader.wrong("out-of-range", message, "max_body")
    return None


def _networks(reader: Reader, key: str) -> tuple[str, ...]:
    found = []
    for index, text in enumerate(reader.sequence(key)):
        if not isinstance(text, str):
            message = f"{key} of {reader.what} must be a list of strings, not of {kind_of(text)}"
            reader.wrong("wrong-type", message, key, index)
            continue
        try:
            network(text)
        except ValueError:
            allowed = "an address as 10.0.0.7 or fd00::7, or a network as 10.0.0.0/8"
            message = f"{text!r} in {key} of {reader.what} is no network; allowed: {allowed}"
            reader.wrong("bad-network", message, key, index, hint=_nearest_network(text))
        found.append(text)
    return tuple(found)


def _nearest_network(text: str) -> str:
    """What was meant by a network whose address has bits behind its prefix, or by a wildcard."""
    try:
        return f"did you mean {str(ip_network(text, strict=False))!r}?"
    except ValueError:
        pass
    known = text.partition("*")[0].strip(".").split(".")
    try:
        return (
            f"did you mean '{ip_address('.'.join((*known, '0', '0', '0')[:4]))}/{8 * len(known)}'?"
        )
    except ValueError:
        return ""

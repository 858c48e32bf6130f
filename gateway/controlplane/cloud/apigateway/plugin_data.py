"""What a plugin says, read and checked, and what follows from it for an API."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from gateway.controlplane.cloud.apigateway import codes
from gateway.controlplane.cloud.apigateway.known import check_one_of
from gateway.controlplane.cloud.errors import UNSUPPORTED, fail
from gateway.core.errors import listed, nearest
from gateway.core.networks import network
from gateway.core.overlays import REQUESTS, Cors, Overlay, Window
from gateway.core.resources import Content

Data = dict[str, Any]

SPANS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
METHODS: Final = ("GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS")
_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_ORIGIN: Final = re.compile(r"\*|https?://[A-Za-z0-9._\-\[\]:]+")
_LISTS: Final = ("white_list", "black_list")


def read_data(kind: str, text: str) -> Data:
    """What a plugin says.

    Args:
        kind: Its type, one of `TYPES`.
        text: What was given: a JSON object.

    Raises:
        CloudError: It says nothing that a plugin of its type could mean.
    """
    try:
        raw = json.loads(text)
    except ValueError as error:
        fail(codes.BAD_PLUGIN, f"PluginData is no JSON: {error}")
    if not isinstance(raw, dict):
        fail(codes.BAD_PLUGIN, f"PluginData is {text!r:.80}; allowed: a JSON object")
    return _TYPES[kind][0](raw)


def overlaid(overlay: Overlay, kind: str, data: Content) -> Overlay:
    """An overlay with what a plugin adds to it."""
    return _TYPES[kind][1](overlay, data)


def _read_addresses(raw: Data) -> Data:
    _check_keys(raw, ("type", "blocks"), ("descriptions",))
    check_one_of("type in PluginData", raw["type"], _LISTS, codes.BAD_PLUGIN)
    blocks = [text.strip() for text in _text(raw, "blocks").splitlines() if text.strip()]
    if not blocks:
        fail(codes.BAD_PLUGIN, "blocks in PluginData names no address")
    for block in blocks:
        try:
            network(block)
        except ValueError:
            allowed = "an address as 10.0.0.7, or a network as 10.0.0.0/8, one a line"
            fail(codes.BAD_NETWORK, f"blocks in PluginData has {block!r:.80}; allowed: {allowed}")
    return {"type": raw["type"], "blocks": blocks}


def _with_addresses(overlay: Overlay, data: Content) -> Overlay:
    networks = tuple(data["blocks"])
    if data["type"] == "white_list":
        return replace(overlay, allow=networks)
    return replace(overlay, deny=networks)


def _read_limits(raw: Data) -> Data:
    needed = ("expire_type", "expire")
    limits = ("api_rate_limit", "ip_rate_limit")
    others = ("app_rate_limit", "spec_app_rate_limits", "spec_ip_rate_limits")
    _check_keys(raw, needed, (*limits, *others))
    for key in others:
        if raw.get(key):
            message = f"{key} in PluginData is not counted here"
            fail(UNSUPPORTED, f"{message}; allowed: {listed(limits)}")
    check_one_of("expire_type in PluginData", raw["expire_type"], SPANS, codes.BAD_PLUGIN)
    seconds = SPANS[raw["expire_type"]] * _number(raw, "expire", range(1, 11))
    said = {key: _number(raw, key, REQUESTS) for key in limits if raw.get(key)}
    if not said:
        fail(codes.NO_PLUGIN_FIELD, f"PluginData has no limit; needed: one of {listed(limits)}")
    return {"seconds": seconds, **said}


def _with_limits(overlay: Overlay, data: Content) -> Overlay:
    per = {"api_rate_limit": "api", "ip_rate_limit": "address"}
    windows = [Window(data[k], data["seconds"], who) for k, who in per.items() if k in data]
    return replace(overlay, windows=(*overlay.windows, *windows))


def _read_cors(raw: Data) -> Data:
    lists = ("allow_origin", "allow_methods", "allow_headers", "expose_headers")
    _check_keys(raw, ("allow_origin",), (*lists, "allow_credentials", "max_age"))
    said: Data = {key: _texts(raw, key) for key in lists}
    for key, fits, allowed in (
        ("allow_origin", _ORIGIN.fullmatch, "'*', or origins such as https://example.com"),
        ("allow_methods", METHODS.__contains__, listed(METHODS)),
        ("allow_headers", _HEADER.fullmatch, "names of headers, or '*'"),
        ("expose_headers", _HEADER.fullmatch, "names of headers"),
    ):
        for text in said[key]:
            if not fits(text):
                message = f"{key} in PluginData has {text!r:.80}"
                fail(codes.BAD_PLUGIN, f"{message}; allowed: {allowed}")
    credentials = raw.get("allow_credentials", False)
    if not isinstance(credentials, bool):
        message = f"allow_credentials in PluginData is {credentials!r:.80}"
        fail(codes.BAD_PLUGIN, f"{message}; allowed: true, false")
    said["allow_credentials"] = credentials
    age = raw.get("max_age")
    said["max_age"] = None if age is None else _number(raw, "max_age", range(86_401))
    return said


def _with_cors(overlay: Overlay, data: Content) -> Overlay:
    cors = Cors(
        tuple(data["allow_origin"]),
        tuple(data["allow_methods"]) or METHODS,
        tuple(data["allow_headers"]),
        tuple(data["expose_headers"]),
        credentials=data["allow_credentials"],
        age=data["max_age"],
    )
    return replace(overlay, cors=cors)


def _check_keys(raw: Data, needed: tuple[str, ...], more: tuple[str, ...]) -> None:
    for key in needed:
        if key not in raw:
            fail(codes.NO_PLUGIN_FIELD, f"PluginData has no {key}; needed: {listed(needed)}")
    allowed = dict.fromkeys((*needed, *more))
    for key in raw:
        if key not in allowed:
            hint = nearest(key, allowed)
            message = f"PluginData has {key!r:.80}; allowed: {listed(allowed)}"
            fail(codes.BAD_PLUGIN, f"{message}; {hint}" if hint else message)


def _text(raw: Data, key: str) -> str:
    value = raw[key]
    if not isinstance(value, str):
        fail(codes.BAD_PLUGIN, f"{key} in PluginData is {value!r:.80}; allowed: a text")
    return value


def _texts(raw: Data, key: str) -> list[str]:
    value = raw.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        fail(codes.BAD_PLUGIN, f"{key} in PluginData is {value!r:.80}; allowed: a list of texts")
    return value


def _number(raw: Data, key: str, allowed: range) -> int:
    value = raw[key]
    if type(value) is not int or value not in allowed:
        message = f"{key} in PluginData is {value!r:.80}"
        fail(codes.BAD_PLUGIN, f"{message}; allowed: {allowed[0]} to {allowed[-1]}")
    return value


_TYPES: Final[
    Mapping[str, tuple[Callable[[Data], Data], Callable[[Overlay, Content], Overlay]]]
] = {
    "IPControl": (_read_addresses, _with_addresses),
    "TrafficControl": (_read_limits, _with_limits),
    "Cors": (_read_cors, _with_cors),
}
TYPES: Final = tuple(_TYPES)
"""The types of plugins that are here."""

ELSEWHERE: Final = (
    *("CustomReq", "CustomAuth", "Routing", "TrafficControlByParameter"),
    *("CircuitBreaker", "ProxyCache"),
)
"""The cloud's other types."""

"""What an API or a stage does besides routing. Everything is off unless it is asked for.

Features are values like all others: they are released with the APIs, kept in the journal and
compared. What they do to a request is the data plane's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from gateway.core.networks import read_networks
from gateway.core.overlays import Overlay, overlay_plain, read_overlay
from gateway.core.parameters import (
    Constant,
    Parameter,
    constant_plain,
    parameter_plain,
    read_constant,
    read_parameter,
)
from gateway.core.typed import one_of, typed

RATES: Final = range(1, 1_000_001)
"""Requests per second that a limit may allow."""


BODIES: Final = range(2**30 + 1)
"""Bytes to which a body may be limited: what is longer belongs into an object store."""

AUTHS: Final = ("none", "key")
"""Whether callers of an API sign their requests."""


@dataclass(frozen=True, slots=True)
class ApiFeatures:
    """What one API does besides routing.

    Attributes:
        throttle: Requests per second that are answered; `None` for any number.
        cors: Whether pages of other origins may call it.
        base64: Whether the body of every event is Base64.
        gzip: Whether long texts are compressed for callers that take it.
        parameters: What callers send it, as far as it is declared.
        constants: What its HTTP back end is sent beside that.
        auth: Whether callers sign their requests with a key pair, one of `AUTHS`.
        max_body: Bytes that the body of a request may have; `None` for as many as of any API.
    """

    throttle: int | None = None
    cors: bool = False
    base64: bool = False
    gzip: bool = False
    parameters: tuple[Parameter, ...] = ()
    constants: tuple[Constant, ...] = ()
    auth: str = "none"
    max_body: int | None = None


@dataclass(frozen=True, slots=True)
class StageFeatures:
    """What one stage does besides routing.

    Attributes:
        throttle: Requests per second that are answered, all APIs together; `None` for any number.
        allow: Networks whose callers are let in; all are where it is empty.
        deny: Networks whose callers are not, even if `allow` has them too.
        overlays: What is in force for single APIs beside, by their ids.
    """

    throttle: int | None = None
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    overlays: Mapping[str, Overlay] = field(default_factory=dict)


NO_API_FEATURES: Final = ApiFeatures()
NO_STAGE_FEATURES: Final = StageFeatures()


def features_plain(features: ApiFeatures | StageFeatures) -> dict[str, object]:
    """Features as plain values: only what is not as usual, so that what has none says nothing."""
    usual = type(features)()
    said = {field.name: getattr(features, field.name) for field in fields(features)}
    return {
        name: feature_plain(value) for name, value in said.items() if value != getattr(usual, name)
    }


def feature_plain(value: object) -> object:
    """One field of features as a plain value."""
    if isinstance(value, tuple):
        return [feature_plain(each) for each in value]
    if isinstance(value, Parameter):
        return parameter_plain(value)
    if isinstance(value, Mapping):
        return {name: overlay_plain(overlay) for name, overlay in value.items()}
    return constant_plain(value) if isinstance(value, Constant) else value


def read_api_features(raw: Mapping[str, Any]) -> ApiFeatures:
    """The features among the plain values of an API.

    Raises:
        TypeError, ValueError: A value is of another type, or not allowed.
    """
    return ApiFeatures(
        throttle=_whole(raw, "throttle", RATES),
        cors=typed(raw.get("cors", False), bool),
        base64=typed(raw.get("base64", False), bool),
        gzip=typed(raw.get("gzip", False), bool),
        parameters=tuple(map(read_parameter, typed(raw.get("parameters", []), list))),
        constants=tuple(map(read_constant, typed(raw.get("constants", []), list))),
        auth=one_of(raw.get("auth", "none"), AUTHS),
        max_body=_whole(raw, "max_body", BODIES),
    )


def read_stage_features(raw: Mapping[str, Any]) -> StageFeatures:
    """The features that `features_plain` wrote for a stage.

    Raises:
        KeyError, TypeError, ValueError: It wrote none like this.
    """
    overlays = typed(raw.get("overlays", {}), dict)
    features = StageFeatures(
        _whole(raw, "throttle", RATES),
        read_networks(raw, "allow"),
        read_networks(raw, "deny"),
        {typed(name, str): read_overlay(typed(each, dict)) for name, each in overlays.items()},
    )
    if features_plain(features) != raw:
        raise ValueError("features of a stage have other keys")
    return features


def _whole(raw: Mapping[str, Any], key: str, allowed: range) -> int | None:
    number = raw.get(key)
    if number is not None and typed(number, int) not in allowed:
        raise ValueError(f"{number!r} is no {key}")
    return typed(number, int, type(None))  # type: ignore[no-any-return]

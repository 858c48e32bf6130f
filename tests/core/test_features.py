"""Features as values: what is written is read back, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from gateway.core.changes import PutService, Release
from gateway.core.features import (
    NO_API_FEATURES,
    NO_STAGE_FEATURES,
    ApiFeatures,
    StageFeatures,
    features_plain,
    read_api_features,
    read_stage_features,
)
from gateway.core.journal import UnknownChange, change_plain, read_change
from gateway.core.networks import network
from gateway.core.parameters import Constant, Goal, Parameter
from gateway.core.plain import api_plain
from gateway.core.routes import parse_path
from gateway.core.snapshot import Api, MockBackend

API = ApiFeatures(
    throttle=100,
    cors=True,
    base64=True,
    gzip=True,
    parameters=(
        Parameter("id", "path"),
        Parameter("X-A", "header", required=True, kind="int", default="1", to=Goal("a", "query")),
    ),
    constants=(Constant("X-B", "header", "b"),),
    max_body=2**30,
)
STAGE = StageFeatures(500, ("10.0.0.0/8", "::1"), ("10.0.0.7",))


def api(features: ApiFeatures) -> Api:
    """An API with features."""
    return Api("a", "GET", parse_path("/a"), MockBackend("a"), features)


@pytest.mark.parametrize("features", [API, NO_API_FEATURES, ApiFeatures(throttle=1)])
def test_the_features_of_an_api_are_read_as_they_were_written(features: ApiFeatures) -> None:
    """Through the text that a journal keeps."""
    assert read_api_features(features_plain(features)) == features
    change = PutService("shop", "Shop", (api(features),))
    assert read_change(json.loads(json.dumps(change_plain(change)))) == change


@pytest.mark.parametrize("features", [STAGE, NO_STAGE_FEATURES, StageFeatures(deny=("::/0",))])
def test_the_features_of_a_stage_are_read_as_they_were_written(features: StageFeatures) -> None:
    """Through the text that a journal keeps."""
    assert read_stage_features(features_plain(features)) == features
    change = Release("shop", "dev", (), {}, features)
    assert read_change(json.loads(json.dumps(change_plain(change)))) == change


def test_what_has_no_features_says_nothing_of_them() -> None:
    """Entries of a journal from before there were any are read as ever."""
    assert features_plain(NO_API_FEATURES) == features_plain(NO_STAGE_FEATURES) == {}
    assert api_plain(api(NO_API_FEATURES)).keys() == {"id", "method", "path", "mock"}
    assert "features" not in change_plain(Release("shop", "dev", ()))


@pytest.mark.parametrize(
    "raw",
    [
        {"throttle": 0},
        {"throttle": 1_000_001},
        {"max_body": 2**30 + 1},
        {"max_body": -1},
        {"max_body": "1"},
        {"throttle": True},
        {"throttle": 1.0},
        {"throttle": "1"},
        {"throttle": None},
        {"allow": "::1"},
        {"allow": [1]},
        {"allow": ["10.0.0.7/8"]},
        {"allow": []},
        {"deny": ["localhost"]},
        {"deny": [" ::1"]},
        {"cors": True},
        {},
        [],
        None,
    ],
)
def test_what_are_no_features_of_a_stage_is_refused(raw: object) -> None:
    """Whatever a journal holds."""
    entry = {**change_plain(Release("shop", "dev", ())), "features": raw}
    with pytest.raises(UnknownChange):
        read_change(entry)


@pytest.mark.parametrize(
    "more",
    [
        {"throttle": 0},
        {"throttle": "1"},
        {"throttle": None},
        {"cors": 1},
        {"cors": False},
        {"gzip": "true"},
        {"base64": None},
        {"allow": ["::1"]},
        {"parameters": []},
        {"parameters": {}},
        {"parameters": ["id"]},
        {"parameters": [{"name": "id"}]},
        {"parameters": [{"name": "id", "in": "cookie"}]},
        {"parameters": [{"name": 1, "in": "query"}]},
        {"parameters": [{"name": "id", "in": "query", "required": False}]},
        {"parameters": [{"name": "id", "in": "query", "type": "long"}]},
        {"parameters": [{"name": "id", "in": "query", "default": 1}]},
        {"parameters": [{"name": "id", "in": "query", "to": {"name": "id", "in": "path"}}]},
        {"parameters": [{"name": "id", "in": "query", "to": {"name": "id"}}]},
        {"parameters": [{"name": "id", "in": "query", "desc": ""}]},
        {"constants": [{"name": "id", "in": "query"}]},
        {"constants": [{"name": "id", "in": "body", "value": ""}]},
        {"constants": [{"name": "id", "in": "query", "value": 1}]},
    ],
)
def test_what_are_no_features_of_an_api_is_refused(more: Mapping[str, Any]) -> None:
    """There is one spelling: what is as usual is not said."""
    plain = {**api_plain(api(NO_API_FEATURES)), **more}
    entry = {**change_plain(PutService("shop", "Shop")), "apis": [plain]}
    with pytest.raises(UnknownChange):
        read_change(entry)


@pytest.mark.parametrize(
    "text", ["10.0.0.7/8", "10.0.0", "", "*", "::1 ", "\u0661.1.1.1", "10.0.0.1/33"]
)
def test_a_network_is_an_address_with_or_without_a_prefix(text: str) -> None:
    """Bits behind the prefix are a mistake, and not cut off."""
    with pytest.raises(ValueError):  # noqa: PT011 - the sentence is Python's
        network(text)

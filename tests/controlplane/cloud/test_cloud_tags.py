"""The cloud's tags: none are found, and none are put on anything."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.controlplane.cloud.tags import ACTIONS, REASONS, VERSION

Client = Any


def asked(client: Client, action: str, **parameters: object) -> Any:  # noqa: ANN401
    """What the envelope holds."""
    body = json.dumps(parameters).encode()
    return client.post(action, body, **{"X-TC-Version": VERSION}).json()["Response"]


@pytest.mark.parametrize("action", ACTIONS)
def test_a_look_up_finds_nothing(looker: Client, action: str) -> None:
    """Whatever it asks about."""
    told = asked(looker, action, ServiceType="scf", ResourceIds=["x"], Limit=100, Offset=2)
    told.pop("RequestId")
    found = told.pop("Rows" if action == "DescribeResourceTags" else "Tags")
    assert (found, told) == ([], {"TotalCount": 0, "Limit": 100, "Offset": 2})


@pytest.mark.parametrize("action", REASONS)
def test_a_tag_is_never_taken_as_if_it_were_kept(looker: Client, action: str) -> None:
    """It is refused with a sentence."""
    error = asked(looker, action, TagKey="a", TagValue="b")["Error"]
    assert error["Code"] == "UnsupportedOperation"
    assert error["Message"].endswith(f"does not do {action}: there are no tags")


def test_an_action_belongs_to_its_version(looker: Client) -> None:
    """Those of functions are unknown among the tags, and the other way round."""
    assert asked(looker, "GetFunction")["Error"]["Code"] == "InvalidAction"
    code, message = looker.fails("DescribeTag")
    assert code == "InvalidAction"
    assert "DescribeTags" not in message
    told = looker.post("DescribeTags", b"{}", **{"X-TC-Version": "2019-01-16"}).json()
    assert told["Response"]["Error"]["Code"] == "NoSuchVersion"
    assert "2018-08-13 (tag)" in told["Response"]["Error"]["Message"]

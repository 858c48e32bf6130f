"""The cloud's APIs that are spoken here, each in one version; no version is that of two APIs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.controlplane.cloud import actions, tags
from gateway.controlplane.cloud.apigateway import actions as gateway_actions
from gateway.controlplane.cloud.asked import Action
from gateway.controlplane.cloud.errors import fail
from gateway.core.errors import listed


@dataclass(frozen=True, slots=True)
class Api:
    """One API.

    Attributes:
        name: The cloud's name for it, as it stands in its hosts.
        version: The version that is spoken.
        actions: What is done here.
        reasons: Why other actions of the API are not.
    """

    name: str
    version: str
    actions: Mapping[str, Action]
    reasons: Mapping[str, str]


APIS: Final = (
    Api("scf", actions.VERSION, actions.ACTIONS, actions.REASONS),
    Api("apigateway", gateway_actions.VERSION, gateway_actions.ACTIONS, gateway_actions.REASONS),
    Api("tag", tags.VERSION, tags.ACTIONS, tags.REASONS),
)
"""All of them."""


def api_of(version: str) -> Api:
    """The API that a version is of.

    Raises:
        CloudError: It is of none that is spoken.
    """
    allowed = listed(f"{api.version} ({api.name})" for api in APIS)
    if not version:
        fail("MissingParameter", f"the request names no version of the API; allowed: {allowed}")
    found = next((api for api in APIS if api.version == version), None)
    if found is None:
        message = f"the request is for version {version!r:.40}; allowed: {allowed}"
        fail("NoSuchVersion", message)
    return found

"""What the description of an API Gateway trigger says, read and checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.controlplane.cloud.apigateway.known import check_one_of, stage_key
from gateway.controlplane.cloud.errors import fail

USUAL_SERVICE: Final = "SCF_API_SERVICE"
_BAD: Final = ("InvalidParameterValue.TriggerDesc", "InvalidParameterValue")
_SWITCHES: Final = {"TRUE": True, "FALSE": False}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a trigger is to be.

    Attributes:
        method: The method of its API.
        path: The path of its API; empty for the function's name.
        stage: Where it is released to.
        service: The id of an existing service; empty for one by its name.
        name: The name of the service.
        signed: Whether callers sign.
        integrated: Whether the function spells out its answer.
        base64: Whether bodies are Base64.
    """

    method: str
    path: str
    stage: str
    service: str
    name: str
    signed: bool
    integrated: bool
    base64: bool


def read_desc(text: str | None) -> Wanted:
    """What a TriggerDesc says; what it leaves out is as in the cloud.

    Raises:
        CloudError: It says nothing that a trigger could be.
    """
    try:
        raw = json.loads(text or "{}")
    except ValueError as error:
        fail(_BAD, f"TriggerDesc is no JSON: {error}")
    api, service, release = (_part(raw, key) for key in ("api", "service", "release"))
    config = _part(api, "requestConfig")
    return Wanted(
        method=_text(config, "method", "ANY"),
        path=_text(config, "path", ""),
        stage=stage_key(_text(release, "environmentName", "release")),
        service=_text(service, "serviceId", ""),
        name=_text(service, "serviceName", USUAL_SERVICE),
        signed=_switch(api, "authRequired"),
        integrated=_switch(api, "isIntegratedResponse"),
        base64=_switch(api, "IsBase64Encoded"),
    )


def _part(raw: object, key: str) -> Mapping[str, Any]:
    part = raw.get(key, {}) if isinstance(raw, dict) else None
    if not isinstance(part, dict):
        fail(_BAD, f"{key} in TriggerDesc is {part!r:.80}; allowed: a JSON object")
    return part


def _text(raw: Mapping[str, Any], key: str, usual: str) -> str:
    value = raw.get(key, usual)
    if not isinstance(value, str):
        fail(_BAD, f"{key} in TriggerDesc is {value!r:.80}; allowed: a text")
    return value


def _switch(raw: Mapping[str, Any], key: str) -> bool:
    value = _text(raw, key, "FALSE")
    check_one_of(f"{key} in TriggerDesc", value, _SWITCHES, _BAD)
    return _SWITCHES[value]

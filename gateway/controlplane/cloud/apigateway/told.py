"""APIs as the cloud tells them: what the core has, in its words, and what was kept beside."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from gateway.controlplane.cloud.apigateway.definitions import AUTHS
from gateway.controlplane.cloud.apigateway.known import (
    APIS,
    SERVICES,
    altered_at,
    environment,
    made_at,
    resource,
    without,
)
from gateway.controlplane.cloud.apigateway.requests import Definition
from gateway.controlplane.cloud.asked import Fields
from gateway.controlplane.cloud.times import Times
from gateway.core.parameters import Parameter
from gateway.core.resources import Content
from gateway.core.snapshot import Api, FunctionBackend, HttpBackend, Service, Snapshot

KEPT: Final = (
    *("ApiName", "ApiDesc", "ServiceTimeout", "ResponseType", "ResponseSuccessExample"),
    *("ResponseFailExample", "ResponseErrorCodes", "ServiceScfFunctionType"),
)
"""What of a definition is kept to be told again."""

_LISTED: Final = (
    *("VpcId", "UniqVpcId", "TokenLocation", "RelationBuniessApiIds", "Path", "Method"),
)
"""What only lists tell of an API."""

_OAUTH: Final = {"PublicKey": "", "TokenLocation": "", "LoginRedirectUrl": ""}


def kept(given: Definition) -> Content:
    """What of a definition the core has no place for."""
    said = given.model_dump()
    descriptions = {
        f"{each.Position.lower()} {each.Name}": each.Desc
        for each in given.RequestParameters
        if each.Desc
    }
    return {**{name: said[name] for name in KEPT}, "Descriptions": descriptions}


def defined(api: Api, content: Content) -> dict[str, Any]:
    """The definition of an API: what `api_of` and `kept` were given."""
    said: dict[str, Any] = {
        "ServiceType": _type(api),
        "RequestConfig": {"Path": api.path.text, "Method": api.method},
        "AuthType": {word: name for name, word in AUTHS.items()}[api.features.auth],
        "EnableCORS": api.features.cors,
        "IsBase64Encoded": api.features.base64,
        "RequestParameters": [_declared(each, content) for each in api.features.parameters],
        "ServiceParameters": [_mapped(each) for each in api.features.parameters if each.to],
        "ConstantParameters": [
            {"Name": each.name, "Position": each.place, "DefaultValue": each.value, "Desc": ""}
            for each in api.features.constants
        ],
        **{name: content[name] for name in KEPT if name in content},
    }
    backend = api.backend
    if isinstance(backend, FunctionBackend):
        said["ServiceScfFunctionName"] = backend.function
        said["ServiceScfFunctionQualifier"] = backend.qualifier
        said["ServiceScfIsIntegratedResponse"] = backend.integrated
    elif isinstance(backend, HttpBackend):
        parts = urlsplit(backend.url)
        url = f"{parts.scheme}://{parts.netloc}"
        said["ServiceConfig"] = {"Url": url, "Path": parts.path, "Method": api.method}
        said["ServiceTimeout"] = max(1, round(backend.timeout))
    else:
        said["ServiceMockReturnMessage"] = backend.body
    return said


def api_shown(snapshot: Snapshot, service: Service, api: Api, times: Times) -> Fields:
    """An API with everything that is known of it."""
    content = resource(snapshot, APIS, f"{service.id}/{api.id}")
    whole = Definition.model_validate(defined(api, content)).model_dump()
    whole["ServiceConfig"] = whole["ServiceConfig"] or {}
    stages = [s.name for s in service.stages.values() if any(a.id == api.id for a in s.apis)]
    return {
        **{name: value for name, value in whole.items() if value is not None},
        **without(api_listed(snapshot, service, api, times), *_LISTED),
        "ServiceName": service.name,
        "ServiceDesc": resource(snapshot, SERVICES, service.id).get("description", ""),
        "Environments": [environment(key) for key in stages],
        "IsBase64Trigger": False,
        "Base64EncodedTriggerRules": [],
        "InternalDomain": "",
        "MicroServices": [],
        "MicroServicesInfo": [],
        "Tags": [],
    }


def api_listed(snapshot: Snapshot, service: Service, api: Api, times: Times) -> Fields:
    """An API as lists tell it."""
    key = f"{service.id}/{api.id}"
    content = resource(snapshot, APIS, key)
    path = ("resources", APIS, key)
    paths = (path,) if content else (("services", service.id, "apis"),)
    return {
        "ServiceId": service.id,
        "ApiId": api.id,
        "ApiName": content.get("ApiName", api.id),
        "ApiDesc": content.get("ApiDesc", ""),
        "Path": api.path.text,
        "Method": api.method,
        "Protocol": "HTTP",
        "ApiType": "NORMAL",
        "ApiBusinessType": "NORMAL",
        "AuthType": {word: name for name, word in AUTHS.items()}[api.features.auth],
        "AuthRelationApiId": "",
        "RelationBuniessApiIds": [],
        "OauthConfig": dict(_OAUTH),
        "TokenLocation": "",
        "IsDebugAfterCharge": False,
        "UniqVpcId": "",
        "VpcId": 0,
        "Tags": [],
        "CreatedTime": made_at(times, *paths),
        "ModifiedTime": altered_at(times, *paths),
    }


def _type(api: Api) -> str:
    if isinstance(api.backend, FunctionBackend):
        return "SCF"
    return "HTTP" if isinstance(api.backend, HttpBackend) else "MOCK"


def _declared(parameter: Parameter, content: Content) -> Fields:
    descriptions = content.get("Descriptions", {})
    return {
        "Name": parameter.name,
        "Position": parameter.place,
        "Type": parameter.kind,
        "DefaultValue": parameter.default or "",
        "Required": parameter.required,
        "Desc": descriptions.get(f"{parameter.place} {parameter.name}", ""),
    }


def _mapped(parameter: Parameter) -> Fields:
    goal = parameter.to
    assert goal is not None  # noqa: S101 - whoever asks has looked
    return {
        "Name": goal.name,
        "Position": goal.place,
        "RelevantRequestParameterPosition": parameter.place,
        "RelevantRequestParameterName": parameter.name,
        "RelevantRequestParameterDesc": "",
        "DefaultValue": parameter.default or "",
    }

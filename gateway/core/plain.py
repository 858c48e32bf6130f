"""The parts of a snapshot as plain values: the API shows, the journal keeps, a diff compares them.

There is one spelling for each part, and what is read back is equal to what was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.core import names
from gateway.core.access import access_shown
from gateway.core.alias import Alias
from gateway.core.errors import listed
from gateway.core.features import features_plain, read_api_features
from gateway.core.functions import ISOLATIONS, TYPES, Configuration, FunctionVersion
from gateway.core.routes import check_method, parse_path
from gateway.core.snapshot import (
    Api,
    Backend,
    Edition,
    Function,
    FunctionBackend,
    HttpBackend,
    MockBackend,
    Service,
    Snapshot,
    Stage,
)
from gateway.core.typed import one_of, read_strings, typed

Plain = Mapping[str, Any]
"""A table of JSON values."""


def snapshot_plain(snapshot: Snapshot) -> dict[str, object]:
    """Everything that routes, at one revision."""
    return {
        "revision": snapshot.revision,
        "functions": {name: function_plain(f) for name, f in snapshot.functions.items()},
        "services": {key: service_plain(service) for key, service in snapshot.services.items()},
    }


def function_plain(function: Function) -> dict[str, object]:
    """A function with its versions, in ascending order, and its aliases."""
    ordered = sorted(function.versions, key=names.version_order)
    return {
        "name": function.name,
        "versions": [version_plain(function.versions[number]) for number in ordered],
        "aliases": {name: alias_plain(alias) for name, alias in function.aliases.items()},
        "faults": faults_plain(function),
        **({} if function.breaker is None else {"breaker": function.breaker.to_dict()}),
    }


def faults_plain(function: Function) -> dict[str, object]:
    """What a function's versions are told to get wrong, in ascending order."""
    ordered = sorted(function.faults, key=names.version_order)
    return {number: function.faults[number].to_dict() for number in ordered}


def version_plain(version: FunctionVersion) -> dict[str, object]:
    """One version with its code and configuration."""
    return {
        "version": version.number,
        "description": version.description,
        "code": version.code,
        **configuration_plain(version.configuration),
    }


def configuration_plain(configuration: Configuration) -> dict[str, object]:
    """How a version runs."""
    return {
        "handler": configuration.handler,
        "timeout": configuration.timeout,
        "memory": configuration.memory,
        "concurrency": configuration.concurrency,
        "environment": dict(configuration.environment),
        "isolation": configuration.isolation,
        "type": configuration.type,
    }


def read_configuration(raw: Plain) -> Configuration:
    """The configuration that `configuration_plain` wrote; other keys are left alone.

    Raises:
        KeyError, TypeError, ValueError: A value is missing or of another type.
    """
    return Configuration(
        handler=typed(raw["handler"], str),
        timeout=typed(raw["timeout"], int, float),
        memory=typed(raw["memory"], int),
        concurrency=typed(raw["concurrency"], int),
        environment=read_strings(raw["environment"]),
        isolation=one_of(raw["isolation"], ISOLATIONS),
        type=one_of(raw["type"], TYPES),
    )


def alias_plain(alias: Alias) -> dict[str, object]:
    """An alias as stages.toml writes it."""
    return {**alias.route.to_dict(), "description": alias.description}


def service_plain(service: Service) -> dict[str, object]:
    """A service with its APIs and the stages they were released to."""
    return {
        "name": service.name,
        "apis": [api_plain(api) for api in service.apis],
        "stages": {name: stage_plain(stage) for name, stage in service.stages.items()},
        **access_shown(service.access),
    }


def stage_plain(stage: Stage) -> dict[str, object]:
    """A stage with its released APIs."""
    return {
        "variables": dict(stage.variables),
        "apis": [api_plain(api) for api in stage.apis],
        **features_plain(stage.features),
        **({} if stage.edition is None else {"edition": edition_plain(stage.edition)}),
    }


def edition_plain(edition: Edition) -> dict[str, object]:
    """What a release is called."""
    return {"version": edition.version, "description": edition.description}


def read_edition(raw: Plain) -> Edition:
    """The edition that `edition_plain` wrote.

    Raises:
        KeyError, TypeError, ValueError: It wrote none like this.
    """
    edition = Edition(typed(raw["version"], str), typed(raw["description"], str))
    if edition_plain(edition) != raw:
        raise ValueError(f"an edition has other keys: {listed(raw)}")
    return edition


def api_plain(api: Api) -> dict[str, object]:
    """One API with who answers it."""
    plain: dict[str, object] = {"id": api.id, "method": api.method, "path": api.path.text}
    backend = api.backend
    if isinstance(backend, FunctionBackend):
        plain["function"] = backend.function
        plain["qualifier"] = backend.qualifier
        plain["integrated"] = backend.integrated
    elif isinstance(backend, HttpBackend):
        plain["http"] = {"url": backend.url, "timeout": backend.timeout}
    else:
        plain["mock"] = {
            "body": backend.body,
            "status": backend.status,
            "headers": dict(backend.headers),
        }
    return plain | features_plain(api.features)


def read_api(raw: Plain) -> Api:
    """The API that `api_plain` wrote.

    Raises:
        KeyError, TypeError, ValueError, Refused: It wrote none like this.
    """
    method, path = check_method(typed(raw["method"], str)), parse_path(typed(raw["path"], str))
    features = read_api_features(raw)
    api = Api(typed(raw["id"], str), method, path, _read_backend(raw), features)
    if api_plain(api) != raw:
        raise ValueError(f"an api has other keys: {listed(raw)}")
    return api


def _read_backend(raw: Plain) -> Backend:
    if "function" in raw:
        function, qualifier = typed(raw["function"], str), typed(raw["qualifier"], str)
        return FunctionBackend(function, qualifier, typed(raw["integrated"], bool))
    if "http" in raw:
        inner = raw["http"]
        return HttpBackend(typed(inner["url"], str), typed(inner["timeout"], int, float))
    inner = raw["mock"]
    body, status = typed(inner["body"], str), typed(inner["status"], int)
    return MockBackend(body, status, read_strings(inner["headers"]))

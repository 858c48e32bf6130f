"""How the frozen state looks to the outside: plain values for JSON."""

from __future__ import annotations

from gateway.core import names
from gateway.core.alias import Alias
from gateway.core.functions import FunctionVersion
from gateway.core.snapshot import (
    Api,
    Function,
    FunctionBackend,
    HttpBackend,
    Service,
    Snapshot,
    Stage,
)


def snapshot_view(snapshot: Snapshot) -> dict[str, object]:
    """Everything that routes, at one revision."""
    return {
        "revision": snapshot.revision,
        "functions": {name: function_view(f) for name, f in snapshot.functions.items()},
        "services": {key: service_view(service) for key, service in snapshot.services.items()},
    }


def function_view(function: Function) -> dict[str, object]:
    """A function with its versions and aliases."""
    ordered = sorted(function.versions, key=names.version_order)
    return {
        "name": function.name,
        "versions": [version_view(function.versions[number]) for number in ordered],
        "aliases": {name: alias_view(alias) for name, alias in function.aliases.items()},
    }


def version_view(version: FunctionVersion) -> dict[str, object]:
    """One version with its configuration."""
    configuration = version.configuration
    return {
        "version": version.number,
        "description": version.description,
        "handler": configuration.handler,
        "timeout": configuration.timeout,
        "memory": configuration.memory,
        "concurrency": configuration.concurrency,
        "environment": dict(configuration.environment),
    }


def alias_view(alias: Alias) -> dict[str, object]:
    """An alias as stages.toml writes it."""
    return {**alias.route.to_dict(), "description": alias.description}


def service_view(service: Service) -> dict[str, object]:
    """A service with the stages it was released to."""
    return {
        "name": service.name,
        "stages": {name: stage_view(stage) for name, stage in service.stages.items()},
    }


def stage_view(stage: Stage) -> dict[str, object]:
    """A stage with its released APIs."""
    return {"variables": dict(stage.variables), "apis": [api_view(api) for api in stage.apis]}


def api_view(api: Api) -> dict[str, object]:
    """One API with who answers it."""
    view: dict[str, object] = {"id": api.id, "method": api.method, "path": api.path.text}
    backend = api.backend
    if isinstance(backend, FunctionBackend):
        view["function"] = backend.function
        view["qualifier"] = backend.qualifier
        view["integrated"] = backend.integrated
    elif isinstance(backend, HttpBackend):
        view["http"] = {"url": backend.url, "timeout": backend.timeout}
    else:
        view["mock"] = {
            "body": backend.body,
            "status": backend.status,
            "headers": dict(backend.headers),
        }
    return view

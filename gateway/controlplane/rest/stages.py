"""Stages and APIs: what was released where, and with which qualifiers."""

from __future__ import annotations

from dataclasses import replace

from gateway.controlplane.rest.bodies import StageBody
from gateway.controlplane.rest.changes import changed, made
from gateway.controlplane.rest.naming import stage_named
from gateway.controlplane.rest.operation import Asked, Reply
from gateway.core import names
from gateway.core.changes import Release, Unrelease
from gateway.core.errors import Place, Problem, Refused, listed, nearest
from gateway.core.features import NO_STAGE_FEATURES, features_plain
from gateway.core.plain import api_plain
from gateway.core.snapshot import Api, FunctionBackend, Service, Snapshot, Stage


async def list_stages(asked: Asked) -> Reply:
    """Every stage of every service."""
    stages = [
        _stage_plain(service, stage)
        for service in asked.snapshot.services.values()
        for stage in service.stages.values()
    ]
    return Reply({"stages": stages}, asked.snapshot.revision)


async def get_stage(asked: Asked) -> Reply:
    """One stage of the default service."""
    found = stage_named(asked.snapshot, asked.names["s"])
    return Reply(_stage_plain(*found), asked.snapshot.revision)


async def put_stage(asked: Asked) -> Reply:
    """Release the service's APIs to a stage."""
    name, body = names.stage_name(asked.names["s"]), asked.parsed(StageBody)
    asking: list[Service] = []

    def ask(snapshot: Snapshot) -> Release:
        service = _service(snapshot)
        asking[:] = [service]
        _check_functions(service, body)
        before = service.stages.get(name)
        apis = tuple(_qualified(api, body, before) for api in service.apis)
        # Who may call, and how often, is not this request's to say: it stays.
        features = before.features if before else NO_STAGE_FEATURES
        return Release(service.id, name, apis, body.variables, features)

    try:
        done = await asked.control.change(ask, asked.author, expected=asked.expected)
    except Refused as refused:
        raise Refused(_placed(refused, asking, body)) from None
    return made(done, ("services", asking[0].id, "stages", name))


async def delete_stage(asked: Asked) -> Reply:
    """Take a stage off the air."""
    name = asked.names["s"]

    def ask(snapshot: Snapshot) -> Unrelease:
        service, stage = stage_named(snapshot, name)
        return Unrelease(service.id, stage.name)

    return changed(await asked.control.change(ask, asked.author, expected=asked.expected))


async def list_apis(asked: Asked) -> Reply:
    """Every API, with the qualifier that each stage has for it."""
    apis = [
        plain for service in asked.snapshot.services.values() for plain in _service_apis(service)
    ]
    return Reply({"apis": apis}, asked.snapshot.revision)


def _stage_plain(service: Service, stage: Stage) -> dict[str, object]:
    backends = (api.backend for api in stage.apis)
    return {
        "service": service.id,
        "stage": stage.name,
        "qualifiers": {b.function: b.qualifier for b in backends if isinstance(b, FunctionBackend)},
        "variables": dict(stage.variables),
        "apis": [api_plain(api) for api in stage.apis],
        **features_plain(stage.features),
    }


def _service_apis(service: Service) -> list[dict[str, object]]:
    """The service's APIs, then those that are only released any more."""
    released = {name: {api.id: api for api in s.apis} for name, s in service.stages.items()}
    drafts = {api.id: api for api in service.apis}
    every = {key: api for apis in released.values() for key, api in apis.items()}
    return [
        {
            **api_plain(drafts.get(key) or every[key]),
            "service": service.id,
            "stages": {
                name: _qualifier(apis[key]) for name, apis in released.items() if key in apis
            },
        }
        for key in dict.fromkeys((*drafts, *every))
    ]


def _qualifier(api: Api) -> str | None:
    return api.backend.qualifier if isinstance(api.backend, FunctionBackend) else None


def _service(snapshot: Snapshot) -> Service:
    service = snapshot.default_service
    if service is None:
        message = "there is no service whose APIs could be released; apply a stages.toml first"
        raise Refused([Problem("no-service", message)])
    return service


def _check_functions(service: Service, body: StageBody) -> None:
    """A qualifier for a function that no API names would silently do nothing."""
    backends = (api.backend for api in service.apis)
    known = list(dict.fromkeys(b.function for b in backends if isinstance(b, FunctionBackend)))
    problems = [
        Problem(
            "unknown-function",
            f"no api of service {service.id!r} names the function {name!r}; "
            f"they name {listed(known)}",
            ("aliases", name),
            nearest(name, known),
            on_key=True,
        )
        for name in body.aliases
        if name not in known
    ]
    if problems:
        raise Refused(problems)


def _qualified(api: Api, body: StageBody, before: Stage | None) -> Api:
    """The API as the stage will have it."""
    backend = api.backend
    if not isinstance(backend, FunctionBackend):
        return api
    chosen = body.aliases.get(backend.function, body.alias)
    if chosen is None:
        had = [old for old in before.apis if _function(old) == backend.function] if before else []
        same = next((old for old in had if old.id == api.id), None)
        chosen = next((_qualifier(old) for old in (same, *had) if old), None) or names.DEFAULT
    return replace(api, backend=replace(backend, qualifier=chosen))


def _function(api: Api) -> str | None:
    return api.backend.function if isinstance(api.backend, FunctionBackend) else None


def _placed(refused: Refused, asking: list[Service], body: StageBody) -> list[Problem]:
    """The law counts released APIs; whoever asked named functions. Each mistake is told once."""
    found = []
    for problem in refused.problems:
        at: Place = problem.at
        if asking and at and isinstance(at[0], int):
            function = _function(asking[0].apis[at[0]]) or ""
            at = ("aliases", function) if function in body.aliases else ("alias",)
        found.append(replace(problem, at=at))
    return list(dict.fromkeys(found))

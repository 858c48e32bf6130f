"""The file's service merged: the list of APIs as one part, each stage's settings one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from gateway.config.threeway import Ledger, Sides
from gateway.core import names
from gateway.core.access import NO_ACCESS, Access, access_shown
from gateway.core.changes import Change, PutService, Release, Unrelease
from gateway.core.diff import Path
from gateway.core.features import features_plain, read_stage_features
from gateway.core.plain import api_plain, stage_plain
from gateway.core.snapshot import Api, FunctionBackend, Service, Stage

Apis = tuple[Api, ...]


def merge_service(ledger: Ledger, sides: Sides[Service]) -> Iterator[Change]:
    """The changes that bring the file's service to its merged state.

    Args:
        ledger: Takes what is kept.
        sides: The service on its three sides; the file always has one.
    """
    last, declared, live = sides.last, sides.declared, sides.live
    if declared is None:
        return
    if live is None:
        yield PutService(declared.id, declared.name, declared.apis, _access(declared))
        live, last = replace(declared, stages={}), None
    sides = Sides(last, declared, live)
    path = ("services", declared.id)
    apis = sides.part(lambda service: service.apis)
    name = ledger.settle((*path, "name"), sides.part(lambda service: service.name))
    drafts = ledger.settle((*path, "apis"), apis, _written)
    access = ledger.settle((*path, "access"), sides.part(_access), access_shown) or NO_ACCESS
    merged = replace(live, name=name or "", apis=drafts or (), access=access)
    if merged != live:
        altered = None if merged.access == live.access else merged.access
        yield PutService(merged.id, merged.name, merged.apis, altered)
    known = last.stages if last else {}
    for stage in dict.fromkeys((*live.stages, *declared.stages, *known)):
        one = Sides(known.get(stage), declared.stages.get(stage), live.stages.get(stage))
        at = (*path, "stages", stage)
        yield from _stage(ledger, at, one, relisted=apis.declared != apis.last)


def _stage(ledger: Ledger, path: Path, sides: Sides[Stage], *, relisted: bool) -> Iterator[Change]:
    last, declared, live = sides.last, sides.declared, sides.live
    _, service, _, name = path
    if declared is None:
        if live is not None and last is not None:
            yield Unrelease(service, name)
        elif live is not None:
            ledger.keep(path, None, stage_plain(live))
    elif live is None:
        if last is not None and _same_settings(last, declared):
            ledger.keep(path, stage_plain(declared), None)
        else:
            yield _release(service, declared)
    else:
        merging = _Merging(ledger, path, last, declared, live)
        apis = merging.apis(fresh=relisted or last is None)
        variables = ledger.table((*path, "variables"), sides.part(lambda stage: stage.variables))
        said: Sides[Mapping[str, object]] = sides.part(lambda s: features_plain(s.features))
        features = read_stage_features(ledger.table((*path, "features"), said))
        merged = replace(live, apis=apis, variables=variables, features=features)
        if merged != live:
            yield _release(service, merged)


@dataclass(frozen=True, slots=True)
class _Merging:
    """A stage that both the file and the live state have."""

    ledger: Ledger
    path: Path
    last: Stage | None
    declared: Stage
    live: Stage

    def apis(self, *, fresh: bool) -> Apis:
        """The stage's APIs: the file's list if it is fresh, else the live one."""
        chosen = self.declared.apis if fresh else self.live.apis
        if not fresh and _unqualified(chosen) != _unqualified(self.declared.apis):
            path = (*self.path, "apis")
            self.ledger.keep(path, _written(self.declared.apis), _written(chosen))
        last = _qualifiers(self.last) if self.last else {}
        declared = _qualifiers(self.declared)
        moved = {f: q for f, q in declared.items() if last.get(f) != q}
        self._keep_qualifiers(declared, moved)
        return tuple(self._qualified(api, moved) for api in chosen)

    def _keep_qualifiers(
        self, declared: Mapping[str, list[str]], moved: Mapping[str, list[str]]
    ) -> None:
        live = _qualifiers(self.live)
        for function in declared.keys() & live.keys() - moved.keys():
            if declared[function] != live[function]:
                path = (*self.path, "qualifiers", function)
                self.ledger.keep(path, *(", ".join(q[function]) for q in (declared, live)))

    def _qualified(self, api: Api, moved: Mapping[str, list[str]]) -> Api:
        """An API of the merged list: the qualifier is the file's if that moved it, else live's."""
        backend = api.backend
        if not isinstance(backend, FunctionBackend):
            return api
        if backend.function in moved:
            qualifier = moved[backend.function][0]
        else:
            qualifier = self._held(api.id, backend)
        return replace(api, backend=replace(backend, qualifier=qualifier))

    def _held(self, key: str, backend: FunctionBackend) -> str:
        """The live qualifier of an API; of a new one, that which its function has live."""
        same = [api for api in self.live.apis if _function(api) == backend.function]
        for api in same:
            if api.id == key and isinstance(api.backend, FunctionBackend):
                return api.backend.qualifier
        found = _qualifiers(self.live).get(backend.function, [])
        return found[0] if len(found) == 1 else backend.qualifier


def _access(service: Service) -> Access | None:
    """The keys and plans of a service; a file that has none says nothing of them."""
    return None if service.access == NO_ACCESS else service.access


def _release(service: str, stage: Stage) -> Release:
    return Release(service, stage.name, stage.apis, stage.variables, stage.features)


def _same_settings(last: Stage, declared: Stage) -> bool:
    """Whether the file changed nothing of a stage itself: its list of APIs is another part."""
    before, after = _qualifiers(last), _qualifiers(declared)
    same = all(before[function] == after[function] for function in before.keys() & after.keys())
    settings = [(stage.variables, stage.features) for stage in (last, declared)]
    return same and settings[0] == settings[1]


def _function(api: Api) -> str | None:
    return api.backend.function if isinstance(api.backend, FunctionBackend) else None


def _qualifiers(stage: Stage) -> dict[str, list[str]]:
    """The qualifiers under which a stage's APIs name each function; in a file it is one."""
    found: dict[str, list[str]] = {}
    for api in stage.apis:
        if isinstance(api.backend, FunctionBackend):
            known = found.setdefault(api.backend.function, [])
            if api.backend.qualifier not in known:
                known.append(api.backend.qualifier)
    return found


def _unqualified(apis: Apis) -> Apis:
    return tuple(
        replace(api, backend=replace(api.backend, qualifier=names.DEFAULT))
        if isinstance(api.backend, FunctionBackend)
        else api
        for api in apis
    )


def _written(apis: Apis) -> list[dict[str, object]]:
    return [api_plain(api) for api in apis]

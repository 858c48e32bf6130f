"""Changes as plain values and back: what the journal keeps, one table for each change.

The journal outlives the program that wrote it. A kind or a field that this one does not know is
refused, never guessed: a change that is replayed by half would be a state nobody asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields as dataclass_fields
from dataclasses import replace
from typing import Any, Final

from gateway.core.access import access_plain, read_access, without_secrets
from gateway.core.alias import parse_route
from gateway.core.breaker import parse_breaker
from gateway.core.changes import (
    Batch,
    Change,
    DeleteAlias,
    DeleteFunction,
    DeleteService,
    DeleteVersion,
    Publish,
    PutAlias,
    PutBreaker,
    PutFault,
    PutFunction,
    PutResource,
    PutService,
    Release,
    Unrelease,
)
from gateway.core.errors import GatewayError, Refused, listed
from gateway.core.faults import parse_fault
from gateway.core.features import NO_STAGE_FEATURES, features_plain, read_stage_features
from gateway.core.plain import (
    Plain,
    api_plain,
    configuration_plain,
    edition_plain,
    read_api,
    read_configuration,
    read_edition,
)
from gateway.core.resources import read_content, resource_shown
from gateway.core.typed import read_strings, typed


class UnknownChange(GatewayError):
    """An entry of a journal that this program cannot read: it is damaged, or from a newer one."""


def change_plain(change: Change) -> dict[str, object]:
    """A change as plain values."""
    kind, write, _ = _KINDS_BY_TYPE[type(change)]
    return {"kind": kind, **write(change)}


def change_shown(change: Change) -> dict[str, object]:
    """A change as plain values for people: without the secrets of keys."""
    return change_plain(_without_secrets(change))


def _without_secrets(change: Change) -> Change:
    if isinstance(change, Batch):
        return Batch(tuple(map(_without_secrets, change.changes)))
    if isinstance(change, PutService) and change.access is not None:
        return replace(change, access=without_secrets(change.access))
    if isinstance(change, PutResource) and change.content is not None:
        return replace(change, content=resource_shown(change.content))
    return change


def read_change(raw: Plain) -> Change:
    """The change that `change_plain` wrote.

    Raises:
        UnknownChange: It is none.
    """
    try:
        fields = dict(raw)
        kind, read = _KINDS[fields.pop("kind")]
        _check(kind, fields)
        return read(fields)
    except (KeyError, TypeError, ValueError, AttributeError, Refused) as error:
        said = f"{type(error).__name__}: {error}"
        shown = repr(raw)[:200]
        raise UnknownChange(f"no change can be read from {shown}: {said}") from None


def _check(kind: type, fields: Mapping[str, object]) -> None:
    """Every field is there and no other, and what should be a text is one."""
    known = {field.name for field in dataclass_fields(kind)}
    strange = (fields.keys() ^ known) - ({"access", "features", "edition"} & known)
    if strange:
        raise ValueError(f"other fields: {listed(sorted(strange))}")
    for name in _TEXTS & known:
        if fields[name] is not None or (kind, name) not in _OPTIONAL:
            typed(fields[name], str)


def _fields(change: Change) -> dict[str, object]:
    return {field.name: getattr(change, field.name) for field in dataclass_fields(change)}


def _write_function(change: PutFunction) -> dict[str, object]:
    return {**_fields(change), "configuration": configuration_plain(change.configuration)}


def _read_function(fields: dict[str, Any]) -> PutFunction:
    configuration = read_configuration(fields.pop("configuration"))
    return PutFunction(**fields, configuration=configuration)


def _write_publish(change: Publish) -> dict[str, object]:
    own = change.configuration
    return {**_fields(change), "configuration": None if own is None else configuration_plain(own)}


def _read_publish(fields: dict[str, Any]) -> Publish:
    own = fields.pop("configuration")
    return Publish(**fields, configuration=None if own is None else read_configuration(own))


def _write_alias(change: PutAlias) -> dict[str, object]:
    return {**_fields(change), "route": change.route.to_dict()}


def _read_alias(fields: dict[str, Any]) -> PutAlias:
    raw = fields.pop("route")
    route, _ = parse_route(raw, "the route")
    if route.to_dict() != raw:
        raise ValueError("the route has other keys")
    return PutAlias(**fields, route=route)


def _write_fault(change: PutFault) -> dict[str, object]:
    return {**_fields(change), "fault": change.fault.to_dict() if change.fault else None}


def _read_fault(fields: dict[str, Any]) -> PutFault:
    raw = fields.pop("fault")
    fault = None if raw is None else parse_fault(raw, "the fault")
    if fault is not None and fault.to_dict() != raw:
        raise ValueError("the fault has other keys")
    return PutFault(**fields, fault=fault)


def _write_breaker(change: PutBreaker) -> dict[str, object]:
    return {**_fields(change), "breaker": change.breaker.to_dict() if change.breaker else None}


def _read_breaker(fields: dict[str, Any]) -> PutBreaker:
    raw = fields.pop("breaker")
    breaker = None if raw is None else parse_breaker(raw, "the breaker")
    if breaker is not None and breaker.to_dict() != raw:
        raise ValueError("the breaker has other keys")
    return PutBreaker(**fields, breaker=breaker)


def _write_service(change: PutService) -> dict[str, object]:
    said = {**_fields(change), "apis": [api_plain(api) for api in change.apis]}
    del said["access"]
    return said if change.access is None else {**said, "access": access_plain(change.access)}


def _read_service(fields: dict[str, Any]) -> PutService:
    read: dict[str, Any] = {"apis": tuple(map(read_api, typed(fields["apis"], list)))}
    if "access" in fields:
        read["access"] = read_access(fields["access"])
    return PutService(**fields | read)


def _write_release(change: Release) -> dict[str, object]:
    said = {**_fields(change), "apis": [api_plain(api) for api in change.apis]}
    said |= {"variables": dict(change.variables), "features": features_plain(change.features)}
    said["edition"] = None if change.edition is None else edition_plain(change.edition)
    return {key: value for key, value in said.items() if value or key not in _UNSAID}


def _read_release(fields: dict[str, Any]) -> Release:
    read: dict[str, Any] = {
        "apis": tuple(map(read_api, typed(fields["apis"], list))),
        "variables": read_strings(fields["variables"]),
    }
    if "features" in fields:
        read["features"] = read_stage_features(typed(fields["features"], dict))
        if read["features"] == NO_STAGE_FEATURES:
            raise ValueError("features that are none are not said")
    if "edition" in fields:
        read["edition"] = read_edition(typed(fields["edition"], dict))
    return Release(**fields | read)


def _read_resource(fields: dict[str, Any]) -> PutResource:
    raw = fields.pop("content")
    return PutResource(**fields, content=None if raw is None else read_content(raw))


def _write_batch(change: Batch) -> dict[str, object]:
    return {"changes": [change_plain(step) for step in change.changes]}


def _read_batch(fields: dict[str, Any]) -> Batch:
    return Batch(tuple(map(read_change, typed(fields["changes"], list))))


_Writer = Callable[[Any], dict[str, object]]
_Reader = Callable[[dict[str, Any]], Change]

_KINDS_BY_TYPE: Final[dict[type, tuple[str, _Writer, _Reader]]] = {
    PutFunction: ("put-function", _write_function, _read_function),
    DeleteFunction: ("delete-function", _fields, lambda fields: DeleteFunction(**fields)),
    Publish: ("publish", _write_publish, _read_publish),
    DeleteVersion: ("delete-version", _fields, lambda fields: DeleteVersion(**fields)),
    PutFault: ("put-fault", _write_fault, _read_fault),
    PutBreaker: ("put-breaker", _write_breaker, _read_breaker),
    PutAlias: ("put-alias", _write_alias, _read_alias),
    DeleteAlias: ("delete-alias", _fields, lambda fields: DeleteAlias(**fields)),
    PutService: ("put-service", _write_service, _read_service),
    DeleteService: ("delete-service", _fields, lambda fields: DeleteService(**fields)),
    PutResource: ("put-resource", _fields, _read_resource),
    Release: ("release", _write_release, _read_release),
    Unrelease: ("unrelease", _fields, lambda fields: Unrelease(**fields)),
    Batch: ("batch", _write_batch, _read_batch),
}
_KINDS: Final = {name: (kind, read) for kind, (name, _, read) in _KINDS_BY_TYPE.items()}
_TEXTS: Final = frozenset(
    {
        *("name", "code", "description", "function", "number", "version"),
        *("id", "service", "stage", "group"),
    }
)
_UNSAID: Final = frozenset({"features", "edition"})
_OPTIONAL: Final = frozenset({(Publish, "code"), (Publish, "number")})

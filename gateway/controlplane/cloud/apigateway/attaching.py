"""What plugins are attached to: APIs in stages, told from either side."""

from __future__ import annotations

from gateway.controlplane.cloud.apigateway.known import (
    APIS,
    SERVICES,
    environment,
    moment,
    resource,
)
from gateway.controlplane.cloud.asked import Fields
from gateway.core.resources import Content
from gateway.core.snapshot import Snapshot


def attached_shown(snapshot: Snapshot, plugin: Content) -> list[Fields]:
    """The APIs that a plugin is attached to."""
    return [_shown(snapshot, each) for each in plugin["attached"]]


def place(service: str, stage: str, api: str) -> dict[str, str]:
    """Where a plugin is attached."""
    return {"service": service, "stage": stage, "api": api}


def is_at(attached: Content, at: Content) -> bool:
    """Whether a plugin is attached at a place, whenever that was done."""
    return all(attached[part] == at[part] for part in at)


def _shown(snapshot: Snapshot, each: Content) -> Fields:
    service = snapshot.services[each["service"]]
    content = resource(snapshot, APIS, f"{service.id}/{each['api']}")
    return {
        "ServiceId": service.id,
        "ServiceName": service.name,
        "ServiceDesc": resource(snapshot, SERVICES, service.id).get("description", ""),
        "ApiId": each["api"],
        "ApiName": content.get("ApiName", each["api"]),
        "ApiDesc": content.get("ApiDesc", ""),
        "Environment": environment(each["stage"]),
        "AttachedTime": moment(each["at"]),
    }

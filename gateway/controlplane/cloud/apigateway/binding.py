"""What usage plans are bound to: services and single APIs, in their stages."""

from __future__ import annotations

from gateway.controlplane.cloud.apigateway.known import (
    APIS,
    PLANS,
    altered_at,
    environment,
    made_at,
    resource,
)
from gateway.controlplane.cloud.asked import Fields
from gateway.controlplane.cloud.times import Times
from gateway.core.resources import NONE, Content
from gateway.core.snapshot import Service, Snapshot


def plans_of(snapshot: Snapshot, service: Service, times: Times) -> list[Fields]:
    """Every binding of a service, with its plan."""
    return [
        bound_shown(snapshot, (key, plan), binding, times)
        for key, plan in snapshot.resources.get(PLANS, NONE).items()
        for binding in plan["bindings"]
        if binding["service"] == service.id
    ]


def bound_shown(
    snapshot: Snapshot, named: tuple[str, Content], binding: Content, times: Times
) -> Fields:
    """One binding with its plan; of an API that is gone only the id is left."""
    (key, plan), path = named, ("resources", PLANS, named[0])
    service = snapshot.services[binding["service"]]
    api = next((each for each in service.apis if each.id == binding["api"]), None)
    content = resource(snapshot, APIS, f"{service.id}/{binding['api']}")
    return {
        "ServiceId": service.id,
        "ServiceName": service.name,
        "ApiId": binding["api"] or "",
        "ApiName": content.get("ApiName", api.id if api else ""),
        "Path": api.path.text if api else "",
        "Method": api.method if api else "",
        "UsagePlanId": key,
        "UsagePlanName": plan["name"],
        "UsagePlanDesc": plan["description"],
        "Environment": environment(binding["stage"]),
        "InUseRequestNum": 0,
        "MaxRequestNum": plan["quota"],
        "MaxRequestNumPreSec": plan["rate"],
        "CreatedTime": made_at(times, path),
        "ModifiedTime": altered_at(times, path),
        "Tags": [],
    }

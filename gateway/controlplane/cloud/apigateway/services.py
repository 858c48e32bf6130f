"""Services in the cloud's words."""

from __future__ import annotations

from typing import Final

from gateway.controlplane.cloud.apigateway import codes
from gateway.controlplane.cloud.apigateway.binding import plans_of
from gateway.controlplane.cloud.apigateway.known import (
    APIS,
    ENVIRONMENTS,
    PLUGINS,
    SERVICES,
    STRATEGIES,
    TRIGGERS,
    altered_at,
    check_one_of,
    fitting,
    fresh,
    host_of,
    made_at,
    page,
    resource,
    service_named,
    stage_key,
    without,
)
from gateway.controlplane.cloud.apigateway.requests import (
    CreateService,
    ModifyService,
    Page,
    ServicePage,
    ServiceRequest,
    SubDomainRequest,
)
from gateway.controlplane.cloud.apigateway.settling import settled
from gateway.controlplane.cloud.apigateway.told import api_listed
from gateway.controlplane.cloud.asked import NOTHING, Asked, Fields
from gateway.controlplane.cloud.errors import UNSUPPORTED, fail
from gateway.controlplane.cloud.times import Times
from gateway.core.changes import Batch, Change, DeleteService, PutResource, PutService
from gateway.core.errors import listed
from gateway.core.resources import NONE
from gateway.core.snapshot import Service, Snapshot

PROTOCOLS: Final = ("http", "https", "http&https")
NETS: Final = ("OUTER", "INNER")
FILTERS: Final = {
    "ServiceId": "ServiceId",
    "ServiceName": "ServiceName",
    "Environment": "AvailableEnvironments",
    "IpVersion": "IpVersion",
    "InstanceId": "InstanceId",
    "NetType": "NetTypes",
}
MOST: Final = 50
LONGEST_NAME: Final = 50
LONGEST_DESCRIPTION: Final = 200
_USUAL_PROTOCOL: Final = "http"
_PLAN: Final = (
    *("UsagePlanId", "UsagePlanName", "UsagePlanDesc", "Environment", "MaxRequestNumPreSec"),
    *("CreatedTime", "ModifiedTime"),
)
"""What a service tells of its usage plans."""


async def create_service(asked: Asked) -> Fields:
    """A new service, without APIs and released nowhere."""
    given = asked.given(CreateService)
    _check_texts(given.ServiceName, given.ServiceDesc)
    _check_protocol(given.Protocol)
    nets = _checked_nets(given.NetTypes)
    check_one_of("IpVersion", given.IpVersion, ("IPv4",), codes.OPTIONS)
    if given.InstanceId or given.UniqVpcId:
        fail(UNSUPPORTED, "there are no dedicated instances and no private networks")
    key = fresh(asked, "service-")
    content = {
        "description": given.ServiceDesc,
        "protocol": given.Protocol,
        "nets": nets,
        "made": True,
    }

    def ask(snapshot: Snapshot) -> Batch:
        if len(snapshot.services) >= MOST:
            fail(codes.MANY_SERVICES, f"there are {MOST} services; allowed: at most {MOST}")
        return Batch((PutService(key, given.ServiceName), PutResource(SERVICES, key, content)))

    await asked.change(ask)
    times = await asked.told_times()
    told = service_shown(asked, asked.snapshot.services[key], times)
    names = ("ServiceId", "ServiceName", "ServiceDesc", "OuterSubDomain", "InnerSubDomain")
    return {name: told[name] for name in (*names, "CreatedTime", "NetTypes", "IpVersion")}


async def describe_service(asked: Asked) -> Fields:
    """One service with everything that it has."""
    given, times = asked.given(ServiceRequest), await asked.told_times()
    service = service_named(asked.snapshot, given.ServiceId)
    told = service_shown(asked, service, times)
    plans = [
        {name: each[name] for name in _PLAN} for each in plans_of(asked.snapshot, service, times)
    ]
    apis = [api_listed(asked.snapshot, service, api, times) for api in service.apis]
    return {
        **without(told, "InnerSubDomain", "ExclusiveSetName", "TradeIsolateStatus"),
        "InternalSubDomain": told["InnerSubDomain"],
        "ApiTotalCount": len(apis),
        "ApiIdStatusSet": [without(each, "VpcId", "Tags") for each in apis],
        "UsagePlanTotalCount": len(plans),
        "UsagePlanList": plans,
        "UserType": "",
        "SetId": 0,
        "InstanceName": "",
        "SpecialUse": "DEFAULT",
        "UniqVpcId": "",
    }


async def list_services(asked: Asked) -> Fields:
    """Every service, page by page."""
    given, times = asked.given(Page), await asked.told_times()
    told = [service_shown(asked, each, times) for each in asked.snapshot.services.values()]
    found = fitting(told, given, FILTERS)
    return {"Result": {"TotalCount": len(found), "ServiceSet": page(found, given)}}


async def modify_service(asked: Asked) -> Fields:
    """Another name, another description; what is not named stays."""
    given = asked.given(ModifyService)

    def ask(snapshot: Snapshot) -> Batch:
        service = service_named(snapshot, given.ServiceId)
        known = resource(snapshot, SERVICES, service.id)
        name = service.name if given.ServiceName is None else given.ServiceName
        said = known.get("description", "") if given.ServiceDesc is None else given.ServiceDesc
        protocol = given.Protocol or known.get("protocol", _USUAL_PROTOCOL)
        nets = known.get("nets", ["OUTER"]) if given.NetTypes is None else given.NetTypes
        _check_texts(name, said)
        _check_protocol(protocol)
        content = {
            "description": said,
            "protocol": protocol,
            "nets": _checked_nets(nets),
            "made": known.get("made", False),
        }
        renamed = PutService(service.id, name, service.apis)
        return Batch((renamed, PutResource(SERVICES, service.id, content)))

    await asked.change(ask)
    return NOTHING


async def delete_service(asked: Asked) -> Fields:
    """A service that goes: it must have no APIs, no plans, and be released nowhere."""
    given = asked.given(ServiceRequest)

    def ask(snapshot: Snapshot) -> Batch:
        service = service_named(snapshot, given.ServiceId)
        _check_unused(asked, snapshot, service)
        return settled(snapshot, [DeleteService(service.id), *_forgotten(snapshot, service)])

    await asked.change(ask)
    return {"Result": True}


async def list_domains(asked: Asked) -> Fields:
    """The custom domains of a service: it has none."""
    given = asked.given(ServicePage)
    service_named(asked.snapshot, given.ServiceId)
    return {"Result": {"TotalCount": 0, "DomainSet": page([], given)}}


async def list_mappings(asked: Asked) -> Fields:
    """How a domain leads to stages: by their names."""
    given = asked.given(SubDomainRequest)
    service = service_named(asked.snapshot, given.ServiceId)
    host = host_of(asked, service.id)
    if given.SubDomain not in {host, host.partition(":")[0]}:
        message = f"service {service.id} has no domain {given.SubDomain!r:.80}; it has {host}"
        fail(codes.REFUSED, message)
    named = [{"Path": f"/{name}", "Environment": name} for name in ENVIRONMENTS]
    there = [each for each in named if stage_key(each["Environment"]) in service.stages]
    return {"Result": {"IsDefaultMapping": True, "PathMappingSet": there}}


def service_shown(asked: Asked, service: Service, times: Times) -> Fields:
    """A service as lists tell it."""
    known = resource(asked.snapshot, SERVICES, service.id)
    paths = (
        ("services", service.id, "name"),
        ("services", service.id, "apis"),
        ("resources", SERVICES, service.id),
    )
    return {
        "ServiceId": service.id,
        "ServiceName": service.name,
        "ServiceDesc": known.get("description", ""),
        "Protocol": known.get("protocol", _USUAL_PROTOCOL),
        "NetTypes": known.get("nets", ["OUTER"]),
        "IpVersion": "IPv4",
        "OuterSubDomain": host_of(asked, service.id),
        "InnerSubDomain": host_of(asked, service.id),
        "InnerHttpPort": 0,
        "InnerHttpsPort": 0,
        "AvailableEnvironments": [n for n in ENVIRONMENTS if stage_key(n) in service.stages],
        "CreatedTime": made_at(times, *paths),
        "ModifiedTime": altered_at(times, *paths),
        "ExclusiveSetName": "",
        "TradeIsolateStatus": 0,
        "Tags": [],
        "InstanceId": "",
        "SetType": "",
        "DeploymentType": "",
    }


def _check_texts(name: str, description: str) -> None:
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        message = f"ServiceName is {name!r:.80}; allowed: 1 to {LONGEST_NAME} characters"
        fail(codes.FORMAT, message)
    if len(description) > LONGEST_DESCRIPTION:
        message = f"ServiceDesc has {len(description)} characters"
        fail(codes.FORMAT, f"{message}; allowed: at most {LONGEST_DESCRIPTION}")


def _check_protocol(protocol: str) -> None:
    check_one_of("Protocol", protocol, PROTOCOLS, codes.OPTIONS)
    if protocol == "https":
        fail(UNSUPPORTED, "HTTPS is not spoken; allowed for Protocol: http, http&https")


def _checked_nets(nets: list[str]) -> list[str]:
    for each in nets:
        check_one_of("NetTypes", each, NETS, codes.OPTIONS)
    return nets or ["OUTER"]


def _check_unused(asked: Asked, snapshot: Snapshot, service: Service) -> None:
    if service.stages:
        told = listed(service_shown(asked, service, asked.times)["AvailableEnvironments"])
        fail(codes.IS_RELEASED, f"service {service.id} is released to {told}; unrelease it first")
    if service.apis:
        told = listed(api.id for api in service.apis)
        fail(codes.HAS_APIS, f"service {service.id} has the APIs {told:.200}; delete them first")
    plans = sorted({each["UsagePlanId"] for each in plans_of(snapshot, service, asked.times)})
    if plans:
        message = f"service {service.id} is bound to {listed(plans):.200}"
        fail(codes.HAS_PLANS, f"{message}; unbind them first")


def _forgotten(snapshot: Snapshot, service: Service) -> list[Change]:
    """What is kept of a service, and no more then."""
    found: list[Change] = [PutResource(SERVICES, service.id, None)]
    for group in (APIS, STRATEGIES, TRIGGERS):
        kept = snapshot.resources.get(group, NONE)
        found += [PutResource(group, k, None) for k in kept if k.startswith(f"{service.id}/")]
    for key, plugin in snapshot.resources.get(PLUGINS, NONE).items():
        left = [each for each in plugin["attached"] if each["service"] != service.id]
        if left != plugin["attached"]:
            found.append(PutResource(PLUGINS, key, {**plugin, "attached": left}))
    return found

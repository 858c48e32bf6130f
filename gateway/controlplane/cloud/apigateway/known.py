"""What actions of API Gateway look up, and how they spell it: ids, stages, addresses, times."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar
from urllib.parse import urlsplit

from gateway.controlplane.cloud.apigateway.codes import (
    BAD_STAGE,
    FILTER,
    FORMAT,
    NO_API,
    NO_SERVICE,
    STAGE_OFF,
)
from gateway.controlplane.cloud.apigateway.requests import Filter, Page
from gateway.controlplane.cloud.asked import Asked, Fields
from gateway.controlplane.cloud.errors import Codes, fail
from gateway.controlplane.cloud.times import Times
from gateway.core import names
from gateway.core.diff import Path
from gateway.core.errors import listed, nearest
from gateway.core.resources import NONE, Content
from gateway.core.snapshot import Api, Service, Snapshot, Stage

T = TypeVar("T")

SERVICES: Final = "services"
APIS: Final = "apis"
STRATEGIES: Final = "strategies"
KEYS: Final = "keys"
PLANS: Final = "plans"
PLUGINS: Final = "plugins"
TRIGGERS: Final = "apitriggers"
"""The groups of resources, one for each kind of thing."""

ENVIRONMENTS: Final = ("test", "prepub", "release")
"""The cloud's names of the stages, in the order in which it lists them."""

MOST_SHOWN: Final = 100
_ID_LENGTH: Final = 8


def fresh(asked: Asked, prefix: str) -> str:
    """A new id, such as `service-1a2b3c4d`."""
    return prefix + asked.new_id().replace("-", "")[:_ID_LENGTH]


def fresh_version(asked: Asked) -> str:
    """A new name of a release: the moment and what nobody can guess, as in the cloud."""
    return f"{datetime.fromtimestamp(asked.clock(), UTC):%Y%m%d%H%M%S}{asked.new_id()}"


def service_named(snapshot: Snapshot, key: str) -> Service:
    """A service that exists.

    Raises:
        CloudError: There is none.
    """
    return known(snapshot.services, key, ("service", NO_SERVICE))


def api_named(service: Service, key: str) -> Api:
    """An API that would be released next.

    Raises:
        CloudError: The service has none.
    """
    what = f"API of service {service.id}"
    return known({api.id: api for api in service.apis}, key, (what, NO_API))


def known(things: Mapping[str, T], key: str, what: tuple[str, Codes]) -> T:
    """Something that exists.

    Args:
        things: All of them by id.
        key: The id.
        what: What it is, and the codes for where it is not there.

    Raises:
        CloudError: It does not.
    """
    found = things.get(key)
    if found is None:
        hint = nearest(key, things)
        message = f"there is no {what[0]} {key!r:.80}; there is {listed(things)}"
        fail(what[1], f"{message}; {hint}" if hint else message)
    return found


def stage_key(name: str) -> str:
    """The gateway's name of a stage that the cloud has.

    Raises:
        CloudError: The cloud has none of this name.
    """
    key = names.stage_name(name)
    if key not in names.STAGES:
        hint = nearest(name, ENVIRONMENTS)
        message = f"there is no environment {name!r:.80}; allowed: {listed(ENVIRONMENTS)}"
        fail(BAD_STAGE, f"{message}; {hint}" if hint else message)
    return key


def environment(key: str) -> str:
    """The cloud's name of a stage."""
    return {names.stage_name(name): name for name in ENVIRONMENTS}[key]


def stage_of(service: Service, name: str) -> Stage:
    """A stage that a service is released to.

    Raises:
        CloudError: It is not.
    """
    stage = service.stages.get(stage_key(name))
    if stage is None:
        there = listed(environment(key) for key in service.stages)
        fail(STAGE_OFF, f"service {service.id} is not released to {name!r}; it is to {there}")
    return stage


def resource(snapshot: Snapshot, group: str, key: str) -> Content:
    """What is kept of something; nothing where nothing is."""
    return snapshot.resources.get(group, NONE).get(key, {})


def page(items: Sequence[T], given: Page) -> Sequence[T]:
    """The part of a list that is asked for.

    Raises:
        CloudError: The numbers are no part of any list.
    """
    for what, number in (("Limit", given.Limit), ("Offset", given.Offset)):
        if number < 0:
            fail(FORMAT, f"{what} is {number}; allowed: 0 and above")
    return items[given.Offset : given.Offset + min(given.Limit, MOST_SHOWN)]


def fitting(items: Iterable[Fields], given: Page, allowed: Mapping[str, str]) -> list[Fields]:
    """Those of a list that meet all conditions.

    Args:
        items: As they are told.
        given: The conditions.
        allowed: The field that each condition looks at, by the condition's name.

    Raises:
        CloudError: A condition is about something that no condition can be about.
    """
    for each in given.Filters:
        if each.Name not in allowed:
            fail(FILTER, f"there is no filter {each.Name!r:.80}; allowed: {listed(allowed)}")
    return [item for item in items if all(_meets(item, each, allowed) for each in given.Filters)]


def _meets(item: Fields, condition: Filter, allowed: Mapping[str, str]) -> bool:
    value = item[allowed[condition.Name]]
    values = value if isinstance(value, list) else [str(value)]
    return any(each in condition.Values for each in values)


def without(told: Fields, *fields: str) -> Fields:
    """What is told, but for the fields that an action does not tell of it."""
    return {name: value for name, value in told.items() if name not in fields}


def host_of(asked: Asked, service: str) -> str:
    """Where callers reach a service."""
    port = urlsplit(asked.control.data_url).port
    return f"{service}.localhost:{port}"


def made_at(times: Times, *paths: Path) -> str:
    """When the first of some parts was made, as API Gateway writes it."""
    return moment(min((at for at in (times.seconds(path)[0] for path in paths) if at), default=0.0))


def altered_at(times: Times, *paths: Path) -> str:
    """When any of some parts was altered last."""
    return moment(max(times.seconds(path)[1] for path in paths))


def moment(at: float) -> str:
    """Seconds since 1970 as API Gateway writes them."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def check_one_of(what: str, value: str, allowed: Collection[str], codes: Codes) -> None:
    """Refuse a value that is none of those allowed.

    Raises:
        CloudError: It is none.
    """
    if value not in allowed:
        hint = nearest(value, allowed)
        message = f"{what} is {value!r:.80}; allowed: {listed(allowed)}"
        fail(codes, f"{message}; {hint}" if hint else message)

"""Triggers of the type http, as they are kept: a function URL's name, description and nets."""

from __future__ import annotations

from typing import Final

from gateway.controlplane.cloud import limits, urls
from gateway.controlplane.cloud.asked import Asked, Fields, function_named
from gateway.controlplane.cloud.errors import NO_TRIGGER, fail
from gateway.controlplane.cloud.times import Times
from gateway.controlplane.cloud.trigger_requests import (
    CreateTrigger,
    TriggerRequest,
    UpdateTrigger,
)
from gateway.core.changes import PutResource
from gateway.core.errors import listed as enumerated
from gateway.core.resources import NONE, TRIGGERS, Content
from gateway.core.snapshot import Snapshot

TYPE: Final = "http"
"""The cloud's word for function URLs."""


async def create(asked: Asked, given: CreateTrigger) -> Fields:
    """A name for the URL of a qualifier; the caller has looked at the qualifier.

    Raises:
        CloudError: The name or the URL is in use, or the description is wrong.
    """
    limits.TRIGGER_NAME.check(given.TriggerName)
    content: Content = {
        "function": given.FunctionName,
        "name": given.TriggerName,
        "qualifier": given.Qualifier,
        "description": given.Description,
        "nets": urls.read_desc(given.TriggerDesc),
    }

    def ask(snapshot: Snapshot) -> PutResource:
        function_named(snapshot, given.FunctionName)
        _check_free(snapshot, given)
        return _put(content)

    await asked.change(ask)
    return _plain(content, await asked.told_times(), asked.control.data_url)


async def alter(asked: Asked, given: UpdateTrigger) -> None:
    """Another description, or other nets; what is not named stays.

    Raises:
        CloudError: There is no such trigger, or the description is wrong.
    """
    nets = urls.read_desc(given.TriggerDesc) if given.TriggerDesc else None

    def ask(snapshot: Snapshot) -> PutResource:
        known = named(snapshot, given)
        said = known["description"] if given.Description is None else given.Description
        return _put({**known, "description": said, "nets": nets or known["nets"]})

    await asked.change(ask)


async def delete(asked: Asked, given: TriggerRequest) -> None:
    """A name that goes; the URL that it named does not.

    Raises:
        CloudError: There is no such trigger.
    """

    def ask(snapshot: Snapshot) -> PutResource:
        return PutResource(TRIGGERS, _key(named(snapshot, given)), None)

    await asked.change(ask)


async def listed(asked: Asked, function: str) -> list[Fields]:
    """The triggers of a function that name URLs, as the cloud tells them."""
    times = await asked.told_times()
    return [_plain(each, times, asked.control.data_url) for each in _of(asked.snapshot, function)]


def named(snapshot: Snapshot, given: TriggerRequest) -> Content:
    """The trigger that a request means.

    Raises:
        CloudError: There is none.
    """
    function = function_named(snapshot, given.FunctionName).name
    known = {each["name"]: each for each in _of(snapshot, function)}
    found = known.get(given.TriggerName)
    if found is None or given.Qualifier not in {None, found["qualifier"]}:
        at = "" if given.Qualifier is None else f" at {given.Qualifier!r:.80}"
        message = f"function {function!r} has no trigger {given.TriggerName!r:.80}{at}"
        there = enumerated(f"{name} at {each['qualifier']}" for name, each in known.items())
        fail(NO_TRIGGER, f"{message}; it has {there}")
    return found


def _check_free(snapshot: Snapshot, given: CreateTrigger) -> None:
    for known in _of(snapshot, given.FunctionName):
        if known["name"] == given.TriggerName:
            message = f"function {given.FunctionName!r} has a trigger {given.TriggerName!r}"
            fail("ResourceInUse.TriggerName", f"{message} already")
        if known["qualifier"] == given.Qualifier:
            message = f"the trigger {known['name']!r} has the URL of {given.Qualifier!r} already"
            fail("ResourceInUse.Trigger", message)


def _of(snapshot: Snapshot, function: str) -> list[Content]:
    kept = snapshot.resources.get(TRIGGERS, NONE).values()
    return [each for each in kept if each["function"] == function]


def _put(content: Content) -> PutResource:
    return PutResource(TRIGGERS, _key(content), content)


def _key(content: Content) -> str:
    return f"{content['function']}/{content['name']}"


def _plain(content: Content, times: Times, data_url: str) -> Fields:
    path = ("resources", TRIGGERS, _key(content))
    return {
        "TriggerName": content["name"],
        "Type": TYPE,
        "TriggerDesc": urls.desc_of(content, data_url),
        "Qualifier": content["qualifier"],
        "Description": content["description"],
        "CustomArgument": "",
        "Enable": 1,
        "AvailableStatus": "Available",
        "BindStatus": "on",
        "TriggerAttribute": "single",
        "ResourceId": _key(content),
        "BoundResources": "",
        "AddTime": times.added(*path),
        "ModTime": times.altered(*path),
    }

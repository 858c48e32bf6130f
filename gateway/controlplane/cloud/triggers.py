"""Triggers in the cloud's words: named function URLs, and APIs of services that lead to functions.

The other types bring events of services that are not here; they are refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from gateway.controlplane.cloud import limits, url_triggers
from gateway.controlplane.cloud.apigateway import triggers as api_triggers
from gateway.controlplane.cloud.asked import (
    NOTHING,
    Asked,
    Fields,
    function_named,
    ordered,
    page,
)
from gateway.controlplane.cloud.errors import NO_TRIGGER, NO_VERSION, UNSUPPORTED, fail
from gateway.controlplane.cloud.trigger_requests import (
    CreateTrigger,
    ListTriggers,
    TriggerRequest,
    UpdateTrigger,
    UpdateTriggerStatus,
)
from gateway.core.errors import listed, nearest
from gateway.core.snapshot import Function

URL: Final = url_triggers.TYPE
API: Final = "apigw"

ELSEWHERE: Final = ("timer", "cos", "cls", "ckafka", "cmq", "clb", "mps", "cm", "vod", "eb", "cdn")
"""Types whose events come from services of the cloud that are not here."""

_BAD_DESC: Final = ("InvalidParameterValue.TriggerDesc", "InvalidParameterValue")


async def create_trigger(asked: Asked) -> Fields:
    """A name for a function URL, or an API that leads to a function."""
    given = asked.given(CreateTrigger)
    _check_type(given)
    _check_open(given.Enable)
    _check_argument(given.CustomArgument)
    function = function_named(asked.snapshot, given.FunctionName)
    _check_qualifier(function, given.Qualifier)
    if given.Type == API:
        desc = given.TriggerDesc
        made = await api_triggers.create(asked, function.name, given.Qualifier, desc)
    else:
        made = await url_triggers.create(asked, given)
    return {"TriggerInfo": _without_bound(made)}


async def update_trigger(asked: Asked) -> Fields:
    """Another description, or other nets, of a function URL."""
    given = asked.given(UpdateTrigger)
    _check_type(given)
    if given.Type == API:
        message = "this gateway does not alter an API by its trigger"
        fail(UNSUPPORTED, f"{message}; alter it with ModifyApi and release it")
    _check_open(given.Enable or "OPEN")
    _check_argument(given.CustomArgument)
    await url_triggers.alter(asked, given)
    return NOTHING


async def update_status(asked: Asked) -> Fields:
    """A trigger that is opened is open already."""
    given = asked.given(UpdateTriggerStatus)
    _check_type(given)
    if given.Type == API:
        await _api_trigger(asked, given)
    else:
        url_triggers.named(asked.snapshot, given)
    _check_open(given.Enable)
    return NOTHING


async def delete_trigger(asked: Asked) -> Fields:
    """A trigger that goes: an API with it, a function URL not."""
    given = asked.given(TriggerRequest)
    _check_type(given)
    if given.Type == API:
        await api_triggers.delete(asked, (await _api_trigger(asked, given))["ResourceId"])
    else:
        await url_triggers.delete(asked, given)
    return NOTHING


async def list_triggers(asked: Asked) -> Fields:
    """The triggers of a function, page by page."""
    given = asked.given(ListTriggers)
    for each in given.Filters:
        limits.TRIGGER_FILTER.check(each.Name)
    if given.OrderBy is not None:
        limits.TRIGGER_ORDER.check(given.OrderBy)
    known = await _triggers_of(asked, given.FunctionName)
    found = [each for each in known if _fits(each, given)]
    key = {"add_time": "AddTime", "mod_time": "ModTime"}.get(given.OrderBy or "")
    in_order = ordered(found, (lambda each: each[key]) if key else None, given.Order)
    return {"Triggers": page(in_order, given.Offset, given.Limit), "TotalCount": len(found)}


async def triggers_at(asked: Asked, function: str, qualifier: str) -> list[Fields]:
    """The triggers that lead to a qualifier, as they are told with the function."""
    known = await _triggers_of(asked, function)
    return [_without_bound(each) for each in known if each["Qualifier"] == qualifier]


async def _triggers_of(asked: Asked, function: str) -> list[Fields]:
    function_named(asked.snapshot, function)
    urls = await url_triggers.listed(asked, function)
    return [*urls, *await api_triggers.listed(asked, function)]


async def _api_trigger(asked: Asked, given: TriggerRequest) -> Fields:
    """The one API trigger that a request means, by its name and by what its description says."""
    function = function_named(asked.snapshot, given.FunctionName).name
    wanted = _description(given.TriggerDesc)
    found = [
        each
        for each in await api_triggers.listed(asked, function)
        if each["TriggerName"] == given.TriggerName
        and given.Qualifier in {None, each["Qualifier"]}
        and _says(json.loads(each["TriggerDesc"]), wanted)
    ]
    if not found:
        message = f"function {function!r} has no {API} trigger {given.TriggerName!r:.80}"
        fail(NO_TRIGGER, f"{message} at this qualifier and with this TriggerDesc")
    if len(found) > 1:
        message = f"{len(found)} {API} triggers of function {function!r} fit"
        fail(_BAD_DESC, f"{message}; name one in TriggerDesc, as ListTriggers tells it")
    return found[0]


def _description(text: str | None) -> Mapping[str, Any]:
    try:
        wanted = json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        fail(_BAD_DESC, f"TriggerDesc is not JSON: {error}")
    if not isinstance(wanted, dict):
        fail(_BAD_DESC, f"TriggerDesc is {text!r:.80}; allowed: a JSON object")
    return wanted


def _says(told: object, wanted: object) -> bool:
    """Whether a description has all that is wanted of it, however deep."""
    if isinstance(told, dict) and isinstance(wanted, dict):
        return all(name in told and _says(told[name], each) for name, each in wanted.items())
    return told == wanted


def _check_type(given: TriggerRequest) -> None:
    if given.Type in ELSEWHERE:
        message = f"the events of {given.Type} come from a service that is not here"
        fail(UNSUPPORTED, f"{message}; types that are: {listed((URL, API))}")
    limits.TRIGGER_TYPE.check(given.Type)


def _check_open(enable: str) -> None:
    limits.ENABLE.check(enable)
    if enable == "CLOSE":
        fail(UNSUPPORTED, "triggers are always open here; allowed for Enable: OPEN")


def _check_argument(argument: str) -> None:
    if argument:
        message = f"CustomArgument is {argument!r:.80}; allowed: nothing, it is for timers"
        fail(("InvalidParameterValue.CustomArgument", "InvalidParameterValue"), message)


def _check_qualifier(function: Function, qualifier: str) -> None:
    known = (*function.aliases, *function.versions)
    if qualifier not in known:
        message = f"function {function.name!r} has no version and no alias {qualifier!r:.80}"
        hint = nearest(qualifier, known)
        message = f"{message}; it has {listed(known)}"
        fail(("ResourceNotFound.Qualifier", *NO_VERSION), f"{message}; {hint}" if hint else message)


def _without_bound(trigger: Fields) -> Fields:
    """A trigger as all but lists tell it."""
    return {name: value for name, value in trigger.items() if name != "BoundResources"}


def _fits(trigger: Fields, given: ListTriggers) -> bool:
    return all(trigger[each.Name] in each.Values for each in given.Filters)

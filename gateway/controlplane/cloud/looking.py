"""Functions that are looked at, in the cloud's words."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Final
from urllib.parse import quote

from gateway.controlplane.cloud import limits
from gateway.controlplane.cloud.answers import (
    ACTIVE,
    RUNTIME,
    function_plain,
    source_of,
    summary_plain,
    zip_of,
)
from gateway.controlplane.cloud.asked import (
    Asked,
    Fields,
    function_named,
    ordered,
    page,
    version_named,
)
from gateway.controlplane.cloud.errors import UNSUPPORTED, fail
from gateway.controlplane.cloud.limits import TYPES
from gateway.controlplane.cloud.requests import (
    Filter,
    GetFunction,
    ListFunctions,
)
from gateway.controlplane.cloud.triggers import triggers_at
from gateway.core import names
from gateway.core.errors import listed
from gateway.core.snapshot import Function

_WORDS: Final = {word: cloud for cloud, word in TYPES.items()}

FILTERS: Final[dict[str, Callable[[Function], str]]] = {
    "Status": lambda _function: ACTIVE,
    "Runtime": lambda _function: RUNTIME,
    "Type": lambda function: _WORDS[function.configuration.type],
}
"""What a list of functions can be filtered by."""


async def get_function(asked: Asked) -> Fields:
    """One version of a function, with its code."""
    given = asked.given(GetFunction)
    function = function_named(asked.snapshot, given.FunctionName)
    version = version_named(function, given.Qualifier)
    package, data = await zip_of(asked.control, version)
    shown = source_of(version, package) if given.ShowCode == "TRUE" else ""
    triggers = await triggers_at(asked, function.name, version.number)
    plain = function_plain(version, await asked.told_times())
    return {**plain, "CodeSize": len(data), "CodeInfo": shown, "Triggers": triggers}


async def get_address(asked: Asked) -> Fields:
    """Where the code of a version can be loaded from."""
    given = asked.given(GetFunction)
    function = function_named(asked.snapshot, given.FunctionName)
    version = version_named(function, given.Qualifier)
    _, data = await zip_of(asked.control, version)
    path = f"/api/functions/{quote(function.name)}/code?version={quote(version.number)}"
    return {"Url": asked.caller.address + path, "CodeSha256": sha256(data).hexdigest()}


async def list_functions(asked: Asked) -> Fields:
    """Functions, page by page."""
    given = asked.given(ListFunctions)
    if given.Orderby is not None:
        limits.FUNCTION_ORDER.check(given.Orderby)
    found = [f for f in asked.snapshot.functions.values() if _fits(f, given)]
    times = await asked.told_times()
    keys: dict[str | None, Callable[[Function], str]] = {
        "AddTime": lambda f: times.added("functions", f.name, "versions", names.LATEST),
        "ModTime": lambda f: times.altered("functions", f.name, "versions", names.LATEST),
        "FunctionName": lambda f: f.name,
    }
    in_order = ordered(found, keys.get(given.Orderby), given.Order)
    shown = page(in_order, given.Offset, given.Limit)
    return {
        "Functions": [summary_plain(function, times) for function in shown],
        "TotalCount": len(found),
    }


def _fits(function: Function, given: ListFunctions) -> bool:
    described = function.versions[names.LATEST].description
    return (
        given.SearchKey in function.name
        and given.Description in described
        and all(_passes(function, each) for each in given.Filters)
    )


def _passes(function: Function, given: Filter) -> bool:
    tell = FILTERS.get(given.Name)
    if tell is None:
        message = f"functions cannot be filtered by {given.Name!r:.80}"
        fail(UNSUPPORTED, f"{message}; allowed: {listed(FILTERS)}")
    return tell(function) in given.Values

"""Versions in the cloud's words."""

from __future__ import annotations

from gateway.controlplane.cloud import limits
from gateway.controlplane.cloud.answers import code_size, configuration_plain, version_plain
from gateway.controlplane.cloud.asked import (
    NOTHING,
    Asked,
    Fields,
    function_named,
    ordered,
    page,
    published,
    version_named,
)
from gateway.controlplane.cloud.errors import fail
from gateway.controlplane.cloud.requests import (
    DeleteFunction,
    DeleteFunctionVersion,
    ListVersions,
    PublishVersion,
)
from gateway.core import names
from gateway.core.changes import DeleteFunction as DeleteChange
from gateway.core.changes import DeleteVersion
from gateway.core.functions import FunctionVersion


async def publish_version(asked: Asked) -> Fields:
    """Freeze `$LATEST` into the next number."""
    given = asked.given(PublishVersion)
    function_named(asked.snapshot, given.FunctionName)
    limits.DESCRIPTION.check(len(given.Description))
    done = await asked.control.publish(given.FunctionName, given.Description, asked.author)
    function = function_named(asked.snapshot, given.FunctionName)
    version = version_named(function, published(done))
    plain = configuration_plain(version)
    kept = ("MemorySize", "Description", "Handler", "Timeout", "Runtime", "Namespace")
    return {
        "FunctionVersion": version.number,
        "CodeSize": await code_size(asked.control, version),
        **{name: plain[name] for name in kept},
    }


async def list_versions(asked: Asked) -> Fields:
    """Every version, `$LATEST` included."""
    given = asked.given(ListVersions)
    function = function_named(asked.snapshot, given.FunctionName)
    times = await asked.told_times()
    by_number = [function.versions[n] for n in sorted(function.versions, key=names.version_order)]
    if given.OrderBy is not None:
        limits.VERSION_ORDER.check(given.OrderBy)
    tell = times.altered if given.OrderBy == "ModTime" else times.added

    def moment(version: FunctionVersion) -> str:
        return tell("functions", version.function, "versions", version.number)

    found = ordered(by_number, moment if given.OrderBy else None, given.Order)
    shown = page(found, given.Offset, given.Limit)
    return {
        "Versions": [version_plain(version, times) for version in shown],
        "FunctionVersion": [version.number for version in shown],
        "TotalCount": len(found),
    }


async def delete_version(asked: Asked) -> Fields:
    """A version that goes."""
    given = asked.given(DeleteFunctionVersion)
    return await _delete(asked, given.FunctionName, given.Qualifier)


async def delete_function(asked: Asked) -> Fields:
    """A function that goes with all its versions, or one version of it."""
    given = asked.given(DeleteFunction)
    if given.Qualifier:
        return await _delete(asked, given.FunctionName, given.Qualifier)
    await asked.change(DeleteChange(given.FunctionName))
    return NOTHING


async def _delete(asked: Asked, name: str, number: str) -> Fields:
    if not names.is_number(number):
        message = f"Qualifier is {number!r:.80}; allowed: a published version, such as '1'"
        fail("InvalidParameterValue.Qualifier", message)
    version_named(function_named(asked.snapshot, name), number)
    await asked.change(DeleteVersion(name, number))
    return NOTHING

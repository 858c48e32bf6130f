"""Functions that come and change, in the cloud's words: whole when they are answered."""

from __future__ import annotations

from dataclasses import replace

from gateway.controlplane.cloud import limits
from gateway.controlplane.cloud.asked import (
    NOTHING,
    Asked,
    Fields,
    check_namespace,
    function_named,
)
from gateway.controlplane.cloud.code import keep, latest_put, package_in, sources_of
from gateway.controlplane.cloud.configuring import configuration_of
from gateway.controlplane.cloud.errors import fail
from gateway.controlplane.cloud.requests import (
    CopyFunction,
    CreateFunction,
    UpdateFunctionConfiguration,
)
from gateway.core import names
from gateway.core.changes import Batch, Change, DeleteFunction, PutFunction
from gateway.core.functions import Configuration
from gateway.core.snapshot import Snapshot


async def create_function(asked: Asked) -> Fields:
    """A new function with `$LATEST` and `$DEFAULT`."""
    given = asked.given(CreateFunction)
    limits.TYPE.check(given.Type)
    limits.FUNCTION_NAME.check(given.FunctionName)
    configuration = configuration_of(given, Configuration(type=limits.TYPES[given.Type]))
    _check_free(asked.snapshot, given.FunctionName)
    digest = await keep(asked, await package_in(asked, sources_of(given.Code), limits.NEW_ZIP))

    def ask(snapshot: Snapshot) -> PutFunction:
        _check_free(snapshot, given.FunctionName)
        return PutFunction(given.FunctionName, digest, configuration, given.Description or "")

    await asked.change(ask)
    return NOTHING


async def update_configuration(asked: Asked) -> Fields:
    """Another configuration for `$LATEST`; what is not named stays."""
    given = asked.given(UpdateFunctionConfiguration)
    limits.YES_OR_NO.check(given.Publish)
    function_named(asked.snapshot, given.FunctionName)
    digest = None
    if given.Publish == "TRUE":  # a folder that is edited cannot be published itself
        latest = await asked.control.package_of(given.FunctionName, names.LATEST)
        digest = await keep(asked, latest)

    def ask(snapshot: Snapshot) -> Change:
        latest = function_named(snapshot, given.FunctionName).versions[names.LATEST]
        said = given.Description
        altered = replace(
            latest,
            configuration=configuration_of(given, latest.configuration),
            description=latest.description if said is None else said,
        )
        return latest_put(altered, publish=given.Publish, digest=digest)

    await asked.change(ask)
    return NOTHING


async def copy_function(asked: Asked) -> Fields:
    """A function with the code of another one's `$LATEST`."""
    given = asked.given(CopyFunction)
    check_namespace(given.TargetNamespace)
    if given.TargetRegion not in {None, "", asked.caller.region}:
        message = f"TargetRegion is {given.TargetRegion!r:.80}; this gateway has no other region"
        fail("UnsupportedOperation.Region", message)
    limits.FUNCTION_NAME.check(given.NewFunctionName)
    limits.DESCRIPTION.check(len(given.Description or ""))
    function_named(asked.snapshot, given.FunctionName)
    digest = await keep(asked, await asked.control.package_of(given.FunctionName, names.LATEST))

    def ask(snapshot: Snapshot) -> Change:
        return _copy(snapshot, given, digest)

    await asked.change(ask)
    return NOTHING


def _copy(snapshot: Snapshot, given: CopyFunction, digest: str) -> Change:
    latest = function_named(snapshot, given.FunctionName).versions[names.LATEST]
    known, name = latest.configuration, given.NewFunctionName
    described = latest.description
    if not given.CopyConfiguration:
        described, known = "", Configuration(handler=known.handler, type=known.type)
    said = described if given.Description is None else given.Description
    put = PutFunction(name, digest, known, said)
    if given.Override and name in snapshot.functions:
        return Batch((DeleteFunction(name), put))
    _check_free(snapshot, name)
    return put


def _check_free(snapshot: Snapshot, name: str) -> None:
    """Whether a function of this name may be made."""
    if name in snapshot.functions:
        fail("ResourceInUse.FunctionName", f"there is a function {name!r} already")
    limits.FUNCTIONS.check(len(snapshot.functions) + 1)

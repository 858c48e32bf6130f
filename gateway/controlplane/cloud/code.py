"""Code that a request brings: a zip in base64, or one that was uploaded here before.

Nothing is fetched from anywhere else.
"""

from __future__ import annotations

import asyncio
import binascii
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from gateway.controlplane.cloud import limits
from gateway.controlplane.cloud.asked import NOTHING, Asked, Fields, function_named
from gateway.controlplane.cloud.configuring import configuration_of
from gateway.controlplane.cloud.errors import UNSUPPORTED, fail
from gateway.controlplane.cloud.limits import Limit
from gateway.controlplane.cloud.requests import CodeStructure, Configured, UpdateFunctionCode
from gateway.controlplane.cloud.uploaded import BUCKET, OBJECT, fetched
from gateway.core import names
from gateway.core.changes import Batch, Change, Publish, PutFunction
from gateway.core.errors import Refused, listed
from gateway.core.functions import FunctionVersion
from gateway.core.snapshot import Snapshot
from gateway.store.packages import Package, read_zip, to_zip

_ZIP: Final = "ZipFile"
_NO_CODE: Final = "InvalidParameterValue.Code"


async def update_code(asked: Asked) -> Fields:
    """Other code for `$LATEST`, and the next version if that is asked for too."""
    given = asked.given(UpdateFunctionCode)
    limits.YES_OR_NO.check(given.Publish)
    function_named(asked.snapshot, given.FunctionName)
    sources: dict[str, object] = {
        _ZIP: given.ZipFile,
        BUCKET: given.CosBucketName,
        OBJECT: given.CosObjectName,
    }
    if given.Code is not None:
        sources |= {name: each for name, each in sources_of(given.Code).items() if each}
    digest = await keep(asked, await package_in(asked, sources, limits.ZIP))
    handler = Configured(Handler=given.Handler)

    def ask(snapshot: Snapshot) -> Change:
        latest = function_named(snapshot, given.FunctionName).versions[names.LATEST]
        configuration = configuration_of(handler, latest.configuration)
        return latest_put(
            replace(latest, code=digest, configuration=configuration), publish=given.Publish
        )

    await asked.change(ask)
    return NOTHING


def latest_put(latest: FunctionVersion, *, publish: str, digest: str | None = None) -> Change:
    """Another `$LATEST`, published at once or not.

    Args:
        latest: What it becomes.
        publish: `TRUE` or `FALSE`.
        digest: The package that is published; `None` where the code is one.
    """
    put = PutFunction(latest.function, latest.code, latest.configuration, latest.description)
    if publish == "FALSE":
        return put
    frozen = Publish(latest.function, digest or latest.code, configuration=latest.configuration)
    return Batch((put, frozen))


def sources_of(code: CodeStructure) -> dict[str, object]:
    """Where a `Code` says that code comes from, by the names of its fields."""
    return {name: getattr(code, name) for name in CodeStructure.model_fields}


async def package_in(asked: Asked, sources: Mapping[str, object], largest: Limit) -> Package:
    """The package that a request brings.

    Args:
        asked: The request.
        sources: Where it says that code comes from.
        largest: How large a zip in the request itself may be.

    Raises:
        CloudError: It brings none, comes from elsewhere, or is no package.
    """
    given = {name: source for name, source in sources.items() if source}
    here = (_ZIP,) if _ZIP in given else (BUCKET, OBJECT)
    elsewhere = [name for name in given if name not in here]
    if elsewhere and len(elsewhere) < len(given):
        fail(_NO_CODE, f"the code comes from {listed(given)}; allowed: one source")
    if elsewhere:
        message = f"this gateway fetches no code from elsewhere ({listed(elsewhere)})"
        fail(UNSUPPORTED, f"{message}; send a zip in {_ZIP}, or upload one")
    if not given:
        fail(_NO_CODE, f"there is no code; send a zip in {_ZIP}, encoded in base64")
    name = here[-1]
    if name == _ZIP:
        data = _decoded(str(given[_ZIP]))
        largest.check(len(data))
    else:
        data = await fetched(asked.control.objects, given)
    try:
        return await asyncio.to_thread(read_zip, data)
    except Refused as refused:
        fail(f"InvalidParameterValue.{name}", f"the zip cannot be used: {refused}")


async def keep(asked: Asked, package: Package) -> str:
    """Put a package into the store, durably; gives its digest."""
    data = await asyncio.to_thread(to_zip, package)
    await asked.control.store.put_package(package.digest, data, asked.clock())
    return package.digest


def _decoded(text: str) -> bytes:
    try:
        return b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        message = f"{_ZIP} is not base64: {error}"
        fail("InvalidParameterValue.ZipFileBase64BinasciiError", message)

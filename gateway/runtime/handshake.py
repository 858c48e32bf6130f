"""The first exchange with a function's own process: what to load, and whether it did."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from gateway.core.functions import Configuration, FunctionVersion
from gateway.runtime.errors import CodeNotFound, HandlerNotFound, LoadError, UserCodeError

if TYPE_CHECKING:
    from collections.abc import Mapping


def request(version: FunctionVersion, folder: str | None) -> object:
    """What the process has to know of its version."""
    configuration = version.configuration
    return {
        "function": version.function,
        "number": version.number,
        "folder": os.path.abspath(version.code if folder is None else folder),  # noqa: PTH100
        "handler": configuration.handler,
        "timeout": configuration.timeout,
        "memory": configuration.memory,
        "environment": dict(configuration.environment),
    }


def requested(message: bytes) -> FunctionVersion:
    """The version that the process is for; its code is a folder."""
    said: dict[str, Any] = json.loads(message)
    configuration = Configuration(
        handler=said["handler"],
        timeout=said["timeout"],
        memory=said["memory"],
        environment=said["environment"],
    )
    return FunctionVersion(said["function"], said["number"], said["folder"], configuration)


def reply(error: LoadError | None) -> object:
    """How loading ended."""
    if error is None:
        return None
    raised = (error.error_type, error.error_message) if isinstance(error, UserCodeError) else None
    return {
        "code": error.code,
        "sentence": error.sentence,
        "stack": error.stack,
        "raised": raised,
    }


def check(version: FunctionVersion, said: Mapping[str, Any] | None) -> None:
    """Go on only if the process has loaded its version.

    Raises:
        LoadError: It has not; the error is the one that was raised there.
    """
    if said is None:
        return
    if said["raised"] is not None:
        kind, text = said["raised"]
        raise UserCodeError(version, (kind, text), said["stack"])
    kinds = {kind.code: kind for kind in (CodeNotFound, HandlerNotFound)}
    raise kinds[said["code"]](version, said["sentence"])

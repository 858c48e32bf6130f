"""How a function runs, as a request describes it, within the cloud's limits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gateway.controlplane.cloud import limits
from gateway.controlplane.cloud.errors import fail
from gateway.controlplane.cloud.requests import Configured, Variables
from gateway.core.functions import Configuration


def configuration_of(given: Configured, known: Configuration) -> Configuration:
    """A configuration with what a request gives; everything else stays.

    Raises:
        CloudError: A value breaks one of the cloud's limits.
    """
    if given.Description is not None:
        limits.DESCRIPTION.check(len(given.Description))
    if given.Runtime is not None:
        limits.RUNTIME.check(given.Runtime)
    fields: dict[str, Any] = {}
    if given.Handler:
        limits.HANDLER.check(given.Handler)
        fields["handler"] = given.Handler
    if given.MemorySize is not None:
        limits.MEMORY_TOP.check(given.MemorySize)
        limits.MEMORY.check(given.MemorySize)
        fields["memory"] = given.MemorySize
    if given.Timeout is not None:
        limits.TIMEOUT_TOP.check(given.Timeout)
        limits.TIMEOUT.check(given.Timeout)
        fields["timeout"] = float(given.Timeout)
    if given.Environment is not None:
        fields["environment"] = _environment(given.Environment)
    return replace(known, **fields)


def _environment(given: Variables) -> dict[str, str]:
    """Variables by name; one without a name and a value is how clients clear all of them."""
    found: dict[str, str] = {}
    for variable in given.Variables:
        if not variable.Key and not variable.Value:
            continue
        limits.VARIABLE.check(variable.Key)
        if variable.Key in found:
            message = f"the environment variable {variable.Key!r} is there more than once"
            fail("InvalidParameterValue.Environment", f"{message}; allowed: once")
        found[variable.Key] = variable.Value
    size = sum(len(name.encode()) + len(value.encode()) for name, value in found.items())
    limits.ENVIRONMENT.check(size)
    return found

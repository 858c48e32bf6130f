"""What went wrong unasked: any error as an event, with everything there is to say about it."""

from __future__ import annotations

from gateway.config import ConfigurationInvalid, render
from gateway.controlplane.events import Event
from gateway.core.errors import GatewayError, Refused
from gateway.runtime import BrokenVersions


def error_event(error: GatewayError, where: str) -> Event:
    """Something that nobody asked for directly went wrong; what was live still is.

    Args:
        error: What went wrong.
        where: What the gateway was about: a file, a folder.
    """
    return Event.error(_code(error), str(error), where=where, text=failure_text(error))


def failure_text(error: GatewayError) -> str:
    """Everything there is to say about an error, for a terminal."""
    if isinstance(error, ConfigurationInvalid):
        return render(error.diagnostics)
    if isinstance(error, BrokenVersions):
        parts = (
            (f"error[{e.code}]: {e}", e.output.rstrip(), e.stack.rstrip()) for e in error.errors
        )
        return "\n".join(line for part in parts for line in part if line)
    if isinstance(error, Refused):
        return "\n".join(
            f"error[{p.code}]: {p.message}" + (f"\n  = hint: {p.hint}" if p.hint else "")
            for p in error.problems
        )
    return f"error[{_code(error)}]: {error}"


def _code(error: GatewayError) -> str:
    if isinstance(error, BrokenVersions):
        return error.errors[0].code
    if isinstance(error, ConfigurationInvalid):
        return "configuration-invalid"
    return str(getattr(error, "code", "unexpected"))

"""Why a web version cannot be started: the loader's reasons, and those of a server that starts."""

from __future__ import annotations

from gateway.runtime.errors import LoadError


class StartFailed(LoadError):
    """The application refused to start (cloud code 443)."""

    code = "start-failed"
    status = 443


class InitTimeout(LoadError):
    """The application took too long to start (cloud code 450)."""

    code = "init-timeout"
    status = 450


class PortBindingFailed(LoadError):
    """The process runs and does not listen where it was told to (cloud code 446)."""

    code = "port-binding-failed"
    status = 446


class ProcessExited(LoadError):
    """The process ended before it listened (cloud code 405)."""

    code = "process-exited"
    status = 405

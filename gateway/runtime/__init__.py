"""Running a version: versions of one function side by side in one process.

`Runtime` is the way in. Only the loader knows how code is kept apart, and only the executors
know about the event loop and threads.
"""

from gateway.runtime.errors import (
    BrokenVersions,
    CodeNotFound,
    HandlerNotFound,
    LoadError,
    UserCodeError,
)
from gateway.runtime.loader import LoadedVersion, load
from gateway.runtime.outcome import Outcome
from gateway.runtime.runner import Runner
from gateway.runtime.runtime import Runtime

__all__ = [
    "BrokenVersions",
    "CodeNotFound",
    "HandlerNotFound",
    "LoadError",
    "LoadedVersion",
    "Outcome",
    "Runner",
    "Runtime",
    "UserCodeError",
    "load",
]

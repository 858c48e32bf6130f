"""The plan of an API whose function is a web application: which version is one, looked up once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.core.entries import Decision
from gateway.core.snapshot import Snapshot
from gateway.runtime.web import WebRunner

if TYPE_CHECKING:
    from gateway.dataplane.plans import FunctionPlan


class WebPlan:
    """An API answered by a function that is a web application, in some version at least.

    Attributes:
        function: What is prepared for decisions.
    """

    __slots__ = ("_runners", "function")

    def __init__(self, function: FunctionPlan) -> None:
        self.function = function
        self._runners: dict[str, WebRunner | None] = {}

    def runner(self, decision: Decision) -> WebRunner | None:
        """What serves the version; `None` where that version takes events."""
        number, book = decision.version, self.function.book
        if number not in self._runners:
            version = book.snapshot.functions[decision.function].versions[number]
            runner = book.invoker.runner(version)
            self._runners[number] = runner if isinstance(runner, WebRunner) else None
        return self._runners[number]


def has_web(snapshot: Snapshot, name: str) -> bool:
    """Whether any version of a function is a web application."""
    function = snapshot.functions.get(name)
    versions = function.versions.values() if function else ()
    return any(version.configuration.type == "web" for version in versions)

"""Everything that can be asked of a running gateway; REST, pages and the watcher ask nobody else.

Reads look at the live snapshot or at the journal; whatever alters something goes to the one writer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Final

from gateway.config.export import Exported
from gateway.controlplane.asynchronous import Asynchronous
from gateway.controlplane.code import Code
from gateway.controlplane.declaring import Applied, Declaring
from gateway.controlplane.events import Event, Events
from gateway.controlplane.invoking import Invoked, Invoking
from gateway.controlplane.news import error_event
from gateway.controlplane.rollback import earlier, moves, named
from gateway.controlplane.writer import Ask, Done, Note, Writer
from gateway.core import names
from gateway.core.alias import parse_route
from gateway.core.changes import Publish, PutAlias, PutFunction
from gateway.core.entries import Target
from gateway.core.errors import FunctionNotFound, GatewayError, QualifierNotFound
from gateway.core.explain import Explanation
from gateway.core.functions import Configuration, FunctionVersion
from gateway.core.snapshot import Snapshot
from gateway.core.split import Draw
from gateway.live import Live
from gateway.observe import Observer
from gateway.runtime import Runtime
from gateway.store.packages import Package
from gateway.store.protocol import Author, StaleRevision, Store

Explain = Callable[[Snapshot, Draw, str, tuple[str, str, list[tuple[str, str]], str]], Explanation]
"""Explains a request: snapshot, dice, stage, and method, path, headers and body."""

MOVES: Final = 10_000
"""How far a roll-back looks back, in moves of its alias."""

WATCHER: Final = Author("watcher", "this machine")
"""Who asks for a change when a file was edited."""


class Control:
    """A running gateway as its control plane sees it.

    Attributes:
        live: The cell that the data plane reads.
        store: Keeps the journal.
        events: The hub of everything that happens.
        observer: Is told of every answer.
        asynchronous: Runs what nobody waits for.
    """

    def __init__(  # noqa: PLR0913 - the composition root names every part once
        self,
        *,
        live: Live,
        runtime: Runtime,
        store: Store,
        code: Code,
        events: Events,
        observer: Observer,
        writer: Writer,
        declaring: Declaring,
        explain: Explain,
        what_if: Draw,
        invoking: Invoking,
        asynchronous: Asynchronous,
    ) -> None:
        self.live = live
        self.store = store
        self.events = events
        self.observer = observer
        self.asynchronous = asynchronous
        self._runtime = runtime
        self._code = code
        self._writer = writer
        self._declaring = declaring
        self._explain = explain
        self._invoking = invoking
        self._what_if = what_if

    async def change(self, ask: Ask, author: Author, *, expected: int | None = None) -> Done:
        """Make a change.

        Raises:
            StaleRevision: The live revision is not the expected one.
            Refused: The change breaks a rule.
            BrokenVersions: A version that it brings does not load.
        """
        return await self._writer.change(ask, Note(author), expected=expected)

    async def put_code(
        self,
        function: str,
        package: Package,
        author: Author,
        *,
        expected: int | None = None,
        configuration: Configuration | None = None,
    ) -> Done:
        """Give `$LATEST` new code; a function that does not exist is created.

        Args:
            function: Its name.
            package: The code.
            author: Who asks.
            expected: The revision that it must be applied to.
            configuration: That of a new function; an existing one keeps its own.
        """
        digest = await self._code.keep(package)

        def ask(snapshot: Snapshot) -> PutFunction:
            known = snapshot.functions.get(function)
            if known is None:
                return PutFunction(function, digest, configuration or Configuration())
            latest = known.versions[names.LATEST]
            return PutFunction(function, digest, latest.configuration, latest.description)

        return await self.change(ask, author, expected=expected)

    async def publish(
        self, function: str, description: str, author: Author, *, expected: int | None = None
    ) -> Done:
        """Freeze `$LATEST`, code and configuration, into the next number."""
        latest = _latest(self.live.snapshot, function)
        digest = await self._code.keep(await self._code.package_of(latest))
        change = Publish(
            function, digest, description=description, configuration=latest.configuration
        )
        return await self.change(change, author, expected=expected)

    async def roll_back(
        self,
        function: str,
        alias: str,
        to_revision: int | None,
        author: Author,
        *,
        expected: int | None = None,
    ) -> Done:
        """Bring back where an alias led: at a revision, or before its traffic was divided.

        Raises:
            StaleRevision: The live revision is not the expected one.
            Refused: With code `nothing-to-roll-back` or `unknown-revision`; or a version that
                the earlier state names is gone.
        """
        live = self.live.snapshot.revision
        if expected not in {None, live}:
            raise StaleRevision(expected or 0, live)  # before anything is said about its history
        path = ("functions", function, "aliases", alias)
        history = moves(await self.store.records(path=path, limit=MOVES), path)
        move = (
            earlier(history, alias) if to_revision is None else named(history, alias, to_revision)
        )
        route, description = parse_route(move.after, f"alias {alias!r} of function {function!r}")
        note = Note(author, restores=move.revision)
        change = PutAlias(function, alias, route, description)
        return await self._writer.change(change, note, expected=expected)

    async def package_of(self, function: str, version: str) -> Package:
        """The code of a version.

        Raises:
            FunctionNotFound: There is no such function.
            QualifierNotFound: It has no such version.
        """
        return await self._code.package_of(_version(self.live.snapshot, function, version))

    async def apply_file(
        self,
        file: Path | None,
        author: Author,
        *,
        dry_run: bool = False,
        expected: int | None = None,
    ) -> Applied:
        """Apply a stages.toml, or only tell what that would do."""
        if dry_run:
            return await self._declaring.preview(file)
        return await self._declaring.apply(file, author, expected=expected)

    async def export(self) -> Exported:
        """A stages.toml that reproduces the live state."""
        return await self._declaring.export()

    async def invoke(
        self, target: Target, routing_key: Mapping[str, str] | None, event: object
    ) -> Invoked:
        """Run a function once.

        Raises:
            FunctionNotFound: There is no such function.
            QualifierNotFound: It has no such version and no such alias.
            EventTooLarge: The event has more than 6 MB.
            WebFunction: The version answers HTTP requests only.
        """
        return await self._invoking.invoke(target, routing_key, event)

    def explain(
        self, stage: str, request: tuple[str, str, list[tuple[str, str]], str], draw: Draw | None
    ) -> Explanation:
        """Tell which version would answer a request, and why; nothing is invoked.

        Args:
            stage: A stage, by any name that reaches it.
            request: Method, path with query, headers, body.
            draw: Settles a weighted choice; `None` for dice that no request is decided with.

        Raises:
            RoutingError: No version can answer it.
        """
        return self._explain(self.live.snapshot, draw or self._what_if, stage, request)

    def sources(self) -> dict[str, Path]:
        """The source folder of each function that the applied file declares."""
        return self._declaring.sources()

    async def reload(self, function: str, folder: Path) -> None:
        """Load the edited code of `$LATEST`; a broken edit is told, and the old code stays."""
        known = self.live.snapshot.functions.get(function)
        if known is None:
            return
        latest, started = known.versions[names.LATEST], perf_counter()

        async def work() -> None:
            await asyncio.to_thread(self._runtime.reload, latest)

        try:
            if latest.code == str(folder):
                await self._writer.exclusively(work)
            else:
                edited = replace(latest, code=str(folder))
                await self.change(_put(edited), WATCHER)
        except GatewayError as error:
            self.events.publish(error_event(error, str(folder)))
        else:
            self.events.publish(Event.reload(function, perf_counter() - started))

    async def apply_edit(self) -> None:
        """Apply the edited file; a mistake in it is told, and the old state stays."""
        try:
            await self._declaring.apply(None, WATCHER)
        except GatewayError as error:
            self.events.publish(error_event(error, str(self._declaring.file)))


def _put(latest: FunctionVersion) -> PutFunction:
    return PutFunction(latest.function, latest.code, latest.configuration, latest.description)


def _latest(snapshot: Snapshot, function: str) -> FunctionVersion:
    return _version(snapshot, function, names.LATEST)


def _version(snapshot: Snapshot, function: str, number: str) -> FunctionVersion:
    known = snapshot.functions.get(function)
    if known is None:
        raise FunctionNotFound(function)
    version = known.versions.get(number)
    if version is None:
        raise QualifierNotFound(function, number)
    return version

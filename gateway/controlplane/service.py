"""Everything that can be asked of a running gateway; REST, pages and the watcher ask nobody else.

Reads look at the live snapshot or at the journal; whatever alters something goes to the one writer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Final

from gateway.controlplane.changing import Ask, Done, Note
from gateway.controlplane.declaring import Applied
from gateway.controlplane.events import Event
from gateway.controlplane.invoking import Invoked
from gateway.controlplane.lookups import latest_of, put_of, version_of
from gateway.controlplane.news import error_event
from gateway.controlplane.parts import Parts
from gateway.controlplane.rollback import move_back
from gateway.core import names
from gateway.core.alias import parse_route
from gateway.core.changes import Publish, PutAlias, PutFunction
from gateway.core.entries import Target
from gateway.core.errors import GatewayError
from gateway.core.explain import Explanation
from gateway.core.functions import Configuration, FunctionVersion
from gateway.core.snapshot import Snapshot
from gateway.core.split import Draw
from gateway.store.packages import Package
from gateway.store.protocol import Author

if TYPE_CHECKING:
    from gateway.config.export import Exported

WATCHER: Final = Author("watcher", "this machine")
"""Who asks for a change when a file was edited."""


class _Edited(Exception):
    """`$LATEST` is not any more what was packed."""


def _while_it_is(latest: FunctionVersion, change: Publish) -> Ask:
    """A change that is right only for the `$LATEST` from which it was made."""

    def ask(snapshot: Snapshot) -> Publish:
        if latest_of(snapshot, change.function) != latest:
            raise _Edited
        return change

    return ask


class Control(Parts):
    """A running gateway as its control plane sees it."""

    async def change(self, ask: Ask, author: Author, *, expected: int | None = None) -> Done:
        """Make a change.

        Raises:
            StaleRevision: The live revision is not the expected one.
            Refused: The change breaks a rule.
            BrokenVersions: A version that it brings does not load.
        """
        return await self.writer.change(ask, Note(author), expected=expected)

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
        digest = await self.code.keep(package)

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
        while True:
            latest = latest_of(self.live.snapshot, function)
            digest = await self.code.keep(await self.code.package_of(latest))
            change = Publish(
                function, digest, description=description, configuration=latest.configuration
            )
            try:
                ask = _while_it_is(latest, change)
                return await self.change(ask, author, expected=expected)
            except _Edited:  # meanwhile, here or on another node
                continue

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
        if expected is not None:
            await self.writer.expect(expected)  # before anything is said about its history
        move = await move_back(self.store, function, alias, to_revision)
        route, description = parse_route(move.after, f"alias {alias!r} of function {function!r}")
        note = Note(author, restores=move.revision)
        change = PutAlias(function, alias, route, description)
        return await self.writer.change(change, note, expected=expected)

    async def package_of(self, function: str, version: str) -> Package:
        """The code of a version.

        Raises:
            FunctionNotFound: There is no such function.
            QualifierNotFound: It has no such version.
        """
        return await self.code.package_of(version_of(self.live.snapshot, function, version))

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
            return await self.declaring.preview(file)
        return await self.declaring.apply(file, author, expected=expected)

    async def export(self) -> Exported:
        """A stages.toml that reproduces the live state."""
        return await self.declaring.export()

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
        request_id = self.invoking.new_id()
        work = self.invoking.invoke(target, routing_key, event, request_id)
        return await self.recent.around(target, request_id, work)

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
        return self.explainer(self.live.snapshot, draw or self.what_if, stage, request)

    def sources(self) -> dict[str, Path]:
        """The source folder of each function that the applied file declares."""
        return self.declaring.sources()

    async def reload(self, function: str, folder: Path) -> None:
        """Load the edited code of `$LATEST`; a broken edit is told, and the old code stays."""
        known = self.live.snapshot.functions.get(function)
        if known is None:
            return
        latest, started = known.versions[names.LATEST], perf_counter()

        async def work() -> None:
            await asyncio.to_thread(self.runtime.reload, latest)

        try:
            if latest.code == str(folder):
                await self.writer.exclusively(work)
            else:
                edited = replace(latest, code=str(folder))
                await self.change(put_of(edited), WATCHER)
        except GatewayError as error:
            self.events.publish(error_event(error, str(folder)))
        else:
            self.events.publish(Event.reload(function, perf_counter() - started))

    async def apply_edit(self) -> None:
        """Apply the edited file; a mistake in it is told, and the old state stays."""
        try:
            await self.declaring.apply(None, WATCHER)
        except GatewayError as error:
            self.events.publish(error_event(error, str(self.declaring.file)))

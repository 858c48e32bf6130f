"""A gateway that serves both planes from a thread of its own, on free ports of this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from functools import cached_property
from threading import Thread
from typing import Any, Self

import httpx

from gateway.app import Gateway, Setup
from gateway.core.errors import listed
from gateway.core.snapshot import Snapshot
from gateway.dataplane.limits import STEERING
from gateway.dataplane.server import HttpServer, bind
from gateway.serving import LOOPBACK


class Refused(AssertionError):
    """The gateway refused what a test asked of its control plane.

    Attributes:
        code: The stable name of the mistake.
    """

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


class RunningGateway:
    """A gateway that serves until it is closed.

    Args:
        setup: What it is built from.
        after: Called when everything is closed.

    Attributes:
        url: Where callers reach it.
        control_url: Where it is steered.
        seed: The seed of its dice.

    Raises:
        ConfigurationInvalid: The file is wrong.
        BrokenVersions: Some handlers do not load.
    """

    def __init__(self, setup: Setup, after: Callable[[], None] = lambda: None) -> None:
        self._setup = setup
        self._after = after
        self._started: Future[tuple[str, str]] = Future()
        self._ended: Future[None] = Future()
        self._thread = Thread(target=self._serve, name="gateway", daemon=True)
        self._thread.start()
        either: list[Future[Any]] = [self._started, self._ended]
        wait(either, return_when=FIRST_COMPLETED)
        if not self._started.done():
            self._end()
        self.url, self.control_url = self._started.result()
        self.seed = self._gateway.seed

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def client(self) -> httpx.Client:
        """A client of the data plane: `client.get("/release/orders/1")`."""
        return httpx.Client(base_url=self.url, trust_env=False)

    @cached_property
    def control(self) -> httpx.Client:
        """A client of the control plane."""
        return httpx.Client(base_url=self.control_url, trust_env=False)

    @property
    def snapshot(self) -> Snapshot:
        """What routes now; it never changes."""
        return self._gateway.live.snapshot

    @property
    def revision(self) -> int:
        """The number of what routes now."""
        return self.snapshot.revision

    def alias_set(self, alias: str, *, function: str | None = None, **route: Any) -> None:  # noqa: ANN401 - as stages.toml has it
        """Move an alias; takes effect on the next request.

        Args:
            alias: Its name.
            function: Its function; may be left out where there is only one.
            route: `version`, `weights`, `rules`, `split` and `sticky_by` as stages.toml has them;
                what is not named is cleared. `rules` may also be a table of versions by condition.

        Raises:
            Refused: The route is wrong; nothing has changed.
        """
        rules = route.get("rules")
        if isinstance(rules, Mapping):
            route["rules"] = [{"when": when, "version": v} for when, v in rules.items()]
        name = function or self._only_function()
        self._asked("PUT", f"/api/functions/{name}/aliases/{alias}", route)

    def explain(
        self,
        method: str,
        path: str,
        *,
        stage: str,
        headers: Mapping[str, str] | None = None,
        **more: Any,  # noqa: ANN401 - as the control plane takes it
    ) -> dict[str, Any]:
        """Which version would answer a request, and why; nothing is invoked.

        Args:
            method: The HTTP method.
            path: The path without the stage.
            stage: The stage.
            headers: Headers.
            more: `body`, and `draw` to settle a weighted choice.

        Raises:
            Refused: It leads nowhere.
        """
        asked = {"method": method, "path": path, "stage": stage, "headers": dict(headers or {})}
        return self._asked("POST", "/api/explain", asked | more)

    def close(self) -> None:
        """Let go of everything; once more does no harm."""
        for name in ("client", "control"):
            client = self.__dict__.pop(name, None)
            if client is not None:
                client.close()
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop)
            self._end()

    def _only_function(self) -> str:
        functions = self.snapshot.functions
        if len(functions) != 1:
            raise Refused("missing-key", f"which function? There are {listed(functions)}")
        return next(iter(functions))

    def _asked(self, method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        answer = self.control.request(method, path, json=body)
        told: dict[str, Any] = answer.json()
        if answer.is_error:
            raise Refused(told["code"], told["detail"])
        return told

    def _end(self) -> None:
        """Wait for the thread, and raise what ended it too early."""
        self._thread.join()
        self._after()
        self._ended.result()

    def _serve(self) -> None:
        """The thread; what goes wrong in it is raised where it is waited for."""
        try:
            asyncio.run(self._run())
        except BaseException as error:  # noqa: BLE001 - whatever it is
            self._ended.set_exception(error)
        else:
            self._ended.set_result(None)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        gateway = self._gateway = await Gateway.open(self._setup)
        try:
            servers = self._servers = [
                HttpServer(gateway.plane, bind(LOOPBACK, 0), sockets=True),
                HttpServer(gateway.control, bind(LOOPBACK, 0), edge=STEERING),
            ]
            gateway.forwarder.dialler.spare(server.listener for server in servers)
            async with asyncio.TaskGroup() as group:
                for server in servers:
                    group.create_task(server.run_until_stopped())
                for server in servers:
                    await server.ready.wait()
                self._started.set_result((servers[0].url, servers[1].url))
        finally:
            await gateway.close()

    def _stop(self) -> None:
        self._gateway.events.close()
        for server in self._servers:
            server.stop(force=True)

"""Features of one API in one stage: what is asked before it answers, and done to its answer.

A guard is compiled once for a snapshot, and only where features are declared: the way of all
other requests does not know that there are any.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.core.access import UsagePlan
from gateway.core.errors import RoutingError
from gateway.core.overlays import NO_OVERLAY, Window
from gateway.core.snapshot import Api, Service, Stage
from gateway.dataplane.answer import Answer
from gateway.dataplane.asgi import Message, Scope, Send
from gateway.dataplane.exchange import REPLY
from gateway.dataplane.features_addresses import AddressLimit, AddressLimits
from gateway.dataplane.features_callers import admission
from gateway.dataplane.features_cors import ASKED, is_preflight
from gateway.dataplane.features_gzip import Compressing, takes_gzip
from gateway.dataplane.features_limits import Bucket, Limits, admitted
from gateway.dataplane.features_pages import Pages, pages_of
from gateway.dataplane.features_parameters import Parameters
from gateway.dataplane.features_refusals import AddressRefused, RateExceeded
from gateway.dataplane.features_usage import Holder, Holders, Usage
from gateway.dataplane.request import HttpRequest


class Guards:
    """Makes guards, and keeps what outlives a snapshot.

    Args:
        clock: Nanoseconds of a clock that never goes back.
        today: Seconds since the epoch, which signed dates are held against.
    """

    def __init__(self, clock: Callable[[], int], today: Callable[[], float]) -> None:
        self.clock = clock
        self._today = today
        self._limits = Limits()
        self._addresses = AddressLimits()
        self._usages: dict[tuple[str, str], Usage] = {}
        self._paged: dict[tuple[str, str], tuple[Stage, bool]] = {}

    def guard(self, service: Service, stage: Stage, api: Api) -> Guard | None:
        """The guard of an API in a stage; `None` where it has no feature that needs one.

        Args:
            service: The service, because stages of two of them share no limit.
            stage: The stage.
            api: The API.
        """
        own, shared = api.features, stage.features
        asked = api.method in {"ANY", "OPTIONS"} and self._lets_pages_in(service.id, stage)
        guard = Guard(stage, api, self.clock)
        overlay = shared.overlays.get(api.id, NO_OVERLAY)
        doors = (admission(shared.allow, shared.deny), admission(overlay.allow, overlay.deny))
        guard.admits = tuple(door for door in doors if door is not None)
        guard.buckets = self._buckets(service.id, stage, api)
        guard.addresses = self._address_limits(service.id, stage, api)
        guard.holders = self._holders(service, stage, api) if own.auth == "key" else None
        declared = own.parameters or own.constants
        guard.parameters = Parameters(api) if declared else None
        before = guard.admits or guard.buckets or guard.addresses or guard.holders
        return guard if before or declared or asked or guard.pages or own.gzip else None

    def _lets_pages_in(self, service: str, stage: Stage) -> bool:
        """Whether pages of other origins may call any API of a stage; found out once for each.

        Every one of ten thousand APIs would ask all the others.
        """
        known = self._paged.get((service, stage.name))
        if known is None or known[0] is not stage:
            found = any(pages_of(stage, api) for api in stage.apis)
            known = self._paged[service, stage.name] = stage, found
        return known[1]

    def _holders(self, service: Service, stage: Stage, api: Api) -> Holders:
        def shared(name: str, plan: UsagePlan) -> tuple[Usage, tuple[Bucket, ...]]:
            usage = self._usages.setdefault((service.id, name), Usage())
            if plan.throttle is None:
                return usage, ()
            key = ("plan", "of", service.id, name)
            return usage, (self._limits.bucket(key, plan.throttle, self.clock()),)

        def opened(plan: UsagePlan) -> bool:
            return plan.opens(stage.name, api.id)

        return Holders(service.access, opened, self._today, shared)

    def _buckets(self, service: str, stage: Stage, api: Api) -> tuple[Bucket, ...]:
        rates = {
            (service, stage.name): stage.features.throttle,
            (service, stage.name, api.id): api.features.throttle,
        }
        now = self.clock()
        limits = [
            self._limits.bucket(name, rate, now) for name, rate in rates.items() if rate is not None
        ]
        limits += [
            self._limits.bucket((service, *name), window.requests, now, window.seconds)
            for name, window in _windows(stage, api, "api")
        ]
        return tuple(limits)

    def _address_limits(self, service: str, stage: Stage, api: Api) -> tuple[AddressLimit, ...]:
        return tuple(
            self._addresses.limit((service, *name), window.requests, window.seconds)
            for name, window in _windows(stage, api, "address")
        )


def _windows(stage: Stage, api: Api, per: str) -> list[tuple[tuple[str, ...], Window]]:
    """The windows that an overlay has for an API, each with its name."""
    windows = stage.features.overlays.get(api.id, NO_OVERLAY).windows
    return [
        ((stage.name, api.id, "window", str(number)), window)
        for number, window in enumerate(windows)
        if window.per == per
    ]


class Guard:
    """What stands before one API of one stage.

    Args:
        stage: The stage.
        api: The API.
        clock: Nanoseconds.

    Attributes:
        admits: Whether an address may call: everybody may where there is nothing.
        buckets: The limits that a request counts against.
        addresses: The limits that every address has for itself.
        pages: Which pages of other origins may call; `None` where nothing is said of them.
        holders: Who may call; `None` where no key is asked for.
        parameters: The parameters that it declares; `None` where there is none.
    """

    __slots__ = (
        *("_clock", "_gzip", "_stage", "addresses", "admits"),
        *("buckets", "holders", "pages", "parameters"),
    )

    def __init__(self, stage: Stage, api: Api, clock: Callable[[], int]) -> None:
        self._stage = stage
        self._gzip = api.features.gzip
        self._clock = clock
        self.pages = pages_of(stage, api)
        self.admits: tuple[Callable[[str], bool], ...] = ()
        self.buckets: tuple[Bucket, ...] = ()
        self.addresses: tuple[AddressLimit, ...] = ()
        self.holders: Holders | None = None
        self.parameters: Parameters | None = None

    def ask(self, request: HttpRequest, scope: Scope) -> Answer | None:
        """Let a request through, or answer it: browsers that ask first cost no limit anything.

        Raises:
            RoutingError: It is turned away.
        """
        if self.admits and not all(admits(_host(scope)) for admits in self.admits):
            raise AddressRefused
        if is_preflight(scope["method"], request.headers):
            pages = self._pages_asked(request)
            if pages is not None:
                return pages.preflight(request.headers)
        now, buckets = self._clock(), self.buckets
        if self.addresses:
            host = _host(scope)
            buckets = (*buckets, *(limit.bucket(host, now) for limit in self.addresses))
        if self.holders is not None:
            self._ask_key(self.holders, request, scope, buckets)
        elif not admitted(buckets, now):
            raise RateExceeded
        return None

    def _ask_key(
        self, holders: Holders, request: HttpRequest, scope: Scope, buckets: tuple[Bucket, ...]
    ) -> None:
        request.holder = holder = holders.who(request.headers, scope)
        holder.check_quota()
        if not admitted((*buckets, *holder.buckets), self._clock()):
            raise RateExceeded
        holder.use()

    def dressing(self, request: HttpRequest, scope: Scope, send: Send) -> tuple[Scope, Send]:
        """The scope and the `send` with which the API is to answer."""
        if self.pages is None and not self._gzip and self.holders is None:
            return scope, send
        if self._gzip and scope["method"] != "HEAD":
            taken = takes_gzip(request.headers.get("accept-encoding", ""))
            send = Compressing(send, taken=taken)
        extensions = {**scope.get("extensions", {})}
        extensions.pop(REPLY, None)  # a whole answer in one call would pass the rest by
        return {**scope, "extensions": extensions}, _telling(
            send, request, self.pages, scope["method"]
        )

    def _pages_asked(self, request: HttpRequest) -> Pages | None:
        """Which pages may call the API that a browser asks about; it may be another one."""
        try:
            wanted, _ = self._stage.table.match(request.headers[ASKED], request.path)
        except RoutingError:
            return None
        return pages_of(self._stage, wanted)


def _host(scope: Scope) -> str:
    client = scope["client"]
    return str(client[0]) if client else ""


def _telling(send: Send, request: HttpRequest, pages: Pages | None, method: str) -> Send:
    async def telling(message: Message) -> None:
        if message["type"] == "http.response.start":
            holder: Holder | None = getattr(request, "holder", None)
            if holder is not None:
                message["headers"] = [*message["headers"], *holder.headers()]
            if pages is not None:
                message["headers"] = pages.told(message["headers"], method, request.headers)
        await send(message)

    return telling

"""Features of one API in one stage: what is asked before it answers, and done to its answer.

A guard is compiled once for a snapshot, and only where features are declared: the way of all
other requests does not know that there are any.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.core.access import UsagePlan
from gateway.core.errors import RoutingError
from gateway.core.snapshot import Api, Service, Stage
from gateway.dataplane.answer import Answer
from gateway.dataplane.asgi import Message, Scope, Send
from gateway.dataplane.exchange import REPLY
from gateway.dataplane.features_callers import admission
from gateway.dataplane.features_cors import ASKED, is_preflight, preflight, with_origin
from gateway.dataplane.features_gzip import Compressing, takes_gzip
from gateway.dataplane.features_limits import Bucket, Limits, admitted
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
        self._usages: dict[tuple[str, str], Usage] = {}

    def guard(self, service: Service, stage: Stage, api: Api) -> Guard | None:
        """The guard of an API in a stage; `None` where it has no feature that needs one.

        Args:
            service: The service, because stages of two of them share no limit.
            stage: The stage.
            api: The API.
        """
        own, shared = api.features, stage.features
        asked = api.method in {"ANY", "OPTIONS"} and any(a.features.cors for a in stage.apis)
        guard = Guard(stage, api, self.clock)
        guard.admits = admission(shared.allow, shared.deny)
        guard.buckets = self._buckets(service.id, stage, api)
        guard.holders = self._holders(service, stage) if own.auth == "key" else None
        declared = own.parameters or own.constants
        guard.parameters = Parameters(api) if declared else None
        before = guard.admits or guard.buckets or guard.holders or declared or asked
        return guard if before or own.cors or own.gzip else None

    def _holders(self, service: Service, stage: Stage) -> Holders:
        def shared(name: str, plan: UsagePlan) -> tuple[Usage, tuple[Bucket, ...]]:
            usage = self._usages.setdefault((service.id, name), Usage())
            if plan.throttle is None:
                return usage, ()
            key = ("plan", "of", service.id, name)
            return usage, (self._limits.bucket(key, plan.throttle, self.clock()),)

        return Holders(service.access, stage.name, self._today, shared)

    def _buckets(self, service: str, stage: Stage, api: Api) -> tuple[Bucket, ...]:
        rates = {
            (service, stage.name): stage.features.throttle,
            (service, stage.name, api.id): api.features.throttle,
        }
        now = self.clock()
        return tuple(
            self._limits.bucket(name, rate, now) for name, rate in rates.items() if rate is not None
        )


class Guard:
    """What stands before one API of one stage.

    Args:
        stage: The stage.
        api: The API.
        clock: Nanoseconds.

    Attributes:
        admits: Whether an address may call; `None` where everybody may.
        buckets: The limits that a request counts against.
        holders: Who may call; `None` where no key is asked for.
        parameters: The parameters that it declares; `None` where there is none.
    """

    __slots__ = ("_clock", "_cors", "_gzip", "_stage", "admits", "buckets", "holders", "parameters")

    def __init__(self, stage: Stage, api: Api, clock: Callable[[], int]) -> None:
        self._stage = stage
        self._cors = api.features.cors
        self._gzip = api.features.gzip
        self._clock = clock
        self.admits: Callable[[str], bool] | None = None
        self.buckets: tuple[Bucket, ...] = ()
        self.holders: Holders | None = None
        self.parameters: Parameters | None = None

    def ask(self, request: HttpRequest, scope: Scope) -> Answer | None:
        """Let a request through, or answer it: browsers that ask first cost no limit anything.

        Raises:
            RoutingError: It is turned away.
        """
        if self.admits is not None:
            client = scope["client"]
            if not self.admits(client[0] if client else ""):
                raise AddressRefused
        if is_preflight(scope["method"], request.headers) and self._open_to(request):
            return preflight(request.headers)
        if self.holders is not None:
            self._ask_key(self.holders, request, scope)
        elif not admitted(self.buckets, self._clock()):
            raise RateExceeded
        return None

    def _ask_key(self, holders: Holders, request: HttpRequest, scope: Scope) -> None:
        request.holder = holder = holders.who(request.headers, scope)
        holder.check_quota()
        if not admitted((*self.buckets, *holder.buckets), self._clock()):
            raise RateExceeded
        holder.use()

    def dressing(self, request: HttpRequest, scope: Scope, send: Send) -> tuple[Scope, Send]:
        """The scope and the `send` with which the API is to answer."""
        if not self._cors and not self._gzip and self.holders is None:
            return scope, send
        if self._gzip and scope["method"] != "HEAD":
            taken = takes_gzip(request.headers.get("accept-encoding", ""))
            send = Compressing(send, taken=taken)
        extensions = {**scope.get("extensions", {})}
        extensions.pop(REPLY, None)  # a whole answer in one call would pass the rest by
        return {**scope, "extensions": extensions}, _telling(send, request, cors=self._cors)

    def _open_to(self, request: HttpRequest) -> bool:
        """Whether pages may call the API that a browser asks about; it may be another one."""
        try:
            wanted, _ = self._stage.table.match(request.headers[ASKED], request.path)
        except RoutingError:
            return False
        return wanted.features.cors


def _telling(send: Send, request: HttpRequest, *, cors: bool) -> Send:
    async def telling(message: Message) -> None:
        if message["type"] == "http.response.start":
            holder: Holder | None = getattr(request, "holder", None)
            if holder is not None:
                message["headers"] = [*message["headers"], *holder.headers()]
            if cors:
                message["headers"] = with_origin(message["headers"])
        await send(message)

    return telling

"""Usage plans: which key may call a stage, how often, and what is left of its plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from gateway.core.access import Access, UsagePlan
from gateway.dataplane.answer import Header
from gateway.dataplane.asgi import Scope
from gateway.dataplane.features_limits import Bucket
from gateway.dataplane.features_refusals import NoUsagePlan, QuotaExceeded, Unauthorized
from gateway.dataplane.features_signatures import check_date, signed, verify

_UNLIMITED: Final = "unlimited"


class Usage:
    """What holders of the keys of one plan did together; outlives snapshots.

    Attributes:
        used: Requests that were answered.
    """

    __slots__ = ("used",)

    def __init__(self) -> None:
        self.used = 0


class Holder:
    """A key under a plan of one stage.

    Args:
        key: The key's id.
        named: The plan and its name.
        usage: What was used of it.
        buckets: Its limit of requests per second, if it has one.

    Attributes:
        key: The key's id.
        buckets: Its limit of requests per second, if it has one.
    """

    __slots__ = ("_name", "_plan", "_usage", "buckets", "key")

    def __init__(
        self, key: str, named: tuple[str, UsagePlan], usage: Usage, buckets: tuple[Bucket, ...]
    ) -> None:
        self.key = key
        self._name, self._plan = named
        self._usage = usage
        self.buckets = buckets

    def check_quota(self) -> None:
        """Turn away whose plan has nothing left.

        Raises:
            QuotaExceeded: It has nothing left.
        """
        if self._plan.quota is not None and self._usage.used >= self._plan.quota:
            raise QuotaExceeded

    def use(self) -> None:
        """Count one request."""
        self._usage.used += 1

    def headers(self) -> Iterator[Header]:
        """What an answer says of the plan."""
        quota = self._plan.quota or _UNLIMITED
        said = {
            "x-secret-id": self.key,
            "x-usageplan-id": self._name,
            "x-ratelimit-limit": str(self._plan.throttle or _UNLIMITED),
            "x-ratelimit-used": f"{self._usage.used}/{quota}",
        }
        return ((name.encode(), value.encode()) for name, value in said.items())


class Holders:
    """Everybody who may call one API of one stage with a key.

    Args:
        access: The keys and plans of the service.
        opened: Whether a plan opens the API that is called.
        today: Seconds since the epoch.
        shared: Gives what a plan, by its name, has used, and its limit.
    """

    __slots__ = ("_holders", "_secrets", "_today")

    def __init__(
        self,
        access: Access,
        opened: Callable[[UsagePlan], bool],
        today: Callable[[], float],
        shared: Callable[[str, UsagePlan], tuple[Usage, tuple[Bucket, ...]]],
    ) -> None:
        self._today = today
        self._secrets = {key.id: key.secret for key in access.keys.values()}
        self._holders: dict[str, Holder] = {}
        for name, plan in access.plans.items():
            if opened(plan):
                usage, buckets = shared(name, plan)
                for key in (access.keys[each].id for each in plan.keys):
                    holder = Holder(key, (name, plan), usage, buckets)
                    self._holders.setdefault(key, holder)

    def who(self, headers: Mapping[str, str], scope: Scope) -> Holder:
        """Who signed a request.

        Raises:
            Unauthorized: Nobody whose key is known did.
            NoUsagePlan: The key is in no plan of the stage.
        """
        if [name.lower() for name, _ in scope["headers"]].count(b"authorization") > 1:
            raise Unauthorized("HMAC do not support multiple HTTP header.")
        said = signed(headers.get("authorization"))
        secret = self._secrets.get(said.id)
        if secret is None:
            raise Unauthorized("HMAC apikey is invalid for API.")
        check_date(headers, self._today())
        verify(said, secret, headers)
        holder = self._holders.get(said.id)
        if holder is None:
            raise NoUsagePlan
        return holder

"""Who may call APIs that ask for a key: key pairs, and the usage plans that bind them to stages.

They belong to a service and are in force at once: releasing is about APIs, not about who calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from gateway.core.features import RATES
from gateway.core.typed import typed

HIDDEN: Final = "***"
"""What is shown of a secret."""

QUOTAS: Final = range(1, 10**12 + 1)
"""Requests that a usage plan may allow in all."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key pair.

    Attributes:
        id: What a caller names; sent with every request.
        secret: What a caller signs with; never sent.
    """

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class UsagePlan:
    """What holders of some keys may do.

    Attributes:
        keys: Names of the keys.
        stages: The stages that they may call.
        throttle: Requests per second of all of them together; `None` for any number.
        quota: Requests of all of them together, ever; `None` for any number.
        apis: Single APIs that they may call beside, each as `stage/api`.
    """

    keys: tuple[str, ...]
    stages: tuple[str, ...]
    throttle: int | None = None
    quota: int | None = None
    apis: tuple[str, ...] = ()

    def opens(self, stage: str, api: str) -> bool:
        """Whether holders may call an API in a stage."""
        return stage in self.stages or f"{stage}/{api}" in self.apis


@dataclass(frozen=True, slots=True)
class Access:
    """The keys and usage plans of a service.

    Attributes:
        keys: Key pairs by name.
        plans: Usage plans by name; of several with one key and stage the first counts.
    """

    keys: Mapping[str, Key] = field(default_factory=dict)
    plans: Mapping[str, UsagePlan] = field(default_factory=dict)


NO_ACCESS: Final = Access()


def access_plain(access: Access) -> dict[str, dict[str, object]]:
    """Keys and usage plans as the journal keeps them, secrets included."""
    return {
        "keys": {name: {"id": k.id, "secret": k.secret} for name, k in access.keys.items()},
        "plans": {name: _plan_plain(plan) for name, plan in access.plans.items()},
    }


def access_shown(access: Access) -> dict[str, dict[str, object]]:
    """Keys and usage plans as they are shown: without secrets, and nothing where there is none."""
    shown = access_plain(without_secrets(access))
    return {key: table for key, table in shown.items() if table}


def without_secrets(access: Access) -> Access:
    """The same keys and plans with stars for secrets."""
    return replace(access, keys={n: replace(k, secret=HIDDEN) for n, k in access.keys.items()})


def read_access(raw: Mapping[str, Any]) -> Access:
    """What `access_plain` wrote.

    Raises:
        KeyError, TypeError, ValueError: It wrote none like this.
    """
    access = Access(
        {
            typed(name, str): Key(typed(key["id"], str), typed(key["secret"], str))
            for name, key in typed(raw["keys"], dict).items()
        },
        {typed(name, str): _read_plan(plan) for name, plan in typed(raw["plans"], dict).items()},
    )
    if access_plain(access) != raw:
        raise ValueError("keys and plans have other fields")
    return access


def _plan_plain(plan: UsagePlan) -> dict[str, object]:
    said: dict[str, object] = {"keys": list(plan.keys), "stages": list(plan.stages)}
    more = {"throttle": plan.throttle, "quota": plan.quota, "apis": list(plan.apis) or None}
    return said | {name: value for name, value in more.items() if value is not None}


def _read_plan(raw: Mapping[str, Any]) -> UsagePlan:
    throttle, quota = raw.get("throttle"), raw.get("quota")
    if throttle is not None and typed(throttle, int) not in RATES:
        raise ValueError(f"{throttle!r} is no limit of requests per second")
    if quota is not None and typed(quota, int) not in QUOTAS:
        raise ValueError(f"{quota!r} is no number of requests")
    keys, stages = _texts(raw["keys"]), _texts(raw["stages"])
    return UsagePlan(keys, stages, throttle, quota, _texts(raw.get("apis", [])))


def _texts(raw: Any) -> tuple[str, ...]:  # noqa: ANN401 - what it is, is checked
    return tuple(typed(each, str) for each in typed(raw, list))

"""Key pairs in the cloud's words: they are kept for all services, and in force through plans."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from gateway.controlplane.cloud.apigateway import codes
from gateway.controlplane.cloud.apigateway.known import (
    KEYS,
    PLANS,
    altered_at,
    check_one_of,
    fitting,
    known,
    made_at,
    page,
)
from gateway.controlplane.cloud.apigateway.plan_requests import (
    CreateApiKey,
    KeyRequest,
    UpdateApiKey,
)
from gateway.controlplane.cloud.apigateway.requests import Page
from gateway.controlplane.cloud.apigateway.settling import settled
from gateway.controlplane.cloud.asked import Asked, Fields
from gateway.controlplane.cloud.errors import fail
from gateway.controlplane.cloud.times import Times
from gateway.core.changes import Batch, PutResource
from gateway.core.errors import listed
from gateway.core.resources import NONE, Content
from gateway.core.snapshot import Snapshot

MOST: Final = 400
TYPES: Final = ("auto", "manual")
FILTERS: Final = {
    "AccessKeyId": "AccessKeyId",
    "AccessKeySecret": "AccessKeySecret",
    "SecretName": "SecretName",
    "Status": "Status",
}
LONGEST_NAME: Final = 50
_ID: Final = re.compile(r"[A-Za-z0-9_]{5,50}")
_SECRET: Final = re.compile(r"[A-Za-z0-9_]{10,50}")


async def create_key(asked: Asked) -> Fields:
    """A new key pair, by chance or as it is given."""
    given = asked.given(CreateApiKey)
    if not 1 <= len(given.SecretName) <= LONGEST_NAME:
        message = f"SecretName is {given.SecretName!r:.80}; allowed: 1 to {LONGEST_NAME} characters"
        fail(codes.FORMAT, message)
    check_one_of("AccessKeyType", given.AccessKeyType, TYPES, codes.FORMAT)
    key, secret = f"AKID{_chance(asked)}", _chance(asked)
    if given.AccessKeyType == "manual":
        key = _checked("AccessKeyId", given.AccessKeyId, _ID, "5 to 50")
        secret = _checked("AccessKeySecret", given.AccessKeySecret, _SECRET, "10 to 50")
    content = {
        "name": given.SecretName,
        "secret": secret,
        "type": given.AccessKeyType,
        "enabled": True,
    }

    def ask(snapshot: Snapshot) -> PutResource:
        there = snapshot.resources.get(KEYS, NONE)
        if key in there:
            fail(codes.KEY_EXISTS, f"there is a key {key!r} already")
        if len(there) >= MOST:
            fail(codes.MANY_KEYS, f"there are {MOST} keys; allowed: at most {MOST}")
        return PutResource(KEYS, key, content)

    await asked.change(ask)
    return await _shown(asked, key)


async def describe_key(asked: Asked) -> Fields:
    """One key pair, its secret included: who asks has signed with a better one."""
    given = asked.given(KeyRequest)
    key_named(asked.snapshot, given.AccessKeyId)
    return await _shown(asked, given.AccessKeyId)


async def list_keys(asked: Asked) -> Fields:
    """Every key pair, page by page."""
    given, times = asked.given(Page), await asked.told_times()
    told = [key_shown(k, c, times) for k, c in asked.snapshot.resources.get(KEYS, NONE).items()]
    found = fitting(told, given, FILTERS)
    return {"Result": {"TotalCount": len(found), "ApiKeySet": page(found, given)}}


async def update_key(asked: Asked) -> Fields:
    """Another secret: a given one for keys that were given, else one by chance."""
    given, chance = asked.given(UpdateApiKey), _chance(asked)

    def other(content: Content) -> dict[str, Any]:
        secret = chance
        if content["type"] == "manual" or given.AccessKeySecret is not None:
            secret = _checked("AccessKeySecret", given.AccessKeySecret, _SECRET, "10 to 50")
        return {"secret": secret}

    await _alter(asked, given.AccessKeyId, other)
    return await _shown(asked, given.AccessKeyId)


async def enable_key(asked: Asked) -> Fields:
    """A key pair that is good again."""
    await _alter(asked, asked.given(KeyRequest).AccessKeyId, lambda _: {"enabled": True})
    return {"Result": True}


async def disable_key(asked: Asked) -> Fields:
    """A key pair that lets nobody in."""
    await _alter(asked, asked.given(KeyRequest).AccessKeyId, lambda _: {"enabled": False})
    return {"Result": True}


async def delete_key(asked: Asked) -> Fields:
    """A key pair that goes: it must be disabled, and in no plan."""
    given = asked.given(KeyRequest)

    def ask(snapshot: Snapshot) -> PutResource:
        content = key_named(snapshot, given.AccessKeyId)
        bound = plans_with(snapshot, given.AccessKeyId)
        if bound:
            message = f"the key {given.AccessKeyId!r} is in the plans {listed(bound)}"
            fail(codes.KEY_BOUND, f"{message}; unbind it first")
        if content["enabled"]:
            fail(codes.KEY_ON, f"the key {given.AccessKeyId!r} is enabled; disable it first")
        return PutResource(KEYS, given.AccessKeyId, None)

    await asked.change(ask)
    return {"Result": True}


def key_named(snapshot: Snapshot, key: str) -> Content:
    """A key pair that exists.

    Raises:
        CloudError: There is none.
    """
    return known(snapshot.resources.get(KEYS, NONE), key, ("key", codes.NO_KEY))


def plans_with(snapshot: Snapshot, key: str) -> list[str]:
    """The usage plans that a key is in."""
    plans = snapshot.resources.get(PLANS, NONE)
    return [name for name, plan in plans.items() if key in plan["keys"]]


def key_shown(key: str, content: Content, times: Times) -> Fields:
    """A key pair as the cloud tells it."""
    path = ("resources", KEYS, key)
    return {
        "AccessKeyId": key,
        "AccessKeySecret": content["secret"],
        "AccessKeyType": content["type"],
        "SecretName": content["name"],
        "Status": int(content["enabled"]),
        "CreatedTime": made_at(times, path),
        "ModifiedTime": altered_at(times, path),
        "Tags": [],
    }


async def _alter(asked: Asked, key: str, other: Callable[[Content], dict[str, Any]]) -> None:
    def ask(snapshot: Snapshot) -> Batch:
        content = key_named(snapshot, key)
        return settled(snapshot, [PutResource(KEYS, key, {**content, **other(content)})])

    await asked.change(ask)


async def _shown(asked: Asked, key: str) -> Fields:
    times = await asked.told_times()
    return {"Result": key_shown(key, asked.snapshot.resources[KEYS][key], times)}


def _chance(asked: Asked) -> str:
    return asked.new_id().replace("-", "")


def _checked(what: str, given: str | None, pattern: re.Pattern[str], length: str) -> str:
    if given is None:
        fail("MissingParameter", f"the parameter {what} is missing: the key is of the type manual")
    if pattern.fullmatch(given) is None:  # it may be a secret, so it is not told
        fail(codes.FORMAT, f"{what} cannot be used; allowed: {length} letters, digits and '_'")
    return given

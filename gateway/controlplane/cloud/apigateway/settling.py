"""What follows from resources for requests: changed together with them, in one revision.

Keys, plans, plugins and limits are kept as the cloud has them: across services, and also where
nobody calls yet. What of them is in force at a service or a stage is computed here and nowhere
else, so that it is the same whichever action altered what.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from gateway.controlplane.cloud.apigateway.attaching import is_at, place
from gateway.controlplane.cloud.apigateway.known import (
    KEYS,
    PLANS,
    PLUGINS,
    SERVICES,
    STRATEGIES,
)
from gateway.controlplane.cloud.apigateway.plugin_data import overlaid
from gateway.core.access import Access, Key, UsagePlan
from gateway.core.apply import apply
from gateway.core.changes import Batch, Change, PutService, Release
from gateway.core.features import StageFeatures
from gateway.core.overlays import NO_OVERLAY, Overlay, Window
from gateway.core.resources import NONE, Content, Group
from gateway.core.snapshot import Service, Snapshot, Stage

USUAL_STRATEGY: Final = 5000
"""Requests per second that a stage answers where nobody set another limit."""

UNLIMITED: Final = -1
"""The cloud's number for no limit."""


def settled(snapshot: Snapshot, steps: Sequence[Change]) -> Batch:
    """Changes, and what follows from them.

    Args:
        snapshot: What they are applied to.
        steps: The changes.

    Raises:
        Refused: One of them breaks a rule.
    """
    after = snapshot
    for step in steps:
        after = apply(after, step)
    return Batch((*steps, *_following(snapshot, after)))


def _following(before: Snapshot, after: Snapshot) -> Iterator[Change]:
    for service in after.services.values():
        access = _access(before, after, service)
        if access != service.access:
            yield PutService(service.id, service.name, service.apis, access)
        for stage in service.stages.values():
            features = _features(after, service, stage)
            if features != stage.features:
                said = (stage.apis, stage.variables, features, stage.edition)
                yield Release(service.id, stage.name, *said)


def _access(before: Snapshot, after: Snapshot, service: Service) -> Access:
    """Who may call: what others have set stays, what is kept here replaces what was."""
    plans, keys = (after.resources.get(group, NONE) for group in (PLANS, KEYS))
    ours = {
        group: {*before.resources.get(group, NONE), *after.resources.get(group, NONE)}
        for group in (PLANS, KEYS)
    }
    bound = {
        key: (plan, [each for each in plan["bindings"] if each["service"] == service.id])
        for key, plan in plans.items()
    }
    bound = {key: pair for key, pair in bound.items() if pair[1]}
    used = {name for plan, _ in bound.values() for name in plan["keys"]}
    return Access(
        {
            **{n: key for n, key in service.access.keys.items() if n not in ours[KEYS]},
            **{n: Key(n, keys[n]["secret"]) for n in keys if n in used and keys[n]["enabled"]},
        },
        {
            **{n: plan for n, plan in service.access.plans.items() if n not in ours[PLANS]},
            **{n: _plan(plan, bindings, keys) for n, (plan, bindings) in bound.items()},
        },
    )


def _plan(plan: Content, bindings: Sequence[Content], keys: Group) -> UsagePlan:
    return UsagePlan(
        tuple(name for name in plan["keys"] if keys[name]["enabled"]),
        tuple(each["stage"] for each in bindings if each["api"] is None),
        None if plan["rate"] == UNLIMITED else plan["rate"],
        None if plan["quota"] == UNLIMITED else plan["quota"],
        tuple(f"{each['stage']}/{each['api']}" for each in bindings if each["api"] is not None),
    )


def _features(snapshot: Snapshot, service: Service, stage: Stage) -> StageFeatures:
    strategies = snapshot.resources.get(STRATEGIES, NONE)
    rate = stage.features.throttle
    own = strategies.get(f"{service.id}/{stage.name}")
    if own is not None:
        rate = own["rate"]
    elif snapshot.resources.get(SERVICES, NONE).get(service.id, {}).get("made"):
        rate = USUAL_STRATEGY
    overlays = {
        api.id: overlay
        for api in stage.apis
        if (overlay := _overlay(snapshot, service.id, stage.name, api.id)) != NO_OVERLAY
    }
    return replace(stage.features, throttle=rate, overlays=overlays)


def _overlay(snapshot: Snapshot, service: str, stage: str, api: str) -> Overlay:
    """What is in force for one API of a stage beside what was released."""
    overlay = NO_OVERLAY
    own = snapshot.resources.get(STRATEGIES, NONE).get(f"{service}/{stage}/{api}")
    if own is not None:
        overlay = Overlay((Window(own["rate"]),))
    at = place(service, stage, api)
    for plugin in snapshot.resources.get(PLUGINS, NONE).values():
        if any(is_at(each, at) for each in plugin["attached"]):
            overlay = overlaid(overlay, plugin["type"], plugin["data"])
    return overlay

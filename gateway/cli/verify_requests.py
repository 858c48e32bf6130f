"""Requests made up for a stage: to the APIs of its function, by users whom no rule singles out.

They are written as a recording, the one form in which load tests take requests that they did not
make themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPMethod
from typing import Any, Final

from gateway.cli.exits import Exit
from gateway.cli.failures import fail
from gateway.cli.verify_expected import Wish
from gateway.core.routes import parse_path
from gateway.traffic.recording import Recorded

BOB_RULE: Final = "invoke.headers.User exact Bob"
"""The rule whose caller the load tests know by name."""

BOB: Final = "Bob"

VALUES: Final = 20
"""Values of a path's parameter."""

_PARAMETER: Final = re.compile(r"\{[^}]*\}")

Place = tuple[str, str]
"""Where a sticky key is: its kind, and its name there."""


def made_up(wishes: Sequence[Wish], keys: int) -> Iterator[Recorded]:
    """Requests that every one of some stages answers, again and again.

    Args:
        wishes: What is known of each stage.
        keys: How many users there are, for a split that is sticky.
    """
    place = key_place(wishes[0]) if keys else None
    targets = _targets(wishes)
    if place is not None and place[0] == "path":
        targets = [target for target in targets if f"{{{place[1]}}}" in target[1]]
    for number in range(keys or VALUES * len(targets)):
        method, path = targets[number % len(targets)]
        value = str(number // len(targets) % VALUES + 1)
        if place is not None and place[0] == "path":
            path = path.replace(f"{{{place[1]}}}", f"user-{number + 1}")
        asked = Recorded(0.0, method, _PARAMETER.sub(value, path))
        yield asked if place is None else _by(asked, place, f"user-{number + 1}")
        if any(is_bobs(wish) for wish in wishes):
            yield asked._replace(headers=(("User", BOB),), user=BOB)


def is_bobs(wish: Wish) -> bool:
    """Whether the only rule of a stage is Bob's."""
    return [rule["when"] for rule in wish.rules] == [BOB_RULE]


def key_place(wish: Wish) -> Place:
    """Where the sticky key of a stage is put, or the end of the command if it cannot be."""
    kind, _, name = wish.sticky_by.removeprefix("invoke.").partition(".")
    if kind not in {"headers", "query", "cookies", "path"} or not name:
        fail(
            "no-such-key",
            f"stage {wish.stage!r} is sticky by {wish.sticky_by}, which no request can be made up"
            " with",
            Exit.USAGE,
            "give requests that have it: --from RECORDING",
        )
    return kind, name


def _by(asked: Recorded, place: Place, user: str) -> Recorded:
    kind, name = place
    if kind == "headers":
        return asked._replace(headers=((name, user),), user=user)
    if kind == "cookies":
        return asked._replace(headers=(("Cookie", f"{name}={user}"),), user=user)
    if kind == "query":
        return asked._replace(query=f"{name}={user}", user=user)
    return asked._replace(user=user)


def _targets(wishes: Sequence[Wish]) -> list[tuple[str, str]]:
    """Methods and paths that lead to the function on every stage; reading ones if there are any."""
    common = set.intersection(*({_target(api) for api in wish.apis} for wish in wishes))
    reading = {target for target in common if target[0] == HTTPMethod.GET}
    if not common:
        stages = ", ".join(wish.stage for wish in wishes)
        message = f"no API answers on all of the stages {stages}"
        fail("no-common-api", message, Exit.USAGE, "verify one at a time, or give --from")
    return sorted(reading or common)


def _target(api: Mapping[str, Any]) -> tuple[str, str]:
    method = HTTPMethod.GET if api["method"] == "ANY" else api["method"]
    return str(method), parse_path(api["path"]).literal

"""Resources: what a client's API keeps beside what routes, so that it can be told again.

A name for people, a description, a plan that nobody is bound to, a plugin: nothing of it decides a
request. What follows from it for requests is part of services, and is changed together with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.core.access import HIDDEN
from gateway.core.typed import typed

Content = Mapping[str, Any]
"""One resource: JSON values by name."""

Group = Mapping[str, Content]
"""The resources of one kind by id."""

NONE: Final[Group] = {}
SECRET: Final = "secret"  # noqa: S105 - a name, and no secret
"""The one name in a resource whose value is not shown."""

TRIGGERS: Final = "triggers"
"""The group of those that belong to a function and to one of its qualifiers, and go with them."""

_SCALARS: Final = (str, int, float, bool, type(None))


def resource_shown(content: Content) -> dict[str, Any]:
    """A resource as it is shown: without its secret."""
    return {name: HIDDEN if name == SECRET else value for name, value in content.items()}


def without_triggers(
    resources: Mapping[str, Group], function: str, qualifier: str | None = None
) -> Mapping[str, Group]:
    """Resources after a function is gone, or one of its qualifiers.

    Args:
        resources: The resources by group.
        function: Whose triggers go.
        qualifier: Only those that lead to it; `None` for all of the function.
    """
    group = resources.get(TRIGGERS, NONE)
    kept = {
        key: content
        for key, content in group.items()
        if content.get("function") != function or qualifier not in {None, content.get("qualifier")}
    }
    if len(kept) == len(group):
        return resources
    return {name: each for name, each in {**resources, TRIGGERS: kept}.items() if each}


def read_content(raw: object) -> Content:
    """A resource from a journal.

    Raises:
        TypeError: It is no JSON object.
    """
    content: Content = typed(raw, dict)
    _check(content)
    return content


def _check(value: object) -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            typed(name, str)
            _check(inner)
    elif isinstance(value, list):
        for inner in value:
            _check(inner)
    else:
        typed(value, *_SCALARS)

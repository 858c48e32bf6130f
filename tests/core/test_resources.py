"""What clients' APIs keep: triggers go with the function and the qualifier that they lead to."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gateway.core.alias import Route
from gateway.core.apply import apply
from gateway.core.changes import (
    Batch,
    Change,
    DeleteAlias,
    DeleteFunction,
    DeleteVersion,
    Publish,
    PutAlias,
    PutFunction,
    PutResource,
)
from gateway.core.resources import TRIGGERS, Content, without_triggers
from gateway.core.snapshot import EMPTY


def trigger(function: str, qualifier: str) -> Content:
    """A trigger."""
    return {"function": function, "name": qualifier, "qualifier": qualifier}


MADE = apply(
    EMPTY,
    Batch(
        (
            PutFunction("orders", "code"),
            PutFunction("idle", "code"),
            Publish("orders"),
            Publish("orders"),
            PutAlias("orders", "release", Route("1")),
            PutResource(TRIGGERS, "orders/1", trigger("orders", "2")),
            PutResource(TRIGGERS, "orders/2", trigger("orders", "release")),
            PutResource(TRIGGERS, "idle/1", trigger("idle", "$LATEST")),
            PutResource("others", "orders/1", trigger("orders", "2")),
        )
    ),
)


@pytest.mark.parametrize(
    ("change", "left"),
    [
        pytest.param(DeleteVersion("orders", "2"), ["orders/2", "idle/1"], id="a version"),
        pytest.param(DeleteVersion("orders", "1"), None, id="a version that is in use"),
        pytest.param(DeleteAlias("orders", "release"), ["orders/1", "idle/1"], id="an alias"),
        pytest.param(DeleteFunction("orders"), ["idle/1"], id="a function"),
        pytest.param(DeleteFunction("idle"), ["orders/1", "orders/2"], id="another function"),
        pytest.param(
            Batch((DeleteFunction("idle"), DeleteFunction("orders"))), [], id="every function"
        ),
        pytest.param(PutFunction("orders", "other"), ["orders/1", "orders/2", "idle/1"], id="code"),
    ],
)
def test_triggers_go_with_what_they_lead_to(change: Change, left: list[str] | None) -> None:
    """Whatever belongs to other groups stays; an empty group is none."""
    if left is None:
        change = Batch((DeleteAlias("orders", "release"), change))
        left = ["orders/1", "idle/1"]
    resources = apply(MADE, change).resources
    assert list(resources.get(TRIGGERS, {})) == left
    assert (TRIGGERS in resources) == bool(left)
    assert resources["others"] is MADE.resources["others"]


@pytest.mark.parametrize("resources", [{}, {"others": {"a": {}}}, MADE.resources])
def test_what_loses_nothing_is_the_same(resources: Mapping[str, Mapping[str, Content]]) -> None:
    """Snapshots share what a change did not touch."""
    assert without_triggers(resources, "orders", "9") is resources
    assert without_triggers(resources, "absent") is resources

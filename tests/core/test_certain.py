"""What is certain of a request whatever the dice show."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.core.certain import certain
from gateway.core.entries import Target
from gateway.core.errors import QualifierNotFound
from gateway.core.rules import RequestView
from gateway.core.snapshot import Snapshot
from gateway.core.split import Mode

Http = Callable[..., RequestView]
Routed = Callable[..., Snapshot]
RELEASE = Target("orders", "release")


@pytest.mark.parametrize("split", ["random", "even"])
def test_what_a_draw_decides_is_not_settled(
    routed: Routed, nobody: RequestView, split: Mode
) -> None:
    """Whatever kind of draw."""
    snapshot = routed("1", weights={"2": "0.5"}, split=split)
    assert certain(snapshot, RELEASE, nobody) is None


def test_rules_sticky_keys_and_the_main_version_are(routed: Routed, http: Http) -> None:
    """They need no dice."""
    snapshot = routed(
        "1",
        weights={"2": "0.5"},
        rules=[("invoke.headers.User exact Bob", "3")],
        split="sticky",
        sticky_by="invoke.headers.User",
    )
    found = [certain(snapshot, RELEASE, http({"User": name})) for name in ("Bob", "Ann")]
    assert [decision and decision.reason for decision in found] == ["rule:1", "sticky"]
    assert certain(snapshot, RELEASE, http()) is None
    main = certain(routed("1"), RELEASE, http())
    assert main is not None
    assert (main.version, main.reason) == ("1", "main")


def test_what_nobody_can_answer_is_refused(routed: Routed, nobody: RequestView) -> None:
    """As ever."""
    with pytest.raises(QualifierNotFound):
        certain(routed("1"), Target("orders", "none"), nobody)

"""What all APIs of a stage have in common is found out once for a stage, and anew for a new one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.core.features import ApiFeatures
from gateway.core.routes import parse_path
from gateway.core.snapshot import Api, MockBackend, Service, Stage
from gateway.dataplane.features import Guards

SERVICE = Service("shop", "shop")


class Counted(tuple[Api, ...]):
    """APIs that count how often somebody goes through all of them."""

    __slots__ = ()
    times = 0

    def __iter__(self) -> Iterator[Api]:
        type(self).times += 1
        return super().__iter__()


def stage(*, cors: bool, name: str = "release", count: int = 3) -> Stage:
    """A stage whose first API may let pages of other origins in."""
    return Stage(
        name,
        Counted(
            Api(
                f"api{number}",
                "ANY",
                parse_path(f"/{number}"),
                MockBackend("pong"),
                ApiFeatures(cors=cors and number == 0),
            )
            for number in range(count)
        ),
    )


def guarded(guards: Guards, of: Stage, service: Service = SERVICE) -> list[bool]:
    """For which of its APIs a guard is made."""
    return [guards.guard(service, of, api) is not None for api in tuple.__iter__(of.apis)]


def test_the_first_of_many_asks_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or ten thousand APIs would be looked through ten thousand times after every change."""
    monkeypatch.setattr(Counted, "times", 0)
    guards, many = Guards(lambda: 0, lambda: 0.0), stage(cors=False, count=50)
    compiled = Counted.times  # the table of the stage has gone through them
    assert guarded(guards, many) == [False] * 50
    assert Counted.times == compiled + 1


def test_a_new_stage_of_the_same_name_is_looked_at_anew() -> None:
    """One API that lets pages in has browsers ask at all; and when it is gone, at none."""
    guards = Guards(lambda: 0, lambda: 0.0)
    for cors in (False, True, False):
        assert guarded(guards, stage(cors=cors)) == [cors] * 3


def test_stages_do_not_answer_for_one_another() -> None:
    """Neither those of one service, nor those of the same name of two."""
    guards, other = Guards(lambda: 0, lambda: 0.0), Service("other", "other")
    pages, none = stage(cors=True), stage(cors=False, name="dev")
    for _ in range(2):
        assert guarded(guards, pages) == [True] * 3
        assert guarded(guards, none) == [False] * 3
        assert guarded(guards, stage(cors=False), other) == [False] * 3

"""Breakers in stages.toml: read, merged with what is live, and written back."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.config import load
from gateway.config.breakers import breaker_values
from gateway.config.diagnostics import ConfigurationInvalid
from gateway.config.load import SERVICE
from gateway.config.merge import Kept, merge
from gateway.core.apply import apply
from gateway.core.breaker import Breaker
from gateway.core.changes import Batch, Change, PutBreaker, PutFunction, PutService
from gateway.core.snapshot import EMPTY

GOOD = Path(__file__).parent / "good" / "everything.toml"
EARLY, LATE = Breaker(0.2), Breaker(0.9)
HERE = ("functions", "orders", "breaker")


def test_every_key_is_read(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is written in the file of all keys."""
    monkeypatch.chdir(project)
    (project / "stages.toml").write_bytes(GOOD.read_bytes())
    changes = load(Path("stages.toml")).changes.changes
    assert [change for change in changes if isinstance(change, PutBreaker)] == [
        PutBreaker("orders", Breaker(0.5, 100, 30.0, 2.5, 1))
    ]


def test_a_mistake_has_its_place(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them at once, those of other keys too."""
    monkeypatch.chdir(project)
    text = GOOD.read_text().replace("requests = 100, window = 30", 'requests = 0, window = "30s"')
    (project / "stages.toml").write_text(text.replace("timeout = 0.25", "timeout = 0"))
    with pytest.raises(ConfigurationInvalid) as invalid:
        load(Path("stages.toml"))
    found = {(each.code, each.line): each.hint for each in invalid.value.diagnostics}
    line = text.splitlines().index(next(t for t in text.splitlines() if "breaker" in t)) + 1
    assert found[("out-of-range", line)] == ""
    assert found[("wrong-type", line)] == "write it as a number: window = 30"
    assert len(found) == 3


def file(breaker: Breaker | None) -> Batch:
    """A file with a function, and its breaker if it has one."""
    breakers = () if breaker is None else (PutBreaker("orders", breaker),)
    steps: tuple[Change, ...] = (PutFunction("orders", "latest"), *breakers)
    return Batch((PutService(SERVICE, "shop"), *steps))


@pytest.mark.parametrize(
    ("last", "live", "declared", "changes", "kept"),
    [
        pytest.param(None, None, EARLY, [EARLY], [], id="new in the file"),
        pytest.param(EARLY, EARLY, LATE, [LATE], [], id="altered in the file"),
        pytest.param(EARLY, EARLY, None, [None], [], id="gone from the file"),
        pytest.param(EARLY, None, EARLY, [], [(EARLY, None)], id="cleared live"),
        pytest.param(None, LATE, None, [], [(None, LATE)], id="set live"),
        pytest.param(EARLY, LATE, LATE, [], [], id="altered alike"),
    ],
)
def test_a_breaker_is_merged_as_a_whole(
    last: Breaker | None,
    live: Breaker | None,
    declared: Breaker | None,
    changes: list[Breaker | None],
    kept: list[tuple[Breaker | None, Breaker | None]],
) -> None:
    """What the file changed wins; what was changed live survives and is told."""
    found = merge(apply(EMPTY, file(live)), file(last), file(declared))
    assert list(found.changes.changes) == [PutBreaker("orders", breaker) for breaker in changes]
    told = [tuple(side and side.to_dict() for side in sides) for sides in kept]
    assert found.kept == tuple(Kept(HERE, *sides) for sides in told)


@pytest.mark.parametrize(
    ("breaker", "old", "written"),
    [
        pytest.param(None, {"errors": 1}, None, id="none"),
        pytest.param(Breaker(0.5), None, {"errors": Decimal("0.5")}, id="the usual"),
        pytest.param(
            Breaker(1.0, 5, 2.5, 7.0),
            None,
            {"errors": 1, "requests": 5, "window": Decimal("2.5"), "pause": 7},
            id="what is not as usual",
        ),
        pytest.param(
            Breaker(0.5), {"trials": 3, "errors": 0.5}, {"trials": 3, "errors": 0.5}, id="the same"
        ),
        pytest.param(Breaker(0.5), {"errors": 1}, {"errors": Decimal("0.5")}, id="another"),
        pytest.param(Breaker(0.5), {"errors": 9}, {"errors": Decimal("0.5")}, id="a mistake"),
    ],
)
def test_a_breaker_is_written_as_people_would(
    breaker: Breaker | None, old: dict[str, Any] | None, written: dict[str, Any] | None
) -> None:
    """And left as they wrote it, where it means the same."""
    assert breaker_values(breaker, old) == written

"""Faults in stages.toml: read, merged with what is live, and written back."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.config import load
from gateway.config.export import export
from gateway.config.faults import fault_values
from gateway.config.load import SERVICE
from gateway.config.merge import Kept, merge
from gateway.core.apply import apply
from gateway.core.changes import (
    Batch,
    Change,
    DeleteVersion,
    Publish,
    PutFault,
    PutFunction,
    PutService,
)
from gateway.core.errors import Refused
from gateway.core.faults import Fault, Latency
from gateway.core.snapshot import EMPTY

GOOD = Path(__file__).parent / "good" / "everything.toml"
SMALL, LARGE = Fault(0.05), Fault(0.5)
WAIT = Fault(latency=Latency("fixed", (0.2,)))
HERE = ("functions", "orders", "faults", "1")


def test_every_form_is_read(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is written in the file of all keys."""
    monkeypatch.chdir(project)
    (project / "stages.toml").write_bytes(GOOD.read_bytes())
    found = [
        change
        for change in load(Path("stages.toml")).changes.changes
        if isinstance(change, PutFault)
    ]
    assert found == [
        PutFault("orders", "1", SMALL),
        PutFault("orders", "2", Fault(1.0, 503, Latency("fixed", (0.2,)))),
        PutFault("orders", "3", Fault(latency=Latency("uniform", (0.0, 0.5)))),
        PutFault("orders", "4", Fault(latency=Latency("exponential", (0.1,)))),
        PutFault("orders", "$LATEST", Fault(0.25, 430, Latency("normal", (0.2, 0.05)))),
    ]


def file(fault: Fault | None) -> Batch:
    """A file with one version, and its fault if it has one."""
    faults = () if fault is None else (PutFault("orders", "1", fault),)
    steps: tuple[Change, ...] = (PutFunction("orders", "latest"), Publish("orders", "one", "1"))
    return Batch((PutService(SERVICE, "shop"), *steps, *faults))


@pytest.mark.parametrize(
    ("last", "live", "declared", "changes", "kept"),
    [
        pytest.param(None, None, SMALL, [SMALL], [], id="new in the file"),
        pytest.param(SMALL, SMALL, LARGE, [LARGE], [], id="altered in the file"),
        pytest.param(SMALL, SMALL, None, [None], [], id="gone from the file"),
        pytest.param(SMALL, LARGE, None, [None], [], id="gone from the file, altered live"),
        pytest.param(SMALL, None, None, [], [], id="gone on both sides"),
        pytest.param(SMALL, None, SMALL, [], [(SMALL, None)], id="cleared live"),
        pytest.param(None, LARGE, None, [], [(None, LARGE)], id="set live"),
        pytest.param(SMALL, LARGE, SMALL, [], [(SMALL, LARGE)], id="altered live"),
        pytest.param(SMALL, LARGE, WAIT, [WAIT], [], id="altered on both sides"),
        pytest.param(SMALL, LARGE, LARGE, [], [], id="altered alike"),
    ],
)
def test_a_fault_is_merged_as_a_whole(
    last: Fault | None,
    live: Fault | None,
    declared: Fault | None,
    changes: list[Fault | None],
    kept: list[tuple[Fault | None, Fault | None]],
) -> None:
    """What the file changed wins; what was changed live survives and is told."""
    found = merge(apply(EMPTY, file(live)), file(last), file(declared))
    assert list(found.changes.changes) == [PutFault("orders", "1", fault) for fault in changes]
    told = [tuple(side and side.to_dict() for side in sides) for sides in kept]
    assert found.kept == tuple(Kept(HERE, *sides) for sides in told)


def test_a_fault_of_a_version_that_is_gone_is_refused_at_its_place() -> None:
    """One that the file had before is gone with its version, and told as such."""
    live = apply(apply(EMPTY, file(SMALL)), DeleteVersion("orders", "1"))
    assert HERE in {kept.path for kept in merge(live, file(SMALL), file(SMALL)).kept}
    with pytest.raises(Refused) as refused:
        merge(live, file(SMALL), file(LARGE))
    [problem] = refused.value.problems
    assert (problem.code, problem.at, problem.on_key) == ("unknown-version", HERE, True)


def test_a_declaration_clears_nothing() -> None:
    """A file has no word for it: it says nothing instead."""
    cleared = Batch((*file(None).changes, PutFault("orders", "1", None)))
    with pytest.raises(ValueError, match="a declaration holds no PutFault"):
        merge(EMPTY, None, cleared)


@pytest.mark.parametrize(
    ("fault", "old", "written"),
    [
        pytest.param(SMALL, None, {"errors": Decimal("0.05")}, id="errors"),
        pytest.param(
            Fault(1.0, 503, Latency("fixed", (2.0,))),
            None,
            {"errors": 1, "status": 503, "latency": 2},
            id="whole numbers",
        ),
        pytest.param(
            Fault(latency=Latency("uniform", (0.0, 0.5))),
            None,
            {"latency": {"uniform": [0, Decimal("0.5")]}},
            id="two numbers",
        ),
        pytest.param(
            SMALL, {"errors": Decimal("5e-2")}, {"errors": Decimal("5e-2")}, id="the same"
        ),
        pytest.param(
            SMALL, {"errors": 1, "status": 503}, {"errors": Decimal("0.05")}, id="another"
        ),
        pytest.param(SMALL, {"errors": "x"}, {"errors": Decimal("0.05")}, id="a mistake"),
    ],
)
def test_a_fault_is_written_as_people_write_it(
    fault: Fault, old: dict[str, Any] | None, written: dict[str, Any]
) -> None:
    """The file's own words where they mean the same; nothing that is usual."""
    assert fault_values(fault, old) == written


def test_an_exported_file_has_a_section_of_faults() -> None:
    """A new one is written, and nothing where there is none."""
    faulty = export(apply(EMPTY, file(WAIT))).text
    assert '[functions.orders.faults]\n"1" = { latency = 0.2 }\n' in faulty
    assert "faults" not in export(apply(EMPTY, file(None))).text

"""The dashboard asks for nothing that the gateway does not tell."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.core.alias import Route
from gateway.core.apply import apply
from gateway.core.changes import Batch, Change, Publish, PutAlias, PutFunction
from gateway.core.snapshot import EMPTY
from gateway.observe import Label, Observer
from gateway.observe.prometheus import Part, Told, exposition

BOARD = Path(__file__).parents[2] / "docs" / "grafana" / "gateway.json"
NAME = re.compile(r"\b(?:gateway|process)_[a-z_]+\b")
SELECTED = re.compile(r"\b((?:gateway|process)_[a-z_]+)\{([^}]*)\}")
GROUPED = re.compile(r"(?:by|on) \(([^)]*)\)")


@dataclass
class Asked:
    """A request as the observer sees one."""

    began: float = 0.0
    id: str = "a"
    method: str = "GET"
    path: str = "/"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    query_string: bytes = b""


def samples() -> dict[str, set[str]]:
    """Every sample that can be scraped, with its labels."""
    steps: list[Change] = [PutFunction("orders", "code"), Publish("orders"), Publish("orders")]
    alias = PutAlias("orders", "release", Route("1", {"2": Decimal("0.1")}))
    observer = Observer(lambda: 1.0)
    cell = observer.cell(Label("release", "orders", "release", "2", "weight"))
    observer.note(cell, 430, Asked(), 1)
    observer.settle()
    latency = {cell.label[:4]: observer.series.whole(cell.label)}
    part = Part("worker-1", observer.counters, latency, {("orders", "2"): (1, 1)})
    told = Told(apply(EMPTY, Batch((*steps, alias))), [part])
    families = text_string_to_metric_families(exposition(told).decode())
    known = {sample.name: set(sample.labels) for family in families for sample in family.samples}
    # Told on Linux alone.
    return {"process_cpu_seconds_total": set(), **known}


KNOWN = samples()
DASHBOARD: dict[str, Any] = json.loads(BOARD.read_text(encoding="utf-8"))
TARGETS = [
    pytest.param(target, id=f"{panel['title']} {target['refId']}")
    for panel in DASHBOARD["panels"]
    for target in panel["targets"]
]


def test_panels_have_ids_and_places_of_their_own() -> None:
    """None twice, none over another, none wider than the board."""
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({panel["title"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not taken & cells, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells


@pytest.mark.parametrize("target", TARGETS)
def test_a_question_is_about_metrics_and_labels_that_are_told(target: dict[str, str]) -> None:
    """Names, selectors, groups and legends."""
    asked = target["expr"]
    names = NAME.findall(asked)
    assert names
    assert set(names) <= set(KNOWN)
    for name, selectors in SELECTED.findall(asked):
        assert {each.partition("=")[0] for each in selectors.split(",")} <= KNOWN[name], name
    labels = set().union(*(KNOWN[name] for name in names))
    for grouped in GROUPED.findall(asked):
        assert set(grouped.split(", ")) <= labels
    assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= labels
    assert asked.count("(") == asked.count(")")


def test_variables_and_notes_are_about_what_is_told() -> None:
    """The lists that one chooses from, and the marks of changes."""
    queries = [each["definition"] for each in DASHBOARD["templating"]["list"] if "query" in each
               and isinstance(each["query"], dict)]  # fmt: skip
    assert len(queries) == 3
    for query in queries:
        metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", query).groups()  # type: ignore[union-attr]
        assert label in KNOWN[metric]
    for note in DASHBOARD["annotations"]["list"]:
        assert set(NAME.findall(note["expr"])) <= set(KNOWN)


def test_every_metric_of_the_gateway_is_on_the_board() -> None:
    """What is told and never shown is looked for in vain."""
    shown = {name for panel in DASHBOARD["panels"] for t in panel["targets"]
             for name in NAME.findall(t["expr"])}  # fmt: skip
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown}
    told = {re.sub(r"_(bucket|sum|count)$", "", name) for name in KNOWN}
    assert {name for name in told if name.startswith("gateway_")} <= families

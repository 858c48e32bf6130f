"""A report as one HTML file: readable anywhere, with no network and nothing beside it.

The script that draws comes from the installed plotly package and is put into the file, so that a
report which is mailed, or opened years later, still draws. Everything that is told is escaped; the
plots are data, never code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any, Final
from zlib import crc32

PALETTE: Final = (
    "#3b7dd8", "#e0803a", "#2f9e6e", "#b5529f", "#8a7a1f", "#d1495b", "#4aa3b5", "#7a5cc4",
    "#6b8e23", "#a0522d",
)  # fmt: skip
"""Colours that are told apart in light and dark, and, by most people, from each other."""

LATEST: Final = "#7f8896"
"""The colour of `$LATEST`."""


@dataclass(frozen=True, slots=True)
class Text:
    """Paragraphs.

    Attributes:
        heading: What they are about; empty for none.
        paragraphs: The sentences.
    """

    heading: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        heading: What it shows.
        columns: The names of its columns.
        rows: Its cells, row by row.
        left: The columns that hold words; the others hold figures.
        note: What a reader should know about it.
    """

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: frozenset[str] = frozenset()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture.

    Attributes:
        heading: What it shows.
        data: Plotly's traces.
        layout: Plotly's layout, as far as it is not the same for all.
        note: What a reader should know about it.
    """

    heading: str
    data: Sequence[Mapping[str, Any]]
    layout: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""


Part = Text | Table | Plot


def colour(version: str) -> str:
    """The colour of a version, the same in every picture."""
    if version == "$LATEST":
        return LATEST
    number = int(version) - 1 if version.isdecimal() else crc32(version.encode())
    return PALETTE[number % len(PALETTE)]


def page(
    title: str, lead: str, parts: Sequence[Part], facts: Mapping[str, str] | None = None
) -> str:
    """The whole file.

    Args:
        title: What the report is about.
        lead: The result, in one sentence.
        parts: What is told, in this order.
        facts: What it was made from, told at the end: the command, versions, the seed.
    """
    drawn = any(isinstance(part, Plot) for part in parts)
    body = "".join(_part(part, number) for number, part in enumerate(parts))
    about = _facts(facts) if facts else ""
    script = f"<script>{_script()}</script><script>{_DRAW}</script>" if drawn else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>"
        f'<h1>{escape(title)}</h1><p class="lead">{escape(lead)}</p>{body}{about}</main>'
        f"{script}</body></html>\n"
    )


def _part(part: Part, number: int) -> str:
    heading = f"<h2>{escape(part.heading)}</h2>" if part.heading else ""
    if isinstance(part, Text):
        inside = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in part.paragraphs)
    else:
        inside = _table(part) if isinstance(part, Table) else _plot(part, number)
        inside += f'<p class="note">{escape(part.note)}</p>' if part.note else ""
    return f"<section>{heading}{inside}</section>"


def _table(table: Table) -> str:
    kinds = ["" if column in table.left else ' class="figure"' for column in table.columns]
    head = _cells("th", table.columns, kinds)
    rows = "".join(f"<tr>{_cells('td', row, kinds)}</tr>" for row in table.rows)
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _cells(tag: str, texts: Sequence[str], kinds: Sequence[str]) -> str:
    return "".join(
        f"<{tag}{kind}>{escape(text)}</{tag}>" for text, kind in zip(texts, kinds, strict=True)
    )


def _plot(plot: Plot, number: int) -> str:
    # `<` ends no script where it is written as an escape.
    said = json.dumps({"data": plot.data, "layout": plot.layout}, allow_nan=False)
    said = said.replace("<", "\\u003c")
    place, label = f"plot-{number}", escape(plot.heading)
    return (
        f'<div class="plot" id="{place}" role="img" aria-label="{label}"></div>'
        f'<script type="application/json" data-plot="{place}">{said}</script>'
    )


def _facts(facts: Mapping[str, str]) -> str:
    told = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in facts.items()
    )
    return f'<section class="facts"><h2>About this report</h2><dl>{told}</dl></section>'


@cache
def _script() -> str:
    """Plotly's script, as it was installed; it holds no end tag of a script."""
    return files("plotly").joinpath("package_data", "plotly.min.js").read_text("utf-8")


_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c2430; --paper: #ffffff; --line: #d9dee6;
  --quiet: #5d6878; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6eaf0; --paper: #14181f; --line: #323b48; --quiet: #9aa6b6; } }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 66rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
.lead { font-size: 1.1rem; } .note, dt { color: var(--quiet); } .note { font-size: .9rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; }
th, td { text-align: left; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; } .figure { text-align: right; font-variant-numeric: tabular-nums; }
.plot { min-height: 22rem; } dl { display: grid; grid-template-columns: max-content 1fr;
  gap: .2rem 1rem; } dd { margin: 0; overflow-wrap: anywhere; }
"""

_DRAW: Final = """
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const draw = () => {
    const look = getComputedStyle(document.documentElement);
    const ink = look.getPropertyValue("--ink"), line = look.getPropertyValue("--line");
    for (const said of document.querySelectorAll("script[data-plot]")) {
      const { data, layout } = JSON.parse(said.textContent);
      const axis = (own) => ({ gridcolor: line, zerolinecolor: line, ...own });
      Plotly.react(said.dataset.plot, data, {
        paper_bgcolor: "transparent", plot_bgcolor: "transparent", font: { color: ink },
        margin: { l: 60, r: 20, t: 20, b: 45 }, legend: { orientation: "h", y: 1.12 },
        hovermode: "x unified", ...layout, xaxis: axis(layout.xaxis), yaxis: axis(layout.yaxis),
      }, { responsive: true, displaylogo: false });
    }
  };
  dark.addEventListener("change", draw);
  draw();
})();
"""

"""The verdict so far as one page that needs nothing else: no script, image or font; pure."""

from __future__ import annotations

from html import escape
from typing import Final

from loadtests.report import Result, headings, overall, rows, sentences

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'"
"""The Content-Security-Policy with which the page works."""

_STYLE: Final = """
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100% }
th, td { border-bottom: 1px solid #8886; padding: .3rem .6rem; text-align: left }
.passed { color: #18794e } .failed, .errors { color: #d13415 } .undecided { color: #946800 }
"""


def page(result: Result | None, *, running: bool, refused: str = "") -> str:
    """The page; it loads itself again every two seconds until the test is over."""
    refresh = '<meta http-equiv="refresh" content="2">' if running or result is None else ""
    nothing = f"<p>{escape(refused) or 'No load test has been started yet.'}</p>"
    body = nothing if result is None else _body(result)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{refresh}'
        f"<title>Verdict</title><style>{_STYLE}</style></head><body><h1>Verdict</h1>{body}"
        '<p><a href="verdict.json">JSON</a> &middot; <a href="./">Locust</a></p></body></html>\n'
    )


def _body(result: Result) -> str:
    wanted = "" if result.facts.wanted is None else f" of {result.facts.wanted:,}"
    sent = f"{result.tally.requests:,}{wanted} requests"
    words = [heading.capitalize() for heading in headings(by_keys=result.terms.by_keys)]
    heads = "".join(f'<th scope="col">{word}</th>' for word in words)
    lines = "".join(_row(row) for row in rows(result))
    told = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences(result))
    return (
        f'<p class="{result.word}"><strong>{escape(overall(result))}</strong></p>'
        f"<p>{sent} at {escape(result.facts.host)}</p>"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table><ul>{told}</ul>"
    )


def _row(row: tuple[str, ...]) -> str:
    cells = "".join(f"<td>{escape(cell)}</td>" for cell in row[:-1])
    return f'<tr>{cells}<td class="{escape(row[-1])}">{escape(row[-1])}</td></tr>'

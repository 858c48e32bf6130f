"""The pages: which there are, what they are called, and the shell that all of them share; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import Final


@dataclass(frozen=True, slots=True)
class Page:
    """One page.

    Attributes:
        path: A pattern of its path; groups are handed to the twin.
        title: Its title.
        module: The ES module that fills it.
        twin: What the REST API calls the same, for programs: the page's path with `.json`.
        place: Its place in the navigation; empty for a page that is reached from another one.
    """

    path: str
    title: str
    module: str
    twin: str
    place: str = ""


PAGES: Final = (
    Page(r"/", "Stages", "stages", "/api/shares", "Stages"),
    Page(r"/functions", "Functions", "functions", "/api/functions", "Functions"),
    Page(r"/functions/([^/]+)", "Function", "function", "/api/functions/{0}"),
    Page(r"/rollouts", "Rollouts", "rollouts", "/api/rollouts", "Rollouts"),
    Page(r"/rollouts/([^/]+)", "Rollout", "rollout", "/api/rollouts/{0}"),
    Page(r"/invocations", "Invocations", "invocations", "/api/invocations", "Invocations"),
    Page(r"/invocations/([^/]+)", "Invocation", "invocation", "/api/invocations/{0}"),
    Page(r"/verify", "Verify", "verify", "/api/runs", "Verify"),
    Page(r"/replay", "Replay", "replay", "/api/runs", "Replay"),
)
"""Every page, in the order of the navigation."""


def page_of(path: str) -> tuple[Page, tuple[str, ...]] | None:
    """The page of a path, and what the path names; `None` where there is none."""
    for page in PAGES:
        match = re.fullmatch(page.path, path)
        if match is not None:
            return page, match.groups()
    return None


def twin_of(path: str) -> str | None:
    """Where the REST API tells what a page shows, for the page's path with `.json` behind it."""
    plain = path.removesuffix(".json")
    found = page_of("/" if plain in {"/", "/index", "/stages"} else plain)
    if found is None or plain == path:
        return None
    page, names = found
    return page.twin.format(*names)


def shell(page: Page) -> str:
    """The HTML of a page before its module fills it."""
    links = "".join(
        f'<a href="{escape(each.path)}"{_current(each, page)}>{escape(each.place)}</a>'
        for each in PAGES
        if each.place
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(page.title)} · gateway</title>"
        '<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">'
        '<link rel="stylesheet" href="/assets/console.css">'
        '<script type="module" src="/assets/shell.js"></script>'
        f'<script type="module" src="/assets/{page.module}.js"></script></head><body>'
        '<a class="skip" href="#main">Skip to the content</a>'
        f'<header><a class="name" href="/">gateway</a><nav aria-label="Pages">{links}</nav>'
        '<span id="away" role="status" aria-live="polite" class="bad"></span>'
        '<span id="pulse" role="status" aria-live="polite"></span></header>'
        f'<main id="main" tabindex="-1" data-page="{escape(page.module)}"><h1>'
        f"{escape(page.title)}</h1><p>Loading ...</p></main>"
        "<noscript><p>The console needs JavaScript; the command <code>gateway status</code> "
        "shows the same in a terminal.</p></noscript></body></html>\n"
    )


def _current(link: Page, page: Page) -> str:
    ours = link.path == page.path or (link.path != "/" and page.path.startswith(f"{link.path}/"))
    return ' aria-current="page"' if ours else ""

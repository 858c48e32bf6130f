"""Locust's web UI gets a tab with the verdict so far, and two pages of their own: for this machine.

Whoever asks from elsewhere, or by a name that is not this machine's, is refused.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from flask import Blueprint, Response, request

from loadtests.catalogue import chosen
from loadtests.conductor import Conductor
from loadtests.document import document
from loadtests.page import POLICY, page
from loadtests.report import HEADINGS, headings, rows
from loadtests.target import is_loopback

if TYPE_CHECKING:
    from locust.web import WebUI

_KEY: Final = "verdict"
_FIELDS: Final = tuple(heading.lower().replace(" ", "_") for heading in HEADINGS)


def add_pages(web_ui: WebUI, conductor: Conductor) -> None:
    """Add `/verdict`, `/verdict.json` and the tab."""
    pages = Blueprint(_KEY, __name__, url_prefix=_prefix(conductor))
    pages.before_request(_only_here)
    ui: Any = web_ui
    pages.add_url_rule("/verdict", "page", ui.auth_required_if_enabled(_html(conductor)))
    pages.add_url_rule("/verdict.json", "json", ui.auth_required_if_enabled(_json(conductor)))
    app = ui.app
    app.register_blueprint(pages)
    app.after_request(_with_rows(conductor))
    heads = headings(by_keys=chosen(conductor.options).by_keys)
    columns = [
        {"key": key, "title": heading.capitalize()}
        for key, heading in zip(_FIELDS, heads, strict=True)
    ]
    web_ui.template_args |= {
        "extended_tabs": [{"title": "Verdict", "key": _KEY}],
        "extended_tables": [{"key": _KEY, "structure": columns}],
    }


def _prefix(conductor: Conductor) -> str | None:
    options: Any = conductor.environment.parsed_options
    return options.web_base_path or None


def _only_here() -> Response | None:
    name = urlsplit(f"//{request.host}").hostname or ""
    if is_loopback(request.remote_addr or "") and is_loopback(name):
        return None
    return Response("This page is for the machine that runs the load test.\n", 403)


def _html(conductor: Conductor) -> Any:  # noqa: ANN401 - a Flask view
    def view() -> Response:
        refused = conductor.refused.sentence if conductor.refused else ""
        content = page(conductor.result(), running=conductor.running, refused=refused)
        return Response(content, headers={"Content-Security-Policy": POLICY})

    return view


def _json(conductor: Conductor) -> Any:  # noqa: ANN401 - a Flask view
    def view() -> Response:
        result = conductor.result()
        content = {"outcome": "none"} if result is None else document(result)
        return Response(json.dumps(content), mimetype="application/json")

    return view


def _with_rows(conductor: Conductor) -> Any:  # noqa: ANN401 - a Flask hook
    """The tab's table comes with the statistics that Locust's pages ask for anyway."""

    def extend(response: Response) -> Response:
        if not request.path.endswith("/stats/requests") or response.status_code != 200:
            return response
        result = conductor.result()
        lines = [] if result is None else list(rows(result))
        data = [dict(zip(_FIELDS, line, strict=True)) for line in lines]
        extended = {"extended_stats": [{"key": _KEY, "data": data}]}
        response.set_data(json.dumps({**response.get_json(), **extended}))
        return response

    return extend

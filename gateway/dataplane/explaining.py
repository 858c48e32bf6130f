"""Explaining a request as a caller would send it: the same address and table, no invocation."""

from __future__ import annotations

from urllib.parse import unquote

from gateway.core.errors import StageNotFound
from gateway.core.explain import Explanation, explain
from gateway.core.snapshot import Api, Snapshot, Stage
from gateway.core.split import Draw
from gateway.dataplane.address import Addresses
from gateway.dataplane.request import HttpRequest, read_headers


def explain_request(
    snapshot: Snapshot,
    dice: Draw,
    stage_name: str,
    request: tuple[str, str, list[tuple[str, str]], str],
) -> Explanation:
    """Tell which version would answer a request of a caller, and why.

    Args:
        snapshot: What routes.
        dice: Settle a weighted choice.
        stage_name: A stage, by any name that reaches it.
        request: Method, path with query, headers, body.

    Raises:
        RoutingError: No version can answer it.
    """
    found, view = located(snapshot, stage_name, request)
    return explain(snapshot, found, view, dice)


def located(
    snapshot: Snapshot, stage_name: str, request: tuple[str, str, list[tuple[str, str]], str]
) -> tuple[tuple[Stage, Api, dict[str, str]], HttpRequest]:
    """Where a request of a caller leads: stage, API and path parameters; and how rules read it.

    Args:
        snapshot: What routes.
        stage_name: A stage, by any name that reaches it.
        request: Method, path with query, headers, body.

    Raises:
        RoutingError: It leads nowhere.
    """
    method, target, headers, body = request
    path, _, query = target.partition("?")
    if "/" in stage_name:
        service = snapshot.default_service
        raise StageNotFound(stage_name, service.stages if service else ())
    stage, rest = Addresses(snapshot).locate("", f"/{stage_name}{unquote(_sent(path))}")
    api, parameters = stage.table.match(method, rest)
    raw = [(_sent(name.lower()), _sent(value)) for name, value in headers]
    view = HttpRequest(read_headers(raw), _sent(query), parameters, _sent(body))
    return (stage, api, dict(parameters)), view


def _sent(text: str) -> bytes:
    """The bytes that a shell was given, even those that are no text."""
    return text.encode(errors="surrogateescape")

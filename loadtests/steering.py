"""The control plane over HTTP, as far as load tests steer: one alias is read and moved."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import quote, urlsplit

from loadtests import target

USUAL: Final = "http://127.0.0.1:8081"
"""Where the control plane of `gateway serve` listens."""

_PATIENCE: Final = 10.0
"""Seconds to wait for an answer."""


class Unsteerable(Exception):
    """The control plane does not answer, or refuses."""


class ControlPlane:
    """The control plane at one address.

    Args:
        url: Its address.
        allowed: Hosts that may be steered although they are not this machine.

    Raises:
        Unsteerable: The address is none that may be steered.
    """

    def __init__(self, url: str, allowed: Collection[str] = ()) -> None:
        forbidden = target.refusal(url, allowed)
        if forbidden is not None:
            raise Unsteerable(forbidden)
        self._url = url

    def alias(self, function: str, alias: str) -> dict[str, Any]:
        """The routing of an alias.

        Raises:
            Unsteerable: It cannot be told.
        """
        found, _ = self._ask("GET", _path(function, alias))
        return found

    def route(self, function: str, alias: str, routing: Mapping[str, Any]) -> str:
        """Give an alias another routing, and return the revision that has it.

        Raises:
            Unsteerable: It was refused.
        """
        _, revision = self._ask("PUT", _path(function, alias), routing)
        return revision

    def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, Any], str]:
        parts = urlsplit(self._url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=_PATIENCE)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, _headers())
            answer = connection.getresponse()
            found = json.loads(answer.read())
        except (OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise Unsteerable(f"no control plane answers at {self._url}: {reason}") from error
        finally:
            connection.close()
        if answer.status != 200:
            raise Unsteerable(f"the control plane refuses {method} {path}: {_detail(found)}")
        return found, (answer.headers["ETag"] or "").strip('"')


def _path(function: str, alias: str) -> str:
    return f"/api/functions/{quote(function, safe='')}/aliases/{quote(alias, safe='')}"


def _headers() -> dict[str, str]:
    headers = {"Content-Type": "application/json", "X-Gateway-Actor": "load test"}
    token = os.environ.get("GATEWAY_TOKEN")
    return {**headers, "Authorization": f"Bearer {token}"} if token else headers


def _detail(problem: Any) -> str:  # noqa: ANN401 - whatever the answer says
    told = problem if isinstance(problem, dict) else {}
    return str(told.get("detail") or told.get("title") or problem)

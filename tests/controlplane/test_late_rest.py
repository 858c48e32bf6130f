"""REST is loaded by the first request that asks for it, once, and by no start."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import httpx
import pytest

from gateway.controlplane import control_app
from gateway.controlplane.rest import routes

Panel = Any


def test_a_start_does_not_load_it() -> None:
    """Nor what describes it."""
    code = "import gateway.serving, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    loaded = set(done.stdout.split())
    assert "gateway.controlplane.app" in loaded
    assert loaded.isdisjoint(
        {
            "gateway.controlplane.rest.operations",
            "gateway.controlplane.rest.openapi",
            "gateway.controlplane.rest.runs_bodies",
        }
    )


def test_requests_that_come_first_together_load_it_once(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is second waits for the same; a read and a write alike."""
    made = []

    class Counted(routes.Routes):
        def __init__(self, *args: Any) -> None:  # noqa: ANN401 - handed on
            made.append(self)
            super().__init__(*args)

    monkeypatch.setattr(routes, "Routes", Counted)
    app = control_app(panel.gateway.service)

    async def together() -> list[int]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            asked = [client.get("/healthz") for _ in range(5)]
            asked += [client.post("/api/explain", json={}) for _ in range(5)]
            asked.append(client.get("/nowhere"))
            return [answer.status_code for answer in await asyncio.gather(*asked)]

    assert panel.run(together()) == [200] * 5 + [422] * 5 + [404]
    assert len(made) == 1

"""Who sees what is answered, wired as the gateway wires it: spans leave over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import click
import httpx
import pytest

from gateway.app import Gateway, Setup
from gateway.cli import serve_options

STAGES = """
[service]
name = "shop"
[[apis]]
method = "GET"
path = "=/ping"
mock = { body = "pong" }
[stages.dev]
alias = "release"
"""


@pytest.fixture
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """What takes spans, and what it was sent."""
    sent: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", sent
        server.shutdown()
        thread.join()


@pytest.mark.sockets
def test_spans_leave_for_the_collector(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, collector: tuple[str, list[bytes]]
) -> None:
    """At the end at the latest."""
    url, sent = collector
    (tmp_path / "stages.toml").write_text(STAGES)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)

    async def scenario() -> None:
        gateway = await Gateway.open(Setup(file=tmp_path / "stages.toml", traced=1.0))
        transport = httpx.ASGITransport(gateway.plane)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as caller:
            await caller.get("/dev/ping")
        await gateway.close()

    asyncio.run(scenario())
    assert b"GET dev" in b"".join(sent)


@pytest.mark.parametrize(
    ("environment", "share"),
    [
        ({}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}, 0.01),
        (
            {
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9",
                "OTEL_TRACES_SAMPLER_ARG": "1",
            },
            1.0,
        ),
    ],
)
def test_the_variables_of_opentelemetry_switch_traces_on(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], share: float | None
) -> None:
    """And nothing else does."""
    for name in ("ENDPOINT", "TRACES_ENDPOINT"):
        monkeypatch.delenv(f"OTEL_EXPORTER_OTLP_{name}", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert serve_options.traced() == share


@pytest.mark.parametrize("text", ["much", "2", "-1", "nan"])
def test_a_wrong_share_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """With what is allowed."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", text)
    with pytest.raises(click.UsageError, match="allowed: a share, 0 to 1"):
        serve_options.traced()


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is opened."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(serve_options, "find_spec", lambda _name: None)
    with pytest.raises(click.UsageError, match="gateway-simulator"):
        serve_options.traced()

"""Verifying and replaying from the console: a form, progress, a report in a frame of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.sockets

Running = Any
Serve = Callable[..., Running]
Watched = Any
Picture = Callable[[Page, str], Path]


def record(folder: Path, name: str, times: list[float]) -> None:
    """A recording of orders."""
    lines = (
        {"v": 1, "at": at, "method": "GET", "path": "/orders/1", "headers": [["Host", "shop"]]}
        for at in times
    )
    (folder / name).write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")


def start(page: Page) -> None:
    """Press Start, and say yes."""
    page.locator("form button[type=submit]").click()
    page.locator("#confirm").click()


def outcome(page: Page, said: str) -> None:
    """Wait until the run before us has come to this."""
    shown = page.locator("section[aria-label='The run'] h2 [data-outcome]")
    expect(shown).to_have_attribute("data-outcome", said, timeout=60_000)


def test_a_log_is_verified(
    running: Running, page: Page, watched: Watched, picture: Picture
) -> None:
    """Its report is shown in a frame, draws there, and is nobody's page."""
    lines = (json.dumps({"version": str(1 + number % 2)}) for number in range(9000))
    (running.folder / "answers.jsonl").write_text("\n".join(lines))
    page.goto(f"{running.url}/verify")
    page.locator("#field-what").select_option("log")
    expect(page.locator("#field-requests")).to_be_hidden()
    page.locator("#field-log").select_option("answers.jsonl")
    page.locator("#field-stages").select_option("")
    page.locator("#field-expect").fill("1=0.5,2=0.5")
    page.locator("#field-tolerance").fill("0.1")
    page.locator("form button[type=submit]").click()
    outcome(page, "passed")
    expect(page.locator("#sentence")).to_contain_text("passed: 1 of 1 splits")
    report = page.frame_locator("iframe.report")
    expect(report.get_by_role("heading", name="Is the split right?")).to_be_visible()
    expect(report.locator(".main-svg").first).to_be_visible()
    assert page.locator("iframe.report").get_attribute("sandbox") == "allow-scripts"
    frame = page.frames[-1]
    assert frame.evaluate("window.origin") == "null"
    asking = "fetch('/api/snapshot').then(() => 'answered', () => 'refused')"
    assert watched.errors == []
    assert frame.evaluate(asking) == "refused"
    picture(page, "verify-report")
    assert watched.errors
    assert all("Content Security Policy" in each for each in watched.errors)
    watched.errors.clear()


def test_the_gateway_is_verified(running: Running, page: Page, picture: Picture) -> None:
    """It asks once, because functions will run; progress is told; the split is right."""
    page.goto(f"{running.url}/verify")
    expect(page.locator("#field-stages")).to_have_value("release")
    page.locator("#field-requests").fill("1000")
    page.locator("#field-until_decided").check()
    start(page)
    expect(page.locator("#stop")).to_be_visible()
    picture(page, "verify-running")
    outcome(page, "passed")
    expect(page.locator("iframe.report")).to_be_visible()


def test_a_recording_is_replayed_and_stopped(
    running: Running, page: Page, picture: Picture
) -> None:
    """One that would take an hour: what was until then is reported."""
    record(running.folder, "slow.jsonl", [0, 0.1, 3600])
    page.goto(f"{running.url}/replay")
    page.locator("#field-stage").select_option("release")
    start(page)
    expect(page.locator("#sentence")).to_contain_text("2 of 3", timeout=30_000)
    page.locator("#stop").click()
    page.locator("#confirm").click()
    outcome(page, "interrupted")
    expect(page.locator("#sentence")).to_contain_text("2 answered")
    expect(page.frame_locator("iframe.report").get_by_role("heading").first).to_be_visible()
    picture(page, "replay-stopped")


def test_what_the_server_refuses_is_said_at_the_field(
    running: Running, page: Page, watched: Watched
) -> None:
    """And nothing has begun."""
    record(running.folder, "shop.jsonl", [0])
    page.goto(f"{running.url}/replay")
    page.locator("#field-speed").fill("2")
    page.locator("#field-rate").fill("9")
    start(page)
    expect(page.locator("#field-rate-wrong")).to_contain_text("only one of speed, rate")
    page.goto(f"{running.url}/verify")
    page.locator("#field-requests").fill("0")
    page.locator("#field-tolerance").fill("7")
    start(page)
    expect(page.locator("#field-requests-wrong")).to_contain_text("requests of the body is 0")
    expect(page.locator("#field-tolerance-wrong")).to_be_visible()
    assert running.ask("GET", "/api/runs")["runs"] == []
    assert all("422" in each for each in watched.errors)
    watched.errors.clear()


def test_a_token_is_handed_on(serve: Serve, page: Page) -> None:
    """A gateway that asks for one: the page has it in a cookie, the command in its environment."""
    running = serve(token="secret")
    record(running.folder, "shop.jsonl", [0, 0.01])
    page.goto(f"{running.url}/replay?token=secret")
    page.locator("#field-stage").select_option("release")
    start(page)
    outcome(page, "passed")
    expect(page.frame_locator("iframe.report").get_by_role("heading").first).to_be_visible()

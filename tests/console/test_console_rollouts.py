"""Rollouts in a real browser: started by a form, watched, steered; each button asks once."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.sockets

Running = Any
Watched = Any
Picture = Callable[[Page, str], Path]
Traffic = Callable[[Running, str], AbstractContextManager[None]]
OpenPage = Callable[..., Page]
PLAN = {"function": "orders", "alias": "release", "to": "2", "steps": [0.1, 0.5, 1], "every": 3600}


def begun(running: Running, page: Page, **more: object) -> str:
    """A rollout that goes on, with its page before us."""
    rollout: str = running.ask("POST", "/api/rollouts", {**PLAN, **more})["id"]
    page.goto(f"{running.url}/rollouts/{rollout}")
    return rollout


def alias(running: Running) -> tuple[str, dict[str, float]]:
    """Where the alias leads."""
    found = running.ask("GET", "/api/functions/orders/aliases/release")
    return found["version"], found["weights"]


def status(page: Page, said: str) -> None:
    """Wait until the page says so."""
    expect(page.locator("#status")).to_have_attribute("data-status", said)


def press(page: Page, verb: str) -> None:
    """Press a button of the rollout, and say yes."""
    page.locator(f"#do-{verb}").click()
    page.locator("#confirm").click()


def test_a_rollout_is_started_by_the_form(running: Running, page: Page, picture: Picture) -> None:
    """It asks once; then its page shows its steps, of which the first one is on."""
    page.goto(f"{running.url}/rollouts")
    expect(page.locator("#field-alias")).to_have_value("release")
    expect(page.locator("#field-to")).to_have_value("2")
    page.locator("#field-steps").fill("10, 50, 100")
    page.locator("#field-every").fill("3600")
    page.locator("#field-guards").fill("error_rate>old\np99>5s")
    page.get_by_role("button", name="Start ...").click()
    expect(page.get_by_role("dialog")).to_contain_text("orders/release to version 2")
    assert running.ask("GET", "/api/rollouts")["rollouts"] == []
    page.locator("#confirm").click()
    page.wait_for_url("**/rollouts/orders-release-*")
    status(page, "running")
    expect(page.locator(".steps [aria-current=step]")).to_contain_text("10 %")
    assert alias(running) == ("1", {"2": 0.1})
    picture(page, "rollout-started")
    page.goto(f"{running.url}/rollouts")
    expect(page.get_by_role("link", name="orders/release")).to_be_visible()


def test_what_the_server_refuses_is_said_at_the_field(
    running: Running, page: Page, watched: Watched, picture: Picture
) -> None:
    """Every mistake at its own; the first one has the focus; nothing has begun."""
    page.goto(f"{running.url}/rollouts")
    page.locator("#field-steps").fill("50, 10")
    page.locator("#field-guards").fill("errors>1")
    page.get_by_role("button", name="Start ...").click()
    page.locator("#confirm").click()
    expect(page.locator("#field-steps-wrong")).to_contain_text("ascending")
    expect(page.locator("#field-guards-wrong")).to_contain_text("'errors>1' is no guard")
    expect(page.locator("#field-steps")).to_be_focused()
    expect(page.locator("#field-steps")).to_have_attribute("aria-invalid", "true")
    picture(page, "rollout-refused")
    assert alias(running) == ("1", {})
    assert all("422" in each for each in watched.errors)
    watched.errors.clear()  # the browser itself says that the request was refused


def test_no_is_no(running: Running, page: Page) -> None:
    """Neither does Escape do anything."""
    begun(running, page)
    page.locator("#do-promote").click()
    page.get_by_role("button", name="Cancel").click()
    page.locator("#do-abort").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert alias(running) == ("1", {"2": 0.1})


def test_it_is_paused_and_resumed(running: Running, page: Page) -> None:
    """The one takes back the other."""
    begun(running, page)
    press(page, "pause")
    status(page, "paused")
    expect(page.locator("#do-resume")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    status(page, "running")
    press(page, "pause")
    status(page, "paused")
    press(page, "resume")
    status(page, "running")


@pytest.mark.parametrize(
    ("verb", "said", "leads"),
    [("promote", "finished", ("2", {})), ("abort", "aborted", ("1", {}))],
)
def test_it_is_ended_and_that_is_taken_back(
    running: Running, page: Page, verb: str, said: str, leads: object
) -> None:
    """One press ends it, one brings the alias back to where it led before."""
    begun(running, page)
    press(page, verb)
    status(page, said)
    assert alias(running) == leads
    expect(page.locator("#do-pause")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Taken back.")).to_be_visible()
    assert alias(running) == ("1", {"2": 0.1})


def test_both_versions_are_watched(
    running: Running, page: Page, picture: Picture, traffic: Traffic
) -> None:
    """Counts, and three charts with lines, drawn by the script of this origin."""
    begun(running, page, steps=[0.5, 1], guards=["p99>5s"])
    with traffic(running, "/release/orders/1"):
        expect(page.locator("[data-outcome=passed]")).to_be_visible()
        expect(
            page.locator(".chart .scatterlayer").nth(2).locator("path.js-line").first
        ).to_be_visible()
        cells = page.locator("section[aria-label=Guards] table").first.locator("tbody td.figure")
        assert int(cells.first.inner_text().replace(",", "")) > 0
    page.wait_for_function("document.querySelectorAll('.chart path.js-line').length >= 5")
    picture(page, "rollout-watched")


def test_a_version_that_fails_is_rolled_back_before_our_eyes(
    running: Running, page: Page, picture: Picture, traffic: Traffic
) -> None:
    """By its guard, with the reason."""
    begun(running, page, steps=[0.5, 1])
    with traffic(running, "/release/orders/1?fail=2"):
        status(page, "rolled-back")
    expect(page.locator("#reason")).to_contain_text(re.compile("error_rate>old.*failed"))
    assert alias(running) == ("1", {})
    expect(page.locator(".chart .point").first).to_be_visible()
    picture(page, "rollout-rolled-back")


def test_a_rollout_that_is_unknown(running: Running, page: Page, watched: Watched) -> None:
    """Is told as such."""
    page.goto(f"{running.url}/rollouts/nothing")
    expect(page.get_by_text("there is no rollout 'nothing'").first).to_be_visible()
    assert all("404" in each for each in watched.errors)
    watched.errors.clear()


def test_it_fits_a_narrow_window(
    running: Running, open_page: OpenPage, picture: Picture, traffic: Traffic
) -> None:
    """400 pixels, in the dark, with many steps: nothing makes the page wider."""
    page = open_page(width=400, scheme="dark")
    begun(running, page, steps=[number / 20 for number in range(1, 21)])
    with traffic(running, "/release/orders/1"):
        expect(page.locator(".chart path.js-line").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    picture(page, "rollout-narrow-dark")

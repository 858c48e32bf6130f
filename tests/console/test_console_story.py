"""The story of a grayscale release, told by the console in a real browser, with pictures of it.

Publish, let Bob try, give one request in ten, watch the share until it is judged, roll back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.sockets

Running = Any
Serve = Callable[..., Running]
Picture = Callable[[Page, str], Path]
Traffic = Callable[[Running, str], AbstractContextManager[None]]
OpenPage = Callable[..., Page]

PAGES = ("/", "/functions", "/functions/orders", "/rollouts", "/invocations", "/verify", "/replay")


def versions(running: Running, path: str, **headers: str) -> set[str]:
    """Which versions answer."""
    return {version for _, version in running.send(path, 60, headers)}


def test_the_story(serve: Serve, page: Page, picture: Picture, traffic: Traffic) -> None:
    """From a version that nobody calls to one that somebody called, and back."""
    running = serve(versions=1)
    page.goto(f"{running.url}/functions/orders")

    page.locator("#publish").click()
    page.locator("#description").fill("a friendlier answer")
    page.locator("#confirm-publish").click()
    expect(page.get_by_text("Version 2 is published.")).to_be_visible()
    expect(page.get_by_role("cell", name="a friendlier answer")).to_be_visible()
    picture(page, "story-1-published")
    assert versions(running, "/release/orders/1") == {"1"}

    page.get_by_role("button", name="Edit prepub").click()
    page.locator("#add-rule").click()
    page.locator("#rule-0").fill("invoke.headers.User exact Bob")
    expect(page.locator("#rule-version-0")).to_have_value("2")
    page.locator("#save:enabled").click()
    expect(page.get_by_text("prepub leads elsewhere")).to_be_visible()
    picture(page, "story-2-bobs-rule")
    assert versions(running, "/prepub/orders/1", User="Bob") == {"2"}
    assert versions(running, "/prepub/orders/1", User="Alice") == {"1"}

    page.get_by_role("button", name="Edit release").click()
    page.locator("#add-weight").click()
    expect(page.locator("#weight-0")).to_have_value("10")
    page.locator("#save:enabled").click()
    expect(page.get_by_text("release leads elsewhere")).to_be_visible()
    expect(page.locator("[data-alias='orders/release']")).to_contain_text(" 10 %")
    picture(page, "story-3-ten-percent")

    page.get_by_role("link", name="Stages").click()
    release = page.locator("[data-alias='orders/release'] [data-outcome]")
    with traffic(running, "/release/orders/1"):
        expect(page.locator("#marks circle").first).to_be_attached()
        expect(release).to_have_attribute("data-outcome", "passed", timeout=60_000)
        expect(release).to_have_text("passed. The split is right.")
        picture(page, "story-4-watched")

    page.goto(f"{running.url}/functions/orders")
    page.get_by_role("button", name="Roll back release").click()
    page.locator("#confirm").click()
    expect(page.get_by_text("release leads to")).to_be_visible()
    expect(page.locator("[data-alias='orders/release']")).to_contain_text("100 %")
    picture(page, "story-5-rolled-back")
    assert versions(running, "/release/orders/1") == {"1"}


def press_until(page: Page, selector: str) -> None:
    """Press Tab until something has the focus."""
    for _ in range(60):
        if page.locator(f"{selector}:focus").count():
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no Tab reaches {selector}")


def test_it_is_done_by_keys_alone(running: Running, page: Page, picture: Picture) -> None:
    """A rollout: its page by a digit, its form by Tab; begun, aborted, and back, by Enter."""
    page.goto(running.url)
    expect(page.locator("#scheme")).to_be_visible()
    page.keyboard.press("3")
    page.wait_for_url("**/rollouts")
    expect(page.locator("#field-to")).to_have_value("2")
    press_until(page, "#field-steps")
    page.keyboard.type("10 100")
    press_until(page, "#field-every")
    page.keyboard.type("3600")
    press_until(page, "button[type=submit]")
    page.keyboard.press("Enter")
    press_until(page, "#confirm")
    page.keyboard.press("Enter")
    page.wait_for_url("**/rollouts/orders-release-*")
    expect(page.locator("#status")).to_have_attribute("data-status", "running")
    press_until(page, "#do-abort")
    picture(page, "keys-focus")
    page.keyboard.press("Space")
    press_until(page, "#confirm")
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_have_attribute("data-status", "aborted")
    press_until(page, "#toast button")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Taken back.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1300])
def test_every_page_in_every_look(
    running: Running, open_page: OpenPage, picture: Picture, width: int, scheme: str
) -> None:
    """Filled, no wider than its window, without an error and without a request elsewhere."""
    running.ask(
        "PUT", "/api/functions/orders/aliases/release", {"version": "1", "weights": {"2": 0.1}}
    )
    assert sum(running.send("/release/orders/1", 200).values()) == 200
    page = open_page(width=width, scheme=scheme)
    for path in PAGES:
        page.goto(running.url + path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.get_by_text("Loading ...")).to_have_count(0)
        page.wait_for_load_state("load")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        picture(page, f"look-{scheme}-{width}-{path.strip('/').replace('/', '-') or 'stages'}")


def test_what_a_page_may_do(running: Running, page: Page) -> None:
    """Neither script in a page nor one of another origin runs, and no other page may frame it."""
    answer = page.goto(running.url)
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    page.add_init_script(
        "window.violations = 0;"
        "addEventListener('securitypolicyviolation', () => window.violations++)"
    )
    for path in PAGES:
        page.goto(running.url + path)
        expect(page.get_by_text("Loading ...")).to_have_count(0)
        assert page.evaluate("window.violations") == 0, path
        assert Counter(page.evaluate("[...document.scripts].map((s) => s.src === '')"))[True] == 0

"""The invocation log in a real browser: followed, filtered, looked into, and sent again."""

from __future__ import annotations

import platform
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.sockets

Running = Any
Picture = Callable[[Page, str], Path]

RELEASE = "/api/functions/orders/aliases/release"
BOB = "invoke.headers.User exact Bob"
MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture
def caller(running: Running) -> Iterator[httpx.Client]:
    """Calls the data plane."""
    with httpx.Client(base_url=running.data, trust_env=False) as client:
        yield client


def rows(page: Page) -> Any:  # noqa: ANN401 - a locator
    """The rows of the log."""
    return page.locator("tr[data-number]")


def detail(page: Page, running: Running, answer: httpx.Response) -> None:
    """Look at one request."""
    page.goto(f"{running.url}/invocations/{answer.headers['x-api-requestid']}")
    expect(page.get_by_role("heading", name="Again")).to_be_visible()


def test_what_comes_is_shown_at_once(
    running: Running, caller: httpx.Client, page: Page, picture: Picture
) -> None:
    """Newest first; a pause holds it, going on catches up."""
    caller.get("/release/orders/1")
    page.goto(f"{running.url}/invocations")
    expect(rows(page)).to_have_count(1)
    caller.get("/release/orders/2?x=1")
    expect(rows(page).first).to_contain_text("GET /orders/2?x=1")
    caller.get("/dev/orders/3")
    expect(rows(page).first).to_contain_text("$LATEST")
    picture(page, "invocations")
    page.locator("#pause").click()
    expect(page.locator("#pause")).to_have_text("Go on")
    caller.get("/release/orders/4")
    assert len(running.ask("GET", "/api/invocations")["entries"]) == 4
    expect(rows(page)).to_have_count(3)
    page.locator("#pause").click()
    expect(rows(page).first).to_contain_text("/orders/4")


def test_the_filter_stands_in_the_address(
    running: Running, caller: httpx.Client, page: Page
) -> None:
    """A reload shows the same; what comes and does not fit is left out."""
    for path in ("/release/orders/1", "/dev/orders/2", "/nowhere/orders/3"):
        caller.get(path)
    page.goto(f"{running.url}/invocations?status=404")
    expect(rows(page)).to_have_count(1)
    expect(page.locator("#filter-status")).to_have_value("404")
    page.get_by_role("button", name="Clear").click()
    expect(rows(page)).to_have_count(3)
    page.keyboard.press("/")
    expect(page.locator("#filter-text")).to_be_focused()
    page.keyboard.type("orders/")
    page.locator("#filter-stage").fill("dev")
    expect(rows(page)).to_have_count(1)
    expect(page).to_have_url(f"{running.url}/invocations?stage=dev&text=orders%2F")
    page.reload()
    expect(page.locator("#filter-stage")).to_have_value("dev")
    caller.get("/release/orders/5")
    caller.get("/dev/orders/6")
    expect(rows(page).first).to_contain_text("/orders/6")
    expect(rows(page)).to_have_count(2)
    page.locator("#filter-errors").check()
    expect(rows(page)).to_have_count(0)
    expect(page.get_by_text("Nothing fits the filter yet.")).to_be_visible()


def test_a_filter_that_means_nothing_is_told(
    running: Running,
    page: Page,
    watched: Any,  # noqa: ANN401
) -> None:
    """In the server's words."""
    page.goto(f"{running.url}/invocations?status=ok")
    expect(page.get_by_text("a class such as 5xx")).to_be_visible()
    watched.errors[:] = [error for error in watched.errors if "status of 400" not in error]
    page.locator("#filter-status").fill("2xx")
    expect(page.get_by_text("Following")).to_be_visible()


def test_rows_are_bounded_and_older_ones_are_there(running: Running, page: Page) -> None:
    """A browser must not fill up, however long one looks."""
    running.send("/release/orders/1", 250)
    page.goto(f"{running.url}/invocations")
    expect(rows(page)).to_have_count(100)
    page.locator("#older").click()
    expect(rows(page)).to_have_count(200)
    expect(page.locator("#pause")).to_have_text("Go on")
    page.locator("#older").click()
    expect(rows(page)).to_have_count(250)
    expect(page.locator("#older")).to_be_hidden()
    numbers = [int(row.get_attribute("data-number") or 0) for row in rows(page).all()]
    assert numbers == sorted(numbers, reverse=True)
    page.locator("#pause").click()
    running.send("/release/orders/2", 550)
    expect(rows(page)).to_have_count(500)


def test_a_request_is_told_with_its_decision(
    running: Running, caller: httpx.Client, page: Page, picture: Picture
) -> None:
    """Rules and stretches, at the present revision; what has moved since is said."""
    body = {"version": "1", "weights": {"2": 0.25}, "rules": [{"when": BOB, "version": "2"}]}
    running.ask("PUT", RELEASE, body)
    headers = {"User": "Al", "Cookie": "a=secret", "X-Markup": MARKUP}
    answer = caller.post(f"/release/orders/7?q={MARKUP}", headers=headers, json={"a": [1]})
    detail(page, running, answer)
    decision = page.get_by_role("region", name="Decision")
    expect(decision).to_contain_text("Explained at revision 2, which the request saw as well.")
    expect(page.get_by_text("Answered by")).to_be_visible()
    expect(page.get_by_text(f"{platform.node()}/main")).to_be_visible()
    expect(decision.get_by_role("row", name=BOB)).to_contain_text("Al")
    expect(decision.get_by_role("row", name=BOB)).to_contain_text("miss")
    expect(decision.locator(".hit")).to_have_count(1)
    expect(decision).to_contain_text("The values of cookie are hidden")
    request = page.get_by_role("region", name="Request")
    expect(request).to_contain_text(MARKUP)
    expect(request.locator("pre")).to_have_text('{ "a": [ 1 ] }', use_inner_text=True)
    picture(page, "invocation")
    page.set_viewport_size({"width": 400, "height": 800})
    picture(page, "narrow-invocation")
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    running.ask("PUT", RELEASE, {"version": "1"})
    page.reload()
    expect(page.locator("[data-moved]")).to_contain_text("revision 3; the request saw revision 2")


def test_a_failure_is_told_with_its_error(
    running: Running, caller: httpx.Client, page: Page, picture: Picture
) -> None:
    """With the stack; from the list to it."""
    caller.get("/release/orders/7?fail=1")
    page.goto(f"{running.url}/invocations?errors=true")
    rows(page).first.get_by_role("link").click()
    expect(page.get_by_role("region", name="Error")).to_contain_text("order 7 cannot be read")
    picture(page, "invocation-error")


def test_a_request_is_copied_as_curl(running: Running, caller: httpx.Client, page: Page) -> None:
    """A shell reads exactly what was sent."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    said = 'it\'s $HOME `here`\\n\n"so"'
    answer = caller.put("/release/orders/a%20b?y[]=1", headers={"User": said[:17]}, content=said)
    detail(page, running, answer)
    page.locator("#copy").click()
    expect(page.get_by_text("The command is copied.")).to_be_visible()
    words = shlex.split(page.evaluate("navigator.clipboard.readText()"))
    assert words[0] == "curl"
    assert words[words.index("-X") + 1] == "PUT"
    assert f"{running.data}/release/orders/a%20b?y[]=1" in words
    assert words[words.index("--data-raw") + 1] == said
    assert f"user: {said[:17]}" in words
    assert not [word for word in words if re.match("host:|content-length:", word)]


def test_a_request_is_sent_again(running: Running, caller: httpx.Client, page: Page) -> None:
    """A read at once, anything else after one question; the new one is a link away."""
    detail(page, running, caller.get("/release/orders/7?x=1"))
    page.locator("#again").click()
    told = page.locator("[data-again]")
    expect(told).to_contain_text("Answered with 200")
    told.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("GET /orders/7?x=1")
    detail(page, running, caller.post("/release/orders/8"))
    page.locator("#again").click()
    expect(page.locator("dialog")).to_contain_text("Send POST /orders/8 again?")
    page.get_by_role("button", name="Cancel").click()
    assert len(running.ask("GET", "/api/invocations")["entries"]) == 3
    page.locator("#again").click()
    page.locator("#confirm").click()
    expect(told).to_contain_text("Answered with 200")
    assert len(running.ask("GET", "/api/invocations")["entries"]) == 4


def test_an_invocation_by_name_is_told_as_one(running: Running, page: Page) -> None:
    """It had a routing key in the place of headers, and no address."""
    event = {"queryString": {}, "pathParameters": {"id": "1"}}
    body = {"qualifier": "release", "routing_key": {"User": "Bob"}, "event": event}
    made = running.ask("POST", "/api/functions/orders/invoke", body)
    page.goto(f"{running.url}/invocations/{made['request_id']}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Invocation of orders")
    expect(page.get_by_text("its routing key stood in the place of headers")).to_be_visible()
    expect(page.locator("#copy")).to_have_count(0)
    page.locator("#again").click()
    page.locator("#confirm").click()
    expect(page.locator("[data-again]")).to_contain_text("Answered with 200")


def test_a_request_that_is_not_kept_is_told(
    running: Running,
    page: Page,
    watched: Any,  # noqa: ANN401
) -> None:
    """With a way back."""
    page.goto(f"{running.url}/invocations/none")
    expect(page.get_by_text("the invocation log has no request 'none'")).to_be_visible()
    watched.errors[:] = [error for error in watched.errors if "status of 404" not in error]

"""Functions and invocations in a real browser: what is typed is checked, told, done and undone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.sockets

Running = Any
Serve = Callable[..., Running]
OpenPage = Callable[..., Page]
Picture = Callable[[Page, str], Path]

RELEASE = "/api/functions/orders/aliases/release"
BOB = "invoke.headers.User exact Bob"


@pytest.fixture
def refused(watched: Any, page: Page) -> Iterator[Page]:  # noqa: ANN401 - a fixture of ours
    """A page that is refused something: browsers write every refusal to the console."""
    yield page
    told = re.compile(r"the server responded with a status of (404|409|412|422)|ERR_FAILED")
    watched.errors[:] = [error for error in watched.errors if not told.search(error)]


def put(running: Running, **route: Any) -> None:  # noqa: ANN401 - parts of a route
    """Move the alias behind the browser's back."""
    running.ask("PUT", RELEASE, {"version": "1", **route})


def edit(page: Page, running: Running, alias: str = "release") -> None:
    """Open the editor of an alias."""
    page.goto(f"{running.url}/functions/orders?alias={alias}")
    expect(page.locator("[data-preview]")).to_contain_text("Nothing is altered yet.")


def save(page: Page) -> None:
    """Save, and wait until the editor is gone."""
    page.locator("#save:enabled").click()
    expect(page.locator("form.editor")).to_have_count(0)


def weights(running: Running) -> Any:  # noqa: ANN401 - JSON
    """The live weights of the release."""
    return running.ask("GET", RELEASE)["weights"]


def test_functions_are_listed_with_what_they_answered(
    running: Running, page: Page, picture: Picture
) -> None:
    """Versions, aliases with shares, answers and errors; from there to one function."""
    put(running, weights={"2": 0.25}, rules=[{"when": BOB, "version": "2"}])
    running.send("/release/orders/1?fail=1", 4, {"User": "Al"})
    running.send("/release/orders/1", 3, {"User": "Bob"})
    errors = sum(row["errors"] for row in running.ask("GET", "/api/metrics")["versions"])
    page.goto(f"{running.url}/functions")
    card = page.locator("[data-function=orders]")
    expect(card).to_contain_text("2 published versions")
    expect(card).to_contain_text(f"7 answers, {errors} errors")
    alias = card.locator(".alias", has_text="release")
    for text in ("1: 75 %", "2: 25 %", "1 rule first"):
        expect(alias).to_contain_text(text)
    picture(page, "functions")
    card.get_by_role("link", name="release").click()
    expect(page.locator("form.editor")).to_be_visible()
    expect(page.locator("#rule-0")).to_have_value(BOB)


def test_a_version_is_published_and_that_is_undone(running: Running, page: Page) -> None:
    """It asks once, says who did it when, and takes it back."""
    page.goto(f"{running.url}/functions/orders")
    page.locator("#publish").click()
    page.locator("#description").fill("the <i>third</i>")
    page.keyboard.press("Enter")
    row = page.locator("tr", has_text="the <i>third</i>")
    expect(row).to_contain_text("console")
    assert "3" in running.ask("GET", "/api/functions")["functions"][0]["versions"]
    page.get_by_role("button", name="Undo").click()
    expect(row).to_have_count(0)
    assert running.ask("GET", "/api/functions")["functions"][0]["versions"] == ["1", "2"]


def test_a_publication_can_be_called_off(running: Running, page: Page) -> None:
    """Nothing has happened then."""
    page.goto(f"{running.url}/functions/orders")
    page.locator("#publish").click()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    assert running.ask("GET", "/api/snapshot")["revision"] == 1


def test_an_edit_is_told_before_it_is_done_and_undone_by_one(
    running: Running, page: Page, picture: Picture
) -> None:
    """A weight, a rule, a key: before and after, in words."""
    edit(page, running)
    page.locator("#add-weight").click()
    page.locator("#weight-0").fill("12.5")
    page.locator("#add-rule").click()
    page.locator("#rule-0").fill(BOB)
    page.locator("#split").select_option("sticky")
    page.locator("#sticky-by").fill("invoke.query.u")
    told = page.locator("[data-preview]")
    for sentence in (
        "version 1 gets 87.5 % instead of 100 %",
        "version 2 gets 12.5 %; it got nothing",
        f"rule 1 is new: {BOB} goes to version 2",
        "the choice is made by 'sticky' instead of 'random'",
        "the next request to release follows it",
    ):
        expect(told).to_contain_text(sentence)
    picture(page, "function-edit")
    assert running.ask("GET", "/api/snapshot")["revision"] == 1
    save(page)
    expect(page.locator("[data-alias='orders/release']")).to_contain_text("1: 87.5 %")
    assert running.ask("GET", RELEASE) == {
        "version": "1",
        "weights": {"2": 0.125},
        "rules": [{"when": BOB, "version": "2"}],
        "split": "sticky",
        "sticky_by": "invoke.query.u",
        "description": "",
    }
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("release leads where it led before.")).to_be_visible()
    assert weights(running) == {}
    moves = running.ask("GET", f"{RELEASE}/history")["moves"]
    assert (moves[0]["restores"], moves[0]["who"]) == (1, "console")


def test_additional_versions_keep_their_order(serve: Serve, page: Page) -> None:
    """It settles where a sticky key leads; a browser would sort them."""
    running = serve(versions=4)
    put(running, weights={"4": 0.1, "2": 0.2})
    edit(page, running)
    page.locator("#add-weight").click()
    expect(page.locator("[data-preview]")).to_contain_text("version 3 gets 10 %; it got nothing")
    expect(page.locator("[data-preview]")).not_to_contain_text("order")
    save(page)
    assert list(weights(running).items()) == [("4", 0.1), ("2", 0.2), ("3", 0.1)]


def test_a_mistake_is_told_where_it_was_typed(
    running: Running, refused: Page, picture: Picture
) -> None:
    """In the words of the law, and it cannot be saved."""
    page = refused
    edit(page, running)
    page.locator("#add-weight").click()
    page.locator("#weight-0").fill("120")
    page.locator("#add-rule").click()
    page.locator("#rule-0").fill("User is Bob")
    weight, rule = (
        page.locator("[data-wrong='/weights/2']"),
        page.locator("[data-wrong='/rules/0/when']"),
    )
    expect(weight).to_contain_text("the weight of version '2' is 1.2; allowed: 0 to 1")
    expect(rule).to_be_visible()
    expect(page.locator("#weight-0")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#rule-0")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#save")).to_be_disabled()
    picture(page, "function-mistakes")
    page.locator("#rule-0").fill(BOB)
    expect(rule).to_be_hidden()
    page.locator("#weight-0").fill("")
    expect(weight).to_contain_text("must be a number")
    page.locator("#weight-0").fill("50")
    expect(page.locator("[data-preview]")).to_contain_text("version 2 gets 50 %")
    expect(page.locator("#save")).to_be_enabled()


def test_somebody_who_was_faster_is_told(running: Running, refused: Page, picture: Picture) -> None:
    """Whoever was slower chooses: take what is there, or keep what was typed."""
    page = refused
    edit(page, running)
    page.locator("#add-weight").click()
    page.locator("#weight-0").fill("30")
    expect(page.locator("#save")).to_be_enabled()
    put(running, version="2")
    conflict = page.locator(".conflict")
    expect(conflict).to_contain_text("Somebody else has moved release meanwhile")
    expect(conflict).to_contain_text("at revision 2 it leads to 2")
    picture(page, "function-conflict")
    page.locator("#keep").click()
    expect(page.locator("[data-preview]")).to_contain_text("version 1 gets 70 %; it got nothing")
    put(running, weights={"2": 0.5})
    page.locator("#reload").click()
    expect(page.locator("#weight-0")).to_have_value("50")
    expect(page.locator("[data-preview]")).to_contain_text("Nothing is altered yet.")


def test_a_save_onto_another_state_is_refused(serve: Serve, refused: Page) -> None:
    """Even when the page could not be told in time: the server knows."""
    running, page = serve(), refused
    page.route("**/api/events", lambda route: route.abort())
    edit(page, running)
    page.locator("#add-weight").click()
    expect(page.locator("#save")).to_be_enabled()
    page.route("**/api/snapshot", lambda route: route.abort())
    put(running, version="2")
    page.locator("#save").click()
    expect(page.locator(".conflict")).to_contain_text("at revision 2 it leads to 2")
    assert running.ask("GET", RELEASE)["version"] == "2"
    running.ask("PUT", "/api/functions/orders/aliases/prepub", {"version": "2"})
    page.locator("#keep").click()
    save(page)
    assert weights(running) == {"2": 0.1}


def test_what_others_alter_elsewhere_stops_nobody(running: Running, page: Page) -> None:
    """The revision is another one, the alias is not."""
    edit(page, running)
    page.locator("#add-weight").click()
    expect(page.locator("#save")).to_be_enabled()
    running.ask("PUT", "/api/functions/orders/aliases/prepub", {"version": "2"})
    expect(page.locator("[data-alias='orders/prepub'] .routing")).to_contain_text("2: 100 %")
    save(page)
    assert weights(running) == {"2": 0.1}


def test_history_is_rolled_back_and_that_is_undone(
    running: Running, page: Page, picture: Picture
) -> None:
    """It asks once, with what it brings; one button takes it back."""
    for share in (0.1, 0.5):
        put(running, weights={"2": share})
    page.goto(f"{running.url}/functions/orders")
    page.get_by_role("button", name="History of release").click()
    moves = page.locator(".moves li")
    expect(moves).to_have_count(3)
    expect(moves.first).to_contain_text("live")
    picture(page, "function-history")
    page.get_by_role("button", name="Roll release back to revision 2").click()
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text("Roll release back to revision 2?")
    expect(dialog).to_contain_text("version 2 gets 10 % instead of 50 %")
    picture(page, "function-asks")
    dialog.get_by_role("button", name="Cancel").click()
    assert weights(running) == {"2": 0.5}
    page.get_by_role("button", name="Roll release back to revision 2").click()
    page.locator("#confirm").click()
    expect(moves.first).to_contain_text("rolled back to revision 2")
    assert weights(running) == {"2": 0.1}
    page.get_by_role("button", name="Undo").click()
    expect(moves).to_have_count(5)
    assert weights(running) == {"2": 0.5}
    page.get_by_role("button", name="Roll back release", exact=True).click()
    page.locator("#confirm").click()
    expect(moves.first).to_contain_text("rolled back to revision 1")
    assert weights(running) == {}


def test_there_is_not_always_something_to_roll_back(running: Running, refused: Page) -> None:
    """It is said, and nothing is asked."""
    refused.goto(f"{running.url}/functions/orders")
    refused.get_by_role("button", name="Roll back release").click()
    expect(refused.locator("#toast")).to_contain_text("has no earlier state")
    expect(refused.locator("dialog")).to_have_count(0)


def test_an_alias_is_made_and_that_is_undone(running: Running, refused: Page) -> None:
    """Its name is checked as all the rest is."""
    page = refused
    page.goto(f"{running.url}/functions/orders")
    page.locator("#new-alias").click()
    page.locator("#alias-name").fill("not a name")
    expect(page.locator("[data-preview]")).to_contain_text("'not a name' cannot name an alias")
    page.locator("#alias-name").fill("release")
    expect(page.locator("[data-preview]")).to_contain_text("release is there already")
    expect(page.locator("#save")).to_be_disabled()
    page.locator("#alias-name").fill("canary")
    expect(page.locator("[data-preview]")).to_contain_text("canary is a new alias")
    save(page)
    card = page.locator("[data-alias='orders/canary']")
    expect(card).to_contain_text("no stage leads here")
    page.get_by_role("button", name="Undo").click()
    expect(card).to_have_count(0)
    assert "canary" not in running.ask("GET", "/api/functions/orders")["aliases"]


def test_what_was_typed_is_not_lost_by_a_click(running: Running, page: Page) -> None:
    """Closing asks; what was not touched closes."""
    edit(page, running)
    page.get_by_role("button", name="Close").click()
    expect(page.locator("form.editor")).to_have_count(0)
    edit(page, running)
    page.locator("#alias-description").fill("for all")
    page.get_by_role("button", name="Edit prepub").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page.locator("#alias-description")).to_have_value("for all")
    page.get_by_role("button", name="Close").click()
    page.locator("#confirm").click()
    expect(page.locator("form.editor")).to_have_count(0)


def test_an_alias_is_edited_by_keys_alone(running: Running, page: Page) -> None:
    """Every field is reached by Tab, rows keep the focus near, Enter saves."""
    edit(page, running)
    page.keyboard.press("Tab")
    expect(page.locator("#add-weight")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#weight-0")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.locator("#add-rule").focus()
    page.keyboard.press("Space")
    page.keyboard.type(BOB)
    expect(page.locator("#rule-0")).to_be_focused()
    expect(page.locator("#save")).to_be_enabled()
    page.keyboard.press("Enter")
    expect(page.locator("form.editor")).to_have_count(0)
    expect(page.get_by_role("button", name="Edit release")).to_be_focused()
    assert weights(running) == {"2": 0.11}


@pytest.mark.parametrize(
    ("path", "scheme"),
    [
        ("/functions", "light"),
        ("/functions/orders?alias=release", "dark"),
        ("/functions/orders?alias=release&show=history", "light"),
        ("/invocations", "dark"),
    ],
)
def test_nothing_is_wider_than_a_narrow_screen(
    running: Running, open_page: OpenPage, picture: Picture, path: str, scheme: str
) -> None:
    """400 pixels: tables scroll by themselves, the page does not."""
    put(
        running,
        weights={"2": 0.25},
        rules=[{"when": BOB, "version": "2"}],
    )
    running.send("/release/orders/1?a=" + "long" * 20, 20)
    page = open_page(width=400, scheme=scheme)
    page.goto(running.url + path)
    expect(page.locator("[data-alias], [data-function], tr[data-number]").first).to_be_visible()
    picture(page, "narrow" + re.sub(r"\W+", "-", path))
    assert page.evaluate("document.documentElement.scrollWidth") <= 400

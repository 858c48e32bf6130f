"""A browser looks at a gateway that does not hear from what keeps its state."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.sockets

Running = Any


def test_how_long_the_state_is_away_is_told_on_every_page(
    running: Running, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing where it is there, or is always the newest."""
    page.goto(f"{running.url}/rollouts")
    with page.expect_response("**/api/nodes"):
        page.goto(f"{running.url}/functions")
    expect(page.locator("#away")).to_have_text("")
    store = type(running.gateway.service.store)
    monkeypatch.setattr(store, "age", property(lambda _: 42.4))
    page.reload()
    expect(page.locator("#away")).to_have_text("without its state for 42 s")

"""A report draws in a real browser, with no gateway and no network beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from gateway.traffic.page import Plot, Table, page

PLOT = Plot("Shares", [{"x": [1, 2], "y": [0.1, 0.2], "name": "</script>"}])
TABLE = Table("Versions", ("Version",), (("<b>1</b>",),))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_report_draws(tmp_path: Path, browser: Browser, scheme: str) -> None:
    """The picture is there, what is told is text, and nothing is asked of anybody."""
    file = tmp_path / "report.html"
    file.write_text(page("A report", "all is well", [PLOT, TABLE]), encoding="utf-8")
    context = browser.new_context(color_scheme=scheme, offline=True)  # type: ignore[arg-type]
    try:
        opened = context.new_page()
        errors: list[str] = []
        opened.on("pageerror", lambda error: errors.append(str(error)))
        opened.goto(file.as_uri())
        expect(opened.locator(".plot svg.main-svg").first).to_be_visible()
        expect(opened.locator(".plot .legend, .plot .scatterlayer").first).to_be_attached()
        expect(opened.get_by_role("cell", name="<b>1</b>")).to_be_visible()
        assert errors == []
    finally:
        context.close()

"""The page on API Gateway says of every action what the gateway does with it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from gateway.controlplane.cloud.apigateway.actions import ACTIONS, REASONS, VERSION
from gateway.controlplane.cloud.apigateway.plugin_data import TYPES, read_data
from gateway.controlplane.cloud.app import SECRET_ID, SECRET_KEY

Served = Any

PAGE: Final = Path(__file__).parents[4] / "docs" / "cloud-api-gateway.md"
ROW: Final = re.compile(r"^\| `(\w+)` \| (works|refused) \| (.+) \|$", re.MULTILINE)
PLUGIN: Final = re.compile(r"^\| `(\w+)` \| `(\{.+?\})`", re.MULTILINE)
PYTHON: Final = re.compile(r"```python\n(.*?)```", re.DOTALL)

TEXT: Final = PAGE.read_text(encoding="utf-8")
ROWS: Final = {action: (verdict, words) for action, verdict, words in ROW.findall(TEXT)}


def test_every_action_of_the_api_is_in_the_table() -> None:
    """Once, with what is done, or why it is not in the words of the refusal."""
    assert list(ROWS) == [*ACTIONS, *REASONS]
    assert len(ROW.findall(TEXT)) == len(ROWS)
    for action, (verdict, words) in ROWS.items():
        assert verdict == ("works" if action in ACTIONS else "refused"), action
        assert words == REASONS.get(action, words), action
    assert f"version `{VERSION}`" in TEXT


def test_what_the_page_shows_of_plugins_is_read() -> None:
    """One of each type."""
    shown = PLUGIN.findall(TEXT)
    assert tuple(kind for kind, _ in shown) == TYPES
    for kind, text in shown:
        assert read_data(kind, json.dumps(json.loads(text)))


@pytest.mark.sockets
def test_the_program_of_the_page_runs(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    """Against a gateway at another port."""
    (program,) = PYTHON.findall(TEXT)
    assert f'"{SECRET_ID}", "{SECRET_KEY}"' in program
    endpoint = served.control.removeprefix("http://")
    moved = program.replace("127.0.0.1:8081", endpoint).replace('"prepub")', '"spare")')
    exec(compile(moved, str(PAGE), "exec"), {})
    port = served.data.rpartition(":")[2]
    assert re.fullmatch(
        rf"http://service-[0-9a-f]{{8}}\.localhost:{port}/release/user\n", capsys.readouterr().out
    )

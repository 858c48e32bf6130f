"""The page on clients of the cloud says of every action what the gateway does with it."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Final

from gateway.controlplane.cloud.actions import ACTIONS, REASONS
from gateway.controlplane.cloud.app import SECRET_ID, SECRET_KEY
from gateway.controlplane.recent import KEPT

PAGE: Final = Path(__file__).parents[3] / "docs" / "cloud-clients.md"
ROW: Final = re.compile(r"^\| `(\w+)` \| (works|refused) \| (.+) \|$", re.MULTILINE)

TEXT: Final = PAGE.read_text(encoding="utf-8")
ROWS: Final = {action: (verdict, words) for action, verdict, words in ROW.findall(TEXT)}


def test_every_action_of_the_api_is_in_the_table() -> None:
    """As many as the official SDK has, each once."""
    scf = importlib.import_module("tencentcloud.scf.v20180416.scf_client")
    official = {name for name in vars(scf.ScfClient) if name[0].isupper()}
    assert ROWS.keys() == ACTIONS.keys() | REASONS.keys() == official
    assert len(ROW.findall(TEXT)) == len(ROWS)


def test_the_table_says_what_is_done() -> None:
    """And why the rest is not, in the words of the refusal."""
    for action, (verdict, words) in ROWS.items():
        assert verdict == ("works" if action in ACTIONS else "refused"), action
        assert words == REASONS.get(action, words), action
    assert not ACTIONS.keys() & REASONS.keys()


def test_the_page_names_what_the_code_has() -> None:
    """The documented pair, and how much is remembered."""
    assert f"| secret id | `{SECRET_ID}` |" in TEXT
    assert f"| secret key | `{SECRET_KEY}`;" in TEXT
    assert f"of the last {KEPT:,} that were waited for" in TEXT

"""What is on disk now is what runs; nothing is left behind there."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.core.functions import FunctionVersion
from gateway.runtime import load

Make = Callable[..., FunctionVersion]


def test_code_is_read_as_it_is_now_and_leaves_no_cache(make: Make) -> None:
    """Two edits within one second are two different codes."""
    version = make({"index.py": "from helper import main_handler", "helper.py": ""})
    folder = Path(version.code)
    stamp = 1_000_000_000
    for number in range(3):
        (folder / "helper.py").write_text(f"def main_handler(event, context): return {number}")
        os.utime(folder / "helper.py", (stamp, stamp))
        fresh = load(version)
        assert fresh.handler({}, {}) == number
        fresh.unload()
    assert sorted(path.name for path in folder.iterdir()) == ["helper.py", "index.py"]


def test_compiled_modules_can_be_brought(make: Callable[..., FunctionVersion]) -> None:
    """An extension module in the folder is loaded under the private name."""
    found = [
        path
        for folder in sys.path
        for path in Path(folder).glob("_json.*") if path.suffix in {".so", ".pyd"}
    ]  # fmt: skip
    if not found:
        pytest.skip("this Python has the module built in")
    written = make("import _json\ndef main_handler(e, c): return _json.__name__")
    shutil.copy(found[0], written.code)
    version = load(written)
    assert version.handler({}, {}) == f"{version.package}._json"
    version.unload()

"""Every way to get a stages.toml wrong, with the exact words that its author will read.

`UPDATE_GOLDEN=1 pytest tests/config` writes the expected texts anew; read the difference.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.config import ConfigurationInvalid, load, render

BAD = Path(__file__).parent / "bad"
FILES = sorted(BAD.glob("*.toml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_bad_file_is_explained(
    file: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All mistakes at once, each at its place, in words that help."""
    monkeypatch.chdir(project)
    name = Path(file.name)
    name.write_bytes(file.read_bytes())
    try:
        with pytest.raises(ConfigurationInvalid) as caught:
            load(name)
    finally:
        name.unlink()
    text = render(caught.value.diagnostics).replace(str(project), "/project") + "\n"
    golden = file.with_suffix(".txt")
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_every_expectation_has_its_file() -> None:
    """No expected text is left behind when a file is renamed."""
    assert {path.stem for path in BAD.glob("*.txt")} == {path.stem for path in FILES}


def test_the_corpus_is_large() -> None:
    """The corpus is the specification of what users read."""
    assert len(FILES) >= 45

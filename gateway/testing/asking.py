"""What a test asks for: by its marker, else by pytest's configuration, else `stages.toml`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from gateway.core.errors import listed, nearest

KEYWORDS: Final = ("file", "seed", "functions", "aliases", "stages", "apis")
"""What the marker may say."""


def asked_for(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What `running_gateway` is to be given for a test.

    Args:
        request: The test's.

    Raises:
        pytest.UsageError: The marker or the configuration says what it may not.
    """
    marker = request.node.get_closest_marker("gateway")
    given = _said(marker) if marker else {}
    root, folder = request.config.rootpath, request.path.parent
    if "file" in given:
        given["file"] = folder / given["file"]
    elif "functions" not in given:
        ini = request.config.getini("gateway_file")
        given["file"] = root / ini if ini else _nearest(folder, root)
    given.setdefault("seed", _seed(request.config.getini("gateway_seed")))
    return given


def _said(marker: pytest.Mark) -> dict[str, Any]:
    if len(marker.args) > 1:
        raise pytest.UsageError(f"the marker gateway takes one file, not {len(marker.args)}")
    given = dict(marker.kwargs)
    if marker.args:
        given["file"] = marker.args[0]
    for name in given:
        if name not in KEYWORDS:
            hint = nearest(name, KEYWORDS)
            message = f"the marker gateway knows no {name!r}; allowed: {listed(KEYWORDS)}"
            raise pytest.UsageError(f"{message}; {hint}" if hint else message)
    return given


def _nearest(folder: Path, root: Path) -> Path:
    """The nearest stages.toml, from the test's folder up to pytest's root."""
    places = [folder, *folder.parents]
    below = places[: places.index(root) + 1] if root in places else [root]
    found = (place / "stages.toml" for place in below if (place / "stages.toml").is_file())
    return next(found, root / "stages.toml")


def _seed(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise pytest.UsageError(f"gateway_seed is {text!r}; allowed: a whole number") from None

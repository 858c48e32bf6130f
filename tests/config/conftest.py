"""What the tests of the configuration share: one project with code folders of every sort."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

FILES = (
    *(f"orders/{version}/index.py" for version in ("latest", "v1", "v2", "v3", "v4")),
    *(f"payments/{version}/index.py" for version in ("latest", "v1")),
    "only-latest/latest/index.py",
    "gaps/latest/index.py",
    "gaps/v1/index.py",
    "gaps/v10/index.py",
    "gaps/v3/index.py",
    "gaps/notes/readme.txt",
    "gaps/vendor/readme.txt",
    "packages/latest/web/__init__.py",
    "packages/latest/app/orders.py",
    "upper/Latest/index.py",
    "upper/v1/index.py",
    "odd/latest/index.py",
    "odd/v1/index.py",
    "odd/v01/index.py",
    "odd/v0/index.py",
    "odd/V2/index.py",
    "odd/v3",
    "flat/latest",
    "flat/v1/index.py",
    "renamed/latest/main.py",
    "renamed/v1/index.py",
    "renamed/v2/main.py",
    "bare/latest/readme.txt",
    "empty/.keep",
    "readme",
)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `functions/`; tests put their stages.toml beside it."""
    root = tmp_path_factory.mktemp("project")
    for name in FILES:
        file = root / "functions" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("def main_handler(event, context):\n    return 'hello'\n")
    return root


@pytest.fixture
def write(project: Path) -> Iterator[Callable[[str | bytes], Path]]:
    """Writes a stages.toml into the project."""
    path = project / "stages.toml"

    def write(text: str | bytes) -> Path:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    yield write
    path.unlink(missing_ok=True)

"""Modules that take names as text know a version's own modules, and are shared otherwise."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable

import pytest

from gateway.runtime import LoadedVersion

Loaded = Callable[..., LoadedVersion]

PACKAGE = {"pkg/__init__.py": "", "pkg/sub/__init__.py": "", "pkg/sub/deep.py": ""}

OWN = {
    "own/__init__.py": "import importlib.metadata as m\nVERSION = m.version(__name__)",
    "own-1.5.dist-info/METADATA": "Metadata-Version: 2.1\nName: own\nVersion: 1.5\n"
    "Requires-Dist: other\n",
    "own-1.5.dist-info/RECORD": "own/__init__.py,,\n",
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("own.VERSION", "1.5"),
        ("metadata.version('own')", "1.5"),
        ("metadata.metadata('own')['Name']", "own"),
        ("metadata.requires('own')", ["other"]),
        ("[str(file) for file in metadata.files('own')]", ["own/__init__.py"]),
        ("metadata.distribution('own').version", "1.5"),
        ("metadata.version('pytest')", importlib.metadata.version("pytest")),
        ("metadata.PackageNotFoundError", importlib.metadata.PackageNotFoundError),
    ],
)
def test_metadata_of_packages_that_a_version_brings(
    loaded: Loaded, expression: str, expected: object
) -> None:
    """As `pip install --target` leaves them in the folder; installed ones are found as well."""
    index = f"""
        from importlib import metadata
        import own
        def main_handler(event, context): return {expression}
    """
    assert loaded({"index.py": index, **OWN}).handler({}, {}) == expected


def test_metadata_of_what_is_nowhere(loaded: Loaded) -> None:
    """Python's own error."""
    index = """
        import importlib.metadata
        def main_handler(event, context): importlib.metadata.version("no-such-thing")
    """
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        loaded(index).handler({}, {})


@pytest.mark.parametrize("name", ["helper_none", "pkg.none"])
def test_find_spec_of_what_is_missing(loaded: Loaded, name: str) -> None:
    """Asking whether something can be imported is not an error."""
    index = f"""
        import importlib.util
        def main_handler(event, context):
            return importlib.util.find_spec({name!r}), importlib.util.find_spec("json").name
    """
    assert loaded({"index.py": index, **PACKAGE}).handler({}, {}) == (None, "json")


def test_resources_without_anchor_are_pythons_affair(loaded: Loaded) -> None:
    """Functions that are given something else than a name get it unchanged."""
    index = """
        import importlib.resources, json
        def main_handler(event, context):
            return importlib.resources.files(json), importlib.resources.files("json")
    """
    first, second = loaded(index).handler({}, {})  # type: ignore[misc]
    assert first == second  # type: ignore[has-type]

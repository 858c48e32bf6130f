"""Versions written for one test, and a process that looks the same after it as before."""

from __future__ import annotations

import itertools
import sys
import textwrap
from typing import TYPE_CHECKING, Any, cast

import pytest

from gateway.core.functions import Configuration, FunctionVersion
from gateway.runtime import LoadedVersion, Runtime, load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def private_modules() -> list[str]:
    """What `sys.modules` holds of any version."""
    return sorted(name for name in sys.modules if name.startswith("gateway_functions"))


@pytest.fixture(autouse=True)
def clean_process() -> Iterator[None]:
    """Whatever a test loads, no search path changes and no private module stays."""
    path, finders, hooks = list(sys.path), list(sys.meta_path), list(sys.path_hooks)
    assert private_modules() == []
    yield
    assert private_modules() == []
    assert (sys.path, sys.meta_path, sys.path_hooks) == (path, finders, hooks)


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., FunctionVersion]:
    """Write a version's files; a text alone is its `index.py`."""
    folders = itertools.count(1)

    def write(
        files: str | dict[str, str],
        number: str = "1",
        function: str = "orders",
        **configured: object,
    ) -> FunctionVersion:
        folder = tmp_path / f"code{next(folders)}"
        folder.mkdir()
        for name, text in ({"index.py": files} if isinstance(files, str) else files).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
        return FunctionVersion(
            function, number, str(folder), Configuration(**cast("Any", configured))
        )

    return write


@pytest.fixture
def loaded(make: Callable[..., FunctionVersion]) -> Iterator[Callable[..., LoadedVersion]]:
    """Write a version and load it; unloaded when the test is over."""
    versions: list[LoadedVersion] = []

    def load_it(*arguments: object, **configured: object) -> LoadedVersion:
        versions.append(load(make(*arguments, **configured)))
        return versions[-1]

    yield load_it
    for version in versions:
        version.unload()


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    """A runtime that is closed when the test is over."""
    made = Runtime()
    yield made
    made.close()

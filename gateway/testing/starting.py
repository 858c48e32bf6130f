"""`running_gateway`: from a file, or from functions and aliases, to a gateway that serves."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypedDict, Unpack

from gateway.app import Setup
from gateway.testing.declared import Aliases, Functions, declare
from gateway.testing.handlers import forget
from gateway.testing.running import RunningGateway


class Declared(TypedDict, total=False):
    """What may be given in place of a file.

    Attributes:
        functions: Versions by number, by function: the text that the version answers, its code
            folder as a `Path`, or its handler.
        aliases: Aliases by name, by function, as stages.toml has them.
        stages: The alias of each stage.
        apis: APIs as stages.toml has them.
    """

    functions: Functions
    aliases: Aliases
    stages: Mapping[str, str]
    apis: Sequence[Mapping[str, Any]]


@contextmanager
def running_gateway(
    file: str | os.PathLike[str] | None = None,
    *,
    seed: int | None = 0,
    **declared: Unpack[Declared],
) -> Iterator[RunningGateway]:
    """Serve a gateway in this process; it remembers nothing and is closed in the end.

    Args:
        file: A stages.toml.
        seed: Seeds the dice, so that the same requests meet the same versions; `None` for chance.
        declared: What is served in place of a file.

    Raises:
        ValueError: Neither a file nor functions were given, or both.
        ConfigurationInvalid: The file is wrong.
        BrokenVersions: Some handlers do not load.
    """
    functions = declared.get("functions")
    if (file is None) is (functions is None):
        raise ValueError("a gateway serves either a file or functions; give one of the two")
    if functions is None:
        with RunningGateway(Setup(file=Path(str(file)), seed=seed)) as running:
            yield running
        return
    with TemporaryDirectory(prefix="gateway-testing-") as folder:
        written, kept = declare(
            Path(folder),
            functions,
            declared.get("aliases", {}),
            declared.get("stages", {}),
            declared.get("apis", ()),
        )
        with RunningGateway(Setup(file=written, seed=seed), _forgetting(kept)) as running:
            yield running


def _forgetting(kept: list[str]) -> Callable[[], None]:
    def after() -> None:
        for key in kept:
            forget(key)

    return after

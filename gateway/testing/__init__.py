"""A gateway for tests: `running_gateway` starts one in this process, `assert_split` judges a split.

pytest imports this package in every run, so that nothing here is imported before it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.testing.running import RunningGateway
    from gateway.testing.splits import assert_split
    from gateway.testing.starting import running_gateway

__all__ = ["RunningGateway", "assert_split", "running_gateway"]

_HOMES = {"RunningGateway": "running", "assert_split": "splits", "running_gateway": "starting"}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(importlib.import_module(f"gateway.testing.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

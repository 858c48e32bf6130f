"""What a report says of the circumstances, so that a run can be told from another and repeated."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from loadtests.source import source

PASSED_DOWN: Final = "LOADTEST_COMMAND"
"""The environment variable in which whoever drives Locust names the command that it was given."""


def circumstances(options: Any, senders: int) -> dict[str, Any]:  # noqa: ANN401 - a namespace
    """The traffic, the load, the seed, the versions of everything, and how to do it again."""
    return {
        "test": options.load_test,
        "log": dict(source(options).facts),
        "mix": options.mix,
        "users": options.num_users,
        "rate": options.rate or None,
        "senders": senders,
        "seed": options.gateway_seed,
        "gateway_seed": options.gateway_seed,
        "versions": {
            "gateway-simulator": version("gateway-simulator"),
            "locust": version("locust"),
            "python": platform.python_version(),
        },
        "command": os.environ.get(PASSED_DOWN) or as_typed(),
        "command_line": shlex.join(sys.argv),
    }


def as_typed() -> str:
    """The command of this process, with Locust by its name and not by the place of its script."""
    return shlex.join([Path(sys.argv[0]).name.replace("__main__.py", "locust"), *sys.argv[1:]])

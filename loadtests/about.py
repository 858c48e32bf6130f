"""What a report says of the circumstances, so that a run can be told from another and repeated."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from importlib.metadata import version
from typing import Any

from loadtests import traffic
from loadtests.options import read_log


def circumstances(options: Any, senders: int) -> dict[str, Any]:  # noqa: ANN401 - a namespace
    """The log, the mix, the load and the versions of everything that took part."""
    log, _ = read_log(options.access_log)
    return {
        "log": {
            "file": os.path.abspath(options.access_log),  # noqa: PTH100 - not resolved, only named
            "lines": len(log.entries),
            "malformed": log.malformed,
            "clients": len({entry.client for entry in log.entries}),
            "bob": traffic.busiest(log.entries),
        },
        "mix": options.mix,
        "users": options.num_users,
        "senders": senders,
        "gateway_seed": options.gateway_seed,
        "versions": {
            "gateway-simulator": version("gateway-simulator"),
            "locust": version("locust"),
            "python": platform.python_version(),
        },
        "command_line": shlex.join(sys.argv),
    }

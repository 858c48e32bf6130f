"""The second argument of every handler: what the cloud tells a function about itself.

A version's environment variables are told here and nowhere else. The cloud sets them in
`os.environ`, but there a version has a process of its own; here all versions share one, and
version 2 would read what was meant for version 1.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway.core.functions import FunctionVersion

NAMESPACE: Final = "default"
REGION: Final = "local"
APP_ID: Final = "1250000000"
UIN: Final = "100000000001"

Context = dict[str, object]


def context_template(version: FunctionVersion) -> Context:
    """The context of a version, complete but for the `request_id` of the invocation."""
    configuration = version.configuration
    variables = {**configuration.environment, "SCF_NAMESPACE": NAMESPACE}
    return {
        "memory_limit_in_mb": configuration.memory,
        "time_limit_in_ms": round(configuration.timeout * 1000),
        "request_id": "",
        "environment": json.dumps(variables, separators=(",", ":"), ensure_ascii=False),
        "environ": ";".join(f"{name}={value}" for name, value in variables.items()),
        "function_version": version.number,
        "function_name": version.function,
        "namespace": NAMESPACE,
        "tencentcloud_region": REGION,
        "tencentcloud_appid": APP_ID,
        "tencentcloud_uin": UIN,
    }


def process_environment(version: FunctionVersion) -> dict[str, str]:
    """What is set in `os.environ` of a process that runs this version and nothing else."""
    return {
        **version.configuration.environment,
        "SCF_NAMESPACE": NAMESPACE,
        "SCF_FUNCTIONNAME": version.function,
        "SCF_FUNCTIONVERSION": version.number,
        "TENCENTCLOUD_REGION": REGION,
        "TENCENTCLOUD_APPID": APP_ID,
        "TENCENTCLOUD_UIN": UIN,
    }

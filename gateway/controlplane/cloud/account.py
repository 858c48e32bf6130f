"""What an account has and what it uses of it: one namespace, and no quota of memory."""

from __future__ import annotations

from typing import Final

from gateway.controlplane.cloud import limits
from gateway.controlplane.cloud.apigateway.apis import MOST
from gateway.controlplane.cloud.asked import Asked, Fields
from gateway.controlplane.cloud.reading import NAMESPACE, Request
from gateway.core.functions import Configuration

_TYPES: Final = ("Cos", "Timer", "Cmq", "Ckafka", "Apigw", "Cls", "Clb", "Mps", "Cm", "Vod", "Eb")
_NO_MEMORY: Final = {"TotalConcurrencyMem": 0, "TotalAllocatedConcurrencyMem": 0}


async def list_namespaces(asked: Asked) -> Fields:
    """The one namespace."""
    given = asked.given(Request)
    one = {"Name": given.Namespace, "Description": "", "Type": "default"}
    return {"Namespaces": [{**one, "AddTime": "", "ModTime": ""}], "TotalCount": 1}


async def get_account(asked: Asked) -> Fields:
    """What is used of what is allowed; no memory is reserved, and there is no quota of it."""
    functions = list(asked.snapshot.functions)
    usage = {
        "Namespace": NAMESPACE,
        "Functions": functions,
        "FunctionsCount": len(functions),
        **_NO_MEMORY,
        "TotalAllocatedProvisionedMem": 0,
    }
    return {
        "AccountUsage": {
            "NamespacesCount": 1,
            "Namespace": [usage],
            **_NO_MEMORY,
            "UserConcurrencyMemLimit": 0,
        },
        "AccountLimit": {"NamespacesCount": 1, "Namespace": [_limits(asked)]},
    }


def _limits(asked: Asked) -> Fields:
    policy = asked.control.asynchronous.policy
    return {
        "Namespace": NAMESPACE,
        "FunctionsCount": limits.MOST_FUNCTIONS,
        "Trigger": {**dict.fromkeys(_TYPES, 0), "Apigw": MOST, "Total": MOST},
        "ConcurrentExecutions": Configuration().concurrency,
        "TimeoutLimit": limits.LONGEST,
        "InitTimeoutLimit": 0,
        "TestModelLimit": 0,
        "RetryNumLimit": policy.retries,
        "MinMsgTTL": 0,
        "MaxMsgTTL": int(policy.lifetime),
    }

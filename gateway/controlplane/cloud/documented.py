"""Which error codes the cloud documents for which action: the ones that this gateway has a use for.

Any action may in addition answer the common codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

COMMON: Final = frozenset(
    {
        "AuthFailure.InvalidAuthorization",
        "AuthFailure.SecretIdNotFound",
        "AuthFailure.SignatureExpire",
        "AuthFailure.SignatureFailure",
        "FailedOperation",
        "InternalError",
        "InvalidAction",
        "InvalidParameter",
        "InvalidParameterValue",
        "LimitExceeded",
        "MissingParameter",
        "NoSuchVersion",
        "ResourceInUse",
        "ResourceNotFound",
        "UnsupportedOperation",
        "UnsupportedProtocol",
    }
)
"""Codes that every action may answer."""


def _codes(**kinds: str) -> frozenset[str]:
    """Codes by their kind: `ResourceInUse="Alias"` is `ResourceInUse.Alias`."""
    return frozenset(f"{kind}.{what}" for kind, listed in kinds.items() for what in listed.split())


DOCUMENTED: Final[Mapping[str, frozenset[str]]] = {
    "CopyFunction": _codes(
        FailedOperation="CopyFunction",
        InvalidParameterValue="Code Description Environment FunctionName Handler Runtime",
        LimitExceeded="Function Memory Timeout",
        ResourceInUse="FunctionName",
        ResourceNotFound="Function FunctionName Namespace",
        UnsupportedOperation="Region",
    ),
    "CreateAlias": _codes(
        FailedOperation="CreateAlias",
        InvalidParameter="RoutingConfig",
        InvalidParameterValue="AdditionalVersionWeights Description Name Namespace RoutingConfig",
        ResourceInUse="Alias",
        ResourceNotFound="Function FunctionName FunctionVersion",
    ),
    "CreateFunction": _codes(
        FailedOperation="CreateFunction",
        InvalidParameterValue=(
            "Code CosBucketName CosObjectName Description Environment EnvironmentExceededLimit "
            "FunctionName FunctionType Handler MemorySize Namespace Runtime Type ZipFile "
            "ZipFileBase64BinasciiError"
        ),
        LimitExceeded="Function Memory Timeout",
        MissingParameter="Code",
        ResourceInUse="FunctionName",
        ResourceNotFound="CosObject Namespace",
    ),
    "CreateTrigger": _codes(
        FailedOperation="CreateTrigger",
        InvalidParameterValue="CustomArgument Enable FunctionName TriggerDesc TriggerName Type",
        ResourceInUse="Trigger TriggerName",
        ResourceNotFound="Function FunctionName FunctionVersion Namespace Qualifier Version",
        UnsupportedOperation="Trigger",
    ),
    "DeleteAlias": _codes(
        FailedOperation="DeleteAlias",
        InvalidParameterValue="Alias Name",
        ResourceNotFound="Alias Function FunctionName",
    ),
    "DeleteFunction": _codes(
        FailedOperation="DeleteFunction",
        InvalidParameterValue="FunctionName Namespace Qualifier",
        ResourceNotFound="Function FunctionName Namespace Qualifier",
        UnsupportedOperation="AliasBind",
    ),
    "DeleteFunctionVersion": _codes(
        FailedOperation="DeleteFunction",
        InvalidParameterValue="FunctionName Namespace Qualifier",
        ResourceNotFound="Function FunctionName Namespace Qualifier",
        UnsupportedOperation="AliasBind",
    ),
    "DeleteTrigger": _codes(
        FailedOperation="DeleteTrigger",
        InvalidParameterValue="FunctionName TriggerDesc TriggerName Type",
        ResourceNotFound="Function FunctionName Trigger Version",
    ),
    "GetAccount": frozenset(),
    "GetAlias": _codes(
        FailedOperation="GetAlias",
        InvalidParameter="RoutingConfig",
        InvalidParameterValue="FunctionName Name Namespace",
        ResourceNotFound="Alias Function FunctionName Namespace",
    ),
    "GetAsyncEventStatus": _codes(
        FailedOperation="AsyncEventStatus",
        ResourceNotFound="AsyncEvent Function Namespace",
    ),
    "GetFunction": _codes(
        InvalidParameter="FunctionNameOrResourceIdRequired",
        InvalidParameterValue="FunctionName Namespace Qualifier",
        ResourceNotFound="Function FunctionName Namespace Version",
    ),
    "GetFunctionAddress": _codes(
        FailedOperation="GetFunctionAddress",
        InvalidParameterValue="FunctionName Namespace Qualifier",
        ResourceNotFound="Function FunctionName FunctionVersion Namespace Version",
    ),
    "GetFunctionLogs": _codes(
        FailedOperation="QueryError",
        InvalidParameterValue="DateTime Offset Order OrderBy RetCode StartTimeOrEndTime",
        LimitExceeded="Offset",
        ResourceNotFound="Function FunctionName",
    ),
    "GetRequestStatus": _codes(
        FailedOperation="QueryError",
        InvalidParameterValue="DateTime FunctionName FunctionRequestId StartTimeOrEndTime",
        ResourceNotFound="Function FunctionName",
    ),
    "Invoke": _codes(
        FailedOperation="InvokeFunction",
        InvalidParameterValue="Param",
        ResourceNotFound="Function FunctionName",
    ),
    "InvokeFunction": _codes(
        FailedOperation="InvokeFunction",
        InvalidParameter="RequestTooLarge",
        InvalidParameterValue="FunctionType Param",
        ResourceNotFound="Function FunctionName Qualifier",
    ),
    "ListAliases": _codes(
        InvalidParameterValue="FunctionName Namespace",
        ResourceNotFound="Function FunctionName Namespace",
    ),
    "ListAsyncEvents": _codes(
        InvalidParameterValue="FunctionName InvokeType Limit Namespace Order Status",
        ResourceNotFound="Function Namespace Version",
    ),
    "ListFunctions": _codes(
        InvalidParameterValue="Limit Name Namespace Offset Order",
        ResourceNotFound="Namespace",
    ),
    "ListNamespaces": _codes(
        InvalidParameterValue="Order",
    ),
    "ListTriggers": _codes(
        InvalidParameterValue="Filters Order OrderBy",
    ),
    "ListVersionByFunction": _codes(
        InvalidParameterValue="FunctionName Namespace Order",
        ResourceNotFound="Function FunctionName Namespace",
    ),
    "PublishVersion": _codes(
        FailedOperation="PublishVersion",
        InvalidParameterValue="Description FunctionName Namespace",
        ResourceNotFound="Function FunctionName Namespace",
    ),
    "TerminateAsyncEvent": _codes(
        FailedOperation="AsyncEventStatus",
        InvalidParameterValue="FunctionName",
        ResourceNotFound="AsyncEvent Function Namespace",
    ),
    "UpdateAlias": _codes(
        FailedOperation="UpdateAlias",
        InvalidParameter="RoutingConfig",
        InvalidParameterValue=(
            "AdditionalVersionWeights Description FunctionName Name Namespace RoutingConfig"
        ),
        ResourceNotFound="Alias Function FunctionName FunctionVersion Namespace",
    ),
    "UpdateTrigger": _codes(
        FailedOperation="UpdateTrigger",
        InvalidParameterValue="Description Enable FunctionName TriggerDesc TriggerName Type",
        ResourceNotFound="Function FunctionName Namespace Qualifier Trigger",
    ),
    "UpdateTriggerStatus": _codes(
        FailedOperation="UpdateTriggerStatus",
        InvalidParameterValue="Enable TriggerDesc TriggerName Type",
        ResourceNotFound="Function FunctionName Namespace Qualifier Trigger",
    ),
    "UpdateFunctionCode": _codes(
        FailedOperation="UpdateFunctionCode",
        InvalidParameterValue=(
            "Code CosBucketName CosObjectName FunctionName Handler Namespace ZipFile "
            "ZipFileBase64BinasciiError"
        ),
        ResourceNotFound="Function FunctionName Namespace",
    ),
    "UpdateFunctionConfiguration": _codes(
        FailedOperation="UpdateFunctionConfiguration",
        InvalidParameterValue=(
            "Description Environment EnvironmentExceededLimit FunctionName Handler "
            "MemorySize Namespace Runtime"
        ),
        LimitExceeded="Memory Timeout",
        ResourceNotFound="Function FunctionName Namespace",
    ),
}
"""Codes by action; an action that is not here answers the common ones."""

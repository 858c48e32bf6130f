"""The table: every action of SCF 2018-04-16, with what does it, or why this gateway does not.

An action that makes no sense here is refused with a sentence; none is ever answered as if it had
been done.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.controlplane.cloud import (
    account,
    aliases,
    background,
    code,
    functions,
    invoking,
    log_requests,
    logs,
    looking,
    requests,
    trigger_requests,
    triggers,
    versions,
)
from gateway.controlplane.cloud.asked import Action
from gateway.controlplane.cloud.reading import Request

VERSION: Final = "2018-04-16"
"""The version of the API that is spoken."""

ACTIONS: Final[Mapping[str, Action]] = {
    "CreateFunction": Action(requests.CreateFunction, functions.create_function),
    "UpdateFunctionCode": Action(requests.UpdateFunctionCode, code.update_code),
    "UpdateFunctionConfiguration": Action(
        requests.UpdateFunctionConfiguration, functions.update_configuration
    ),
    "CopyFunction": Action(requests.CopyFunction, functions.copy_function),
    "GetFunction": Action(requests.GetFunction, looking.get_function),
    "GetFunctionAddress": Action(requests.GetFunction, looking.get_address),
    "ListFunctions": Action(requests.ListFunctions, looking.list_functions),
    "DeleteFunction": Action(requests.DeleteFunction, versions.delete_function),
    "DeleteFunctionVersion": Action(requests.DeleteFunctionVersion, versions.delete_version),
    "PublishVersion": Action(requests.PublishVersion, versions.publish_version),
    "ListVersionByFunction": Action(requests.ListVersions, versions.list_versions),
    "CreateAlias": Action(requests.PutAlias, aliases.create_alias),
    "UpdateAlias": Action(requests.PutAlias, aliases.update_alias),
    "GetAlias": Action(requests.AliasRequest, aliases.get_alias),
    "ListAliases": Action(requests.ListAliases, aliases.list_aliases),
    "DeleteAlias": Action(requests.AliasRequest, aliases.delete_alias),
    "Invoke": Action(requests.Invoke, invoking.invoke),
    "InvokeFunction": Action(requests.InvokeFunction, invoking.invoke_function),
    "GetAsyncEventStatus": Action(requests.AsyncEvent, background.get_event_status),
    "ListAsyncEvents": Action(requests.ListAsyncEvents, background.list_events),
    "TerminateAsyncEvent": Action(requests.FunctionAsyncEvent, background.terminate_event),
    "GetFunctionLogs": Action(log_requests.GetFunctionLogs, logs.get_logs),
    "GetRequestStatus": Action(log_requests.GetRequestStatus, logs.get_status),
    "CreateTrigger": Action(trigger_requests.CreateTrigger, triggers.create_trigger),
    "UpdateTrigger": Action(trigger_requests.UpdateTrigger, triggers.update_trigger),
    "UpdateTriggerStatus": Action(trigger_requests.UpdateTriggerStatus, triggers.update_status),
    "ListTriggers": Action(trigger_requests.ListTriggers, triggers.list_triggers),
    "DeleteTrigger": Action(trigger_requests.TriggerRequest, triggers.delete_trigger),
    "ListNamespaces": Action(Request, account.list_namespaces),
    "GetAccount": Action(Request, account.get_account),
}
"""Every action that is done here."""

_GROUPS: Final = {
    "there is one namespace, default": "CreateNamespace UpdateNamespace DeleteNamespace",
    "there are no layers; put what a function needs into its package": (
        "PublishLayerVersion DeleteLayerVersion GetLayerVersion ListLayers ListLayerVersions"
    ),
    "there are no custom domains; function URLs reach every function": (
        "CreateCustomDomain UpdateCustomDomain DeleteCustomDomain GetCustomDomain ListCustomDomains"
    ),
    "how asynchronous invocations are tried again is the same for every function": (
        "GetFunctionEventInvokeConfig UpdateFunctionEventInvokeConfig"
    ),
    "nothing is reserved; a function's concurrency is part of its configuration": (
        "PutReservedConcurrencyConfig GetReservedConcurrencyConfig DeleteReservedConcurrencyConfig"
        " PutProvisionedConcurrencyConfig GetProvisionedConcurrencyConfig"
        " DeleteProvisionedConcurrencyConfig PutTotalConcurrencyConfig"
    ),
}

REASONS: Final[Mapping[str, str]] = {
    name: reason for reason, listed in _GROUPS.items() for name in listed.split()
}
"""Why an action of the API is not done here."""

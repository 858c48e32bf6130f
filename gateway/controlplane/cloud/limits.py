"""The cloud's limits, in one table: what is allowed, and the code of what is not.

The gateway itself allows more in places; whoever comes with the cloud's own API is told where the
cloud would refuse.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from gateway.config.functions import MAX_ENVIRONMENT
from gateway.controlplane.cloud.errors import BAD_ROUTING, BAD_WEIGHTS, TOO_LARGE, Codes, fail
from gateway.controlplane.limits import MAX_ASYNCHRONOUS_EVENT, MAX_EVENT, MAX_ROUTING_KEY
from gateway.core import names

_MB: Final = 1024 * 1024
_HANDLER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+")
_RUNTIME: Final = re.compile(r"Python[23]\.[0-9]{1,2}")
_KEY: Final = re.compile(r"invoke\.headers\.[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER: Final = re.compile(r"[0-9]{1,9}")

MOST_FUNCTIONS: Final = 50
LONGEST: Final = 900
"""Seconds that an invocation may take."""

METHODS: Final = ("exact", "range")
ORDERS: Final = ("ASC", "DESC")
TYPES: Final = {"Event": "event", "HTTP": "web"}
"""The cloud's types of functions, each with the gateway's word."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit.

    Attributes:
        what: What is limited.
        codes: The codes that fit when it is not kept, best first.
        allowed: What is allowed.
        holds: Whether a value keeps it.
    """

    what: str
    codes: Codes
    allowed: str
    holds: Callable[[Any], bool]

    def check(self, value: object) -> None:
        """Refuse a value that does not keep the limit.

        Raises:
            CloudError: It does not.
        """
        if not self.holds(value):
            fail(self.codes, f"{self.what} is {value!r:.80}; allowed: {self.allowed}")


def _at_most(what: str, code: str, most: int, unit: str = "") -> Limit:
    return Limit(what, (code,), f"at most {most}{unit}", lambda value: value <= most)


def _one_of(what: str, code: str, allowed: tuple[str, ...]) -> Limit:
    return Limit(what, (code,), ", ".join(allowed), lambda value: value in allowed)


def _spelled(what: str, code: str, allowed: str, pattern: re.Pattern[str]) -> Limit:
    return Limit(what, (code,), allowed, lambda value: pattern.fullmatch(value) is not None)


FUNCTION_NAME: Final = Limit(
    "FunctionName",
    ("InvalidParameterValue.FunctionName",),
    names.FUNCTION_RULE,
    names.is_function,
)
FUNCTIONS: Final = _at_most(
    "the number of functions in a namespace", "LimitExceeded.Function", MOST_FUNCTIONS
)
HANDLER: Final = _spelled(
    "Handler",
    "InvalidParameterValue.Handler",
    "'file.function': a file without '.py', a dot, a function",
    _HANDLER,
)
DESCRIPTION: Final = _at_most(
    "the length of Description", "InvalidParameterValue.Description", 1000, " characters"
)
MEMORY_TOP: Final = _at_most("MemorySize", "LimitExceeded.Memory", 3072, " MB")
MEMORY: Final = Limit(
    "MemorySize",
    ("InvalidParameterValue.MemorySize",),
    "64, or 128 to 3072 in steps of 128",
    lambda size: size == 64 or (size >= 128 and size % 128 == 0),
)
TIMEOUT_TOP: Final = _at_most("Timeout", "LimitExceeded.Timeout", LONGEST, " seconds")
TIMEOUT: Final = Limit(
    "Timeout", ("InvalidParameterValue",), "1 to 900 seconds", lambda seconds: seconds >= 1
)
RUNTIME: Final = _spelled(
    "Runtime",
    "InvalidParameterValue.Runtime",
    "a Python, such as Python3.10; this gateway's own Python runs it",
    _RUNTIME,
)
TYPE: Final = _one_of("Type", "InvalidParameterValue.Type", tuple(TYPES))
VARIABLE: Final = _spelled(
    "the name of an environment variable",
    "InvalidParameterValue.Environment",
    "letters, digits and '_', not starting with a digit",
    _VARIABLE,
)
ENVIRONMENT: Final = _at_most(
    "the size of Environment",
    "InvalidParameterValue.EnvironmentExceededLimit",
    MAX_ENVIRONMENT,
    " bytes",
)
NEW_ZIP: Final = _at_most(
    "the size of ZipFile", "InvalidParameterValue.ZipFile", 50 * _MB, " bytes"
)
ZIP: Final = _at_most("the size of ZipFile", "InvalidParameterValue.ZipFile", 20 * _MB, " bytes")
ALIAS_NAME: Final = Limit("Name", ("InvalidParameterValue.Name",), names.ALIAS_RULE, names.is_alias)
ADDITIONAL: Final = Limit(
    "the number of additional versions of an alias",
    BAD_ROUTING,
    "at most one, by weight or by rule and not by both",
    lambda count: count <= 1,
)
WEIGHT: Final = Limit("Weight", BAD_WEIGHTS, "0 to 1", lambda weight: 0 <= weight <= 1)
RULE_KEY: Final = Limit(
    "Key", BAD_ROUTING, "invoke.headers.NAME", lambda key: _KEY.fullmatch(key) is not None
)
RULE_METHOD: Final = Limit("Method", BAD_ROUTING, ", ".join(METHODS), METHODS.__contains__)
EXPRESSION: Final = Limit(
    "Expression",
    BAD_ROUTING,
    "a text without white space at its ends",
    lambda text: text != "" and text == text.strip(),
)
EVENT: Final = Limit(
    "the size of the event",
    TOO_LARGE,
    f"at most {MAX_EVENT} bytes",
    lambda size: size <= MAX_EVENT,
)
BACKGROUND_EVENT: Final = _at_most(
    "the size of the event", "InvalidParameterValue", MAX_ASYNCHRONOUS_EVENT, " bytes"
)
ROUTING_KEY: Final = _at_most(
    "the size of RoutingKey", "InvalidParameterValue.Param", MAX_ROUTING_KEY, " bytes"
)
INVOCATION_TYPE: Final = _one_of(
    "InvocationType", "InvalidParameterValue", ("RequestResponse", "Event")
)
LOG_TYPE: Final = _one_of("LogType", "InvalidParameterValue", ("None", "Tail"))
OFFSET: Final = Limit(
    "Offset", ("InvalidParameterValue.Offset",), "0 and above", lambda offset: offset >= 0
)
PAGE: Final = Limit(
    "Limit", ("InvalidParameterValue.Limit",), "0 and above", lambda count: count >= 0
)
COUNT: Final = _spelled(
    "a number given as a text", "InvalidParameterValue", "digits, such as '20'", _NUMBER
)
ORDER: Final = _one_of("Order", "InvalidParameterValue.Order", ORDERS)
FUNCTION_ORDER: Final = _one_of(
    "Orderby", "InvalidParameterValue", ("AddTime", "ModTime", "FunctionName")
)
EVENT_ORDER: Final = _one_of("Orderby", "InvalidParameterValue", ("StartTime", "EndTime"))
EVENT_STATUS: Final = _one_of(
    "Status", "InvalidParameterValue.Status", ("RUNNING", "FINISHED", "ABORTED", "FAILED")
)
MOMENT: Final = "%Y-%m-%d %H:%M:%S"
"""How requests write moments, in UTC."""

LOG_END: Final = _at_most("Offset and Limit together", "LimitExceeded.Offset", 10_000)
LOG_ORDER: Final = _one_of("Order", "InvalidParameterValue.Order", ("desc", "asc"))
LOG_ORDER_BY: Final = _one_of(
    "OrderBy",
    "InvalidParameterValue.OrderBy",
    ("function_name", "duration", "mem_usage", "start_time"),
)
LOG_OUTCOME: Final = _one_of(
    "Filter.RetCode",
    "InvalidParameterValue.RetCode",
    ("", "is0", "not0", "TimeLimitExceeded", "ResourceLimitExceeded", "UserCodeException"),
)
LOG_SPAN: Final = _at_most(
    "the time from StartTime to EndTime",
    "InvalidParameterValue.StartTimeOrEndTime",
    24 * 3600,
    " seconds",
)
TRIGGER_NAME: Final = _spelled(
    "TriggerName",
    "InvalidParameterValue.TriggerName",
    "1 to 100 letters, digits, '-' or '_'",
    re.compile(r"[A-Za-z0-9_-]{1,100}"),
)
TRIGGER_TYPE: Final = _one_of("Type", "InvalidParameterValue.Type", ("http", "apigw"))
ENABLE: Final = _one_of("Enable", "InvalidParameterValue.Enable", ("OPEN", "CLOSE"))
TRIGGER_FILTER: Final = _one_of(
    "the Name of a filter",
    "InvalidParameterValue.Filters",
    ("Qualifier", "TriggerName", "Description"),
)
TRIGGER_ORDER: Final = _one_of("OrderBy", "InvalidParameterValue.OrderBy", ("add_time", "mod_time"))
VERSION_ORDER: Final = _one_of("OrderBy", "InvalidParameterValue", ("AddTime", "ModTime"))
YES_OR_NO: Final = _one_of("Publish", "InvalidParameterValue", ("TRUE", "FALSE"))

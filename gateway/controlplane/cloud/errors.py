"""What went wrong, in the cloud's codes: an action answers with codes that are documented for it.

Whoever finds a mistake names the codes that fit it, best first; the first one that the action's
documentation has is answered, or else the general code that every action may answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NoReturn

from gateway.controlplane.cloud.apigateway.documented import DOCUMENTED as GATEWAY
from gateway.controlplane.cloud.documented import COMMON, DOCUMENTED
from gateway.controlplane.limits import EventTooLarge, WebFunction
from gateway.controlplane.problems import Rejected
from gateway.core.errors import (
    FunctionNotFound,
    GatewayError,
    QualifierNotFound,
    Refused,
)
from gateway.runtime import BrokenVersions
from gateway.store.invocations import InvocationEnded, InvocationNotFound, TooManyInvocations
from gateway.store.protocol import PackageNotFound, StaleRevision, StateUnusable

NOT_FOUND: Final = "未找到指定的"
"""Official clients look for these words in the messages about what is missing."""

NO_FUNCTION: Final = ("ResourceNotFound.FunctionName", "ResourceNotFound.Function")
NO_VERSION: Final = (
    "ResourceNotFound.FunctionVersion",
    "ResourceNotFound.Version",
    "ResourceNotFound.Qualifier",
)
NO_ALIAS: Final = ("ResourceNotFound.Alias",)
NO_TRIGGER: Final = ("ResourceNotFound.Trigger",)
NO_EVENT: Final = ("ResourceNotFound.AsyncEvent",)
NO_NAMESPACE: Final = ("ResourceNotFound.Namespace", "InvalidParameterValue.Namespace")
BAD_ROUTING: Final = ("InvalidParameterValue.RoutingConfig",)
BAD_WEIGHTS: Final = ("InvalidParameterValue.AdditionalVersionWeights",)
TOO_LARGE: Final = ("InvalidParameter.RequestTooLarge", "InvalidParameterValue")
WEB_FUNCTION: Final = ("InvalidParameterValue.FunctionType", "InvalidParameterValue")
EVENT_ENDED: Final = ("FailedOperation.AsyncEventStatus",)
_MISSING: Final = "ResourceNotFound"
UNSUPPORTED: Final = ("UnsupportedOperation",)

Codes = tuple[str, ...]


class CloudError(GatewayError):
    """A request that is answered with an error of the cloud.

    Attributes:
        codes: The codes that fit, best first.
    """

    def __init__(self, codes: str | Codes, message: str) -> None:
        self.codes = (codes,) if isinstance(codes, str) else codes
        missing = self.codes[0].startswith(_MISSING)
        super().__init__(f"{message} ({NOT_FOUND}资源)" if missing else message)


def fail(codes: str | Codes, message: str) -> NoReturn:
    """Answer with an error.

    Raises:
        CloudError: Always.
    """
    raise CloudError(codes, message)


def code_for(codes: Codes, action: str) -> str:
    """The code that an action answers with.

    Args:
        codes: The codes that fit, best first.
        action: Its name; documented codes of others are not answered.
    """
    documented = DOCUMENTED.get(action) or GATEWAY.get(action, frozenset())
    found = next((code for code in codes if code in documented or code in COMMON), None)
    return found or codes[0].partition(".")[0]


def translated(error: Exception, action: str) -> CloudError | None:
    """An error of the gateway as one of the cloud; `None` for what nobody foresaw."""
    tell = next((tell for kind, tell in _TELLERS if isinstance(error, kind)), None)
    return None if tell is None else tell(error, action)


def is_missing(error: Exception, action: str) -> bool:
    """Whether an error says that something is not there."""
    found = translated(error, action)
    return found is not None and found.codes[0].startswith(_MISSING)


_REFUSALS: Final[dict[str, Codes]] = {
    "unknown-function": NO_FUNCTION,
    "unknown-version": NO_VERSION,
    "unknown-alias": NO_ALIAS,
    "alias-fixed": ("InvalidParameterValue.Alias",),
    "version-in-use": ("UnsupportedOperation.AliasBind",),
    "main-version-weighted": BAD_WEIGHTS,
    "weights-above-one": BAD_WEIGHTS,
    "bad-weight": BAD_WEIGHTS,
    "bad-rule": BAD_ROUTING,
    "unknown-key": BAD_ROUTING,
    "bad-expression": BAD_ROUTING,
    "bad-routing-key": ("InvalidParameterValue.Param",),
}


def _failed(error: Exception, action: str) -> CloudError:
    return CloudError((f"FailedOperation.{action}", "FailedOperation"), str(error))


def _refused(error: Refused, action: str) -> CloudError:
    codes = _REFUSALS.get(error.code)
    hints = "; ".join(problem.hint for problem in error.problems if problem.hint)
    message = f"{error}; {hints}" if hints else str(error)
    if codes is None:
        return CloudError((f"FailedOperation.{action}", "FailedOperation"), message)
    return CloudError(codes, message)


_Tell = Callable[[Any, str], CloudError]
_TELLERS: Final[tuple[tuple[type[Exception], _Tell], ...]] = (
    (CloudError, lambda error, _action: error),
    (Refused, _refused),
    (FunctionNotFound, lambda error, _action: CloudError(NO_FUNCTION, str(error))),
    (QualifierNotFound, lambda error, _action: CloudError(NO_VERSION, str(error))),
    (WebFunction, lambda error, _action: CloudError(WEB_FUNCTION, str(error))),
    (EventTooLarge, lambda error, _action: CloudError(TOO_LARGE, str(error))),
    (InvocationNotFound, lambda error, _action: CloudError(NO_EVENT, str(error))),
    (InvocationEnded, lambda error, _action: CloudError(EVENT_ENDED, str(error))),
    (TooManyInvocations, lambda error, _action: CloudError("LimitExceeded", str(error))),
    (BrokenVersions, _failed),
    (PackageNotFound, _failed),
    (StaleRevision, lambda error, _action: CloudError("ResourceInUse", str(error))),
    (StateUnusable, lambda error, _action: CloudError("InternalError", str(error))),
    (Rejected, lambda error, _action: CloudError(_rejected_code(error), str(error))),
)


def _rejected_code(error: Rejected) -> str:
    return "LimitExceeded" if error.status == 413 else "InvalidParameter"

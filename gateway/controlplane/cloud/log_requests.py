"""What the actions take that tell of invocations: names, types and defaults of the cloud."""

from __future__ import annotations

from gateway.controlplane.cloud.reading import FunctionRequest, Request, Structure


class LogFilter(Structure):
    """Which outcomes are wanted."""

    RetCode: str = ""


class GetFunctionLogs(Request):
    """The logs of invocations, page by page; of all functions where none is named."""

    FunctionName: str | None = None
    Offset: int = 0
    Limit: int = 20
    Order: str = "desc"
    OrderBy: str = "start_time"
    Filter: LogFilter | None = None
    Qualifier: str = ""
    FunctionRequestId: str = ""
    StartTime: str = ""
    EndTime: str = ""


class GetRequestStatus(FunctionRequest):
    """What has become of one invocation."""

    FunctionRequestId: str
    StartTime: str = ""
    EndTime: str = ""

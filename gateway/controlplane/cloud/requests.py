"""What each action takes: fields with the cloud's names, types and defaults."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from gateway.controlplane.cloud.errors import Codes
from gateway.controlplane.cloud.reading import (
    LISTED,
    NAMESPACE,
    FunctionRequest,
    Request,
    Structure,
)
from gateway.core import names


class CodeStructure(Structure):
    """Where code comes from."""

    ZipFile: str | None = None
    CosBucketName: str | None = None
    CosObjectName: str | None = None
    TempCosObjectName: str | None = None
    DemoId: str | None = None
    GitUrl: str | None = None
    ImageConfig: dict[str, object] | None = None


class Variable(Structure):
    """One environment variable."""

    Key: str = ""
    Value: str = ""


class Variables(Structure):
    """The environment variables of a function."""

    Variables: Annotated[list[Variable], LISTED] = Field(default_factory=list)


class Configured(Structure):
    """How a function runs; what is `None` stays as it is."""

    Handler: str | None = None
    Description: str | None = None
    MemorySize: int | None = None
    Timeout: int | None = None
    Runtime: str | None = None
    Environment: Variables | None = None


class CreateFunction(FunctionRequest, Configured):
    """A new function."""

    missing: ClassVar[dict[str, Codes]] = {"Code": ("MissingParameter.Code",)}

    Code: CodeStructure
    Type: str = "Event"


class UpdateFunctionCode(FunctionRequest):
    """Other code for `$LATEST`."""

    Handler: str | None = None
    ZipFile: str | None = None
    CosBucketName: str | None = None
    CosObjectName: str | None = None
    Code: CodeStructure | None = None
    Publish: str = "FALSE"


class UpdateFunctionConfiguration(FunctionRequest, Configured):
    """Another configuration for `$LATEST`."""

    Publish: str = "FALSE"


class CopyFunction(FunctionRequest):
    """A function as a copy of another one's `$LATEST`."""

    NewFunctionName: str
    TargetNamespace: str = NAMESPACE
    TargetRegion: str | None = None
    Description: str | None = None
    Override: bool = False
    CopyConfiguration: bool = True


class GetFunction(FunctionRequest):
    """One version of a function."""

    missing: ClassVar[dict[str, Codes]] = {
        "FunctionName": ("InvalidParameter.FunctionNameOrResourceIdRequired", "MissingParameter")
    }

    Qualifier: str = names.LATEST
    ShowCode: str = "TRUE"


class Filter(Structure):
    """One condition of a list."""

    Name: str
    Values: list[str]


class ListFunctions(Request):
    """Functions, page by page."""

    Order: str = "ASC"
    Orderby: str | None = None
    Offset: int = 0
    Limit: int = 20
    SearchKey: str = ""
    Description: str = ""
    Filters: Annotated[list[Filter], LISTED] = Field(default_factory=list)


class DeleteFunction(FunctionRequest):
    """A function that goes, or one version of it."""

    Qualifier: str | None = None


class DeleteFunctionVersion(FunctionRequest):
    """A version that goes."""

    Qualifier: str


class PublishVersion(FunctionRequest):
    """The next version."""

    Description: str = ""


class ListVersions(FunctionRequest):
    """Versions, page by page."""

    Offset: int = 0
    Limit: int = 20
    Order: str = "ASC"
    OrderBy: str | None = None


class VersionWeight(Structure):
    """The share of an additional version."""

    Version: str
    Weight: float


class VersionMatch(Structure):
    """A rule that leads to an additional version."""

    Version: str
    Key: str
    Method: str
    Expression: str


class Routing(Structure):
    """How an alias divides; the misspelling is the cloud's."""

    AdditionalVersionWeights: Annotated[list[VersionWeight], LISTED] = Field(default_factory=list)
    AddtionVersionMatchs: Annotated[list[VersionMatch], LISTED] = Field(default_factory=list)


class AliasRequest(FunctionRequest):
    """An action on one alias."""

    Name: str


class PutAlias(AliasRequest):
    """Where an alias leads; without a routing everything goes to the main version."""

    codes: ClassVar[dict[str, Codes]] = {"RoutingConfig": ("InvalidParameter.RoutingConfig",)}

    FunctionVersion: str
    RoutingConfig: Routing | None = None
    Description: str | None = None


class ListAliases(FunctionRequest):
    """Aliases, page by page; the numbers are texts."""

    FunctionVersion: str | None = None
    Offset: str = "0"
    Limit: str = "20"


class Invoke(FunctionRequest):
    """An invocation with a ClientContext."""

    InvocationType: str = "RequestResponse"
    Qualifier: str = names.LATEST
    ClientContext: str = ""
    LogType: str = "None"
    RoutingKey: str = ""


class InvokeFunction(FunctionRequest):
    """An invocation with an Event."""

    Qualifier: str = names.DEFAULT
    Event: str = ""
    LogType: str = "None"
    RoutingKey: str = ""


class AsyncEvent(Request):
    """An asynchronous invocation of any function."""

    InvokeRequestId: str


class FunctionAsyncEvent(FunctionRequest):
    """An asynchronous invocation of one function."""

    InvokeRequestId: str


class Interval(Structure):
    """A span of time, without its end."""

    Start: str
    End: str


class ListAsyncEvents(FunctionRequest):
    """Asynchronous invocations, page by page."""

    Qualifier: str | None = None
    InvokeType: Annotated[list[str], LISTED] = Field(default_factory=list)
    Status: Annotated[list[str], LISTED] = Field(default_factory=list)
    StartTimeInterval: Interval | None = None
    EndTimeInterval: Interval | None = None
    Order: str = "DESC"
    Orderby: str = "StartTime"
    Offset: int = 0
    Limit: int = 20
    InvokeRequestId: str | None = None

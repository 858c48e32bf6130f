"""What the actions of API Gateway take that are about services, their APIs and their stages."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from gateway.controlplane.cloud.apigateway.codes import FORMAT
from gateway.controlplane.cloud.errors import Codes
from gateway.controlplane.cloud.reading import LISTED, Request, Structure


class GatewayRequest(Request):
    """What all of them take."""

    wrong: ClassVar[Codes] = FORMAT


class Filter(Structure):
    """One condition of a list."""

    Name: str
    Values: list[str]


class Page(GatewayRequest):
    """A part of a list."""

    Limit: int = 20
    Offset: int = 0
    Filters: Annotated[list[Filter], LISTED] = Field(default_factory=list)


class CreateService(GatewayRequest):
    """A new service."""

    ServiceName: str
    Protocol: str
    ServiceDesc: str = ""
    NetTypes: Annotated[list[str], LISTED] = Field(default_factory=list)
    IpVersion: str = "IPv4"
    InstanceId: str = ""
    UniqVpcId: str = ""


class ServiceRequest(GatewayRequest):
    """An action on one service."""

    ServiceId: str


class ServicePage(Page):
    """A list of what a service has."""

    ServiceId: str


class ModifyService(ServiceRequest):
    """A service otherwise; what is not named stays."""

    ServiceName: str | None = None
    ServiceDesc: str | None = None
    Protocol: str | None = None
    NetTypes: Annotated[list[str], LISTED] | None = None


class SubDomainRequest(ServiceRequest):
    """An action on one domain of a service."""

    SubDomain: str


class Front(Structure):
    """Where an API is."""

    Path: str
    Method: str


class Server(Structure):
    """Where another HTTP server is."""

    Url: str = ""
    Path: str = ""
    Method: str = ""
    Product: str = ""
    UniqVpcId: str = ""


class RequestParameter(Structure):
    """What callers send."""

    Name: str
    Position: str
    Type: str = "string"
    DefaultValue: str | None = None
    Required: bool = False
    Desc: str = ""


class ServiceParameter(Structure):
    """Where a parameter goes."""

    Name: str
    Position: str
    RelevantRequestParameterPosition: str
    RelevantRequestParameterName: str
    DefaultValue: str | None = None
    RelevantRequestParameterDesc: str = ""


class ConstantParameter(Structure):
    """What another HTTP server is sent with every request."""

    Name: str
    Position: str
    DefaultValue: str = ""
    Desc: str = ""


class Definition(Structure):
    """Everything that can be said of an API and that this gateway does."""

    ServiceType: str
    RequestConfig: Front
    ServiceTimeout: int = 15
    Protocol: str = "HTTP"
    ApiName: str = ""
    ApiDesc: str = ""
    ApiType: str = "NORMAL"
    ApiBusinessType: str = "NORMAL"
    AuthType: str = "NONE"
    EnableCORS: bool = False
    IsBase64Encoded: bool = False
    RequestParameters: Annotated[list[RequestParameter], LISTED] = Field(default_factory=list)
    ConstantParameters: Annotated[list[ConstantParameter], LISTED] = Field(default_factory=list)
    ServiceParameters: Annotated[list[ServiceParameter], LISTED] = Field(default_factory=list)
    ServiceConfig: Server | None = None
    ServiceMockReturnMessage: str | None = None
    ServiceScfFunctionName: str | None = None
    ServiceScfFunctionNamespace: str = "default"
    ServiceScfFunctionQualifier: str = "$LATEST"
    ServiceScfFunctionType: str | None = None
    ServiceScfIsIntegratedResponse: bool = False
    ServiceScfEventIsAsyncCall: bool = False
    ResponseType: str = ""
    ResponseSuccessExample: str = ""
    ResponseFailExample: str = ""
    ResponseErrorCodes: Annotated[list[dict[str, Any]], LISTED] = Field(default_factory=list)


class CreateApi(ServiceRequest, Definition):
    """A new API."""

    ServiceTimeout: int
    Protocol: str


class ApiRequest(ServiceRequest):
    """An action on one API."""

    ApiId: str


class ModifyApi(ApiRequest, Definition):
    """An API otherwise; what is not named stays."""


class StageRequest(ServiceRequest):
    """An action on one stage of a service."""

    EnvironmentName: str


class ReleaseService(StageRequest):
    """A release."""

    ReleaseDesc: str


class UpdateService(StageRequest):
    """Another release at a stage."""

    VersionName: str
    UpdateDesc: str | None = None


class ReleaseHistory(ServicePage):
    """The releases of one stage, or of all."""

    EnvironmentName: str | None = None


class ModifyStrategy(ServiceRequest):
    """Another limit for stages."""

    Strategy: int
    EnvironmentNames: Annotated[list[str], LISTED]


class ModifyApiStrategy(StageRequest):
    """Another limit for APIs in a stage."""

    Strategy: int
    ApiIds: Annotated[list[str], LISTED]


class ApiStrategies(ServicePage):
    """The limits of APIs."""

    EnvironmentNames: Annotated[list[str], LISTED] = Field(default_factory=list)
    ApiId: str | None = None

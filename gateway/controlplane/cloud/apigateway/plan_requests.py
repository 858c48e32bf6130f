"""What the actions of API Gateway take that are about keys and usage plans."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.controlplane.cloud.apigateway.requests import GatewayRequest, Page, ServiceRequest
from gateway.controlplane.cloud.reading import LISTED


class CreateApiKey(GatewayRequest):
    """A new key pair."""

    SecretName: str
    AccessKeyType: str = "auto"
    AccessKeyId: str | None = None
    AccessKeySecret: str | None = None


class KeyRequest(GatewayRequest):
    """An action on one key pair."""

    AccessKeyId: str


class UpdateApiKey(KeyRequest):
    """Another secret for a key pair."""

    AccessKeySecret: str | None = None


class CreateUsagePlan(GatewayRequest):
    """A new usage plan."""

    UsagePlanName: str
    UsagePlanDesc: str = ""
    MaxRequestNum: int = -1
    MaxRequestNumPreSec: int = -1


class PlanRequest(GatewayRequest):
    """An action on one usage plan."""

    UsagePlanId: str


class ModifyUsagePlan(PlanRequest):
    """A usage plan otherwise; what is not named stays."""

    UsagePlanName: str | None = None
    UsagePlanDesc: str | None = None
    MaxRequestNum: int | None = None
    MaxRequestNumPreSec: int | None = None


class PlanPage(Page):
    """A list of what a usage plan has."""

    UsagePlanId: str


class PlanEnvironments(PlanPage):
    """The bindings of a usage plan."""

    BindType: str


class SecretIds(PlanRequest):
    """Keys of a usage plan."""

    AccessKeyIds: Annotated[list[str], LISTED]


class Binding(ServiceRequest):
    """Usage plans, and what they are bound to."""

    UsagePlanIds: Annotated[list[str], LISTED]
    BindType: str
    Environment: str
    ApiIds: Annotated[list[str], LISTED] = Field(default_factory=list)


class Demotion(PlanRequest):
    """A binding of a service that becomes one of its APIs."""

    ServiceId: str
    Environment: str

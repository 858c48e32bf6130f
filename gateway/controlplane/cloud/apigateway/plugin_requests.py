"""What the actions of API Gateway take that are about plugins."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.controlplane.cloud.apigateway.requests import ApiRequest, GatewayRequest, Page
from gateway.controlplane.cloud.reading import LISTED


class CreatePlugin(GatewayRequest):
    """A new plugin."""

    PluginName: str
    PluginType: str
    PluginData: str
    Description: str = ""


class PluginRequest(GatewayRequest):
    """An action on one plugin."""

    PluginId: str


class ModifyPlugin(PluginRequest):
    """A plugin otherwise; what is not named stays."""

    PluginName: str | None = None
    Description: str | None = None
    PluginData: str | None = None


class ListPlugins(Page):
    """Plugins, page by page."""

    PluginIds: Annotated[list[str], LISTED] = Field(default_factory=list)
    PluginName: str | None = None
    PluginType: str | None = None


class PluginPage(Page):
    """A list of what a plugin has."""

    PluginId: str


class AttachablePage(PluginPage):
    """APIs that a plugin could be attached to."""

    ServiceId: str
    EnvironmentName: str


class AttachPlugin(PluginRequest):
    """A plugin, and APIs in a stage."""

    ServiceId: str
    EnvironmentName: str
    ApiIds: Annotated[list[str], LISTED]


class DetachPlugin(PluginRequest):
    """A plugin, and one API in a stage."""

    ServiceId: str
    EnvironmentName: str
    ApiId: str


class PluginsByApi(ApiRequest, Page):
    """The plugins of one API."""

    EnvironmentName: str | None = None

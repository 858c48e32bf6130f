"""What the actions on triggers take: fields with the cloud's names, types and defaults."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.controlplane.cloud.reading import LISTED, FunctionRequest
from gateway.controlplane.cloud.requests import Filter
from gateway.core import names


class TriggerRequest(FunctionRequest):
    """An action on one trigger; of several qualifiers it means the one that is named."""

    TriggerName: str
    Type: str
    TriggerDesc: str | None = None
    Qualifier: str | None = None


class CreateTrigger(TriggerRequest):
    """A new trigger."""

    Qualifier: str = names.LATEST
    Enable: str = "OPEN"
    CustomArgument: str = ""
    Description: str = ""


class UpdateTrigger(TriggerRequest):
    """A trigger that is altered; what is `None` stays as it is."""

    Enable: str | None = None
    CustomArgument: str = ""
    Description: str | None = None


class UpdateTriggerStatus(TriggerRequest):
    """A trigger that is opened or closed."""

    Enable: str


class ListTriggers(FunctionRequest):
    """Triggers, page by page."""

    Offset: int = 0
    Limit: int = 20
    OrderBy: str | None = None
    Order: str = "ASC"
    Filters: Annotated[list[Filter], LISTED] = Field(default_factory=list)

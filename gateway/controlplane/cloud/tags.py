"""The cloud's tags, version 2018-08-13: there are none, and a tool that looks for some finds none.

Tools look tags up on their way to something else. Putting a tag on something is refused: nothing
here would keep it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.controlplane.cloud.asked import Action, Asked, Fields
from gateway.controlplane.cloud.reading import Request

VERSION: Final = "2018-08-13"
"""The version of the API that is spoken."""


class LookUp(Request):
    """A look-up of tags; whatever it asks about has none."""

    Offset: int = 0
    Limit: int = 15


async def no_tags(asked: Asked) -> Fields:
    """Tags, or resources with their tags, page by page: none."""
    given = asked.given(LookUp)
    return {"TotalCount": 0, "Offset": given.Offset, "Limit": given.Limit, "Tags": []}


async def no_rows(asked: Asked) -> Fields:
    """The same under another name."""
    given = asked.given(LookUp)
    return {"TotalCount": 0, "Offset": given.Offset, "Limit": given.Limit, "Rows": []}


ACTIONS: Final[Mapping[str, Action]] = {
    "DescribeTags": Action(LookUp, no_tags),
    "DescribeResourceTagsByResourceIds": Action(LookUp, no_tags),
    "DescribeResourceTags": Action(LookUp, no_rows),
}
"""Every action that is done here."""

REASONS: Final[Mapping[str, str]] = dict.fromkeys(
    (
        "AddResourceTag",
        "AttachResourcesTag",
        "CreateTag",
        "CreateTags",
        "DeleteResourceTag",
        "DeleteTag",
        "DeleteTags",
        "DetachResourcesTag",
        "ModifyResourceTags",
        "TagResources",
        "UnTagResources",
        "UpdateResourceTagValue",
    ),
    "there are no tags",
)
"""Why an action of the API is not done here."""

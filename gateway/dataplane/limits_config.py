"""uvicorn's configuration with what it has no settings for: where protocols find the edge."""

from __future__ import annotations

from typing import Any

import uvicorn

from gateway.dataplane.limits import Edge
from gateway.dataplane.overload import Load


class EdgeConfig(uvicorn.Config):
    """The configuration of one listener.

    Args:
        app: The application.
        edge: What the listener takes.
        **settings: uvicorn's own.

    Attributes:
        edge: What the listener takes.
        in_flight: How much of it there is at the moment.
    """

    def __init__(self, app: Any, edge: Edge, **settings: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(app, **settings)
        self.edge = edge
        self.in_flight = Load(edge.requests)

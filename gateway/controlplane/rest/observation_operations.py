"""The table, its rows about what happened: metrics, their course, the invocation log."""

from __future__ import annotations

from typing import Final

from gateway.controlplane.rest import logged, nodes, observed, scraped
from gateway.controlplane.rest.operation import Operation
from gateway.observe.prometheus import MEDIA

OBSERVATION_OPERATIONS: Final = (
    Operation(
        id="metrics",
        method="GET",
        path="/api/metrics",
        summary="What each version answered, and how fast",
        run=observed.metrics,
        answer=observed.Metrics,
        query=observed.MetricsQuery,
    ),
    Operation(
        id="course",
        method="GET",
        path="/api/metrics/course",
        summary="What each version answered, second by second or minute by minute",
        run=observed.course,
        answer=observed.Courses,
        query=observed.CourseQuery,
    ),
    Operation(
        id="shares",
        method="GET",
        path="/api/shares",
        summary="Whether each alias divides its traffic as it says, watched all the time",
        run=observed.shares,
        answer=observed.Divisions,
    ),
    Operation(
        id="nodes",
        method="GET",
        path="/api/nodes",
        summary="Which processes share the state, and what was heard of each",
        run=nodes.nodes,
        answer=nodes.Nodes,
    ),
    Operation(
        id="listLogged",
        method="GET",
        path="/api/invocations",
        summary="The invocation log, searched or followed",
        run=logged.list_logged,
        answer=logged.Log,
        query=logged.LogQuery,
        errors=(503,),
    ),
    Operation(
        id="getLogged",
        method="GET",
        path="/api/invocations/{i}",
        summary="Everything that is kept of one executed request",
        run=logged.get_logged,
        answer=logged.Logged,
        errors=(503,),
    ),
    Operation(
        id="prometheus",
        method="GET",
        path="/metrics",
        summary="What Prometheus scrapes",
        run=scraped.prometheus,
        answer=MEDIA,
        query=None,
    ),
)
"""Every operation about what happened."""

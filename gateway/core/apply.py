"""`apply`: the pure step from one snapshot to the next, or a typed refusal.

A refusal leaves the old snapshot as it was; what a change does not touch is shared with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from gateway.core.changes import (
    Batch,
    Change,
    DeleteAlias,
    DeleteFunction,
    DeleteService,
    DeleteVersion,
    Publish,
    PutAlias,
    PutBreaker,
    PutFault,
    PutFunction,
    PutResource,
    PutService,
    Release,
    Unrelease,
)
from gateway.core.errors import Refused
from gateway.core.function_steps import (
    delete_alias,
    delete_function,
    delete_version,
    publish,
    put_alias,
    put_breaker,
    put_fault,
    put_function,
)
from gateway.core.service_steps import (
    delete_service,
    put_resource,
    put_service,
    release,
    unrelease,
)
from gateway.core.snapshot import Snapshot


def apply(snapshot: Snapshot, change: Change) -> Snapshot:
    """The snapshot after one change.

    Raises:
        Refused: The change breaks a rule; the old snapshot is as it was.
    """
    return replace(_STEPS[type(change)](snapshot, change), revision=snapshot.revision + 1)


def _batch(snapshot: Snapshot, change: Batch) -> Snapshot:
    for index, step in enumerate(change.changes):
        try:
            snapshot = _STEPS[type(step)](snapshot, step)
        except Refused as refused:
            raise Refused(problem.under(index) for problem in refused.problems) from None
    return snapshot


_STEPS: Final[Mapping[type, Callable[[Snapshot, Any], Snapshot]]] = {
    PutFunction: put_function,
    DeleteFunction: delete_function,
    Publish: publish,
    DeleteVersion: delete_version,
    PutFault: put_fault,
    PutBreaker: put_breaker,
    PutAlias: put_alias,
    DeleteAlias: delete_alias,
    PutService: put_service,
    DeleteService: delete_service,
    PutResource: put_resource,
    Release: release,
    Unrelease: unrelease,
    Batch: _batch,
}

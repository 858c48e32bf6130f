"""Versions by their names in a snapshot: what is asked about has to be there."""

from __future__ import annotations

from gateway.core import names
from gateway.core.changes import PutFunction
from gateway.core.errors import FunctionNotFound, QualifierNotFound
from gateway.core.functions import FunctionVersion
from gateway.core.snapshot import Snapshot


def version_of(snapshot: Snapshot, function: str, number: str) -> FunctionVersion:
    """A version.

    Raises:
        FunctionNotFound: There is no such function.
        QualifierNotFound: It has no such version.
    """
    known = snapshot.functions.get(function)
    if known is None:
        raise FunctionNotFound(function)
    version = known.versions.get(number)
    if version is None:
        raise QualifierNotFound(function, number)
    return version


def latest_of(snapshot: Snapshot, function: str) -> FunctionVersion:
    """The `$LATEST` of a function.

    Raises:
        FunctionNotFound: There is no such function.
    """
    return version_of(snapshot, function, names.LATEST)


def put_of(latest: FunctionVersion) -> PutFunction:
    """The change that makes a `$LATEST` what it is."""
    return PutFunction(latest.function, latest.code, latest.configuration, latest.description)

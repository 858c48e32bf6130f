"""`[functions.NAME.faults]`: read by the law of `gateway.core.faults`, and written back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from gateway.config.fields import as_written, wrong_key
from gateway.core import names
from gateway.core.errors import Problem, Refused, listed, nearest
from gateway.core.faults import Fault, parse_fault
from gateway.core.shapes import Reader


def read_faults(reader: Reader, versions: Collection[str] | None) -> dict[str, Fault]:
    """The faults of a function, by version; mistakes are added to the reader's.

    Args:
        reader: The function's table.
        versions: The function's versions; `None` where they are not known.
    """
    found = {}
    for version, raw in reader.mapping("faults").items():
        at = ("faults", version)
        if versions is not None and version not in versions:
            known = sorted(versions, key=names.version_order)
            message = f"{reader.what} has no version {version!r}; it has {listed(known)}"
            hint = nearest(version, known)
            wrong_key(reader, Problem("unknown-version", message, at, hint))
        try:
            found[version] = parse_fault(raw, f"the fault of version {version!r} of {reader.what}")
        except Refused as refused:
            reader.problems += [problem.under(*reader.at, *at) for problem in refused.problems]
    return found


def fault_values(fault: Fault, old: Mapping[str, Any] | None) -> dict[str, Any]:
    """One fault as a file has it; the file's own words if they mean the same.

    Args:
        fault: The live fault.
        old: The table of the file; `None` where there is none.
    """
    if old is not None and _means(old, fault):
        return dict(old)
    usual = Fault().to_dict()
    said = fault.to_dict()
    return {key: as_written(value) for key, value in said.items() if value != usual[key]}


def _means(old: Mapping[str, Any], fault: Fault) -> bool:
    try:
        return parse_fault(old, "") == fault
    except Refused:
        return False

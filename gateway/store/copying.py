"""A copy of the state, to try something out on; the original is only read.

The copy is the state of one moment, even while a gateway writes.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from gateway.store.database import BUSY, explained, name_of
from gateway.store.schema import refuse_foreign, transaction


def copy_state(path: Path, copy: Path) -> None:
    """Copy a state file.

    Args:
        path: The state, which exists.
        copy: Where the copy is made.

    Raises:
        StateUnusable: The state cannot be read, or is another program's.
    """
    address = f"{path.absolute().as_uri()}?mode=ro"
    with (
        explained(name_of(path)),
        closing(sqlite3.connect(address, uri=True, timeout=BUSY, isolation_level=None)) as origin,
        closing(sqlite3.connect(copy)) as target,
    ):
        with transaction(origin, "DEFERRED"):
            refuse_foreign(origin)
        origin.backup(target)

"""A gateway that is killed loses nothing that it acknowledged, and always starts again.

The whole measurement, 200 times, is `python -m benchmarks.killing`.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from benchmarks.killing import Killing


@pytest.mark.sockets
def test_what_was_acknowledged_survives_a_kill_in_the_middle_of_a_commit(tmp_path: Path) -> None:
    """Nothing older is live afterwards, and nothing half done."""
    result = asyncio.run(Killing(tmp_path, seed=3).run(8))
    assert (result.kills, result.wrong) == (8, [])
    assert result.acknowledged > 8

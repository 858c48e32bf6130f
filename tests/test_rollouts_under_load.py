"""Rollouts are aborted under load: nothing is lost, and the old version answers at once.

The whole measurement, with its figures, is `python -m benchmarks.aborting`; this is the same with
smaller numbers.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from benchmarks.aborting import Aborted, Aborting
from benchmarks.servers import shop_command, started

pytestmark = pytest.mark.sockets


def test_no_request_is_lost_in_any_aborted_rollout(tmp_path: Path) -> None:
    """And none that is sent after a roll-back reaches the new version."""

    async def scenario() -> Aborted:
        with started("gateway", shop_command(tmp_path)) as server:
            return await Aborting(server, 10, 200).run()

    result = asyncio.run(scenario())
    assert (result.lost, result.stale) == ([], 0)
    assert len(result.seconds) == 10
    assert result.answers >= 4_000
    assert 0 < result.new < result.answers

"""Aliases move and roll back under load: nothing is lost, and nothing stale is ever answered.

The whole measurement, with its figures, is `python -m benchmarks.steering`; this is the same with
smaller numbers.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from benchmarks.servers import shop_command, started
from benchmarks.steering import Steered, Steering, first_answers

pytestmark = pytest.mark.sockets


def test_no_request_is_lost_and_every_answer_is_current(tmp_path: Path) -> None:
    """Each answer names a revision that was live meanwhile, and a version that belongs to it."""

    async def scenario() -> Steered:
        with started("gateway", shop_command(tmp_path)) as server:
            return await Steering(server, 10_000, 40, 10).run()

    result = asyncio.run(scenario())
    assert (result.answers, result.lost, result.wrong) == (10_000, [], [])
    assert result.changes == 50


def test_the_next_request_after_a_change_is_answered_by_it(tmp_path: Path) -> None:
    """`first_answers` raises where it is not."""

    async def scenario() -> int:
        with started("gateway", shop_command(tmp_path)) as server:
            asked, _ = await first_answers(server, 50)
            return len(asked)

    assert asyncio.run(scenario()) == 50

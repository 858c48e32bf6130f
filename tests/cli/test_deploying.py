"""`gateway deploy` step by step: traffic moves as the cloud's component moves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Answered, Call, Running

pytestmark = pytest.mark.sockets

PUBLISH = ("--inputs.publish", "--inputs.traffic=0")
STEPS: list[tuple[tuple[str, ...], str | None, dict[str, float], str]] = [
    (PUBLISH, "1", {"1": 1}, "other version 1  published"),
    (("--inputs.traffic=0.1",), None, {"1": 0.9}, "$LATEST 10 %, 1 90 %"),
    (("--inputs.traffic=0.1",), None, {"1": 0.9}, "nothing changed"),
    (("--inputs.traffic=1.0",), None, {"1": 0}, "$LATEST 100 %, 1 0 %"),
    (PUBLISH, "2", {"2": 1}, "$LATEST 0 %, 2 100 %"),
    (("--inputs.traffic=0.25",), None, {"2": 0.75}, "$LATEST 25 %, 2 75 %"),
    (("--inputs.traffic=1",), None, {"2": 0}, "$LATEST 100 %, 2 0 %"),
]
"""Options, the version that is published, the weights of `$DEFAULT` afterwards, and the words."""


def test_each_step_shares_traffic_with_latest(
    running: Running, call: Call, answered: Answered
) -> None:
    """The rest goes to the version that was published last, exactly."""
    for options, published, weights, words in STEPS:
        before = running.gateway.live.snapshot.functions["other"].versions
        result = call("deploy", "other", *options)
        assert (result.exit_code, result.stderr) == (0, "")
        assert words in result.stdout
        after = running.gateway.live.snapshot.functions["other"].versions
        assert set(after) - set(before) == ({published} if published else set())
        alias = answered("alias", "get", "other", "$DEFAULT")
        assert (alias["version"], alias["weights"]) == ("$LATEST", weights)


def test_a_share_before_anything_is_published_is_refused(running: Running, call: Call) -> None:
    """The component would do nothing, and say nothing."""
    result = call("deploy", "other", "--inputs.traffic=0.1")
    assert (result.exit_code, result.stdout) == (6, "")
    assert "'other' has no published version to share traffic with" in result.stderr
    assert running.gateway.live.snapshot.revision == 1


@pytest.mark.parametrize("share", ["1.1", "-0.1", "x", "nan", "10%"])
def test_a_share_that_is_none_is_refused(running: Running, call: Call, share: str) -> None:
    """Exit code 2, and nothing was published."""
    result = call("deploy", "other", "--inputs.publish", f"--inputs.traffic={share}")
    assert (result.exit_code, result.stdout) == (2, "")
    assert share in result.stderr
    assert running.gateway.live.snapshot.revision == 1

"""What guards say of what was seen, and what becomes of a rollout then."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.core.alias import Route
from gateway.core.errors import Refused
from gateway.rollout.judging import Before, Counts, Seen, judge, latency_limits
from gateway.rollout.plan import Plan, parse_plan
from gateway.rollout.rollout import Rollout, asked, next_move, read_rollout
from gateway.verdict import Outcome, Sketch

PASSED, FAILED, UNDECIDED = Outcome.PASSED, Outcome.FAILED, Outcome.UNDECIDED


def plan_with(*guards: str, **more: object) -> Plan:
    """A plan with these guards."""
    raw = {"function": "f", "alias": "a", "to": "2", "steps": [0.1, 1], "guards": list(guards)}
    return parse_plan({**raw, **more})


def counts(requests: int, errors: int = 0, *, slow: int = 0) -> Counts:
    """So many answers, some of them errors, some of them slow."""
    sketch = Sketch()
    if requests - slow:
        sketch.add(0.01, requests - slow)
    if slow:
        sketch.add(1.0, slow)
    return Counts(requests, errors, sketch)


def outcome(
    plan: Plan,
    old: Counts,
    new: Counts,
    *,
    step: int = 0,
    before: Before = Before(),  # noqa: B008
) -> Outcome:
    """What the one guard of a plan says."""
    (finding,) = judge(plan, step, Seen(old, new, 10.0), before)
    assert finding.sentence
    return finding.outcome


@pytest.mark.parametrize(
    ("guard", "old", "new", "expected"),
    [
        pytest.param("error_rate>old", counts(0), counts(0), UNDECIDED, id="nothing yet"),
        pytest.param("error_rate>old", counts(900), counts(100, 20), FAILED, id="new fails"),
        pytest.param("error_rate>old", counts(9000), counts(1000), PASSED, id="neither fails"),
        pytest.param(
            "error_rate>old", counts(900, 450), counts(100, 50), UNDECIDED, id="both fail"
        ),
        pytest.param("error_rate>old", counts(9000, 4500), counts(1000, 10), PASSED, id="better"),
        pytest.param("error_rate>old*3", counts(900, 90), counts(100, 20), UNDECIDED, id="twice"),
        pytest.param(
            "error_rate>old*3", counts(9000, 90), counts(1000, 95), FAILED, id="ten times"
        ),
        pytest.param("error_rate>1%", counts(0), counts(200, 20), FAILED, id="above"),
        pytest.param("error_rate>1%", counts(0), counts(1000, 5), PASSED, id="below"),
        pytest.param("error_rate>1%", counts(0), counts(50), UNDECIDED, id="too few"),
        pytest.param("error_rate>0", counts(0), counts(1, 1), FAILED, id="none allowed"),
        pytest.param("p99>250ms", counts(0), counts(1000), PASSED, id="fast"),
        pytest.param("p99>250ms", counts(0), counts(1000, slow=100), FAILED, id="slow"),
        pytest.param("p50>250ms", counts(0), counts(1000, slow=100), PASSED, id="median"),
        pytest.param("p99>old*2", counts(9000), counts(1000), UNDECIDED, id="no limit yet"),
    ],
)
def test_what_a_guard_says(guard: str, old: Counts, new: Counts, expected: Outcome) -> None:
    """By a table."""
    assert outcome(plan_with(guard), old, new) is expected


def test_latency_is_compared_with_what_the_old_version_took() -> None:
    """Once that has answered enough, and with the same limit ever after."""
    plan = plan_with("p99>old*2", "error_rate>old", "p99>1s")
    assert latency_limits(plan, counts(999).latency, {}) == {}
    limits = latency_limits(plan, counts(1001).latency, {})
    assert limits == {"p99>old*2": pytest.approx(0.02, rel=0.01)}
    assert latency_limits(plan, counts(5000, slow=4000).latency, limits) == limits
    before = Before(limits=limits)
    judged = [
        judge(plan, 0, Seen(counts(0), counts(1000, slow=slow), 1.0), before)[0].outcome
        for slow in (0, 100)
    ]
    assert judged == [PASSED, FAILED]


def test_in_the_last_step_the_past_is_what_is_compared_with() -> None:
    """There is no old version beside the new one any more."""
    plan, before = plan_with("error_rate>old"), Before(10_000, 100)
    assert outcome(plan, counts(0), counts(1000, 10), step=1, before=before) is PASSED
    assert outcome(plan, counts(0), counts(1000, 100), step=1, before=before) is FAILED
    assert outcome(plan, counts(0), counts(1000, 1000), step=1) is UNDECIDED


ROLLOUT = Rollout("r", plan_with("error_rate>old", every=5), Route("1"), "running", 0, 100.0, 100.0)


def move(rollout: Rollout, old: Counts, new: Counts, seconds: float = 10.0) -> Rollout | None:
    """The next move of a rollout."""
    seen = Seen(old, new, seconds)
    return next_move(rollout, judge(rollout.plan, rollout.step, seen, rollout.before), seen, 200.0)


def test_a_step_is_passed_once_held_and_once_only() -> None:
    """Then the next; after the last one it is finished."""
    assert move(ROLLOUT, counts(9000), counts(1000), seconds=4.9) is None
    second = move(ROLLOUT, counts(9000, 9), counts(1000))
    assert second is not None
    assert (second.status, second.step, second.since) == ("running", 1, 200.0)
    assert (second.before.requests, second.before.errors) == (9000, 9)
    assert second.route == Route("2")
    last = move(second, counts(0), counts(1000))
    assert last is not None
    assert (last.status, last.step, last.ended) == ("finished", 1, True)
    assert move(last, counts(0), counts(1000)) is None


def test_a_step_waits_while_undecided_unless_told_not_to() -> None:
    """Time alone proves nothing."""
    assert move(ROLLOUT, counts(9), counts(1), seconds=1e6) is None
    told = replace(ROLLOUT, plan=replace(ROLLOUT.plan, undecided="advance"))
    moved = move(told, counts(9), counts(1))
    assert moved is not None
    assert moved.step == 1


def test_a_step_waits_for_its_requests() -> None:
    """As many as the plan asks for."""
    asking = replace(ROLLOUT, plan=replace(ROLLOUT.plan, requests=2000))
    assert move(asking, counts(9000), counts(1000)) is None
    assert move(asking, counts(18000), counts(2000)) is not None


def test_a_failed_guard_rolls_back_at_once() -> None:
    """With the reason, whatever the time; and the alias leads where it led."""
    back = move(ROLLOUT, counts(900), counts(100, 20), seconds=0.1)
    assert back is not None
    assert (back.status, back.route) == ("rolled-back", Route("1"))
    assert back.reason.startswith("error_rate>old: 20 of 100 failed")


@pytest.mark.parametrize(
    ("verb", "status", "route"),
    [
        ("pause", "paused", ROLLOUT.route),
        ("promote", "finished", Route("2")),
        ("abort", "aborted", Route("1")),
    ],
)
def test_people_may_ask(verb: str, status: str, route: Route) -> None:
    """Everything but to resume what runs."""
    found = asked(ROLLOUT, verb, "Ann", 300.0)
    assert (found.status, found.route, found.reason) == (status, route, "Ann")


def test_a_paused_rollout_resumes_its_step() -> None:
    """From its beginning."""
    paused = asked(ROLLOUT, "pause", "Ann", 300.0)
    assert move(paused, counts(900), counts(100, 20)) is None
    resumed = asked(paused, "resume", "Ann", 400.0)
    assert resumed == replace(ROLLOUT, since=400.0)


@pytest.mark.parametrize(
    ("rollout", "verb", "code"),
    [
        (ROLLOUT, "resume", "rollout-running"),
        (replace(ROLLOUT, status="paused"), "pause", "rollout-paused"),
        (replace(ROLLOUT, status="finished"), "abort", "rollout-ended"),
        (replace(ROLLOUT, status="rolled-back"), "resume", "rollout-ended"),
    ],
)
def test_what_cannot_be_done_is_refused(rollout: Rollout, verb: str, code: str) -> None:
    """With a code of its own."""
    with pytest.raises(Refused) as refused:
        asked(rollout, verb, "Ann", 1.0)
    assert refused.value.code == code


def test_a_rollout_is_remembered_whole() -> None:
    """Plain values and back."""
    kept = replace(ROLLOUT, status="paused", reason="x", before=Before(5, 1, {"p99>old": 0.5}))
    assert read_rollout("r", kept.to_dict()) == kept
    with pytest.raises(ValueError, match="no step 7"):
        read_rollout("r", {**kept.to_dict(), "step": 7})

"""What the log of `gateway serve` keeps, by options and by variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from click.testing import Result

from gateway.cli.serve import command
from gateway.cli.serve_options import setup_of
from gateway.store.logged import Retention

Call = Callable[..., Result]

AGE, ENTRIES = "GATEWAY_LOG_AGE", "GATEWAY_LOG_ENTRIES"


@pytest.mark.parametrize(
    ("arguments", "variables", "expected"),
    [
        ((), {}, Retention(259_200.0, 100_000)),
        (("--log-age", "12h"), {}, Retention(43_200.0, 100_000)),
        (("--log-age", "1.5d", "--log-entries", "5"), {}, Retention(129_600.0, 5)),
        (("--log-age", "90"), {}, Retention(90.0, 100_000)),
        (("--log-entries", "0"), {}, Retention(259_200.0, 0)),
        ((), {AGE: "1m", ENTRIES: "7"}, Retention(60.0, 7)),
        (("--log-entries", "8"), {ENTRIES: "7"}, Retention(259_200.0, 8)),
    ],
)
def test_the_log_keeps_what_is_asked_for(
    arguments: tuple[str, ...],
    variables: Mapping[str, str],
    expected: Retention,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Options come before variables, and those before what is usual."""
    for name in (AGE, ENTRIES, "GATEWAY_STATE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with command.make_context("serve", list(arguments)) as context:
        assert setup_of(context.params).retention == expected


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--log-age", "59s"), "'59s' is not allowed; allowed: 1m to 366d"),
        (("--log-age", "367d"), "'367d' is not allowed; allowed: 1m to 366d"),
        (("--log-age", "0"), "'0' is not allowed"),
        (("--log-age", "soon"), "'soon' is no duration; for example: 30s, 5m, 1h"),
        (("--log-age", "-1d"), "'-1d' is no duration"),
        (("--log-entries", "-1"), "0<=x<=10000000"),
        (("--log-entries", "all"), "'all' is not a valid integer"),
    ],
)
def test_what_cannot_be_kept_is_told(call: Call, arguments: tuple[str, ...], words: str) -> None:
    """With what is allowed; nothing is started."""
    result = call("serve", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr


def test_a_variable_that_cannot_be_is_told_by_its_name(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not on the line that was typed."""
    monkeypatch.setenv(AGE, "never")
    result = call("serve")
    assert result.exit_code == 2
    assert AGE in result.stderr

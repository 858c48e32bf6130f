"""Only this machine is load-tested, and every option is checked before anything is sent."""

from __future__ import annotations

import argparse
import socket
from pathlib import Path
from typing import Any

import pytest

from gateway.verdict import Question
from loadtests import options, run, target
from loadtests.catalogue import TESTS
from loadtests.expectations import Misuse
from loadtests.started import Served

HERE = ["http://127.0.0.1:8080", "http://127.8.9.1", "http://[::1]:80/", "https://localhost",
        "http://prepub.localhost:8080"]  # fmt: skip
ELSEWHERE = ["http://example.com", "http://192.0.2.1:8080", "http://0.0.0.0:8080",
             "http://127.0.0.1.example.com", "http://localhost.example.com"]  # fmt: skip
NO_ADDRESS = ["", "127.0.0.1:8080", "ftp://127.0.0.1", "http://", "http://127.0.0.1:x",
              "http://127.0.0.1@example.com", "http://127.0.0.1/dev", "http://[::1"]  # fmt: skip


@pytest.mark.parametrize("url", HERE)
def test_this_machine_may_be_tested(url: str) -> None:
    """By every loopback address and by names that mean nothing else."""
    assert target.refusal(url) is None


@pytest.mark.parametrize("url", ELSEWHERE)
def test_another_machine_must_be_allowed_by_name(url: str) -> None:
    """And the refusal says how."""
    refusal = target.refusal(url)
    assert refusal is not None
    name = refusal.rpartition("--allow-host ")[2]
    assert target.refusal(url, [name]) is None
    assert target.refusal(url, ["other.example"]) == refusal


@pytest.mark.parametrize("url", NO_ADDRESS)
def test_what_is_no_address_is_refused_even_if_allowed(url: str) -> None:
    """A path belongs to the log's requests, not to the host."""
    assert target.refusal(url, ["example.com", "127.0.0.1"]) is not None


@pytest.mark.sockets
def test_where_nothing_listens_it_is_said_in_one_sentence() -> None:
    """The port was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    assert target.unreachable(url) == f"no gateway answers at {url}: Connection refused"


@pytest.fixture
def parser() -> Any:  # noqa: ANN401 - stands for Locust's parser
    """A parser with our options."""
    made: Any = argparse.ArgumentParser(exit_on_error=False)
    options.options_of(TESTS["distribution"])(made)
    return made


def test_the_usual_options_make_the_usual_terms(parser: Any) -> None:  # noqa: ANN401
    """Four splits, one false alarm in a million."""
    chosen = parser.parse_args([])
    terms = options.terms(chosen)
    assert len(terms.expectations) == 4
    assert (terms.question, terms.max_errors) == (Question(), 0)
    assert (chosen.requests, chosen.web_host, chosen.master_bind_host) == (
        20_000,
        "127.0.0.1",
        "127.0.0.1",
    )


WRONG = {
    "--requests": ["-1", "1.5", "many", "²"],
    "--false-alarm": ["0", "1", "nan", "x"],
    "--miss": ["0", "2"],
    "--tolerance": ["0", "3"],
    "--max-errors": ["-0.1", "1.1", "nan"],
    "--expect": ["release=1:2"],
    "--mix": ["release"],
    "--access-log": ["no such file", str(Path(__file__))],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_a_wrong_value_is_refused_with_its_option(parser: Any, name: str, value: str) -> None:  # noqa: ANN401
    """By the parser, before Locust starts anything."""
    with pytest.raises(argparse.ArgumentError, match=name):
        parser.parse_args([f"{name}={value}"])


def test_options_that_contradict_each_other_are_refused(parser: Any) -> None:  # noqa: ANN401
    """Both are fine alone."""
    chosen = parser.parse_args(["--mix", "dev=1", "--expect", "release=1:1"])
    with pytest.raises(Misuse, match="nothing is sent to stage release"):
        options.terms(chosen)


def test_every_passed_on_option_exists_in_the_locustfile(parser: Any) -> None:  # noqa: ANN401
    """`python -m loadtests.run` hands them over as they are."""
    given = ["--users", "3", "--seed", "7", "--processes", "2", "--expect", "release=1:1"]
    given += ["--requests", "5", "--mix", "release=1", "--allow-host", "a", "--allow-host", "b"]
    command = run.locust(run.parser().parse_args(given), Served("http://127.0.0.1:1", None))
    chosen, rest = parser.parse_known_args(command[command.index("--headless") :])
    assert chosen.requests == 5
    assert (chosen.expect, chosen.allow_host) == (["release=1:1"], ["a", "b"])
    assert chosen.gateway_seed == 7
    assert {"--processes", "--users", "--host"} <= set(rest)


def test_a_master_of_other_machines_listens_where_it_is_told(parser: Any) -> None:  # noqa: ANN401
    """And the command that repeats the run says so."""
    given = ["--locust-master", "0.0.0.0", "--expect-workers", "3", "--workers-within", "9"]
    told = run.parser().parse_args([*given, "--seed", "7"])
    command = run.locust(told, Served("http://127.0.0.1:1", None))
    chosen, rest = parser.parse_known_args(command[command.index("--headless") :])
    assert chosen.workers_within == 9
    where = ["--master", "--master-bind-host", "0.0.0.0", "--master-bind-port", "5557"]
    assert [word for word in rest if word in where] == where
    assert rest[rest.index("--expect-workers") + 1] == "3"
    assert "--expect-workers 3 --locust-master 0.0.0.0:5557" in run.repeat(told)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--host", "http://127.0.0.1:1", "--seed", "1"],
        ["--users", "0"],
        ["--nonsense"],
        ["--locust-master", "here", "--processes", "2"],
        ["--locust-master", "here:port"],
        ["--locust-master", "here", "--expect-workers", "0"],
        ["--expect-workers", "2"],
        ["--workers-within", "5"],
    ],
)
def test_wrong_use_of_the_convenience_ends_with_two(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """As argparse does it."""
    with pytest.raises(SystemExit) as ended:
        run.main(arguments)
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_a_master_that_cannot_listen_is_told_before_locust_starts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """3, in one sentence."""
    with pytest.raises(SystemExit) as ended:
        run.main(["--locust-master", "192.0.2.1"])
    assert ended.value.code == 3
    said = capsys.readouterr().err
    assert said.startswith("error[cannot-listen]: no master can listen at 192.0.2.1:5557: ")

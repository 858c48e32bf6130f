"""Locust sends the requests, as a process of its own, and what it counted is the verdict's.

Locust changes how sockets work wherever it is imported, so nothing of it is imported here: a load
test is called, and what it found is read from the file that it writes.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, Any, Final, NoReturn
from urllib.parse import urlsplit

import click

from gateway.cli.exits import Exit
from gateway.cli.failures import fail
from gateway.cli.verify_expected import Wish
from gateway.cli.verify_found import verified_of
from gateway.cli.verify_live import Live
from gateway.cli.verify_master import check_workers, master_arguments, waiting, without_arrivals
from gateway.cli.verify_requests import is_bobs, made_up
from gateway.cli.verify_shown import Progress
from gateway.traffic.failures import TrafficError
from gateway.traffic.opening import open_bytes
from gateway.traffic.recording import write
from gateway.traffic.verify_report_words import Verified
from gateway.verdict import Question, requests_needed

Given = Mapping[str, Any]

_BEAT: Final = 0.5
"""Seconds between two looks at a running load test."""

PARTS: Final = ("alias", "reason", "revision", "worker")
"""By what the answers to a load test may be judged."""

USER: Final = "invoke.headers.User"
"""The key that the users of an access log are sent with."""

_ANSWERS_OF_A_KEY: Final = 3
"""Requests for each sticky key, unless told otherwise."""


def verify_by_locust(
    given: Given, wishes: Sequence[Wish], question: Question, live: Live
) -> Verified:
    """Send requests and judge the answers."""
    _check_installed()
    check_workers(given)
    _check_sense(given, wishes)
    untried = [wish for wish in wishes if wish.sticky_by and wish.rules]
    wishes = [replace(wish, rules=()) if wish in untried else wish for wish in wishes]
    with TemporaryDirectory(prefix="gateway-verify-") as folder:
        command, found = _command(given, wishes, question, (Path(folder), live))
        command += master_arguments(given, given["against"] or live.data_url)
        _run(command, found, live)
        document = json.loads(found.read_text(encoding="utf-8"))
    found_out = verified_of(document, wishes, question, given["against"] or live.data_url)
    notes = (f"the rules of {wish.stage} were not tried; its keys were" for wish in untried)
    return replace(found_out, notes=(*found_out.notes, *notes))


def _check_installed() -> None:
    missing = [name for name in ("locust", "loadtests") if find_spec(name) is None]
    if missing:
        message = f"requests are sent by Locust, and {' and '.join(missing)} cannot be found"
        hint = "pip install 'gateway-simulator[loadtest]'; a log is judged without: --log FILE"
        fail("no-locust", message, Exit.CANNOT_START, hint)


def _check_sense(given: Given, wishes: Sequence[Wish]) -> None:
    """Refuse what a load test cannot be asked."""
    for by in given["by"]:
        if by not in PARTS:
            message = f"{by!r} is nothing that answers tell; allowed: {', '.join(PARTS)}"
            raise click.BadParameter(message, param_hint="--by")
    sticky = [wish for wish in wishes if wish.sticky_by]
    if sticky and len(wishes) > 1:
        message = f"stage {sticky[0].stage!r} is sticky: verify it by itself"
        raise click.UsageError(message)
    if sticky and sticky[0].rules and given["source"]:
        message = f"stage {sticky[0].stage!r} is sticky and has rules: without --from its keys are"
        raise click.UsageError(f"{message} judged, and routing tests are for its rules")
    if given["until_decided"] and any(wish.rules and not is_bobs(wish) for wish in wishes):
        message = "--until-decided cannot be used where an alias has other rules than Bob's"
        raise click.UsageError(message)


def _command(
    given: Given, wishes: Sequence[Wish], question: Question, where: tuple[Path, Live]
) -> tuple[list[str], Path]:
    """The load test's command line, and the file that it will write."""
    folder, live = where
    found = folder / "verdict.json"
    keys = _keys(wishes, question)
    requests = _requests(given, keys)
    command = [sys.executable, "-m", "loadtests.run", "--host", given["against"] or live.data_url]
    command += ["--test", "sticky" if keys else "distribution", "--requests", str(requests)]
    command += ["--mix", ",".join(f"{wish.stage}={1 / len(wishes):.17g}" for wish in wishes)]
    command += ["--users", str(given["users"]), "--verdict-json", str(found)]
    for name in ("false_alarm", "miss", "tolerance"):
        command += [f"--{name.replace('_', '-')}", repr(given[name])]
    command += ["--max-errors", repr(given["max_errors"] or 0.0)]
    for name in ("processes", "rate"):
        command += [f"--{name}", f"{given[name]:.17g}"] if given[name] else []
    command += ["--until-decided"] if given["until_decided"] else []
    for by in given["by"]:
        command += ["--by", by]
    if given["against"]:  # it was named, so it may be tested wherever it is
        command += ["--allow-host", urlsplit(given["against"]).hostname or ""]
    command += _source(given["source"], wishes, keys, folder)
    for wish in wishes:
        for expectation in _expectations(wish):
            command += ["--expect", expectation]
    return command, found


def _requests(given: Given, keys: int) -> int:
    usual = click.get_current_context().get_parameter_source("requests")
    told: int = given["requests"]
    if usual is click.core.ParameterSource.DEFAULT:
        return max(told, _ANSWERS_OF_A_KEY * keys)
    return told


def _keys(wishes: Sequence[Wish], question: Question) -> int:
    """How many users decide a sticky split; 0 where none is."""
    if not wishes[0].sticky_by:
        return 0
    return max(
        requests_needed(share, question.tolerance, question) for share in wishes[0].shares.values()
    )


def _source(source: str | None, wishes: Sequence[Wish], keys: int, folder: Path) -> list[str]:
    """Where the requests come from: a file as it is, or a recording that is made up."""
    if source is None:
        recording = folder / "requests.jsonl"
        with recording.open("wb") as lines:
            lines.writelines(map(write, made_up(wishes, keys)))
        return ["--recording", str(recording), *_own_users(keys)]
    try:
        with open_bytes(source) as opened:
            is_recording = opened.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
    except TrafficError as error:
        raise click.BadParameter(str(error), param_hint="--from") from None
    if is_recording:
        return ["--recording", source, *_own_users(keys)]
    if keys and wishes[0].sticky_by != USER:
        message = f"an access log has no {wishes[0].sticky_by}; give a recording whose users are it"
        raise click.BadParameter(message, param_hint="--from")
    return ["--access-log", source]


def _own_users(keys: int) -> list[str]:
    """Keep the users of a recording: they have their keys."""
    return ["--keys", "0"] if keys else []


def _expectations(wish: Wish) -> Iterator[str]:
    """What is expected of a stage, as load tests write it."""
    shares = ",".join(f"{version}:{share!r}" for version, share in wish.shares.items())
    if is_bobs(wish):
        yield f"{wish.stage}/Bob={wish.rules[0]['version']}:1:rule:1"
        yield f"{wish.stage}/others={shares}"
    else:
        yield f"{wish.stage}={shares}"


def _run(command: Sequence[str], found: Path, live: Live) -> None:
    """Run the load test to its end; without a result it ends this command as it ended itself.

    It is out of reach of this terminal's Ctrl-C, which it is told of here.
    """
    interrupted = False
    with TemporaryFile() as talk, _started(command, talk) as process:
        progress = Progress()
        try:
            _wait(process, progress, waiting(talk, live.words))
        except KeyboardInterrupt:
            interrupted = True
            process.send_signal(signal.SIGINT)
            process.wait()
        finally:
            process.kill()  # what has ended by itself is not there to be killed
            progress.clear()
        if not found.exists():
            _give_up(Exit.INTERRUPTED if interrupted else process.returncode, talk)


def _started(command: Sequence[str], talk: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own command
        command, stdout=subprocess.DEVNULL, stderr=talk, start_new_session=True
    )


def _wait(process: subprocess.Popen[bytes], progress: Progress, words: Callable[[], str]) -> None:
    while True:
        try:
            process.wait(_BEAT)
        except subprocess.TimeoutExpired:
            progress.show(words)
        else:
            return


def _give_up(code: int, talk: IO[bytes]) -> NoReturn:
    """End the command as the load test has ended, with what it said."""
    if code == Exit.INTERRUPTED:
        click.echo("interrupted before there was a result", err=True)
        raise click.exceptions.Exit(code)
    talk.seek(0)
    said = without_arrivals(talk.read()).decode("utf-8", "replace").strip()
    click.echo(said or "error[no-result]: the load test ended without a result", err=True)
    known = code in {Exit.USAGE, Exit.CANNOT_START, Exit.INVALID}
    raise click.exceptions.Exit(code if known else Exit.UNEXPECTED)

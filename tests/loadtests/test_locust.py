"""Real Locust against a real gateway: the exit code is the result of the test."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from loadtests.run import FOLDER
from loadtests.started import gateway

pytestmark = pytest.mark.sockets

ROOT = Path(__file__).parent.parent.parent
LOCUST = [sys.executable, "-m", "locust", "-f", str(FOLDER / "distribution.py")]
COARSE = ["--tolerance", "0.1"]
"""Ten points: a thousand requests are enough to see them."""


def config(folder: Path, weight: str = "0.1") -> str:
    """The example with another weight, and with a copy of its functions that may be edited."""
    shutil.copytree(ROOT / "functions" / "orders", folder / "functions" / "orders")
    text = (ROOT / "stages.toml").read_text(encoding="utf-8")
    assert '"2" = 0.1 ' in text
    path = folder / "stages.toml"
    path.write_text(text.replace('"2" = 0.1 ', f'"2" = {weight} '), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    """The example, served on free ports."""
    with gateway(str(ROOT / "stages.toml"), seed=11) as served:
        yield served.data


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def load(folder: Path, url: str, requests: int, *options: str) -> tuple[int, dict[str, Any], str]:
    """Run Locust from another folder: exit code, the JSON, and everything it said."""
    command = [*LOCUST, "--headless", "--only-summary", "-u", "8", "-r", "8", "--host", url]
    done = subprocess.run(
        [*command, "--requests", str(requests), *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    path = folder / "reports" / "verdict.json"
    data = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    return done.returncode, data, said


def test_the_example_passes(host: str, tmp_path: Path) -> None:
    """0, and exactly as many requests as were asked for."""
    code, data, said = load(tmp_path, host, 2000, *COARSE)
    assert code == 0, said
    assert data["requests"] == sum(cell["count"] for cell in data["counts"]["answers"]) == 2000
    reasons = {(c["stage"], c["who"], c["version"], c["reason"]) for c in data["counts"]["answers"]}
    assert reasons == {
        ("dev", "Bob", "$LATEST", "main"),
        ("dev", "others", "$LATEST", "main"),
        ("prepub", "Bob", "4", "rule:1"),
        ("prepub", "others", "3", "main"),
        ("release", "Bob", "1", "main"),
        ("release", "Bob", "2", "weight"),
        ("release", "others", "1", "main"),
        ("release", "others", "2", "weight"),
    }
    assert set(data["versions"]) == {"gateway-simulator", "locust", "python"}


@pytest.mark.parametrize(("weight", "expected"), [("0.1", 0), ("0.5", 10)])
def test_a_watched_run_ends_as_soon_as_it_is_decided(
    tmp_path: Path, weight: str, expected: int
) -> None:
    """Long before the most that may be sent, and with the exit code of what it saw."""
    with gateway(config(tmp_path, weight), seed=11) as served:
        code, data, said = load(tmp_path, served.data, 200_000, *COARSE, "--until-decided")
    assert code == expected, said
    assert data["requests"] < 100_000
    assert "watched all the time" in said
    assert (data["watched"]["release"]["outcome"] == "failed") is bool(expected)


def test_a_wrong_weight_fails(tmp_path: Path) -> None:
    """10: half instead of a tenth."""
    with gateway(config(tmp_path, "0.5"), seed=11) as served:
        code, data, said = load(tmp_path, served.data, 2000, *COARSE)
    assert code == 10, said
    assert data["verdict"]["verdicts"]["release"]["outcome"] == "failed"
    assert data["verdict"]["verdicts"]["dev"]["outcome"] == "passed"


def test_a_wrong_weight_passes_if_it_is_expected(tmp_path: Path) -> None:
    """0 again, through the convenience that starts the gateway itself."""
    command = [sys.executable, "-m", "loadtests.run", "--config", config(tmp_path, "0.5")]
    command += ["--seed", "11", "--requests", "3000", "--expect", "release=1:0.5,2:0.5", *COARSE]
    command += ["--verdict-json", str(tmp_path / "verdict.json")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed: 4 of 4 splits" in done.stdout.splitlines()[-1]
    assert json.loads((tmp_path / "verdict.json").read_text())["gateway_seed"] == 11


def test_too_few_requests_are_undecided(host: str, tmp_path: Path) -> None:
    """12."""
    code, data, said = load(tmp_path, host, 200)
    assert code == 12, said
    assert data["requests_needed"] > 10_000


def test_a_failing_handler_is_an_error_and_no_wrong_split(tmp_path: Path) -> None:
    """11, though Locust alone would end with 1; the version that fails was chosen all the same."""
    path = config(tmp_path)
    handler = tmp_path / "functions" / "orders" / "v2" / "index.py"
    handler.write_text("async def main_handler(event, context):\n    raise ValueError('broken')\n")
    with gateway(path, seed=11) as served:
        code, data, said = load(tmp_path, served.data, 2000, *COARSE)
        allowed, _, _ = load(tmp_path, served.data, 2000, *COARSE, "--max-errors", "0.2")
    assert code == 11, said
    assert data["errors_exceeded"]
    assert data["verdict"]["outcome"] == "passed"
    assert allowed == 0


def test_where_nothing_listens_no_load_is_sent(tmp_path: Path) -> None:
    """3, in one sentence."""
    code, _, said = load(tmp_path, f"http://127.0.0.1:{free_port()}", 100)
    assert code == 3
    assert "error[unreachable]: no gateway answers at http://127.0.0.1:" in said


def test_another_machine_is_not_load_tested(tmp_path: Path) -> None:
    """2; nothing was sent to it, not even the first request."""
    code, _, said = load(tmp_path, "http://192.0.2.1:9", 100)
    assert code == 2
    assert "192.0.2.1 is not this machine" in said


def test_a_gateway_that_cannot_start_ends_the_convenience_as_it_ends(tmp_path: Path) -> None:
    """4, with the gateway's own words."""
    path = tmp_path / "stages.toml"
    path.write_text("[service]\nnam = 1\n")
    command = [sys.executable, "-m", "loadtests.run", "--config", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "stages.toml:2:1: error" in done.stderr


def test_ctrl_c_ends_with_what_was_found_so_far(host: str, tmp_path: Path) -> None:
    """130, with a report and without a traceback."""
    command = [*LOCUST, "--headless", "-u", "4", "-r", "4", "--host", host]
    command += ["--only-summary", "--requests", "100000000"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert any("All users spawned" in line for line in process.stderr)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in err
    assert out.splitlines()[-1].startswith("interrupted: after ")


def get(url: str, **headers: str) -> tuple[int, str]:
    """Status and body."""
    try:
        with urlopen(Request(url, headers=headers)) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def first_answer(url: str) -> tuple[int, str]:
    """The first answer of a server that is about to listen; refusals come at once."""
    deadline = monotonic() + 30
    while True:
        try:
            return get(url)
        except OSError:
            if monotonic() > deadline:
                raise


def test_the_web_ui_shows_the_verdict_to_this_machine(host: str, tmp_path: Path) -> None:
    """A tab, a page and JSON; not to whoever comes by another name."""
    base = f"http://127.0.0.1:{(port := free_port())}"
    command = [*LOCUST, "--host", host, "--web-port", str(port), "--autostart", "--autoquit", "0"]
    with subprocess.Popen(
        [*command, "-u", "2", "-r", "2", "--requests", "100000000"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "LOCUST_WEB_HOST": "127.0.0.1"},
    ) as process:
        try:
            status, page = first_answer(f"{base}/verdict")
            assert status == 200
            assert "<h1>Verdict</h1>" in page
            assert get(f"{base}/verdict", Host="evil.example")[0] == 403
            assert "outcome" in json.loads(get(f"{base}/verdict.json")[1])
            assert "extended_tabs" in get(base)[1]
            assert json.loads(get(f"{base}/stats/requests")[1])["extended_stats"][0]["key"]
        finally:
            process.terminate()
    assert process.returncode == 130


def ask(url: str, form: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
    """What the web UI answers."""
    data = None if form is None else urlencode(form).encode()
    with urlopen(Request(url, data)) as answer:
        return json.load(answer)


def test_the_web_ui_starts_a_test_and_shows_its_verdict(host: str, tmp_path: Path) -> None:
    """From the form to the panel: observed against expected, by keys."""
    line = [sys.executable, "-m", "locust", "-f", str(FOLDER / "sticky.py"), "--host", host]
    line += ["--expect", "release=1:0.9,2:0.1", *COARSE, "--keys", "800"]
    base = f"http://127.0.0.1:{(port := free_port())}"
    with subprocess.Popen(
        [*line, "--web-port", str(port)],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            first_answer(base)
            started = ask(f"{base}/swarm", {"user_count": 2, "spawn_rate": 2, "requests": 1600})
            assert started["success"]
            while ask(f"{base}/verdict.json")["outcome"] in {"none", "undecided"}:
                assert process.poll() is None
            (table,) = ask(f"{base}/stats/requests")["extended_stats"]
        finally:
            process.terminate()
    assert [row["version"] for row in table["data"]] == ["1", "2", "several versions"]
    assert {row["verdict"] for row in table["data"]} == {"failed"}
    assert {row["expected"] for row in table["data"]} == {"90 %", "10 %", "0 %"}

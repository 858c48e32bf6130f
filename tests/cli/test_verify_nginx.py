"""nginx splits clients between two servers, and its access log shows whether it is right."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

Call = Callable[..., Result]
Split = Callable[[float], Path]

REQUESTS = 20_000
FORMAT = '$time_iso8601 $request_time $status "$upstream_addr" $request'
CONFIGURATION = """
user root root;
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log stderr notice;
events {{ worker_connections 256; }}
http {{
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  log_format split '{format}';
  access_log off;
  keepalive_requests 1000000;
  split_clients "$arg_user" $version {{ {percent}% new; * old; }}
  upstream old {{ server unix:{folder}/1.sock; keepalive 8; }}
  upstream new {{ server unix:{folder}/2.sock; keepalive 8; }}
  server {{
    listen unix:{folder}/front.sock;
    access_log {folder}/access.log split;
    location / {{
      proxy_pass http://$version; proxy_http_version 1.1; proxy_set_header Connection "";
    }}
  }}
  server {{ listen unix:{folder}/1.sock; listen unix:{folder}/2.sock; return 200 ok; }}
}}
"""

pytestmark = pytest.mark.skipif(
    shutil.which("nginx") is None, reason="nginx is not installed: apt-get install nginx-light"
)


def ask(path: Path, users: range) -> None:
    """Ask once for each user, over one connection, a hundred at a time."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        for first in users[::100]:
            group = range(first, min(first + 100, users.stop))
            asked = (f"GET /?user={user} HTTP/1.1\r\nHost: shop\r\n\r\n" for user in group)
            connection.sendall("".join(asked).encode())
            answered, tail = 0, b""
            while answered < len(group):
                tail += connection.recv(1 << 16)
                *whole, tail = tail.split(b"\r\n\r\nok")
                answered += len(whole)


@pytest.fixture
def split(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Split]:
    """Send requests through nginx that gives so many percent to the new server; gives its log."""
    folder = Path(tmp_path_factory.mktemp("nginx", numbered=True))
    started: list[subprocess.Popen[bytes]] = []

    def run(percent: float) -> Path:
        text = CONFIGURATION.format(folder=folder, percent=percent, format=FORMAT)
        if os.getuid():  # only root may say as whom
            text = text.replace("user root root;", "")
        (folder / "nginx.conf").write_text(text)
        command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
        process = subprocess.Popen(command, stderr=subprocess.PIPE)
        started.append(process)
        assert process.stderr is not None
        while b"start worker process " not in (line := process.stderr.readline()):
            assert line, "nginx did not start"
        ask(folder / "front.sock", range(REQUESTS))
        process.send_signal(signal.SIGQUIT)  # what is written down is whole when it has ended
        process.wait()
        return folder / "access.log"

    yield run
    for process in started:
        with process:
            process.kill()


@pytest.mark.parametrize(("percent", "code"), [(10, 0), (13, 10)], ids=["right", "off by 3 points"])
def test_a_split_of_nginx_is_judged_by_its_access_log(
    call: Call, split: Split, percent: float, code: int
) -> None:
    """What nginx gives to whom depends on the users alone, so that this ends the same each time."""
    log = split(percent)
    servers = [f"--map=unix:{log.parent}/{number}.sock={number}" for number in (1, 2)]
    result = call(
        "verify", "--log", str(log), "--log-format", FORMAT, "--version-field", "upstream_addr",
        "--field", "latency=request_time", "--expect", "1=0.9,2=0.1", *servers,
    )  # fmt: skip
    assert result.exit_code == code, result.output
    assert "20,000 requests in 20,000 lines" in result.stdout

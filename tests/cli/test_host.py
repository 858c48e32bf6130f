"""`gateway host` serves one version, and says what it cannot serve."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Call = Callable[..., Result]
Shop = Callable[..., Path]
Begin = Callable[..., "subprocess.Popen[str]"]

TELLS = """
async def main_handler(event, context):
    import json
    told = {
        "parameters": event["pathParameters"],
        "stage": event["requestContext"]["stage"],
        "path": event["path"],
        "version": context["function_version"],
    }
    return {"statusCode": 200, "body": json.dumps(told)}
"""


def get(port: str, path: str) -> tuple[int, dict[str, object], str]:
    """The status of an answer, what the function told, and the version it says."""
    connection = http.client.HTTPConnection("127.0.0.1", int(port))
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        said = response.headers.get("X-Gateway-Version", "")
        return response.status, json.loads(response.read()), said
    finally:
        connection.close()


@pytest.mark.sockets
@pytest.mark.parametrize(
    ("options", "path", "stage"),
    [
        ([], "/orders/42", "release"),
        (["--stage", "test"], "/orders/42", "dev"),
        (["--keep-stage"], "/prepub/orders/42", "prepub"),
    ],
    ids=["last stage", "named stage", "in the path"],
)
def test_a_version_is_served_as_behind_the_gateway(
    shop: Shop, begin: Begin, options: list[str], path: str, stage: str
) -> None:
    """Path parameters and the stage are there; Ctrl-C ends it."""
    shop({"orders/v2": TELLS})
    process = begin("host", "orders", "--version", "2", "--port", "0", *options)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("gateway host orders/2 at http://127.0.0.1:"), line
    status, told, version = get(line.rpartition(":")[2], path)
    assert (status, version) == (200, "2")
    expected = {"parameters": {"id": "42"}, "stage": stage, "version": "2"}
    assert told.items() >= expected.items()
    _, told, _ = get(line.rpartition(":")[2], f"{path[: -len('/orders/42')]}/any/thing")
    assert told["path"] == "/any/thing"
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["order", "--version", "1"], 5, "no function 'order'; there are: orders, other"),
        (["orders", "--version", "9"], 5, "has no version '9'; it has 1, 2, $LATEST"),
        (["orders", "--version", "x"], 2, "'x' is no version"),
        (["orders", "--version", "1", "--stage", "beta"], 2, "'beta' is no stage"),
        (["orders", "--version", "1", "--stage", "dev", "--keep-stage"], 2, "has no effect"),
        (["orders", "--version", "1", "--config", "no.toml"], 4, "no.toml"),
        (["orders", "--version", "1", "--host", "192.0.2.1"], 3, "192.0.2.1"),
    ],
)
def test_what_cannot_be_hosted_is_told(
    shop: Shop, call: Call, options: list[str], code: int, words: str
) -> None:
    """Before anything listens, with the code that scripts see."""
    shop()
    result = call("host", *options)
    assert (result.exit_code, words in result.stderr) == (code, True), result.stderr


def test_a_stage_that_the_file_lacks_is_told(shop: Shop, call: Call) -> None:
    """The stages that it has are listed."""
    file = shop() / "stages.toml"
    text = file.read_text()
    file.write_text(text[: text.index("[stages.prepub]")])
    result = call("host", "orders", "--version", "1", "--stage", "release")
    assert result.exit_code == 5
    assert "there is no stage 'release'; there are: dev" in result.stderr

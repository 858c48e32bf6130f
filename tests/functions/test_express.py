"""The example with a server of its own: started as the gateway starts it, and asked."""

from __future__ import annotations

import json
import os
import shutil
from http.client import HTTPConnection
from pathlib import Path

import pytest

from gateway.core.functions import Configuration, FunctionVersion
from gateway.runtime.web_child import Child, bootstrap_of

FOLDER = Path(__file__).parents[2] / "functions" / "express" / "latest"
NODE = shutil.which("node")


def test_the_example_has_a_bootstrap_that_can_be_run() -> None:
    """In its repository, and so in every copy."""
    assert bootstrap_of(str(FOLDER)) == str(FOLDER / "scf_bootstrap")
    assert os.access(FOLDER / "scf_bootstrap", os.X_OK)


@pytest.mark.sockets
@pytest.mark.parametrize("node", [NODE] if NODE else [], ids=["node"])
def test_the_example_answers(node: str) -> None:
    """Where node is installed."""
    assert node
    configuration = Configuration(type="web", environment={"GREETING": "hi"})
    version = FunctionVersion("express", "1", str(FOLDER), configuration)
    child = Child.start(version, str(FOLDER / "scf_bootstrap"))
    connection = HTTPConnection(child.authority)
    try:
        connection.request("GET", "/hello?a=1", headers={"X-Scf-Version": "1"})
        answer = connection.getresponse()
        assert answer.status == 200
        assert json.load(answer) == {"message": "hi from version 1", "path": "/hello?a=1"}
        connection.request("GET", "/other")
        assert connection.getresponse().status == 404
    finally:
        connection.close()
        child.close().result(10)

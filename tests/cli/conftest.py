"""A folder with a stages.toml and its functions, and ways to call the command line there."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main

STAGES = """
[service]
name = "shop"

[functions.orders]
source = "functions/orders"

[functions.orders.aliases]
"$DEFAULT" = { version = "$LATEST" }
prepub = { version = "1", rules = [
  { when = "invoke.headers.User exact Bob", version = "2" },
  { when = "invoke.query.beta exists", version = "$LATEST" },
] }
release = { version = "1", weights = { "2" = 0.1 } }
even = { version = "1", weights = { "2" = 0.25 }, split = "even" }
stuck = { version = "1", weights = { "2" = 0.5 }, split = "sticky", sticky_by = "invoke.query.u" }

[functions.other]
source = "functions/other"

[[apis]]
method = "ANY"
path = "/orders/{id}"
function = "orders"

[[apis]]
method = "GET"
path = "=/other"
function = "other"

[[apis]]
method = "GET"
path = "=/ping"
mock = { body = "pong" }

[[apis]]
method = "GET"
path = "^~/legacy"
http = { url = "http://127.0.0.1:9" }

[stages.dev]
alias = "$DEFAULT"
aliases = { orders = "DEV" }
[stages.prepub]
alias = "$DEFAULT"
aliases = { orders = "prepub" }
[stages.release]
alias = "$LATEST"
aliases = { orders = "release" }
"""
OK = 'async def main_handler(event, context):\n    return {"statusCode": 200}\n'

Shop = Callable[..., Path]
Call = Callable[..., Result]
Process = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Write the shop, with some code replaced, and go into its folder."""

    def write(code: Mapping[str, str] | None = None, *, dev: str = "$DEFAULT") -> Path:
        places = ("orders/latest", "orders/v1", "orders/v2", "other/latest")
        for place, text in {**dict.fromkeys(places, OK), **(code or {})}.items():
            index = tmp_path / "functions" / place / "index.py"
            index.parent.mkdir(parents=True, exist_ok=True)
            index.write_text(textwrap.dedent(text))
        (tmp_path / "stages.toml").write_text(STAGES.replace("DEV", dev))
        monkeypatch.chdir(tmp_path)
        return tmp_path

    return write


@pytest.fixture
def call() -> Call:
    """Call `gateway` in this process."""

    def run(*arguments: str, **more: object) -> Result:
        result = CliRunner().invoke(main, list(arguments), **more)  # type: ignore[arg-type]
        assert isinstance(result.exception, SystemExit | None), result.exception
        assert "Traceback" not in result.stderr.replace("  Traceback", "")
        return result

    return run


def environment(**more: str) -> dict[str, str]:
    """This process's environment without what changes the command line's colours."""
    plain = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "COLUMNS"}}
    return {**plain, "PYTHONIOENCODING": "utf-8", **more}


@pytest.fixture
def process(tmp_path: Path) -> Process:
    """Run `python -m gateway` to its end, in the shop's folder."""

    def run(*arguments: str | bytes) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "gateway", *arguments],
            check=False,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment(),
            timeout=60,
        )

    return run

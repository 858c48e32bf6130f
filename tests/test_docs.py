"""What the documents say is run: every console example, against the example it is about."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.cli.exits import Exit
from gateway.cli.root import COMMANDS
from gateway.controlplane.rest.operations import OPERATIONS
from gateway.core.methods import METHODS
from gateway.core.split import MODES

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^( *)```console\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]+\]\(([^)#\s]+)(?:#[^)]*)?\)")


@dataclass(frozen=True, slots=True)
class Example:
    """A command and the output that a page promises."""

    page: Path
    command: str
    output: str

    def __str__(self) -> str:
        return f"{self.page.name}: {self.command}"


def examples_of(page: Path) -> list[Example]:
    """Every console example of a page."""
    found = []
    for indent, block in BLOCK.findall(page.read_text(encoding="utf-8")):
        lines = [line.removeprefix(indent) for line in block.splitlines()]
        for chunk in re.split(r"^\$ ", "\n".join(lines), flags=re.MULTILINE)[1:]:
            command, _, output = chunk.partition("\n")
            while command.endswith("\\"):
                more, _, output = output.partition("\n")
                command = f"{command[:-1]} {more.lstrip('> ')}"
            found.append(Example(page, command, output.strip()))
    return found


EXAMPLES = [example for page in PAGES for example in examples_of(page)]


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, str]]:
    """The example, served on free ports: both addresses as `host:port`."""
    # Nothing is remembered: the pages describe a gateway that starts from the file alone.
    command = [sys.executable, "-m", "gateway", "serve", "--port", "0", "--control-port", "0"]
    command += ["--state", ":memory:"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        ports = re.findall(r"http://127\.0\.0\.1:([0-9]+)", process.stdout.readline())
        yield ports[0], ports[1]
        process.terminate()


def matches(promised: str, printed: str) -> bool:
    """A line of three dots stands for any lines, three dots in a line for any text."""
    lines = (
        r"(?:.*\n)*?"
        if line.strip() == "..."
        else re.escape(line).replace(r"\.\.\.", ".*?") + r"\n"
        for line in promised.splitlines()
    )
    return re.fullmatch("".join(lines), printed + "\n") is not None


@pytest.mark.sockets
@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_a_console_example_prints_what_the_page_says(
    example: Example, served: tuple[str, str]
) -> None:
    """Run in the repository, with the ports of the running gateway in place of the usual ones."""
    if "curl" in example.command and shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    data, control = served
    command = example.command.replace("8080", data).replace("8081", control)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    run = subprocess.run(
        ["bash", "-c", command.replace(".venv/bin/gateway", "gateway")],
        cwd=ROOT,
        env={**os.environ, "PATH": path, "NO_COLOR": "1", "GATEWAY_STATE": ":memory:"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    lines = [line.rstrip() for line in run.stdout.replace("\r", "").splitlines()]
    printed = "\n".join(lines).strip().replace(data, "8080").replace(control, "8081")
    assert matches(example.output, printed), f"printed:\n{printed}\npromised:\n{example.output}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """Only those within the repository; the rest of the world is not ours to test."""
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_command_line_page_knows_every_command_option_and_exit_code() -> None:
    """What `--help` offers is documented."""
    import importlib

    text = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    for name in COMMANDS:
        assert f"gateway {name}" in text
        for parameter in importlib.import_module(f"gateway.cli.{name}").command.params:
            for option in parameter.opts:
                assert not option.startswith("--") or option in text, f"{name} {option}"
    for code in Exit:
        assert re.search(rf"^\| *{code.value} *\|", text, re.MULTILINE), code


def test_the_control_plane_page_knows_every_operation() -> None:
    """What can be asked is documented, and nothing else is."""
    text = (ROOT / "docs" / "control-plane.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([A-Z, ]+) \| `(/[^`]*)` \|", text, re.MULTILINE)
    told = {(method, path) for methods, path in rows for method in methods.split(", ")}
    described = {("GET", "/api/openapi.json")}
    assert told == {(each.method, each.path) for each in OPERATIONS} | described


def test_the_routing_page_knows_every_method_and_mode() -> None:
    """What a rule or a split can say is documented."""
    text = (ROOT / "docs" / "routing.md").read_text(encoding="utf-8")
    for word in (*METHODS, *MODES):
        assert f"`{word}`" in text

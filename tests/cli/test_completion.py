"""Shell completion: commands and options from the program, names from the gateway."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.shell_completion import ShellComplete

from gateway.cli import main

if TYPE_CHECKING:
    from tests.cli.conftest import Call, Running


def offered(*words: str, incomplete: str = "") -> list[str]:
    """What a shell would offer after these words."""
    complete = ShellComplete(main, {}, "gateway", "_GATEWAY_COMPLETE")
    return [item.value for item in complete.get_completions(list(words), incomplete)]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_is_written_for_each_shell(call: Call, shell: str) -> None:
    """It calls the program back."""
    result = call("completion", shell)
    assert result.exit_code == 0
    assert f"_GATEWAY_COMPLETE={shell}_complete" in result.stdout


def test_commands_and_options_are_completed() -> None:
    """Of groups too."""
    assert offered(incomplete="ro") == ["rollback", "rollout"]
    assert offered("alias") == ["delete", "get", "history", "set"]
    assert "--sticky-by" in offered("alias", "set", "orders", "release", incomplete="--s")
    assert offered("alias", "set", "o", "r", "--split") == ["random", "even", "sticky"]


@pytest.mark.sockets
@pytest.mark.parametrize(
    ("words", "names"),
    [
        pytest.param(("publish",), ["orders", "other"], id="functions"),
        pytest.param(
            ("alias", "get", "orders"),
            ["$DEFAULT", "prepub", "release", "even", "stuck"],
            id="aliases",
        ),
        pytest.param(("rollback", "nowhere"), [], id="no such function"),
        pytest.param(("version", "delete", "orders"), ["1", "2"], id="published"),
        pytest.param(
            ("code", "get", "orders", "--version"), ["1", "2", "$LATEST"], id="versions"
        ),
        pytest.param(
            ("invoke", "other", "--qualifier"), ["$DEFAULT", "$LATEST"], id="qualifiers"
        ),
        pytest.param(("stage", "set"), ["dev", "prepub", "release"], id="stages"),
    ],
)  # fmt: skip
def test_live_names_are_completed(
    running: Running, words: tuple[str, ...], names: list[str]
) -> None:
    """From the gateway that the environment names."""
    assert offered(*words) == names
    assert running.gateway.live.snapshot.revision == 1


@pytest.mark.sockets
def test_the_address_in_the_line_wins(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over that of the environment, as when the line is run."""
    monkeypatch.setenv("GATEWAY_CONTROL_URL", "http://127.0.0.1:9")
    assert offered("publish") == []
    assert offered("publish", "--control-url", running.url) == ["orders", "other"]


@pytest.mark.sockets
def test_names_are_completed_by_what_was_typed(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In bash a `$` is escaped, because bash puts it into the line as it is."""
    assert offered("alias", "get", "orders", incomplete="re") == ["release"]
    assert offered("alias", "get", "orders", incomplete="$") == ["$DEFAULT"]
    monkeypatch.setenv("_GATEWAY_COMPLETE", "bash_complete")
    assert offered("alias", "get", "orders", incomplete="$") == ["\\$DEFAULT"]
    assert running.gateway.live.snapshot.revision == 1


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9", "nonsense"], ids=["nobody there", "no address"]
)
def test_without_a_gateway_nothing_is_offered_and_nothing_said(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody is typing."""
    monkeypatch.setenv("GATEWAY_CONTROL_URL", url)
    assert offered("publish") == []
    assert offered("alias", "get", "orders") == []
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")


@pytest.mark.sockets
def test_bash_completes_a_line(running: Running, tmp_path: Path) -> None:
    """The real shell with the real script."""
    bash = shutil.which("bash")
    assert bash is not None
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    program = bin_folder / "gateway"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{PROGRAM}" "$@"\n')
    program.chmod(0o755)
    script = (
        'source <(gateway completion bash); COMP_WORDS=(gateway alias get orders "re");'
        ' COMP_CWORD=4; _gateway_completion gateway; echo "${COMPREPLY[@]}"'
    )
    path = f"{bin_folder}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "GATEWAY_CONTROL_URL": running.url}
    done = subprocess.run(
        [bash, "-c", script], capture_output=True, text=True, check=False, env=environment
    )
    assert done.stdout == "release\n"


PROGRAM = "from gateway.cli import main; main(prog_name='gateway')"

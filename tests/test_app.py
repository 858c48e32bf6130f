"""The composition root: a gateway is built whole or not at all, and lets go of everything."""

from __future__ import annotations

import asyncio
import re
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.app import Gateway, Setup
from gateway.config import ConfigurationInvalid
from gateway.dice import request_ids
from gateway.runtime import BrokenVersions
from gateway.setup import Role
from gateway.store.protocol import StateUnusable

STAGES = """
[service]
name = "shop"

[functions.echo]
source = "functions/echo"

[functions.echo.aliases]
release = { version = "1", weights = { "2" = 0.5 } }

[[apis]]
method = "POST"
path = "/user/{id}"
function = "echo"

[stages.release]
alias = "release"
"""
OK = 'async def main_handler(event, context):\n    return {"statusCode": 200}\n'
Declare = Callable[..., Path]


@pytest.fixture
def declare(tmp_path: Path) -> Declare:
    """Write the file and the code of its versions."""

    def write(**versions: str) -> Path:
        codes = {"latest": OK, "v1": OK, "v2": OK, **versions}
        for name, code in codes.items():
            folder = tmp_path / "functions" / "echo" / name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "index.py").write_text(textwrap.dedent(code))
        (tmp_path / "stages.toml").write_text(STAGES)
        return tmp_path / "stages.toml"

    return write


def open_and_close(setup: Setup) -> Gateway:
    """A gateway that was open for a moment."""

    async def scenario() -> Gateway:
        gateway = await Gateway.open(setup)
        assert loaded() != []
        for _ in range(2):  # twice is once
            await gateway.close()
        return gateway

    return asyncio.run(scenario())


def loaded() -> list[str]:
    """What the process holds of any version."""
    return [name for name in sys.modules if name.startswith("gateway_functions")]


def test_all_versions_that_do_not_load_are_named_at_once(declare: Declare) -> None:
    """And none of the others stays loaded."""
    with pytest.raises(BrokenVersions) as caught:
        open_and_close(Setup(declare(v1="1 / 0\n", v2="other = 1\n")))
    told = [(error.number, error.code) for error in caught.value.errors]
    assert told == [("1", "user-code-error"), ("2", "handler-not-found")]
    assert "ZeroDivisionError" in str(caught.value)
    assert "; " in str(caught.value)
    assert loaded() == []


def test_errors_of_published_code_name_the_folder_that_its_author_knows(declare: Declare) -> None:
    """Not the copy that would have run."""
    file = declare(v1="1 / 0\n", v2="other = 1\n")
    with pytest.raises(BrokenVersions) as caught:
        open_and_close(Setup(file))
    source = file.parent / "functions" / "echo"
    first, second = caught.value.errors
    assert f'File "{source}/v1/index.py", line 1' in first.stack
    assert "gateway-code-" not in f"{first.stack}{first}{second.stack}{second}"


def test_closing_lets_go_of_everything(declare: Declare) -> None:
    """Modules, threads, files."""
    open_and_close(Setup(declare()))
    assert loaded() == []


def test_a_remembered_state_is_served_without_a_file(declare: Declare, tmp_path: Path) -> None:
    """What a version needs is in the state."""
    file, state = declare(), tmp_path / "state" / "state.db"
    first = open_and_close(Setup(file, state))
    again = open_and_close(Setup(state=state))
    assert again.live.snapshot == first.live.snapshot
    assert again.live.snapshot.revision == 1


def test_a_bad_file_and_a_bad_state_leave_nothing_open(declare: Declare, tmp_path: Path) -> None:
    """The one is refused after the other was opened."""
    file, state = declare(), tmp_path / "state.db"
    file.write_text("[service]\n")
    with pytest.raises(ConfigurationInvalid):
        open_and_close(Setup(file, state))
    state.write_text("no database")
    with pytest.raises(StateUnusable):
        open_and_close(Setup(declare(), state))
    assert loaded() == []


def test_a_seed_is_kept_or_taken_from_the_system(declare: Declare) -> None:
    """Whoever wants to repeat a run can read it."""
    seeds = [open_and_close(Setup(declare(), seed=seed)).seed for seed in (7, None, None)]
    assert seeds[0] == 7
    assert all(isinstance(seed, int) for seed in seeds)
    assert seeds[1] != seeds[2]


def test_what_the_file_hardly_means_is_handed_on(declare: Declare) -> None:
    """A file without stages answers nobody."""
    file = declare()
    file.write_text(STAGES.partition("[stages.release]")[0])
    (warning,) = open_and_close(Setup(file)).warnings
    assert "warning[no-stages]" in warning


def test_request_ids_are_hexadecimal_and_do_not_repeat() -> None:
    """Not even where a seed repeats everything else."""
    first, second = request_ids(), request_ids()
    ids = [make() for make in (first, second) for _ in range(100)]
    assert all(re.fullmatch("[0-9a-f]{32}", made) for made in ids)
    assert len(set(ids)) == 200


def test_a_worker_leaves_to_others_what_is_theirs(declare: Declare, tmp_path: Path) -> None:
    """It applies no file, and what does not load here is no reason not to answer for the rest."""
    file, state = declare(), tmp_path / "state" / "state.db"
    served = open_and_close(Setup(file, state))
    worker = Setup(state=state, role=Role.WORKER, joined=True, process="worker-1")
    assert open_and_close(worker).live.snapshot == served.live.snapshot
    (file.parent / "functions" / "echo" / "latest" / "index.py").write_text("1 / 0\n")
    with pytest.raises(BrokenVersions):
        open_and_close(Setup(state=state))
    (warning,) = open_and_close(worker).warnings
    assert warning.startswith("warning[user-code-error]: ")


@pytest.mark.parametrize("broken", ["file", "code"])
def test_who_takes_over_from_another_serves_what_is_remembered(
    declare: Declare, tmp_path: Path, broken: str
) -> None:
    """What is wrong by now is told, as an edit would be."""
    file, state = declare(), tmp_path / "state" / "state.db"
    first = open_and_close(Setup(file, state))
    if broken == "file":
        file.write_text("[service]\n")
    else:
        declare(latest="1 / 0\n")
    again = open_and_close(Setup(file, state, again=True))
    assert again.live.snapshot == first.live.snapshot
    assert "error" in "".join(again.warnings)

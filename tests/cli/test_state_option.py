"""`--state`: a file, nothing, or a database; a password is never repeated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from gateway.cli import state as option
from gateway.cli.state import declared_file, state_place

if TYPE_CHECKING:
    from tests.cli.conftest import Call, Shop

URL = "postgresql://ann:secret@127.0.0.1:9/x"


@pytest.mark.parametrize(
    ("state", "file", "database"),
    [
        pytest.param(None, "/shop/.gateway/state.db", None, id="beside the file"),
        pytest.param("/x/y.db", "/x/y.db", None, id="a file"),
        pytest.param(":memory:", None, None, id="nothing"),
        pytest.param(URL, "/shop/.gateway/node/state.db", URL, id="a database"),
        pytest.param(
            "postgres://h/x", "/shop/.gateway/node/state.db", "postgres://h/x", id="short"
        ),
    ],
)
def test_a_state_is_in_a_file_or_in_a_database(
    state: str | None, file: str | None, database: str | None
) -> None:
    """What a machine alone needs has a folder in each case but one."""
    place = state_place(state, Path("/shop/stages.toml"))
    assert place == (None if file is None else Path(file), database)


def test_another_address_is_refused_without_its_password() -> None:
    """With what is allowed."""
    with pytest.raises(click.BadParameter, match="allowed: a file, :memory:, or postgresql") as no:
        state_place("mysql://ann:secret@db/x", Path("stages.toml"))
    assert "'mysql://...' is neither a file nor a database" in no.value.message
    assert "secret" not in no.value.message


def test_of_the_roles_one_reads_no_file() -> None:
    """It needs others that do."""
    file = Path("stages.toml")
    assert declared_file("all", file, None) == declared_file("all", file, URL) == file
    assert declared_file("data", file, URL) is None
    assert declared_file("control", file, URL) == file
    with pytest.raises(click.UsageError, match="--role data needs a database that others declare"):
        declared_file("data", file, None)
    with pytest.raises(click.UsageError, match="--role control needs a database that others serve"):
        declared_file("control", file, None)


def test_a_missing_driver_is_a_mistake_of_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that brings it."""
    monkeypatch.setattr(option, "find_spec", lambda _name: None)
    with pytest.raises(click.UsageError, match=r"pip install 'gateway-simulator\[postgres\]'"):
        state_place(URL, Path("stages.toml"))


def test_a_database_that_is_not_there_is_one_sentence(shop: Shop, call: Call) -> None:
    """Exit code 3; the address without its password."""
    shop()
    result = call("serve", "--port", "0", "--control-port", "0", "--state", URL)
    assert (result.exit_code, result.stdout) == (3, "")
    assert "the state 'postgresql://ann@127.0.0.1:9/x' cannot be used: " in result.stderr
    assert "refused" in result.stderr
    assert "secret" not in result.stderr

"""`gateway check`: everything at once, in words and in JSON, with an exit code for scripts."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Call, Process, Shop

OK = 'async def main_handler(event, context):\n    return {"statusCode": 200}\n'
PICTURE = """\
STAGE    FUNCTION  ALIAS     LEADS TO
dev      orders    $DEFAULT  $LATEST
dev      other     $DEFAULT  $LATEST
prepub   orders    prepub    invoke.headers.User exact Bob -> 2; invoke.query.beta exists -> $LATEST; else 1
prepub   other     $DEFAULT  $LATEST
release  orders    release   1 90 %, 2 10 %
release  other     $LATEST   $LATEST
"""  # noqa: E501 - golden


def loaded() -> list[str]:
    """What the process holds of any version."""
    return [name for name in sys.modules if name.startswith("gateway_functions")]


def test_a_good_file_shows_where_every_stage_leads(shop: Shop, call: Call) -> None:
    """On standard output; nothing stays loaded."""
    shop()
    result = call("check")
    assert (result.exit_code, result.stdout, result.stderr) == (0, PICTURE, "")
    assert loaded() == []


@pytest.mark.parametrize(
    ("alias", "words"),
    [
        pytest.param("even", "1 75 %, 2 25 % (even)", id="even"),
        pytest.param("stuck", "1 50 %, 2 50 % (sticky)", id="sticky"),
        pytest.param("2", "2", id="a version"),
    ],
)
def test_the_picture_tells_the_split(shop: Shop, call: Call, alias: str, words: str) -> None:
    """Where it is not the ordinary one."""
    shop(dev=alias)
    rows = call("check").stdout.splitlines()
    assert next(row for row in rows if row.startswith("dev      orders")).endswith(f"  {words}")


def test_a_good_file_in_json(shop: Shop, call: Call) -> None:
    """No errors, and it says so."""
    shop()
    result = call("check", "stages.toml", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (
        0,
        {"ok": True, "errors": [], "warnings": []},
    )


def test_a_file_without_stages_has_an_empty_picture(shop: Shop, call: Call) -> None:
    """And a warning, because no request can be answered."""
    folder = shop()
    (folder / "stages.toml").write_text('[service]\nname = "shop"\n')
    result = call("check")
    assert (result.exit_code, result.stdout) == (0, "STAGE  FUNCTION  ALIAS  LEADS TO\n")
    assert "warning[no-apis]: the file declares no api" in result.stderr
    told = json.loads(call("check", "--json").stdout)
    (warning,) = told["warnings"]
    assert warning.startswith("stages.toml:1:1: warning[no-apis]: ")
    assert (told["ok"], told["errors"]) == (True, [])


BAD = """\
[service]
name = "shop"
colour = "red"

[functions.orders]
source = "functions/orders"

[functions.orders.aliases]
release = { version = "7" }
"""


def test_a_bad_file_shows_all_its_mistakes(shop: Shop, call: Call) -> None:
    """With file, line, column, the line itself, a caret and a hint; on standard error."""
    (shop() / "stages.toml").write_text(BAD)
    result = call("check")
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr == (
        "stages.toml:3:1: error[unknown-key]: the service has no key 'colour'; allowed: name\n"
        '    3 | colour = "red"\n'
        "      | ^^^^^^\n"
        "\n"
        "stages.toml:9:23: error[unknown-version]: alias 'release' of function 'orders' names"
        " version '7'; it has 1, 2 and $LATEST\n"
        '    9 | release = { version = "7" }\n'
        "      |                       ^^^\n"
    )


def test_a_bad_file_in_json_has_the_same_mistakes(shop: Shop, call: Call) -> None:
    """With code, place and message for each."""
    (shop() / "stages.toml").write_text(BAD)
    result = call("check", "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["ok"], result.stderr) == (4, False, "")
    assert [(e["code"], e["line"], e["column"]) for e in told["errors"]] == [
        ("unknown-key", 3, 1),
        ("unknown-version", 9, 23),
    ]
    assert {e["file"] for e in told["errors"]} == {"stages.toml"}


@pytest.mark.parametrize("name", ["stages.toml", "elsewhere/other.toml", "."])
def test_a_file_that_is_not_there_is_a_sentence(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch, call: Call, name: str
) -> None:
    """Not a traceback."""
    monkeypatch.chdir(str(tmp_path))
    result = call("check", name)
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr.startswith(f"{name}: error[")
    assert result.stderr.count("error[") == 1


DEEP = """
def grow():
    return {}["leaf"]

grow()

async def main_handler(event, context):
    return None
"""


def test_code_that_does_not_import_is_told_with_the_authors_own_frames(
    shop: Shop, call: Call
) -> None:
    """Every broken version; no frame of the gateway or of the import machinery."""
    folder = shop({"orders/v2": DEEP, "other/latest": "handler = None\n"})
    result = call("check")
    assert (result.exit_code, result.stdout) == (4, "")
    index = folder / "functions/orders/v2/index.py"
    assert result.stderr.startswith(
        "error[user-code-error]: function 'orders', version 2: the code cannot be imported:"
        " KeyError: 'leaf'\n"
        "  Traceback (most recent call last):\n"
        f'    File "{index}", line 5, in <module>\n'
        "      grow()\n"
        f'    File "{index}", line 3, in grow\n'
    )
    assert "  KeyError: 'leaf'\nerror[handler-not-found]: function 'other', version $LATEST:" in (
        result.stderr
    )
    assert "gateway/" not in result.stderr.replace(str(folder), "")
    assert "importlib" not in result.stderr
    assert loaded() == []


def test_code_that_does_not_import_in_json(shop: Shop, call: Call) -> None:
    """Function, version, message and stack are fields."""
    shop({"orders/v2": DEEP})
    result = call("check", "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["ok"], len(told["errors"])) == (4, False, 1)
    error = told["errors"][0]
    assert (error["code"], error["function"], error["version"]) == (
        "user-code-error",
        "orders",
        "2",
    )
    assert error["stack"].endswith("KeyError: 'leaf'\n")
    assert "cannot be imported" in error["message"]


@pytest.mark.parametrize("code", ["import sys\nsys.exit(0)\n", "raise SystemExit\n"])
def test_code_that_exits_at_import_does_not_end_the_command(
    shop: Shop, call: Call, code: str
) -> None:
    """It is an error of that version like any other."""
    shop({"orders/v1": code})
    result = call("check")
    assert result.exit_code == 4
    assert "version 1: the code cannot be imported: SystemExit" in result.stderr


def test_ctrl_c_while_code_is_imported_is_an_interruption(shop: Shop, call: Call) -> None:
    """Exit code 130."""
    shop({"orders/v1": "raise KeyboardInterrupt\n"})
    assert call("check").exit_code == 130


def test_errors_are_coloured_for_a_terminal_and_for_nobody_else(shop: Shop, call: Call) -> None:
    """And NO_COLOR is respected, unless it is empty."""
    shop({"orders/v1": "1 / 0\n"})
    red = "\x1b[31m\x1b[1merror[user-code-error]\x1b[0m: "
    plain = "error[user-code-error]: "
    assert call("check", color=True, env={"NO_COLOR": ""}).stderr.startswith(red)
    assert call("check", color=True, env={"NO_COLOR": "1"}).stderr.startswith(plain)
    assert call("check", color=False, env={"NO_COLOR": ""}).stderr.startswith(plain)


def test_the_whole_thing_as_a_process(shop: Shop, process: Process) -> None:
    """`python -m gateway` is `gateway`."""
    shop()
    good = process("check")
    assert (good.returncode, good.stdout, good.stderr) == (0, PICTURE, "")
    shop({"orders/v1": "1 / 0\n"})
    bad = process("check")
    assert (bad.returncode, bad.stdout) == (4, "")
    assert bad.stderr.startswith("error[user-code-error]: ")


def test_what_was_changed_live_is_checked_as_well(shop: Shop, call: Call) -> None:
    """A published version that was edited is refused by `serve`, so it is by `check`."""
    from gateway.app import Gateway, Setup

    folder = shop()

    async def serve_once() -> None:
        gateway = await Gateway.open(
            Setup(folder / "stages.toml", folder / ".gateway" / "state.db")
        )
        await gateway.close()

    asyncio.run(serve_once())
    assert call("check").exit_code == 0
    (folder / "functions" / "orders" / "v1" / "index.py").write_text(OK + "# edited\n")
    result = call("check")
    assert result.exit_code == 4
    assert "error[edited-version]" in result.stderr
    assert call("check", "--state", ":memory:").exit_code == 0
    (folder / ".gateway" / "state.db").write_text("no database, not at all")
    result = call("check")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "error[state-unusable]" in result.stderr
    result = call("check", "--state", "postgresql://somewhere")
    assert result.exit_code == 2
    assert "is no file; allowed: a file, or :memory:" in result.stderr

"""Tracebacks are for the author: from the first frame of the author's code to where it broke."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.core.functions import FunctionVersion
from gateway.runtime import LoadedVersion, load
from gateway.runtime.stack import error_name, error_text

Loaded = Callable[..., LoadedVersion]


def failing_stack(version: LoadedVersion) -> str:
    """The trimmed traceback of a handler that fails."""
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - whatever it raises
        version.handler({}, {})
    return version.stack(caught.value)


def files_of(stack: str) -> list[str]:
    """The names of the files of all frames."""
    frames = [line for line in stack.splitlines() if line.lstrip(" |").startswith("File ")]
    return [line.split('"')[1].rpartition("/")[2] for line in frames]


@pytest.mark.parametrize(
    ("index", "files", "last"),
    [
        pytest.param(
            "def main_handler(e, c):\n  1 / 0", ["index.py"],
            "ZeroDivisionError: division by zero", id="plain",
        ),
        pytest.param(
            "import json\ndef main_handler(e, c):\n  json.loads('{')",
            ["index.py", "__init__.py", "decoder.py", "decoder.py"],
            "json.decoder.JSONDecodeError: Expecting property name enclosed in double quotes: "
            "line 1 column 2 (char 1)", id="what the author called stays",
        ),
        pytest.param(
            "def main_handler(e, c):\n  import helper", ["index.py", "helper.py"],
            "KeyError: 'k'", id="import machinery goes",
        ),
        pytest.param(
            "class Own(Exception): ...\ndef main_handler(e, c):\n  raise Own('x')", ["index.py"],
            "index.Own: x", id="own type",
        ),
        pytest.param("def main_handler(e): ...", [], "TypeError: main_handler() takes 1 positional"
                     " argument but 2 were given", id="no frame of the author's"),
        pytest.param(
            "def main_handler(e, c):\n  try:\n    1 / 0\n  except Exception as x:\n"
            "    raise KeyError(2) from x", ["index.py", "index.py"], "KeyError: 2", id="cause",
        ),
        pytest.param(
            "def main_handler(e, c):\n  raise ExceptionGroup('g', [ValueError(1), "
            "TypeError(2)])", ["index.py"], "+------------------------------------", id="group",
        ),
    ],
)  # fmt: skip
def test_which_frames_are_shown(loaded: Loaded, index: str, files: list[str], last: str) -> None:
    """File names from the outside in, and the last line as Python prints it."""
    stack = failing_stack(loaded({"index.py": index, "helper.py": "raise KeyError('k')"}))
    assert files_of(stack) == files
    assert stack.splitlines()[-1].strip() == last
    assert "gateway" not in stack


def test_a_chain_longer_than_the_interpreters_stack(loaded: Loaded) -> None:
    """Trimming does not recurse."""
    index = """
        def main_handler(event, context):
            error = None
            for number in range(3000):
                following = ValueError(number)
                following.__cause__ = error
                error = following
            raise error
    """
    version = loaded(index)
    with pytest.raises(ValueError, match="2999") as caught:
        version.handler({}, {})
    error: BaseException | None = caught.value
    stack = ""
    try:
        stack = version.stack(caught.value)
    finally:
        # Freed link by link: dropping the head at once would recurse in the interpreter.
        while error is not None:
            error.__cause__, error = None, error.__cause__
    assert stack.endswith("ValueError: 2999\n")


class _Mute(Exception):
    def __str__(self) -> str:
        raise ValueError


@pytest.mark.parametrize(
    ("error", "name", "text"),
    [
        (ValueError("x"), "ValueError", "x"),
        (SystemExit(), "SystemExit", ""),
        (_Mute(), "_Mute", "<unprintable _Mute>"),
    ],
)
def test_names_and_texts(error: BaseException, name: str, text: str) -> None:
    """Even a broken `__str__` leaves something to read."""
    assert (error_name(error), error_text(error)) == (name, text)


def test_a_syntax_error_shows_the_place(make: Callable[..., FunctionVersion]) -> None:
    """Python's own picture of it: file, line and a caret."""
    version = load(
        make({"index.py": "def main_handler(e, c):\n    import helper", "helper.py": "x ="})
    )
    stack = failing_stack(version)
    version.unload()
    assert stack.splitlines()[-4:-2] == [
        f'  File "{version.version.code}/helper.py", line 1',
        "    x =",
    ]
    assert stack.splitlines()[-2].strip() == "^"

"""A version is loaded whole, or refused with a sentence and no trace."""

from __future__ import annotations

import functools
import gc
import sys
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.core.functions import Configuration, FunctionVersion
from gateway.runtime import (
    CodeNotFound,
    HandlerNotFound,
    LoadedVersion,
    LoadError,
    UserCodeError,
    load,
)
from gateway.runtime.loader import returns_coroutine

Make = Callable[..., FunctionVersion]
Loaded = Callable[..., LoadedVersion]


@pytest.mark.parametrize(
    ("file", "handler"),
    [
        pytest.param("index.py", "index.main_handler", id="plain"),
        pytest.param("src/index.py", "src/index.main_handler", id="folder, as a path"),
        pytest.param("src/index.py", "src.index.main_handler", id="folder, as a package"),
        pytest.param("my-index.py", "my-index.main_handler", id="no identifier"),
    ],
)
def test_handler_strings(loaded: Loaded, file: str, handler: str) -> None:
    """A file may lie in a folder, and need not be an identifier."""
    version = loaded({file: "def main_handler(event, context): return event"}, handler=handler)
    assert version.handler("event", {}) == "event"
    assert not version.is_async


@pytest.mark.parametrize(
    "handler", ["", "index", ".main", "index.", "a..b", "../x.f", "a\\b.f", "index.9"]
)
def test_a_malformed_handler_string_is_refused(make: Make, handler: str) -> None:
    """The sentence says which form a handler string has."""
    with pytest.raises(HandlerNotFound, match=r"not of the form 'file\.function'") as caught:
        load(make("def main_handler(event, context): ...", handler=handler))
    assert (caught.value.status, caught.value.code) == (437, "handler-not-found")
    assert (caught.value.function, caught.value.number) == ("orders", "1")


@pytest.mark.parametrize(
    ("handler", "sentence"),
    [
        pytest.param("indx.main_handler", "there is no file 'indx.py'", id="file"),
        pytest.param("indx.main_handler", "did you mean 'index.py'?", id="nearest file"),
        pytest.param("src/index.main_handler", "there is no file 'src/index.py'", id="folder"),
        pytest.param("index.x.main_handler", "there is no file 'index/x.py'", id="not a folder"),
        pytest.param("index.main_handlr", "'main_handlr' does not exist in 'index.py'", id="name"),
        pytest.param("index.main_handlr", "did you mean 'main_handler'?", id="nearest name"),
        pytest.param("index.main_handlr", "functions: main_handler, other - ", id="functions"),
        pytest.param("index.LIMIT", "'LIMIT' is not callable in 'index.py'", id="not callable"),
    ],
)
def test_a_handler_that_is_not_there_is_named(make: Make, handler: str, sentence: str) -> None:
    """The sentence says what was looked for and what there is."""
    code = """
        from json import loads
        LIMIT = 3
        def main_handler(event, context): ...
        def other(event, context): ...
        def _private(event, context): ...
    """
    with pytest.raises(HandlerNotFound) as caught:
        load(make(code, handler=handler))
    assert sentence in str(caught.value)
    assert "gateway_functions" not in str(caught.value)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """Code that is not there is an error of its own."""
    version = FunctionVersion("orders", "7", str(tmp_path / "none"), Configuration())
    with pytest.raises(
        CodeNotFound, match=r"'orders', version 7: there is no folder .*none"
    ) as caught:
        load(version)
    assert caught.value.status == 437


@pytest.mark.parametrize(
    ("code", "name", "message"),
    [
        pytest.param("raise ValueError('no')", "ValueError", "no", id="exception"),
        pytest.param("raise ValueError", "ValueError", "", id="without message"),
        pytest.param("1 / 0", "ZeroDivisionError", "division by zero", id="arithmetic"),
        pytest.param(
            "def f(:\n  pass", "SyntaxError", "invalid syntax (index.py, line 1)", id="syntax"
        ),
        pytest.param("import sys; sys.exit(3)", "SystemExit", "3", id="exit"),
        pytest.param("raise GeneratorExit", "GeneratorExit", "", id="generator exit"),
        pytest.param("raise BaseException('b')", "BaseException", "b", id="base exception"),
        pytest.param(
            "import asyncio; raise asyncio.CancelledError", "CancelledError", "", id="cancelled"
        ),
        pytest.param(
            "import no_such", "ModuleNotFoundError", "No module named 'no_such'", id="dependency"
        ),
        pytest.param(
            "import helper.deeper", "ModuleNotFoundError",
            "No module named 'helper.deeper'; 'helper' is not a package", id="no package",
        ),
        pytest.param(
            "from helper import nothing", "ImportError", "from 'helper'", id="no such name"
        ),
        pytest.param(
            "class Odd(Exception):\n  def __str__(self): 1 / 0\nraise Odd",
            "Odd", "<unprintable Odd>", id="broken message",
        ),
    ],
)  # fmt: skip
def test_code_that_cannot_be_imported(make: Make, code: str, name: str, message: str) -> None:
    """Whatever importing raises becomes one error with the author's own words."""
    with pytest.raises(UserCodeError) as caught:
        load(make({"index.py": code, "helper.py": ""}))
    error = caught.value
    assert (error.status, error.code) == (443, "user-code-error")
    assert error.error_type == name
    assert message in error.error_message
    assert f"the code cannot be imported: {name}" in str(error)
    assert 'index.py", line ' in error.stack
    assert "gateway_functions" not in error.stack + str(error)
    assert "importlib" not in error.stack


def test_the_stack_names_every_user_frame_and_no_other(make: Make) -> None:
    """File and line of each of the author's frames, from the outside in."""
    version = make(
        {
            "index.py": "import deep.one\n",
            "deep/__init__.py": "",
            "deep/one.py": "from deep import two\n",
            "deep/two.py": "def fail():\n    raise KeyError('k')\n\n\nfail()\n",
        }
    )
    with pytest.raises(UserCodeError) as caught:
        load(version)
    frames = [
        line.strip() for line in caught.value.stack.splitlines() if line.startswith("  File ")
    ]
    folder = version.code
    assert frames == [
        f'File "{folder}/index.py", line 1, in <module>',
        f'File "{folder}/deep/one.py", line 1, in <module>',
        f'File "{folder}/deep/two.py", line 5, in <module>',
        f'File "{folder}/deep/two.py", line 2, in fail',
    ]
    assert caught.value.stack.endswith("KeyError: 'k'\n")


def test_a_keyboard_interrupt_is_the_operators(make: Make) -> None:
    """Ctrl-C while loading is not the version's fault."""
    with pytest.raises(KeyboardInterrupt):
        load(make({"index.py": "import helper; raise KeyboardInterrupt", "helper.py": ""}))


def test_a_failed_load_frees_what_it_had_loaded(make: Make) -> None:
    """The error keeps texts, not frames."""
    seen: list[weakref.ref[object]] = []
    code = """
        import gc, sys, helper
        helper.SEEN.append(__import__("weakref").ref(sys.modules[__name__]))
        raise ValueError
    """
    helper = """
        import gc
        SEEN = next(x for x in gc.get_objects() if type(x) is list and x[:1] == ['mark'])
    """
    mark: list[object] = ["mark"]
    with pytest.raises(LoadError) as caught:
        load(make({"index.py": code, "helper.py": helper}))
    seen.extend(item for item in mark[1:] if isinstance(item, weakref.ref))
    gc.collect()
    assert len(seen) == 1
    assert seen[0]() is None
    assert caught.value.__context__ is None


def test_unloading_frees_the_modules(make: Make) -> None:
    """Nothing of ours keeps a module alive, circular imports included."""
    version = load(
        make(
            {
                "index.py": "import helper\nfrom pkg import x\ndef main_handler(e, c): ...",
                "helper.py": "import index",
                "pkg/__init__.py": "",
                "pkg/x.py": "",
            }
        )
    )
    names = [name for name in sys.modules if name.startswith(version.package)]
    modules = [weakref.ref(sys.modules[name]) for name in names]
    assert len(names) == 5
    version.unload()
    version.unload()
    gc.collect()
    assert [module() for module in modules] == [None] * 5
    assert not set(names) & set(sys.modules)
    with pytest.raises(RuntimeError, match="unloaded"):
        version.handler({}, {})


def test_an_old_generation_survives_the_load_of_a_new_one(make: Make) -> None:
    """The same version may be loaded twice, before and after an edit."""
    version = make(
        {"index.py": "import helper\ndef main_handler(e, c): return helper.V", "helper.py": "V = 1"}
    )
    old = load(version)
    module = sys.modules[f"{old.package}.helper"]
    Path(version.code, "helper.py").write_text("V = 2")
    new = load(version)
    assert old.package != new.package
    assert sys.modules[f"{old.package}.helper"] is module
    assert (old.handler({}, {}), new.handler({}, {})) == (1, 2)
    old.unload()
    assert new.handler({}, {}) == 2
    new.unload()


def test_fifty_versions_load_at_the_same_time(make: Make) -> None:
    """Loading is safe from any number of threads."""
    versions = [
        make(
            {
                "index.py": "import helper, pkg.part\n"
                "def main_handler(e, c):\n"
                "    from lazy import VALUE\n"
                "    return helper.VALUE, pkg.part.VALUE, VALUE\n",
                "helper.py": f"from lazy import VALUE\nassert VALUE == {number}",
                "lazy.py": f"VALUE = {number}",
                "pkg/__init__.py": "",
                "pkg/part.py": f"from . import other\nVALUE = other.VALUE + {number}",
                "pkg/other.py": "VALUE = 1000",
            },
            str(number),
        )
        for number in range(50)
    ]
    start = threading.Barrier(50)
    results: dict[int, LoadedVersion] = {}

    def work(number: int) -> None:
        start.wait()
        results[number] = load(versions[number])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        for number, version in results.items():
            assert version.handler({}, {}) == (number, 1000 + number, number)
        assert len(results) == 50
    finally:
        for version in results.values():
            version.unload()


async def _coroutine(_event: object, _context: object) -> None: ...


def _plain(_event: object, _context: object) -> None: ...


class _Async:
    async def __call__(self, event: object, context: object) -> None: ...

    async def method(self, event: object, context: object) -> None: ...


class _Inherited(_Async): ...


class _Sync:
    def __call__(self, event: object, context: object) -> None: ...


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        pytest.param(_coroutine, True, id="coroutine function"),
        pytest.param(_plain, False, id="function"),
        pytest.param(functools.partial(_coroutine, {}), True, id="partial"),
        pytest.param(
            functools.partial(functools.partial(_Async(), {}), {}), True, id="partials of an object"
        ),
        pytest.param(functools.partial(_plain, {}), False, id="partial of a function"),
        pytest.param(_Async(), True, id="object"),
        pytest.param(_Async().method, True, id="method"),
        pytest.param(_Inherited(), True, id="object, inherited"),
        pytest.param(_Sync(), False, id="plain object"),
        pytest.param(_Async, False, id="class"),
    ],
)
def test_what_gives_a_coroutine(handler: object, expected: bool) -> None:
    """The kind of handler is known before it is called."""
    assert returns_coroutine(handler) is expected

"""Whatever way a version imports, it finds its own files first and never another version's."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.core.functions import FunctionVersion
from gateway.runtime import LoadedVersion, UserCodeError, load

Make = Callable[..., FunctionVersion]
Loaded = Callable[..., LoadedVersion]

HANDLER = "\n\ndef main_handler(event, context):\n    return VALUE\n"
PACKAGE = {"pkg/__init__.py": "", "pkg/sub/__init__.py": "", "pkg/sub/deep.py": ""}


def lazily(*lines: str) -> str:
    """A handler that imports when it is called."""
    body = "".join(f"    {line}\n" for line in lines)
    return f"def main_handler(event, context):\n{body}    return VALUE\n"


WAYS = {
    "import": "import helper; VALUE = helper.VALUE" + HANDLER,
    "import as": "import helper as h; VALUE = h.VALUE" + HANDLER,
    "from import": "from helper import VALUE" + HANDLER,
    "star": "from helper import *" + HANDLER,
    "package": "import pkg.part; VALUE = pkg.part.VALUE" + HANDLER,
    "package as": "import pkg.part as part; VALUE = part.VALUE" + HANDLER,
    "from package": "from pkg import part; VALUE = part.VALUE" + HANDLER,
    "from module of package": "from pkg.part import VALUE" + HANDLER,
    "relative": "from pkg.relative import VALUE" + HANDLER,
    "relative, two levels up": "from pkg.sub.up import VALUE" + HANDLER,
    "absolute from within a package": "from pkg.absolute import VALUE" + HANDLER,
    "namespace package": "from loose.part import VALUE" + HANDLER,
    "circular": "from first import VALUE" + HANDLER,
    "in a class body": "class C:\n    from helper import VALUE\nVALUE = C.VALUE" + HANDLER,
    "in a function": lazily("from helper import VALUE"),
    "in a nested function": lazily("VALUE = (lambda: __import__('helper').VALUE)()"),
    "by keyword": lazily("VALUE = __import__(name='helper', fromlist=['VALUE']).VALUE"),
    "exec": lazily("box = {}", "exec('from helper import VALUE', box)", "VALUE = box['VALUE']"),
    "eval": lazily("VALUE = eval('__import__(\"helper\").VALUE')"),
    "import_module": lazily("import importlib", "VALUE = importlib.import_module('helper').VALUE"),
    "from importlib": lazily(
        "from importlib import import_module", "VALUE = import_module('pkg.part').VALUE"
    ),
    "import_module, relative": lazily(
        "from importlib import import_module", "VALUE = import_module('.part', 'pkg').VALUE"
    ),
    "importlib.util": lazily(
        "import importlib.util",
        "VALUE = importlib.import_module('helper').VALUE",
        "assert importlib.util.find_spec('helper').origin.endswith('helper.py')",
    ),
    "reload": lazily(
        "import helper, importlib", "importlib.reload(helper)", "VALUE = helper.VALUE"
    ),
    "spec": lazily(
        "from importlib.util import find_spec, module_from_spec",
        "spec = find_spec('.part', 'pkg')",
        "module = module_from_spec(spec)",
        "spec.loader.exec_module(module)",
        "VALUE = module.VALUE",
    ),
    "pkgutil": lazily(
        "import importlib, pkg, pkgutil",
        "found = {m.name: importlib.import_module(pkg.__name__ + '.' + m.name)",
        "    for m in pkgutil.iter_modules(pkg.__path__)}",
        "VALUE = found['part'].VALUE",
    ),
    "data file": "from pkg.data import VALUE" + HANDLER,
    "data file by package name": lazily(
        "from importlib.resources import files",
        "VALUE = int(files('pkg').joinpath('value.txt').read_text())",
    ),
    "data file by module": lazily(
        "import importlib.resources, pkg",
        "VALUE = int(importlib.resources.files(pkg).joinpath('value.txt').read_text())",
    ),
    "compiled": "from compiled import VALUE" + HANDLER,
}


def version_files(index: str, value: int) -> dict[str, str]:
    """A version with a module of every kind, all of which hold `value`."""
    return {
        "index.py": index,
        "helper.py": f"VALUE = {value}",
        "pkg/__init__.py": "",
        "pkg/part.py": f"VALUE = {value}",
        "pkg/relative.py": "from . import part\nfrom .part import VALUE\nassert part.VALUE",
        "pkg/absolute.py": "from helper import VALUE\nimport pkg.part\nassert pkg.part.VALUE",
        "pkg/data.py": "import pathlib\n"
        "VALUE = int(pathlib.Path(__file__).with_name('value.txt').read_text())",
        "pkg/value.txt": f"{value}",
        "pkg/sub/__init__.py": "",
        "pkg/sub/up.py": "from ..part import VALUE\nfrom .. import part",
        "loose/part.py": f"VALUE = {value}",
        "first.py": f"VALUE = {value}\nimport second\nassert second.READ() == VALUE",
        "second.py": "import first\nREAD = lambda: first.VALUE",
    }


def compile_module(version: FunctionVersion, value: int) -> None:
    """Add a module that exists as bytecode only."""
    source = Path(version.code, "compiled_source.py")
    source.write_text(f"from helper import VALUE\nassert VALUE == {value}")
    import py_compile

    py_compile.compile(str(source), cfile=str(source.with_name("compiled.pyc")), doraise=True)
    source.unlink()


@pytest.mark.parametrize("index", WAYS.values(), ids=WAYS.keys())
def test_two_versions_see_their_own_code(make: Make, index: str) -> None:
    """Calls alternate, so that what one version imports late could meet the other's modules."""
    versions = [make(version_files(index, value), str(value)) for value in (1, 2)]
    for value, version in enumerate(versions, start=1):
        compile_module(version, value)
    first, second = (load(version) for version in versions)
    try:
        for _ in range(2):
            assert [version.handler({}, {}) for version in (first, second)] == [1, 2]
        second.unload()
        assert first.handler({}, {}) == 1
    finally:
        first.unload()
        second.unload()


@pytest.mark.parametrize("way", ["in a function", "import_module", "exec"])
def test_late_imports_in_threads(loaded: Loaded, way: str) -> None:
    """The meaning of an import does not depend on the thread that executes it."""
    versions = {value: loaded(version_files(WAYS[way], value), str(value)) for value in range(8)}
    start = threading.Barrier(8)
    seen: dict[int, object] = {}

    def call(value: int) -> None:
        start.wait()
        seen[value] = versions[value].handler({}, {})

    threads = [threading.Thread(target=call, args=(value,)) for value in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {value: value for value in range(8)}


def test_late_imports_in_interleaved_coroutines(loaded: Loaded) -> None:
    """Nor on the task: each import follows a pause in which the other version ran."""
    index = """
        import asyncio
        async def main_handler(event, context):
            await asyncio.sleep(0)
            import helper
            await asyncio.sleep(0)
            from pkg.part import VALUE
            assert helper.VALUE == VALUE
            return VALUE
    """
    versions = [loaded(version_files(index, value), str(value)) for value in (1, 2)]

    async def both() -> list[object]:
        calls: list[object] = [version.handler({}, {}) for version in versions for _ in range(3)]
        return await asyncio.gather(*calls)  # type: ignore[call-overload, no-any-return]

    assert asyncio.run(both()) == [1, 1, 1, 2, 2, 2]


def test_shared_modules_are_the_same_objects(loaded: Loaded) -> None:
    """Only what lies in the folder is private."""
    index = """
        import json, sys, os.path, pytest, importlib.machinery, importlib.util
        from importlib import resources, machinery
        def main_handler(event, context):
            return [json, sys, os.path, pytest, importlib.machinery, machinery,
                    importlib.util.module_from_spec, importlib.__path__]
    """
    import os.path

    expected = [
        json, sys, os.path, pytest, importlib.machinery, importlib.machinery,
        importlib.util.module_from_spec, importlib.__path__,
    ]  # fmt: skip
    seen = loaded(index).handler({}, {})
    assert isinstance(seen, list)
    assert all(a is b for a, b in zip(seen, expected, strict=True))


def test_a_local_module_hides_an_installed_one(loaded: Loaded) -> None:
    """A vendored package is private; the shared one stays what it was for everybody else."""
    files = {
        "index.py": "import json, pytest\ndef main_handler(e, c): return json.MINE, pytest.MINE",
        "json.py": "MINE = 1",
        "pytest/__init__.py": "from .parts import MINE",
        "pytest/parts.py": "from json import MINE",
    }
    shared = sys.modules["json"]
    assert loaded(files).handler({}, {}) == (1, 1)
    assert sys.modules["json"] is shared
    assert json.loads("1") == 1


def test_the_interpreters_own_modules_cannot_be_hidden(loaded: Loaded) -> None:
    """Built-in and frozen modules come before any folder, here as everywhere."""
    names = ["sys", "time", "os", "__main__"]
    files = {f"{name}.py": "raise ValueError" for name in names}
    index = f"import {', '.join(names)}\ndef main_handler(e, c): return [{', '.join(names)}]"
    seen = loaded({**files, "index.py": index}).handler({}, {})
    assert seen == [sys.modules[name] for name in names]


def test_a_folder_without_init_gives_way_to_a_module(loaded: Loaded) -> None:
    """A folder of test data named `json` does not hide the module."""
    files = {"index.py": "import json\ndef main_handler(e, c): return json", "json/a.txt": ""}
    assert loaded(files).handler({}, {}) is json


def test_a_folder_without_init_gives_way_to_a_module_without_spec(
    loaded: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Modules made by hand have no spec."""
    made = type(sys)("made_by_hand")
    monkeypatch.setitem(sys.modules, "made_by_hand", made)
    files = {
        "index.py": "import made_by_hand\ndef main_handler(e, c): return made_by_hand",
        "made_by_hand/a.txt": "",
    }
    assert loaded(files).handler({}, {}) is made


def test_the_parts_of_a_namespace_package_come_together(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One part is installed, the version brings another."""
    installed = tmp_path / "site" / "family" / "shared_part.py"
    installed.parent.mkdir(parents=True)
    installed.write_text("VALUE = 1")
    monkeypatch.syspath_prepend(tmp_path / "site")
    files = {
        "index.py": "from family.shared_part import VALUE as a\nfrom family.own.part import VALUE\n"
        "def main_handler(e, c): return a, VALUE",
        "family/own/part.py": "VALUE = 2",
    }
    version = load(make(files))
    assert version.handler({}, {}) == (1, 2)
    version.unload()
    assert "family" not in sys.modules


@pytest.mark.parametrize(
    ("statement", "message", "name"),
    [
        pytest.param("import none", "No module named 'none'", "none", id="nowhere"),
        pytest.param("import pkg.none", "No module named 'pkg.none'", "pkg.none", id="in package"),
        pytest.param(
            "from pkg.broken import x", "No module named 'pkg.none'", "pkg.none", id="relative"
        ),
        pytest.param(
            "import importlib; importlib.import_module('pkg.none')",
            "No module named 'pkg.none'", "pkg.none", id="import_module",
        ),
        pytest.param(
            "import importlib.util; importlib.util.find_spec('pkg.none.x')",
            "No module named 'pkg.none'", "pkg.none", id="find_spec, parent missing",
        ),
        pytest.param(
            "raise ModuleNotFoundError('own words', name='x')", "own words", "x", id="own error"
        ),
    ],
)  # fmt: skip
def test_what_is_missing_is_named_as_written(
    loaded: Loaded, statement: str, message: str, name: str
) -> None:
    """Optional imports look at the error's name, people at its message."""
    index = f"""
        def main_handler(event, context):
            try:
                {statement}
            except ModuleNotFoundError as error:
                return str(error), error.name, error.msg
    """
    files = {"index.py": index, "pkg/__init__.py": "", "pkg/broken.py": "from .none import x"}
    assert loaded(files).handler({}, {}) == (message, name, message)


@pytest.mark.parametrize(
    ("file", "statement", "message"),
    [
        pytest.param("index.py", "from . import helper", "with no known parent package", id="top"),
        pytest.param(
            "index.py", "from .helper import x", "with no known parent package", id="name"
        ),
        pytest.param("index.py", "exec('from . import x', {})", "with no known parent", id="exec"),
        pytest.param("pkg/__init__.py", "from .. import helper", "beyond top-level", id="package"),
        pytest.param("pkg/sub/deep.py", "from ....x import y", "beyond top-level", id="deep"),
    ],
)
def test_relative_imports_stay_inside(make: Make, file: str, statement: str, message: str) -> None:
    """The folder is no package: what the cloud refuses is refused here."""
    files = {"index.py": "import pkg.sub.deep", "helper.py": "", **PACKAGE, file: statement}
    with pytest.raises(UserCodeError) as caught:
        load(make(files))
    assert caught.value.error_type == "ImportError"
    assert f"attempted relative import {message}" in str(caught.value)


def test_files_that_appear_later(make: Make) -> None:
    """After `invalidate_caches`, as everywhere in Python."""
    index = """
        import importlib
        def main_handler(event, context):
            importlib.invalidate_caches()
            try:
                import late
            except ImportError:
                return None
            return late.VALUE
    """
    written = make(index)
    version = load(written)
    assert version.handler({}, {}) is None
    Path(written.code, "late.py").write_text("VALUE = 5")
    assert version.handler({}, {}) == 5
    version.unload()


def test_the_path_hooks_of_others_are_not_asked(loaded: Loaded) -> None:
    """A private name that is not found is not looked for on the search path."""
    version = loaded({"index.py": "def main_handler(e, c): ...", **PACKAGE})
    with pytest.raises(ModuleNotFoundError) as caught:
        importlib.import_module(f"{version.package}.json")
    assert caught.value.name == f"{version.package}.json"
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("gateway_functions.none")

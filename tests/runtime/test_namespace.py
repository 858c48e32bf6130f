"""Private modules are real modules: everything in Python that looks them up finds them."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import logging
import random as dice
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.functions import Configuration, FunctionVersion
from gateway.runtime import LoadedVersion, load
from gateway.runtime.namespace import Namespace

Loaded = Callable[..., LoadedVersion]

FEATURES = {
    "dataclass with text annotations": """
        from __future__ import annotations
        import dataclasses, typing
        from helper import Item
        @dataclasses.dataclass(slots=True, frozen=True)
        class Order:
            item: Item
            more: typing.ClassVar[int] = 1
        def main_handler(event, context):
            names = [field.name for field in dataclasses.fields(Order)]
            return names == ["item"] and typing.get_type_hints(Order)["item"] is Item
    """,
    "pickle": """
        import copy, pickle
        from helper import Item
        class Order:
            def __init__(self): self.item = Item()
        def main_handler(event, context):
            again = pickle.loads(pickle.dumps(Order()))
            return type(again) is Order and type(again.item) is Item
    """,
    "enum and named tuple": """
        import collections, enum, pickle
        Colour = enum.Enum("Colour", "RED BLUE")
        Point = collections.namedtuple("Point", "x y")
        def main_handler(event, context):
            both = pickle.loads(pickle.dumps((Colour.RED, Point(1, 2))))
            return both == (Colour.RED, Point(1, 2)) and both[0] is Colour.RED
    """,
    "own module": """
        import sys
        HERE = sys.modules[__name__]
        def main_handler(event, context):
            return HERE.main_handler is main_handler and HERE is sys.modules[__name__]
    """,
    "inspect": """
        import inspect, helper
        def main_handler(event, context):
            return (inspect.getmodule(main_handler).__name__ == __name__
                    and "class Item" in inspect.getsource(helper.Item))
    """,
    "global state": """
        import helper
        def main_handler(event, context):
            helper.COUNT += 1
            return helper.COUNT == event["expected"]
    """,
    "builtins": """
        import builtins
        def main_handler(event, context):
            return len is builtins.len and not hasattr(builtins, "_gateway")
    """,
}
HELPER = "COUNT = 0\nclass Item: ...\n"


@pytest.mark.parametrize("index", FEATURES.values(), ids=FEATURES.keys())
def test_what_looks_up_modules_finds_them(loaded: Loaded, index: str) -> None:
    """For both of two versions that define the same names."""
    versions = [loaded({"index.py": index, "helper.py": HELPER}, number) for number in "12"]
    for expected in (1, 2):
        assert [version.handler({"expected": expected}, {}) for version in versions] == [True, True]


def test_loggers_tell_the_version(loaded: Loaded, caplog: pytest.LogCaptureFixture) -> None:
    """The logger's name holds function, version and module; one name is above them all."""
    index = """
        import logging
        log = logging.getLogger(__name__)
        def main_handler(event, context): log.warning("hello from %s", __name__)
    """
    caplog.set_level(logging.WARNING, logger="gateway_functions")
    version = loaded(index, "$LATEST", "my-orders")
    version.handler({}, {})
    (record,) = caplog.records
    assert record.name.startswith("gateway_functions.myorders__LATEST__g")
    assert record.name.endswith(".index")
    assert record.filename == "index.py"


def test_a_namespace_closes_once() -> None:
    """Closing what was never opened, or twice, changes nothing."""
    namespace = Namespace("orders__1", "/nowhere")
    namespace.close()
    namespace.open()
    assert namespace.name in sys.modules
    namespace.close()
    namespace.close()
    assert namespace.name not in sys.modules


def test_two_namespaces_never_share_a_name() -> None:
    """Not even for the same version."""
    assert Namespace("orders__1", "/a").name != Namespace("orders__1", "/a").name


MODULES = ["alpha", "beta", "gamma", "delta"]


@given(
    st.lists(
        st.dictionaries(st.sampled_from(MODULES), st.integers(0, 99), min_size=1),
        min_size=2,
        max_size=4,
    ),
    st.randoms(use_true_random=False),
)
@settings(max_examples=25, deadline=None)
def test_versions_with_any_modules_in_common(
    contents: list[dict[str, int]], random: dice.Random
) -> None:
    """Each version sees exactly the modules it has, whatever the others have and when they ask."""
    index = """
import importlib
def main_handler(event, context):
    try:
        return importlib.import_module(event).VALUE
    except ModuleNotFoundError:
        return None
"""
    with tempfile.TemporaryDirectory() as root, contextlib.ExitStack() as cleanup:
        versions = []
        for number, modules in enumerate(contents):
            folder = Path(root, str(number))
            folder.mkdir()
            (folder / "index.py").write_text(index)
            for name, value in modules.items():
                (folder / f"{name}.py").write_text(f"VALUE = {value}")
            code = FunctionVersion("orders", str(number), str(folder), Configuration())
            versions.append(load(code))
            cleanup.callback(versions[-1].unload)
        questions = [(number, name) for number in range(len(contents)) for name in MODULES] * 2
        random.shuffle(questions)
        answers = [(n, name, versions[n].handler(name, {})) for n, name in questions]
    assert answers == [(n, name, contents[n].get(name)) for n, name in questions]


GENERATED = {
    "index.py": "from odd.made import VALUE\ndef main_handler(e, c): return VALUE",
    "odd.py": """
        import importlib.abc, importlib.machinery, sys, types
        __path__ = []
        class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
            def find_spec(self, name, path, target=None):
                if name == __name__ + ".made":
                    return importlib.machinery.ModuleSpec(name, self)
            def create_module(self, spec): return None
            def exec_module(self, module): module.VALUE = 6
        sys.meta_path.append(Finder())
    """,
}


def test_packages_may_make_modules_up(loaded: Loaded) -> None:
    """As `six` does: the finder that a version registers is asked, and goes with the version."""
    version = loaded(GENERATED)
    assert version.handler({}, {}) == 6
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(f"{version.package}.odd.other")


def test_the_outermost_package_lies_somewhere(loaded: Loaded) -> None:
    """Flask asks where, to find a folder for instances."""
    loaded("def main_handler(event, context): ...")
    spec = importlib.util.find_spec("gateway_functions")
    assert spec is not None
    assert spec.submodule_search_locations == [str(Path.cwd() / "gateway_functions")]

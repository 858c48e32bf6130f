"""The plugin, in a pytest inside pytest: its fixtures, its marker, and what it costs others."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gateway.testing.asking
import gateway.testing.plugin
import gateway.testing.splits
import gateway.testing.starting  # imported here, each inner run would import all of it again
from gateway.testing.declared import ANSWER

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.sockets

ROOT = Path(__file__).parents[2]
Inner = Callable[..., pytest.RunResult]


@pytest.fixture
def inner(pytester: pytest.Pytester) -> Inner:
    """Run a test file with the plugin; every warning is an error there, too."""

    def run(text: str, *options: str, ini: str = "") -> pytest.RunResult:
        pytester.makeini(f"[pytest]\nfilterwarnings = error\naddopts = --strict-markers\n{ini}")
        pytester.makepyfile(test_it=text)
        # The plugin is given by hand, so that it need not be looked for among what is installed.
        without = ("-p", "no:gateway", "-p", "no:randomly", "-p", "no:cacheprovider")
        return pytester.runpytest_inprocess(*without, *options, plugins=[gateway.testing.plugin])

    return run


@pytest.fixture
def shop(pytester: pytest.Pytester) -> Path:
    """A stages.toml with two versions of one function, next to the tests."""
    for version in ("latest", "v1", "v2"):
        folder = pytester.path / "functions" / "orders" / version
        folder.mkdir(parents=True)
        (folder / "index.py").write_text(ANSWER.format(text=version))
    file = pytester.path / "stages.toml"
    file.write_text("""
    [service]
    name = "shop"
    [functions.orders]
    source = "functions/orders"
    [functions.orders.aliases]
    release = { version = "1", weights = { "2" = 0.5 } }
    [[apis]]
    method = "GET"
    path = "/orders/{id}"
    function = "orders"
    [stages.release]
    alias = "release"
    """)
    return file


def test_the_fixture_serves_the_stages_toml_beside_the_tests(inner: Inner, shop: Path) -> None:
    """On free ports; the seed gives the same versions each time, and everything is closed."""
    assert shop.exists()
    result = inner("""
        import httpx
        import pytest
        from gateway.testing import assert_split

        seen = []

        @pytest.mark.parametrize("turn", [1, 2])
        def test_serves(gateway, turn):
            assert gateway.url != gateway.control_url
            assert gateway.seed == 0
            versions = [gateway.client.get("/release/orders/7").text for _ in range(20)]
            assert set(versions) == {"v1", "v2"}
            seen.append(versions)
            assert seen[0] == versions
            assert httpx.get(f"{gateway.control_url}/healthz").text == "ok\\n"

        def test_split(gateway):
            counts = assert_split(gateway, "release", {"1": 0.5, "2": 0.5})
            assert set(counts) == {"1", "2"}

        def test_moves(gateway):
            gateway.alias_set("release", version="2")
            assert gateway.revision == 2
            assert assert_split(gateway, "release", {"2": 1}, requests=200) == {"2": 200}
            assert gateway.explain("GET", "/orders/1", stage="release")["reason"] == "main"
    """)
    result.assert_outcomes(passed=4)


def test_the_marker_says_what_is_served(inner: Inner, shop: Path) -> None:
    """A file beside the test, a seed, or functions and aliases."""
    shop.rename(shop.with_name("other.toml"))
    result = inner("""
        import pytest

        @pytest.mark.gateway("other.toml", seed=5)
        def test_file(gateway):
            assert gateway.seed == 5
            assert gateway.client.get("/release/orders/7").text in {"v1", "v2"}

        @pytest.mark.gateway(
            functions={"orders": {"1": "one", "2": "two"}},
            aliases={"orders": {"release": {"version": "1"}}},
        )
        def test_functions(gateway):
            assert gateway.client.get("/release/orders").text == "one"
            assert gateway.client.get("/dev/orders/5").text == "two"

        def test_several(gateway_factory):
            first = gateway_factory(functions={"one": {"1": "1"}})
            second = gateway_factory(functions={"two": {"1": "2"}})
            assert first.client.get("/dev/one").text == "1"
            assert second.client.get("/dev/two").text == "2"
    """)
    result.assert_outcomes(passed=3)


def test_the_configuration_says_what_is_served(inner: Inner, shop: Path) -> None:
    """Relative to pytest's root, wherever the test is."""
    shop.rename(shop.with_name("other.toml"))
    text = """
        def test_file(gateway):
            assert gateway.seed == 9
            assert gateway.client.get("/release/orders/7").text in {"v1", "v2"}
    """
    result = inner(text, ini="gateway_file = other.toml\ngateway_seed = 9\n")
    result.assert_outcomes(passed=1)


def test_the_nearest_stages_toml_is_served(inner: Inner, shop: Path) -> None:
    """From the test's own folder upwards, and not beyond pytest's root."""
    deep = shop.parent / "deep"
    deep.mkdir()
    text = """
        def test_file(gateway):
            assert gateway.client.get("/release/orders/7").text in {"v1", "v2"}
    """
    (deep / "test_deep.py").write_text(textwrap.dedent(text))
    inner("", str(deep)).assert_outcomes(passed=1)
    inner("", str(deep), f"--rootdir={deep}").assert_outcomes(errors=1)


def test_a_mistake_is_a_sentence(inner: Inner) -> None:
    """At the test that makes it."""
    result = inner("""
        import pytest

        @pytest.mark.gateway(sed=1)
        def test_keyword(gateway):
            pass

        @pytest.mark.gateway(zzz=1)
        def test_nothing_like_it(gateway):
            pass

        @pytest.mark.gateway("a", "b")
        def test_two_files(gateway):
            pass

        @pytest.mark.gateway("x.toml", functions={})
        def test_both(gateway):
            pass

        def test_no_file(gateway):
            pass
    """)
    result.assert_outcomes(errors=5)
    knows = "*UsageError: the marker gateway knows no"
    result.stdout.fnmatch_lines_random(
        [
            f"{knows} 'sed'; allowed: file, seed, *, apis; did you mean 'seed'?",
            f"{knows} 'zzz'; allowed: file, seed, *, apis",
            "*UsageError: the marker gateway takes one file, not 2",
            "*ValueError: a gateway serves either a file or functions; give one of the two",
            "*stages.toml: error[[]missing-file[]]: there is no such file",
        ]
    )


def test_a_seed_is_a_number(inner: Inner) -> None:
    """In pytest's configuration, too."""
    result = inner("def test_it(gateway):\n    pass\n", ini="gateway_seed = soon")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*UsageError: gateway_seed is 'soon'; allowed: a whole number"])


def test_a_wrong_split_fails_with_its_error_rates(inner: Inner) -> None:
    """In the words of the assertion."""
    result = inner("""
        import pytest
        from gateway.testing import assert_split

        @pytest.mark.gateway(
            functions={"orders": {"1": "one", "2": "two"}},
            aliases={"orders": {"release": {"version": "1", "weights": {"2": 0.1}}}},
        )
        def test_split(gateway):
            assert_split(gateway, "release", {"1": 0.5, "2": 0.5})
    """)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E*AssertionError: stage 'release' failed: * (p = * < 1e-06, at every look)",
            "E*VERSION  EXPECTED  REQUESTS  SHARE * INTERVAL (99 %)",
            "E*a right split fails with probability <= 1e-06, however often it is looked at; one *",
            "E*seed 0, revision 1",
        ]
    )


def test_the_example_of_the_page_passes(inner: Inner) -> None:
    """The first one, as it stands there."""
    page = (ROOT / "docs" / "pytest.md").read_text(encoding="utf-8")
    example = page.partition("```python\n")[2].partition("```")[0]
    inner(example).assert_outcomes(passed=1)


def test_the_plugin_costs_others_nothing() -> None:
    """Of this package and of what it needs, next to nothing is imported before it is used."""
    code = """if True:
        import sys, pytest
        before = set(sys.modules)
        import gateway.testing.plugin
        print(*sorted(set(sys.modules) - before))
    """
    imported = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert imported == ["gateway", "gateway.testing", "gateway.testing.plugin"]


def test_pytest_finds_the_plugin_by_itself() -> None:
    """Wherever the package is installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"gateway": "gateway.testing.plugin"}


def test_the_names_of_the_package_are_found_when_they_are_used() -> None:
    """And no others."""
    for name in gateway.testing.__all__:
        found: Any = getattr(gateway.testing, name)
        assert found.__name__ == name
    with pytest.raises(AttributeError, match=r"module 'gateway\.testing' has no attribute 'x'"):
        _ = gateway.testing.x

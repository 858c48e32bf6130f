"""An exported file leads back to the state it was made of, however the first file was written."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.config import load
from gateway.config.export import Exported, export
from gateway.config.load import SERVICE
from gateway.config.merge import merge
from gateway.core.access import Access, Key, UsagePlan
from gateway.core.alias import Route
from gateway.core.apply import apply
from gateway.core.breaker import Breaker
from gateway.core.changes import (
    Batch,
    Change,
    DeleteAlias,
    DeleteFunction,
    DeleteVersion,
    Publish,
    PutAlias,
    PutBreaker,
    PutFault,
    PutFunction,
    PutService,
    Release,
    Unrelease,
)
from gateway.core.errors import Refused
from gateway.core.faults import Fault, Latency
from gateway.core.features import ApiFeatures, StageFeatures
from gateway.core.functions import Configuration
from gateway.core.routes import parse_path
from gateway.core.rules import parse_key, parse_rule
from gateway.core.snapshot import EMPTY, Api, FunctionBackend, HttpBackend, MockBackend, Snapshot

GOOD = sorted((Path(__file__).parent / "good").glob("*.toml"))
STYLES = {
    **{path.stem: path.read_text() for path in GOOD},
    "repository": (Path(__file__).parents[2] / "stages.toml").read_text(),
    "nothing": "",
    "as small as can be": '[service]\nname = "shop"',
    "faulty": """
service.name = "shop"
[functions.orders]
source = "functions/orders"
# when it rehearses
[functions.orders.faults] # only then
# the first
1 = { errors = 0.05, latency = { uniform = [0.10, 0.5] } } # and its reason
[functions.orders.faults.2]
errors = 1.0 # always
latency.normal = [1, 0.25]
[stages]
dev.alias = "1"
""",
    "breaking": """
service.name = "shop"
[functions.orders]
source = "functions/orders"
breaker = { errors = 0.50, requests = 20 } # as usual
[functions.payments]
source = "functions/payments"
[functions.payments.breaker]
errors = 1
window = 2.5 # brief
""",
    "inline": """
service = { name = "shop" }
functions = { orders = { source = "functions/orders", aliases = { release = { version = "1" } } } }
apis = [
    { method = "GET", path = "/a", function = "orders" }, # the first
    { method = "GET", path = "=/p", mock = { body = "pong" } },
]
stages = { dev = { alias = "$DEFAULT", variables = { A = "1" } }, test2.alias = "x" }
""".replace(', test2.alias = "x"', ', release.alias = "release"'),
    "dotted": """
service.name = "shop" # the name
functions.orders.source = "functions/orders"
functions.orders.environment.A = "1"
functions.orders.aliases.release.version = '1' # the first
functions.orders.aliases.release.weights.2 = 0.10
stages.test.alias = "$DEFAULT"
stages.test.variables.A = "1"
""",
    "one header for each table": """
# comments everywhere

# about the service
[service] # here
name = "shop" # and here


[functions] # all of them

[functions.orders] # the only one
source = "functions/orders"

# about its environment
[functions.orders.environment]
A = "1"
# about B
B = "2"

[functions.orders.aliases.release] # moved often
version = "1"
[functions.orders.aliases.release.weights]
2 = 0.1
"3" = 0.25
# rules
[[functions.orders.aliases.release.rules]]
when = "invoke.headers.User exact Bob"
version = "2"

[functions.orders.aliases.beta]
version = "$LATEST"

# the first API
[[apis]]
method = "GET"
path = "/a"
function = "orders"

# the second
[[apis]]
name = "second" # its name
method = "GET"
path = "=/p"
  # below it
  [apis.mock]
  body = '''
pong

[not a header]
'''
  [apis.mock.headers]
  X-A = "1"
# the stages

[stages.dev]
alias = "$DEFAULT"
[stages.dev.variables]
A = "1"

# who buys
[keys.partner]
id = "AKID" # theirs
secret = "s3cret"
# what they may
[plans.gold]
keys = ["partner"]
stages = ["test"] # the first
# the end""",
    "out of order": """
[stages.release]
alias = "release"
[[apis]]
method = "GET"
path = "/a"
function = "orders"
[functions.orders.aliases]
release = { version = "1" }
[[apis]]
method = "GET"
path = "/b"
function = "payments"
[functions.payments]
source = "functions/payments"
aliases.release.version = "$LATEST"
[functions.orders]
source = "functions/orders"
[service]
name = "shop"
[[apis]]
method = "GET"
path = "/c"
function = "orders"
[stages.dev]
alias = "$DEFAULT"
aliases = { orders = "release", payments = "$LATEST" }
""",
}
STYLES["windows"] = STYLES["one header for each table"].replace("\n", "\r\n")

FUNCTIONS = st.sampled_from(["orders", "orders", "payments", "stock"])
ALIASES = st.sampled_from(["$DEFAULT", "release", "prepub", "beta", "1st-of-all", "a"])
NUMBERS = st.sampled_from("12345")
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=4)
TABLES = st.dictionaries(st.sampled_from(["A", "B", "C", "GREETING", "region"]), WORDS, max_size=3)
CONFIGURATIONS = st.builds(
    Configuration,
    handler=st.sampled_from(["index.main_handler", "app.orders.main_handler"]),
    timeout=st.sampled_from([3.0, 0.25, 0.3, 900.0]),
    memory=st.sampled_from([64, 128, 256]),
    concurrency=st.sampled_from([1, 128]),
    environment=TABLES,
)
ROUTES = st.builds(
    lambda main, others, rules, split: Route(
        main,
        {version: Decimal(f"0.{i + 1}") for i, version in enumerate(others) if version != main},
        tuple(rules),
        split,
        parse_key("invoke.headers.User") if split == "sticky" else None,
    ),
    NUMBERS | st.just("$LATEST"),
    st.lists(NUMBERS, max_size=3, unique=True),
    st.lists(
        st.builds(
            parse_rule,
            st.sampled_from(["invoke.headers.User exact Bob", 'invoke.query.q regex "a\\d"']),
            NUMBERS,
        ),
        max_size=2,
    ),
    st.sampled_from(["random", "even", "sticky"]),
)
LATENCIES = st.sampled_from(
    [
        None,
        Latency("fixed", (2.0,)),
        Latency("uniform", (0.1, 0.5)),
        Latency("exponential", (0.3,)),
        Latency("normal", (1.0, 0.25)),
    ]
)
FAULTS = st.none() | st.builds(
    Fault, st.sampled_from([0.05, 1.0]), st.sampled_from([430, 503]), LATENCIES
)
BREAKERS = st.none() | st.builds(
    Breaker, st.sampled_from([0.05, 1.0]), st.sampled_from([1, 20]), st.sampled_from([10.0, 2.5])
)
BACKENDS = st.one_of(
    st.builds(FunctionBackend, FUNCTIONS, ALIASES | NUMBERS, st.booleans()),
    st.builds(HttpBackend, st.just("http://127.0.0.1:9"), st.sampled_from([15.0, 0.5])),
    st.builds(
        MockBackend,
        WORDS,
        st.sampled_from([200, 418]),
        st.dictionaries(st.sampled_from(["X-A", "X.B"]), st.just("1")),
    ),
)


STAGES = st.sampled_from(["dev", "prepub", "release"])
RATES = st.sampled_from([None, None, 1, 500])
NETWORKS = st.lists(st.sampled_from(["10.0.0.0/8", "::1"]), unique=True).map(tuple)
FEATURES = st.builds(StageFeatures, RATES, NETWORKS, NETWORKS)


KEYS = st.dictionaries(
    st.sampled_from(["partner", "visitor", "1st"]),
    st.builds(Key, st.just("AKID"), st.sampled_from(["s3cret", "'"])),
    max_size=1,
)
ACCESSES = KEYS.flatmap(
    lambda keys: st.builds(
        Access,
        st.just(keys),
        st.dictionaries(
            st.sampled_from(["gold", "all"]),
            st.builds(
                UsagePlan,
                st.just(tuple(keys)),
                st.lists(STAGES, unique=True).map(tuple),
                RATES,
                st.sampled_from([None, 1000]),
            ),
        ),
    )
)


@st.composite
def apis(draw: st.DrawFn) -> Api:
    """APIs with each kind of backend, half of them like those of the styles."""
    method, path = (
        draw(st.sampled_from(["GET", "ANY"])),
        draw(st.sampled_from(["/a", "/b", "=/p", "=/ping", "/orders/{id}"])),
    )
    name = draw(st.sampled_from([f"{method} {path}"] * 3 + [f"name {method} {path}"]))
    backend = draw(BACKENDS)
    encoded = draw(st.booleans()) and isinstance(backend, FunctionBackend)
    features = ApiFeatures(
        draw(RATES),
        draw(st.booleans()),
        encoded,
        draw(st.booleans()),
        max_body=draw(st.sampled_from([None, None, 0, 2**20])),
    )
    return Api(name, method, parse_path(path), backend, features)


LISTS = st.lists(apis(), max_size=3, unique_by=lambda api: (api.method, api.path.text)).map(tuple)
SERVICES = st.sampled_from([SERVICE, SERVICE, SERVICE, "other"])
NAMES = st.sampled_from(["shop", "store 'two' \"three\""])


def every_stage(
    released: tuple[Api, ...], qualifier: str, table: Mapping[str, str], features: StageFeatures
) -> Change:
    """The same APIs as drafts and on two stages, as a file has them."""
    drafts, stage = (
        tuple(
            replace(api, backend=replace(api.backend, qualifier=named))
            if isinstance(api.backend, FunctionBackend)
            else api
            for api in released
        )
        for named in ("$DEFAULT", qualifier)
    )
    return Batch(
        (
            PutService(SERVICE, "shop", drafts),
            Release(SERVICE, "dev", stage, table, features),
            Release(SERVICE, "release", stage),
        )
    )


CHANGES: st.SearchStrategy[Change] = st.one_of(
    st.builds(PutFunction, FUNCTIONS, st.just("uploaded"), CONFIGURATIONS, WORDS),
    st.builds(DeleteFunction, FUNCTIONS),
    st.builds(Publish, FUNCTIONS, st.just("live"), description=st.sampled_from(["", "words"])),
    st.builds(DeleteVersion, FUNCTIONS, NUMBERS),
    st.builds(PutFault, FUNCTIONS, NUMBERS | st.just("$LATEST"), FAULTS),
    st.builds(PutBreaker, FUNCTIONS, BREAKERS),
    st.builds(PutAlias, FUNCTIONS, ALIASES, ROUTES, WORDS),
    st.builds(PutAlias, st.just("orders"), ALIASES, ROUTES),
    st.builds(DeleteAlias, FUNCTIONS, ALIASES),
    st.builds(PutService, SERVICES, NAMES, LISTS),
    st.builds(PutService, SERVICES, NAMES, LISTS, ACCESSES),
    st.builds(Release, SERVICES, STAGES, LISTS, TABLES, FEATURES),
    st.builds(every_stage, LISTS, ALIASES, TABLES, FEATURES),
    st.builds(Unrelease, SERVICES, STAGES),
)


def after(start: Snapshot, changes: list[Change]) -> Snapshot:
    """The state after those changes that the law allows."""
    for change in changes:
        try:
            start = apply(start, change)
        except Refused:
            continue
    return start


def with_folders(root: Path, text: str, live: Snapshot) -> Path:
    """The exported file beside a folder for each live version."""
    for name, table in tomllib.loads(text).get("functions", {}).items():
        for number in live.functions[name].versions:
            folder = "latest" if number == "$LATEST" else f"v{number}"
            code = root / table["source"] / folder
            (code / "app").mkdir(parents=True)
            (code / "index.py").touch()
            (code / "app" / "orders.py").touch()
    path = root / "stages.toml"
    path.write_bytes(text.encode())
    return path


def check(live: Snapshot, exported: Exported) -> None:
    """The file loads, and leads to the same routing where it does not say that it cannot."""
    with TemporaryDirectory() as folder:
        declaration = load(with_folders(Path(folder), exported.text, live))
        state = apply(EMPTY, merge(EMPTY, None, declaration.changes).changes)
    assert list(state.functions.keys() ^ live.functions.keys()) == []
    for name, function in live.functions.items():
        found = state.functions[name]
        assert found.aliases == function.aliases
        assert found.faults == function.faults
        assert found.breaker == function.breaker
        assert found.versions.keys() == function.versions.keys()
        assert found.configuration == function.configuration
        latest, same = (f.versions["$LATEST"].description for f in (found, function))
        assert latest == same
    expected, service = live.services.get(SERVICE), state.services[SERVICE]
    if expected is not None:
        assert service.name == expected.name
        assert service.access == expected.access
        assert service.stages.keys() == expected.stages.keys()
        for name, stage in expected.stages.items():
            assert service.stages[name].variables == stage.variables
            assert service.stages[name].features == stage.features
        if not any("api" in note for note in exported.notes):
            assert service.apis == expected.apis
            for name, stage in expected.stages.items():
                assert service.stages[name].apis == stage.apis


@pytest.mark.parametrize("style", STYLES)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(changes=st.lists(CHANGES, min_size=1, max_size=12))
def test_an_exported_file_leads_back(project: Path, style: str, changes: list[Change]) -> None:
    """Edited in any style of file."""
    text = STYLES[style]
    declared = declared_by(project, text)
    live = after(apply(EMPTY, declared), changes)
    exported = export(live, text or None, declared)
    check(live, exported)
    assert export(live, exported.text).text == exported.text
    assert ("\r\n" in exported.text) == (style == "windows")
    assert exported.text.count("\r\n") in {0, exported.text.count("\n")}
    lines = set(text.splitlines())
    comments = [line for line in exported.text.splitlines() if line.lstrip().startswith("#")]
    assert set(comments) <= lines


def declared_by(project: Path, text: str) -> Batch:
    """What a file declares; an empty one declares a service."""
    path = project / "style.toml"
    path.write_bytes((text or '[service]\nname = "shop"\n').encode())
    return load(path).changes


@pytest.mark.parametrize("style", [style for style in STYLES if style != "nothing"])
def test_a_state_that_is_as_declared_leaves_the_file_as_it_is(project: Path, style: str) -> None:
    """Byte for byte, with nothing to remark and no folder missing."""
    text = STYLES[style]
    declared = declared_by(project, text)
    exported = export(apply(EMPTY, declared), text, declared)
    assert exported == Exported(text, (), ())


@pytest.mark.parametrize("style", [style for style in STYLES if style != "nothing"])
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(changes=st.lists(CHANGES, min_size=1, max_size=6))
def test_a_change_and_its_undoing_leave_the_values_as_they_were(
    project: Path, style: str, changes: list[Change]
) -> None:
    """The second file says the same as the first, in whatever words."""
    text = STYLES[style]
    declared = declared_by(project, text)
    first = apply(EMPTY, declared)
    there = export(after(first, changes), text, declared)
    back = export(first, there.text, declared)
    check(first, back)

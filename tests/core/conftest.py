"""What the tests of the core share: requests as values, seeded dice, and one small snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

import pytest
from hypothesis import strategies as st

from gateway.core.alias import Route
from gateway.core.apply import apply
from gateway.core.breaker import Breaker
from gateway.core.changes import (
    Batch,
    Change,
    DeleteAlias,
    DeleteFunction,
    DeleteService,
    DeleteVersion,
    Publish,
    PutAlias,
    PutBreaker,
    PutFault,
    PutFunction,
    PutResource,
    PutService,
    Release,
    Unrelease,
)
from gateway.core.decide import decide
from gateway.core.entries import Target
from gateway.core.errors import Refused
from gateway.core.faults import Fault, Latency
from gateway.core.features import ApiFeatures, StageFeatures
from gateway.core.functions import Configuration
from gateway.core.overlays import COUNTED, Cors, Overlay, Window
from gateway.core.parameters import KINDS, PLACES, TARGETS, Constant, Goal, Parameter
from gateway.core.routes import parse_path
from gateway.core.rules import RequestView, parse_key, parse_rule
from gateway.core.snapshot import (
    EMPTY,
    Api,
    Edition,
    FunctionBackend,
    HttpBackend,
    MockBackend,
    Snapshot,
)
from gateway.core.split import Draw, EvenSequence, Mode, Split

VERSIONS = ("1", "2", "3", "4", "5", "6", "$LATEST")


@dataclass(frozen=True)
class View:
    """A request as rules see it; `folded` as over HTTP, otherwise as in a RoutingKey."""

    headers: Mapping[str, str] = field(default_factory=dict)
    queries: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    body: object = None
    folded: bool = True

    def header(self, name: str, folded: str) -> str | None:
        return self.headers.get(folded if self.folded else name)

    def query(self, name: str) -> str | None:
        return self.queries.get(name)

    def path_parameter(self, name: str) -> str | None:
        return self.parameters.get(name)

    def cookie(self, name: str) -> str | None:
        return self.cookies.get(name)

    def json(self) -> object:
        return self.body


class SeededDice:
    """Dice with a seed; an even sequence goes on for as long as its split stays equal."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._sequences: dict[tuple[str, str], tuple[Split, EvenSequence]] = {}

    def random(self) -> float:
        return self._random.random()

    def even(self, split: Split) -> float:
        held = self._sequences.get(split.owner)
        if held is None or held[0] != split:
            held = self._sequences[split.owner] = (split, EvenSequence(split))
        return held[1].step(self)


class FixedDice:
    """Dice that always show the same number and count how often they were asked."""

    def __init__(self, shown: float) -> None:
        self.shown = shown
        self.asked = 0

    def random(self) -> float:
        self.asked += 1
        return self.shown

    def even(self, split: Split) -> float:  # noqa: ARG002 - the protocol's
        self.asked += 1
        return self.shown


@pytest.fixture(scope="session")
def http() -> Callable[..., RequestView]:
    """Makes a request as it comes over HTTP: header names are stored lower-cased."""

    def make(
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        path: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        body: object = None,
    ) -> RequestView:
        lower = {name.lower(): value for name, value in (headers or {}).items()}
        return View(lower, query or {}, path or {}, cookies or {}, body)

    return make


@pytest.fixture(scope="session")
def routing_key() -> Callable[[Mapping[str, str]], RequestView]:
    """Makes a request of the invoke API: its RoutingKey is case-sensitive."""
    return lambda headers: View(headers, folded=False)


@pytest.fixture(scope="session")
def nobody() -> RequestView:
    """A request in which no rule finds anything."""
    return View()


@pytest.fixture(scope="session")
def dice() -> Callable[[int], Draw]:
    """Makes dice with a seed."""
    return SeededDice


@pytest.fixture(scope="session")
def fixed() -> Callable[[float], FixedDice]:
    """Makes dice that always show the same number."""
    return FixedDice


@pytest.fixture(scope="session")
def build() -> Callable[..., Snapshot]:
    """Makes a snapshot from changes, one revision each."""

    def make(*changes: Change, start: Snapshot = EMPTY) -> Snapshot:
        for change in changes:
            start = apply(start, change)
        return start

    return make


@pytest.fixture(scope="session")
def shop() -> Snapshot:
    """The function `orders` with versions 1 to 6, at revision 1."""
    published = (Publish("orders", f"code of {number}") for number in VERSIONS[:-1])
    return apply(EMPTY, Batch((PutFunction("orders", "latest code"), *published)))


@pytest.fixture(scope="session")
def routed(shop: Snapshot) -> Callable[..., Snapshot]:
    """Makes the shop with one alias, `release`, that leads where the arguments say."""

    def make(
        version: str = "1",
        *,
        weights: Mapping[str, str] | None = None,
        rules: Iterable[tuple[str, str]] = (),
        split: Mode = "random",
        sticky_by: str | None = None,
        alias: str = "release",
    ) -> Snapshot:
        route = Route(
            version,
            {name: Decimal(weight) for name, weight in (weights or {}).items()},
            tuple(parse_rule(when, goal) for when, goal in rules),
            split,
            parse_key(sticky_by) if sticky_by else None,
        )
        return apply(shop, PutAlias("orders", alias, route))

    return make


@pytest.fixture(scope="session")
def answer() -> Callable[..., tuple[str, str]]:
    """Decides for the alias `release` of `orders`: `(version, reason)`."""

    def ask(snapshot: Snapshot, request: RequestView, draw: Draw) -> tuple[str, str]:
        decision = decide(snapshot, Target("orders", "release"), request, draw)
        return decision.version, decision.reason

    return ask


def _weights(numbers: list[int], versions: list[str]) -> dict[str, Decimal]:
    """Numbers as weights in thousandths, as far as they fit into 1."""
    left, weights = 1000, {}
    for version, number in zip(versions, numbers, strict=False):
        share = min(number, left)
        left -= share
        weights[version] = Decimal(share) / 1000
    return weights


@st.composite
def _routes(draw: st.DrawFn) -> Route:
    main, *others = draw(st.permutations(VERSIONS))
    numbers = draw(st.lists(st.integers(0, 1000), max_size=5))
    conditions = st.sampled_from(
        [
            "invoke.headers.User exact Bob",
            "invoke.headers.User prefix A",
            "invoke.headers.Age range [1,9]",
            "invoke.query.try exists",
            "invoke.body.$.user.id in 1, 2, 3",
        ]
    )
    rules = draw(st.lists(st.tuples(conditions, st.sampled_from(VERSIONS)), max_size=3))
    split: Mode = draw(st.sampled_from(("random", "even", "sticky")))
    return Route(
        main,
        _weights(numbers, others),
        tuple(parse_rule(when, version) for when, version in rules),
        split,
        parse_key("invoke.headers.User") if split == "sticky" else None,
    )


@pytest.fixture(scope="session")
def routes() -> st.SearchStrategy[Route]:
    """Routes over the versions of the shop, of every form."""
    return _routes()


FUNCTIONS = st.sampled_from(["orders", "payments"])
ALIASES = st.sampled_from(["$DEFAULT", "release", "prepub"])
SERVICES = st.sampled_from(["shop", "other"])
STAGES = st.sampled_from(["dev", "prepub", "release"])
TABLES = st.dictionaries(st.sampled_from("AB"), st.text(max_size=3), max_size=2)
CONFIGURATIONS = st.builds(
    Configuration,
    handler=st.sampled_from(["index.main_handler", "web.main"]),
    timeout=st.sampled_from([3.0, 0.1, 5]),
    memory=st.sampled_from([64, 128]),
    concurrency=st.sampled_from([1, 128]),
    environment=TABLES,
)
BACKENDS = st.one_of(
    st.builds(FunctionBackend, FUNCTIONS, ALIASES | st.sampled_from("12"), st.booleans()),
    st.builds(HttpBackend, st.just("http://127.0.0.1:9"), st.sampled_from([15.0, 0.5])),
    st.builds(MockBackend, st.text(max_size=3), st.sampled_from([200, 418]), TABLES),
)
LATENCIES = st.sampled_from(
    [
        Latency("fixed", (0.2,)),
        Latency("uniform", (0.0, 0.5)),
        Latency("exponential", (0.25,)),
        Latency("normal", (0.2, 0.05)),
    ]
)
FAULTS = st.builds(Fault, st.sampled_from([0.05, 1.0]), st.sampled_from([430, 599])) | st.builds(
    Fault, st.sampled_from([0.0, 0.5]), latency=LATENCIES
)
BREAKERS = st.builds(Breaker, st.sampled_from([0.05, 1.0]), st.sampled_from([1, 20]))
RATES = st.sampled_from([None, 1, 500])
PARAMETERS = st.builds(
    Parameter,
    st.sampled_from(["id", "X-A"]),
    st.sampled_from(PLACES),
    st.booleans(),
    st.sampled_from(KINDS),
    st.none() | st.just("1"),
    st.none() | st.builds(Goal, st.just("b"), st.sampled_from(TARGETS)),
)
CONSTANTS = st.builds(Constant, st.just("c"), st.sampled_from(TARGETS), st.text(max_size=3))
API_FEATURES = st.builds(
    ApiFeatures,
    throttle=RATES,
    cors=st.booleans(),
    base64=st.booleans(),
    gzip=st.booleans(),
    parameters=st.lists(PARAMETERS, max_size=2).map(tuple),
    constants=st.lists(CONSTANTS, max_size=2).map(tuple),
    max_body=st.sampled_from([None, 0, 2**20]),
)
NETWORKS = st.lists(st.sampled_from(["10.0.0.0/8", "::1"]), unique=True).map(tuple)
WINDOWS = st.builds(
    Window, st.sampled_from([1, 500]), st.sampled_from([1, 3600]), st.sampled_from(COUNTED)
)
ORIGINS = st.lists(st.sampled_from(["*", "https://a"]), max_size=2).map(tuple)
CORS = st.builds(Cors, ORIGINS, credentials=st.booleans(), age=st.none() | st.just(600))
OVERLAYS = st.builds(
    Overlay, st.lists(WINDOWS, max_size=2).map(tuple), NETWORKS, NETWORKS, st.none() | CORS
)
STAGE_FEATURES = st.builds(
    StageFeatures,
    RATES,
    NETWORKS,
    NETWORKS,
    st.dictionaries(st.sampled_from(["one", "two"]), OVERLAYS, max_size=2),
)
EDITIONS = st.none() | st.builds(Edition, st.text(max_size=3), st.text(max_size=3))
CONTENTS = st.dictionaries(
    st.text(max_size=2),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2)
        ),
        max_leaves=4,
    ),
    max_size=3,
)
APIS = st.lists(
    st.builds(
        Api,
        st.sampled_from(["one", "two"]),
        st.sampled_from(["GET", "ANY"]),
        st.sampled_from(["/", "/{id}", "=/x", "^~/x"]).map(parse_path),
        BACKENDS,
        API_FEATURES,
    ),
    max_size=3,
    unique_by=lambda api: (api.method, api.path),
).map(tuple)


def _changes() -> st.SearchStrategy[Change]:
    """Changes of every kind with every field, most of them possible, some not."""
    words, codes = st.text(max_size=3), st.sampled_from(["one", "two", ""])
    numbers = st.sampled_from(VERSIONS[:-1])
    simple: st.SearchStrategy[Change] = st.one_of(
        st.builds(PutFunction, FUNCTIONS, codes, CONFIGURATIONS, words),
        st.builds(DeleteFunction, FUNCTIONS),
        st.builds(
            Publish,
            FUNCTIONS,
            st.none() | codes,
            st.none() | numbers,
            words,
            st.none() | CONFIGURATIONS,
        ),
        st.builds(Publish, FUNCTIONS),
        st.builds(DeleteVersion, FUNCTIONS, numbers),
        st.builds(PutFault, FUNCTIONS, numbers | st.just("$LATEST"), st.none() | FAULTS),
        st.builds(PutBreaker, FUNCTIONS, st.none() | BREAKERS),
        st.builds(PutAlias, FUNCTIONS, ALIASES, _routes(), words),
        st.builds(PutAlias, FUNCTIONS, ALIASES, st.builds(Route, numbers)),
        st.builds(DeleteAlias, FUNCTIONS, ALIASES),
        st.builds(PutService, SERVICES, words, APIS),
        st.builds(DeleteService, SERVICES),
        st.builds(PutResource, st.sampled_from(["plans", "keys"]), words, st.none() | CONTENTS),
        st.builds(Release, SERVICES, STAGES, APIS, TABLES, STAGE_FEATURES, EDITIONS),
        st.builds(Unrelease, SERVICES, STAGES),
    )
    batches = st.recursive(
        simple, lambda inner: st.builds(Batch, st.lists(inner, max_size=3).map(tuple)), max_leaves=4
    )
    return simple | batches


@pytest.fixture(scope="session")
def changes() -> st.SearchStrategy[Change]:
    """Changes of every kind."""
    return _changes()


@pytest.fixture(scope="session")
def states(shop: Snapshot) -> st.SearchStrategy[Snapshot]:
    """Snapshots that changes of every kind led to, from nothing or from the shop."""

    def after(start: Snapshot, changes: list[Change]) -> Snapshot:
        for change in changes:
            try:
                start = apply(start, change)
            except Refused:
                continue
        return start

    starts = st.sampled_from([EMPTY, apply(shop, PutService("shop", "Shop"))])
    return st.builds(after, starts, st.lists(_changes(), max_size=20))


@pytest.fixture(scope="session")
def views() -> st.SearchStrategy[RequestView]:
    """Requests that the rules of `routes` hit and miss."""
    users = st.sampled_from(["Bob", "bob", "Alice", "", "Ünal"])
    return st.builds(
        View,
        headers=st.fixed_dictionaries(
            {}, optional={"user": users, "age": st.sampled_from(["0", "1", "9", "ten"])}
        ),
        queries=st.fixed_dictionaries({}, optional={"try": st.just("")}),
        body=st.sampled_from([None, {"user": {"id": 2}}, {"user": {"id": "x"}}, [], "text"]),
    )

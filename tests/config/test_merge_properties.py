"""Applying a file, whatever it holds and whatever happened live: against a model of one line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.load import SERVICE
from gateway.config.merge import Merge, merge
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
from gateway.core.diff import differences
from gateway.core.errors import Refused
from gateway.core.faults import Fault
from gateway.core.features import StageFeatures, features_plain
from gateway.core.functions import Configuration
from gateway.core.plain import alias_plain, api_plain
from gateway.core.rebuild import rebuild
from gateway.core.routes import parse_path
from gateway.core.snapshot import (
    EMPTY,
    Api,
    Function,
    FunctionBackend,
    MockBackend,
    Snapshot,
    Stage,
)

NAMES = ("orders", "payments")
CODES = st.sampled_from(["one", "two"])
TABLES = st.dictionaries(st.sampled_from("AB"), st.sampled_from("12"), max_size=2)
CONFIGURATIONS = st.builds(
    Configuration,
    timeout=st.sampled_from([3.0, 5.0]),
    memory=st.sampled_from([64, 128]),
    environment=TABLES,
)
ALIASES = ("$DEFAULT", "release", "beta")
FAULTS = st.sampled_from([Fault(0.1), Fault(0.2)])
BREAKERS = st.sampled_from([Breaker(0.1), Breaker(0.2)])
FEATURES = st.builds(
    StageFeatures,
    st.sampled_from([None, 1, 500]),
    st.sampled_from([(), ("::1",)]),
    st.sampled_from([(), ("10.0.0.0/8",)]),
)


def api(name: str, function: str, qualifier: str = "$DEFAULT") -> Api:
    """An API that a function answers."""
    return Api(name, "GET", parse_path(f"/{name}"), FunctionBackend(function, qualifier))


PING = Api("ping", "GET", parse_path("=/ping"), MockBackend("pong"))


def qualified(apis: tuple[Api, ...], qualifiers: Mapping[str, str]) -> tuple[Api, ...]:
    """APIs as a stage has them."""
    return tuple(
        replace(
            found,
            backend=replace(found.backend, qualifier=qualifiers[found.backend.function]),
        )
        if isinstance(found.backend, FunctionBackend)
        else found
        for found in apis
    )


def routes(versions: list[str]) -> st.SearchStrategy[Route]:
    """Routes to versions that there are."""
    one = st.sampled_from([*versions, "$LATEST"])
    weighted = st.builds(Route, st.just("$LATEST"), st.just({v: Decimal("0.1") for v in versions}))
    return st.builds(Route, one) | weighted


@st.composite
def files(draw: st.DrawFn) -> Batch:
    """What files declare: anything that loads."""
    changes: list[Change] = []
    known: dict[str, list[str]] = {}
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True)):
        changes.append(PutFunction(name, draw(CODES), draw(CONFIGURATIONS), draw(CODES)))
        versions = [n for n in "123" if draw(st.booleans())]
        changes += [Publish(name, f"{name} {n}", n) for n in versions]
        aliases = [alias for alias in ALIASES if draw(st.booleans())]
        changes += [PutAlias(name, alias, draw(routes(versions))) for alias in aliases]
        changes += [
            PutFault(name, number, draw(FAULTS))
            for number in (*versions, "$LATEST")
            if draw(st.booleans())
        ]
        if draw(st.booleans()):
            changes.append(PutBreaker(name, draw(BREAKERS)))
        known[name] = ["$DEFAULT", *versions, *aliases]
    able = [PING, *(api(i, name) for name in known for i in (name[0], name[1]))]
    apis = tuple(
        draw(st.lists(st.sampled_from(able), unique_by=lambda found: found.id, max_size=3))
    )
    for stage in draw(st.lists(st.sampled_from(["dev", "release"]), unique=True)):
        qualifiers = {name: draw(st.sampled_from(found)) for name, found in known.items()}
        changes.append(Release(SERVICE, stage, qualified(apis, qualifiers), draw(TABLES)))
    return Batch((PutService(SERVICE, draw(CODES), apis), *changes))


FUNCTIONS = st.sampled_from(NAMES)
NUMBERS = st.sampled_from("1234")
SERVICES = st.sampled_from([SERVICE, SERVICE, "other"])
RELEASED = st.lists(
    st.builds(api, st.sampled_from("opx"), FUNCTIONS, st.sampled_from([*ALIASES, "1", "$LATEST"])),
    max_size=2,
    unique_by=lambda found: found.id,
).map(tuple)
STAGES = st.sampled_from(["dev", "prepub", "release"])
LIVE_CHANGES: st.SearchStrategy[Change] = st.one_of(
    st.builds(PutFunction, FUNCTIONS, CODES | st.just("live"), CONFIGURATIONS, CODES),
    st.builds(DeleteFunction, FUNCTIONS),
    st.builds(Publish, FUNCTIONS, st.just("live")),
    st.builds(DeleteVersion, FUNCTIONS, NUMBERS),
    st.builds(PutFault, FUNCTIONS, NUMBERS | st.just("$LATEST"), st.none() | FAULTS),
    st.builds(PutBreaker, FUNCTIONS, st.none() | BREAKERS),
    st.builds(PutAlias, FUNCTIONS, st.sampled_from([*ALIASES, "live"]), routes(["1"])),
    st.builds(PutAlias, FUNCTIONS, st.sampled_from(ALIASES), st.just(Route("$LATEST"))),
    st.builds(DeleteAlias, FUNCTIONS, st.sampled_from(ALIASES)),
    st.builds(PutService, SERVICES, CODES, RELEASED),
    st.builds(Release, SERVICES, STAGES, RELEASED, TABLES),
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


@st.composite
def situations(draw: st.DrawFn) -> tuple[Snapshot, Batch | None, Batch]:
    """A live state, the file as it was applied last if it was, and as it is now."""
    last = draw(st.none() | files())
    start = EMPTY if last is None else apply(EMPTY, last)
    declared = draw(files() | st.just(last) if last is not None else files())
    assert declared is not None
    return after(start, draw(st.lists(LIVE_CHANGES, max_size=8))), last, declared


def tried(live: Snapshot, last: Batch | None, declared: Batch) -> Merge | None:
    """The merge, or `None` after a refusal, which is one of those that can be."""
    try:
        return merge(live, last, declared)
    except Refused as refused:
        known = {
            "alias-in-use": "functions",
            "bad-version": "functions",
            "edited-version": "functions",
            "function-in-use": "functions",
            "unknown-qualifier": "stages",
            "unknown-version": "functions",
        }
        for problem in refused.problems:
            assert problem.at[0] == known[problem.code]
        places = [(problem.code, problem.at, problem.message) for problem in refused.problems]
        assert len(set(places)) == len(places)
        return None


@settings(max_examples=200)
@given(declared=files())
def test_on_nothing_a_file_builds_what_it_declares(declared: Batch) -> None:
    """Exactly what `apply` makes of it, and nothing is kept."""
    found = merge(EMPTY, None, declared)
    state, expected = apply(EMPTY, found.changes), apply(EMPTY, declared)
    assert (state.functions, state.services) == (expected.functions, expected.services)
    assert found.kept == ()


@settings(max_examples=400)
@given(situation=situations())
def test_the_changes_apply_and_applying_again_is_nothing(
    situation: tuple[Snapshot, Batch | None, Batch],
) -> None:
    """In this order, to this state; what is kept stays the same too."""
    live, last, declared = situation
    found = tried(live, last, declared)
    if found is None:
        return
    state = apply(live, found.changes)
    assert merge(state, last, declared) == replace(found, changes=Batch(()))
    again = merge(state, declared, declared)
    assert again.changes == Batch(())
    assert {kept.path for kept in found.kept} <= {kept.path for kept in again.kept}
    for change in found.changes.changes:
        assert differences(live, apply_up_to(live, found.changes, change))


def apply_up_to(live: Snapshot, changes: Batch, last: Change) -> Snapshot:
    """The state after a change and all before it."""
    index = changes.changes.index(last)
    return apply(live, Batch(changes.changes[: index + 1]))


@settings(max_examples=300)
@given(situation=situations())
def test_what_is_not_the_files_is_never_touched(
    situation: tuple[Snapshot, Batch | None, Batch],
) -> None:
    """Other services, functions that the file never named, and every published version."""
    live, last, declared = situation
    found = tried(live, last, declared)
    if found is None:
        return
    state = apply(live, found.changes)
    assert {k: s for k, s in state.services.items() if k != SERVICE} == {
        k: s for k, s in live.services.items() if k != SERVICE
    }
    named = {
        change.name
        for batch in (last, declared)
        for change in (batch.changes if batch else ())
        if isinstance(change, PutFunction)
    }
    for name, function in live.functions.items():
        if name not in named:
            assert state.functions[name] is function
        for number, version in function.versions.items():
            if number != "$LATEST" and name in state.functions:
                assert state.functions[name].versions[number] is version


@settings(max_examples=200)
@given(data=st.data(), last=files())
def test_a_file_that_did_not_change_changes_nothing(data: st.DataObject, last: Batch) -> None:
    """Whatever was done live: a restart is not a reset."""
    live = after(apply(EMPTY, last), data.draw(st.lists(LIVE_CHANGES, max_size=8)))
    found = merge(live, last, last)
    assert not [c for c in found.changes.changes if not isinstance(c, Publish)]
    republished = {
        change.function for change in found.changes.changes if hasattr(change, "function")
    }
    for name in republished:  # made anew live, so that its numbers are free again
        assert live.functions[name].last < apply(EMPTY, last).functions[name].last


@settings(max_examples=200)
@given(data=st.data(), declared=files())
def test_a_state_that_was_not_changed_follows_the_file(
    data: st.DataObject, declared: Batch
) -> None:
    """To exactly what it declares; only published versions are more than that, and older ones."""
    last = data.draw(files())
    live = apply(EMPTY, last)
    found = tried(live, last, declared)
    if found is None:
        return
    state, expected = apply(live, found.changes), apply(EMPTY, declared)
    assert state.services == expected.services
    assert state.functions.keys() == expected.functions.keys()
    for name, function in expected.functions.items():
        assert state.functions[name].aliases == function.aliases
        assert state.functions[name].faults == function.faults
        assert state.functions[name].breaker == function.breaker
        latest = state.functions[name].versions["$LATEST"]
        assert latest == function.versions["$LATEST"]
        assert function.versions.keys() <= state.functions[name].versions.keys()
    assert found.kept == ()


# The model: a state is a flat table, and a merge is one line

Leaf = tuple[str, ...]


def flat(state: Snapshot) -> dict[Leaf, Any]:
    """What a merge settles, leaf by leaf."""
    found: dict[Leaf, Any] = {}
    for function in state.functions.values():
        found |= {("function", function.name, *leaf): value for leaf, value in leaves(function)}
    service = state.services.get(SERVICE)
    if service is not None:
        found["service", "name"] = service.name
        found["service", "apis"] = [api_plain(found) for found in service.apis]
        for name, stage in service.stages.items():
            found["stage", name] = True
            for key, said in features_plain(stage.features).items():
                found["stage", name, "feature", key] = said
            for key, value in stage.variables.items():
                found["stage", name, "variable", key] = value
            for key, value in released(stage).items():
                found["stage", name, "qualifier", key] = value
    return found


def leaves(function: Function) -> Iterator[tuple[Leaf, Any]]:
    """What a merge settles of a function."""
    latest = function.versions["$LATEST"]
    yield (), True
    yield ("code",), latest.code
    yield ("description",), latest.description
    yield ("timeout",), latest.configuration.timeout
    yield ("memory",), latest.configuration.memory
    for key, value in latest.configuration.environment.items():
        yield ("environment", key), value
    for key, fault in function.faults.items():
        yield ("fault", key), fault
    if function.breaker is not None:
        yield ("breaker",), function.breaker
    for key, alias in function.aliases.items():
        yield ("alias", key), alias_plain(alias)


def released(stage: Stage) -> dict[str, str]:
    """The qualifier of each function, as a stage of a file has it."""
    backends = (found.backend for found in stage.apis)
    return {b.function: b.qualifier for b in backends if isinstance(b, FunctionBackend)}


@st.composite
def calm_changes(draw: st.DrawFn, last: Batch) -> list[Change]:
    """Live changes that leave every object of the file in place, and each stage its APIs."""
    state = apply(EMPTY, last)
    changes: list[Change] = []
    for name in state.functions:
        if draw(st.booleans()):
            changes.append(PutFunction(name, draw(CODES), draw(CONFIGURATIONS), draw(CODES)))
        if draw(st.booleans()):
            changes.append(PutFault(name, "$LATEST", draw(FAULTS)))
        if draw(st.booleans()):
            changes.append(PutBreaker(name, draw(BREAKERS)))
        if draw(st.booleans()):
            alias = draw(st.sampled_from(sorted(state.functions[name].aliases)))
            changes.append(PutAlias(name, alias, Route("$LATEST")))
    service = state.services[SERVICE]
    if draw(st.booleans()):
        changes.append(PutService(SERVICE, draw(CODES), service.apis))
    for name, stage in service.stages.items():
        qualifiers = {
            function: draw(st.sampled_from(["$DEFAULT", "$LATEST", qualifier]))
            for function, qualifier in released(stage).items()
        }
        released_apis = qualified(stage.apis, qualifiers)
        changes.append(Release(SERVICE, name, released_apis, draw(TABLES), draw(FEATURES)))
    return changes


@settings(max_examples=400)
@given(data=st.data(), last=files())
def test_every_leaf_is_the_files_if_that_changed_it_and_the_live_one_otherwise(
    data: st.DataObject, last: Batch
) -> None:
    """Where all objects are on all three sides, or are new or gone in the file."""
    live = apply(apply(EMPTY, last), Batch(tuple(data.draw(calm_changes(last)))))
    declared = data.draw(files())
    found = tried(live, last, declared)
    if found is None:
        return
    state = flat(apply(live, found.changes))
    old, new, now = flat(apply(EMPTY, last)), flat(apply(EMPTY, declared)), flat(live)
    for leaf in old.keys() | new.keys() | now.keys():
        expected = new.get(leaf) if new.get(leaf) != old.get(leaf) else now.get(leaf)
        if leaf[:2] not in new:
            expected = None  # the file dropped the whole function or stage
        elif leaf[2:3] == ("qualifier",) and leaf not in new:
            expected = None  # no API of the file's list names the function
        assert state.get(leaf) == expected, leaf


@settings(max_examples=100)
@given(situation=situations())
def test_a_refusal_alters_nothing_and_a_merge_neither(
    situation: tuple[Snapshot, Batch | None, Batch],
) -> None:
    """Pure: what goes in is as it was."""
    live, last, declared = situation
    before = rebuild(live)
    tried(live, last, declared)
    assert rebuild(live) == before

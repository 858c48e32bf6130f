"""Applying a file, case by case: what it changed wins, what was changed live meanwhile survives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from gateway.config.load import SERVICE
from gateway.config.merge import Kept, Merge, merge
from gateway.core.access import NO_ACCESS, Access, Key, UsagePlan
from gateway.core.alias import Route
from gateway.core.apply import apply
from gateway.core.changes import (
    Batch,
    Change,
    DeleteAlias,
    DeleteFunction,
    DeleteVersion,
    Publish,
    PutAlias,
    PutFunction,
    PutResource,
    PutService,
    Release,
    Unrelease,
)
from gateway.core.errors import Refused
from gateway.core.features import StageFeatures
from gateway.core.functions import Configuration
from gateway.core.overlays import Overlay, Window
from gateway.core.plain import alias_plain, api_plain, function_plain, stage_plain, version_plain
from gateway.core.routes import parse_path
from gateway.core.snapshot import EMPTY, Api, Edition, FunctionBackend, MockBackend, Snapshot


@dataclass(frozen=True)
class Declared:
    """A function as a file has it; codes are package digests by then."""

    code: str = "latest"
    versions: Mapping[str, str] = field(default_factory=lambda: {"1": "one", "2": "two"})
    configuration: Configuration = field(default_factory=Configuration)
    aliases: Mapping[str, Route] = field(default_factory=lambda: {"release": Route("1")})
    description: str = ""

    def changes(self, name: str) -> list[Change]:
        return [
            PutFunction(name, self.code, self.configuration, self.description),
            *(Publish(name, code, number) for number, code in self.versions.items()),
            *(PutAlias(name, alias, route) for alias, route in self.aliases.items()),
        ]


def api(name: str, function: str = "orders", qualifier: str = "$DEFAULT") -> Api:
    """An API that a function answers."""
    return Api(name, "GET", parse_path(f"/{name}"), FunctionBackend(function, qualifier))


PING = Api("ping", "GET", parse_path("=/ping"), MockBackend("pong"))
ORDERS = Declared()
STAGES = {"dev": "$DEFAULT", "release": "release"}


def file(
    functions: Mapping[str, Declared] | None = None,
    apis: Sequence[Api] = (api("a"), PING),
    stages: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
    name: str = "shop",
) -> Batch:
    """What `load` makes of a file: every API on every stage, with the stage's alias."""
    stages = STAGES if stages is None else stages
    functions = {"orders": ORDERS} if functions is None else functions
    return Batch(
        (
            PutService(SERVICE, name, tuple(apis)),
            *(step for key, found in functions.items() for step in found.changes(key)),
            *(Release(SERVICE, s, on(apis, q), variables or {}) for s, q in stages.items()),
        )
    )


def orders(**parts: object) -> Batch:
    """The usual file with another function `orders`."""
    return file({"orders": replace(ORDERS, **parts)})  # type: ignore[arg-type]


def on(apis: Sequence[Api], qualifier: str) -> tuple[Api, ...]:
    """APIs as a stage has them."""
    return tuple(
        replace(api, backend=replace(api.backend, qualifier=qualifier))
        if isinstance(api.backend, FunctionBackend)
        else api
        for api in apis
    )


USUAL = file()


def live(*changes: Change, start: Batch | None = USUAL) -> Snapshot:
    """The usual file applied, and what was changed live since."""
    snapshot = EMPTY if start is None else apply(EMPTY, start)
    return apply(snapshot, Batch(changes))


def merged(state: Snapshot, last: Batch | None, declared: Batch) -> tuple[Merge, Snapshot]:
    """A merge and where it leads; applying the same file once more is nothing."""
    found = merge(state, last, declared)
    after = apply(state, found.changes)
    for before in (declared, last):
        assert merge(after, before, declared).changes == Batch(())
    return found, after


# The law, part by part: (last, changed live, declared) -> the changes that follow

SLOW, BIG = Configuration(timeout=9), Configuration(memory=256)
A1, A2 = Configuration(environment={"A": "1"}), Configuration(environment={"A": "2"})
CASES: dict[str, tuple[Batch, list[Change], Batch, list[Change]]] = {
    "nothing changed": (USUAL, [], USUAL, []),
    "an alias moved in the file": (
        USUAL,
        [],
        orders(aliases={"release": Route("2")}),
        [PutAlias("orders", "release", Route("2"))],
    ),
    "an alias moved live": (USUAL, [PutAlias("orders", "release", Route("2"))], USUAL, []),
    "an alias moved in both": (
        USUAL,
        [PutAlias("orders", "release", Route("$LATEST"))],
        orders(aliases={"release": Route("2")}),
        [PutAlias("orders", "release", Route("2"))],
    ),
    "an alias moved to the same place in both": (
        USUAL,
        [PutAlias("orders", "release", Route("2"))],
        orders(aliases={"release": Route("2")}),
        [],
    ),
    "an alias is one unit": (
        USUAL,
        [PutAlias("orders", "release", Route("2"), "rolled back")],
        orders(aliases={"release": Route("1", {"2": Decimal("0.1")})}),
        [PutAlias("orders", "release", Route("1", {"2": Decimal("0.1")}))],
    ),
    "an alias added in the file": (
        USUAL,
        [],
        orders(aliases={"release": Route("1"), "beta": Route("2")}),
        [PutAlias("orders", "beta", Route("2"))],
    ),
    "an alias added live": (USUAL, [PutAlias("orders", "beta", Route("2"))], USUAL, []),
    "an alias dropped from the file": (
        orders(aliases={"release": Route("1"), "beta": Route("2")}),
        [],
        USUAL,
        [DeleteAlias("orders", "beta")],
    ),
    "an alias dropped from the file and moved live": (
        orders(aliases={"release": Route("1"), "beta": Route("2")}),
        [PutAlias("orders", "beta", Route("1"))],
        USUAL,
        [DeleteAlias("orders", "beta")],
    ),
    "an alias dropped in both": (
        orders(aliases={"release": Route("1"), "beta": Route("2")}),
        [DeleteAlias("orders", "beta")],
        USUAL,
        [],
    ),
    "an alias deleted live": (
        orders(aliases={"release": Route("1"), "beta": Route("2")}),
        [DeleteAlias("orders", "beta")],
        orders(aliases={"release": Route("1"), "beta": Route("2")}),
        [],
    ),
    "an alias deleted live and moved in the file": (
        orders(aliases={"release": Route("1"), "beta": Route("2")}),
        [DeleteAlias("orders", "beta")],
        orders(aliases={"release": Route("1"), "beta": Route("1")}),
        [PutAlias("orders", "beta", Route("1"))],
    ),
    "an alias deleted live that a stage of the file needs now": (
        orders(aliases={"release": Route("1"), "beta": Route("2")}),
        [DeleteAlias("orders", "beta")],
        file(
            {"orders": replace(ORDERS, aliases={"release": Route("1"), "beta": Route("2")})},
            stages={"dev": "beta", "release": "release"},
        ),
        [
            PutAlias("orders", "beta", Route("2")),
            Release(SERVICE, "dev", on((api("a"), PING), "beta")),
        ],
    ),
    "$DEFAULT dropped from the file leads to $LATEST again": (
        orders(aliases={"release": Route("1"), "$DEFAULT": Route("1")}),
        [],
        USUAL,
        [PutAlias("orders", "$DEFAULT", Route("$LATEST"))],
    ),
    "$DEFAULT moved live": (USUAL, [PutAlias("orders", "$DEFAULT", Route("1"))], USUAL, []),
    "$DEFAULT added in the file": (
        USUAL,
        [PutAlias("orders", "$DEFAULT", Route("1"))],
        orders(aliases={"release": Route("1"), "$DEFAULT": Route("2")}),
        [PutAlias("orders", "$DEFAULT", Route("2"))],
    ),
    "new code in latest/": (
        USUAL,
        [PutFunction("orders", "latest", SLOW, "words")],
        orders(code="newer"),
        [PutFunction("orders", "newer", SLOW, "words")],
    ),
    "code uploaded": (USUAL, [PutFunction("orders", "uploaded")], USUAL, []),
    "a field changed in the file, another one live": (
        USUAL,
        [PutFunction("orders", "latest", SLOW)],
        orders(configuration=BIG),
        [PutFunction("orders", "latest", Configuration(timeout=9, memory=256))],
    ),
    "the same field changed in both": (
        USUAL,
        [PutFunction("orders", "latest", SLOW)],
        orders(configuration=Configuration(timeout=5)),
        [PutFunction("orders", "latest", Configuration(timeout=5))],
    ),
    "a description": (
        USUAL,
        [PutFunction("orders", "latest", SLOW)],
        orders(description="words"),
        [PutFunction("orders", "latest", SLOW, "words")],
    ),
    "variables one by one": (
        orders(configuration=Configuration(environment={"A": "1", "B": "1", "D": "1"})),
        [
            PutFunction(
                "orders", "latest", Configuration(environment={"A": "live", "B": "1", "C": "live"})
            )
        ],
        orders(configuration=Configuration(environment={"A": "1", "B": "2", "D": "1", "E": "1"})),
        [
            PutFunction(
                "orders",
                "latest",
                Configuration(environment={"A": "live", "B": "2", "C": "live", "E": "1"}),
            )
        ],
    ),
    "a variable dropped from the file": (
        orders(configuration=A1),
        [PutFunction("orders", "latest", A2)],
        USUAL,
        [PutFunction("orders", "latest")],
    ),
    "a version added in the file": (
        USUAL,
        [],
        orders(versions={"1": "one", "2": "two", "5": "five"}, configuration=SLOW),
        [
            PutFunction("orders", "latest", SLOW),
            Publish("orders", "five", "5", "", SLOW),
        ],
    ),
    "a version published live": (
        USUAL,
        [Publish("orders", "three"), PutAlias("orders", "release", Route("3"))],
        USUAL,
        [],
    ),
    "a version published live whose folder came after it": (
        USUAL,
        [Publish("orders", "three")],
        orders(versions={"1": "one", "2": "two", "3": "three"}),
        [],
    ),
    "a folder that vanished": (USUAL, [], orders(versions={"1": "one"}), []),
    "a version deleted live": (USUAL, [DeleteVersion("orders", "2")], USUAL, []),
    "an alias of the file names a version that is only live": (
        USUAL,
        [Publish("orders", "three")],
        orders(aliases={"release": Route("3")}),
        [PutAlias("orders", "release", Route("3"))],
    ),
    "a function added in the file": (
        USUAL,
        [],
        file({"orders": ORDERS, "payments": Declared("p", {"3": "three"}, SLOW, {})}),
        [
            PutFunction("payments", "p", SLOW),
            Publish("payments", "three", "3", "", SLOW),
        ],
    ),
    "a function dropped from the file": (
        file({"orders": ORDERS, "payments": ORDERS}),
        [PutAlias("payments", "beta", Route("1"))],
        USUAL,
        [DeleteFunction("payments")],
    ),
    "a function dropped in both": (
        file({"orders": ORDERS, "payments": ORDERS}),
        [DeleteFunction("payments")],
        USUAL,
        [],
    ),
    "a function made live": (USUAL, [PutFunction("payments", "p")], USUAL, []),
    "a function made live and dropped by nobody": (
        file({"orders": ORDERS}),
        [PutFunction("payments", "p"), Publish("payments")],
        orders(code="newer"),
        [PutFunction("orders", "newer")],
    ),
    "a function deleted live": (
        file({"orders": ORDERS, "payments": ORDERS}),
        [DeleteFunction("payments")],
        file({"orders": ORDERS, "payments": ORDERS}),
        [],
    ),
    "a function deleted live that the file changed": (
        file({"orders": ORDERS, "payments": ORDERS}),
        [DeleteFunction("payments")],
        file({"orders": ORDERS, "payments": replace(ORDERS, code="newer")}),
        [
            PutFunction("payments", "newer"),
            Publish("payments", "one", "1", "", Configuration()),
            Publish("payments", "two", "2", "", Configuration()),
            PutAlias("payments", "release", Route("1")),
        ],
    ),
    "a function deleted live that an API of the file needs now": (
        file({"orders": ORDERS, "payments": Declared("p", {}, aliases={})}),
        [DeleteFunction("payments")],
        file(
            {"orders": ORDERS, "payments": Declared("p", {}, aliases={})},
            (api("p", "payments"),),
            {"dev": "$DEFAULT"},
        ),
        [
            PutFunction("payments", "p"),
            PutService(SERVICE, "shop", (api("p", "payments"),)),
            Release(SERVICE, "dev", (api("p", "payments"),)),
            Unrelease(SERVICE, "release"),
        ],
    ),
    "the service's name": (
        USUAL,
        [PutService(SERVICE, "shop", (PING,))],
        file(name="store"),
        [PutService(SERVICE, "store", (PING,))],
    ),
    "the service renamed live": (
        USUAL,
        [PutService(SERVICE, "store", (api("a"), PING))],
        USUAL,
        [],
    ),
    "an API added in the file": (
        USUAL,
        [],
        file(apis=(api("a"), PING, api("b"))),
        [
            PutService(SERVICE, "shop", (api("a"), PING, api("b"))),
            Release(SERVICE, "dev", on((api("a"), PING, api("b")), "$DEFAULT")),
            Release(SERVICE, "release", on((api("a"), PING, api("b")), "release")),
        ],
    ),
    "an API added live": (
        USUAL,
        [
            PutService(SERVICE, "shop", (api("a"), PING, api("b"))),
            Release(SERVICE, "dev", (api("b"),)),
        ],
        USUAL,
        [],
    ),
    "APIs changed in both": (
        USUAL,
        [
            PutService(SERVICE, "shop", (PING,)),
            Release(SERVICE, "dev", (PING,)),
        ],
        file(apis=(api("b"),)),
        [
            PutService(SERVICE, "shop", (api("b"),)),
            Release(SERVICE, "dev", on((api("b"),), "$DEFAULT")),
            Release(SERVICE, "release", on((api("b"),), "release")),
        ],
    ),
    "a new list of APIs keeps the qualifiers that were changed live": (
        USUAL,
        [Release(SERVICE, "release", on((api("a"), PING), "1"))],
        file(apis=(api("b"), api("a"))),
        [
            PutService(SERVICE, "shop", (api("b"), api("a"))),
            Release(SERVICE, "dev", on((api("b"), api("a")), "$DEFAULT")),
            Release(SERVICE, "release", on((api("b"), api("a")), "1")),
        ],
    ),
    "a new list of APIs keeps each API's own qualifier": (
        file(apis=(api("a"), api("b"))),
        [Release(SERVICE, "release", (api("a", qualifier="1"), api("b", qualifier="2")))],
        file(apis=(api("a"), api("b"), api("c"))),
        [
            PutService(SERVICE, "shop", (api("a"), api("b"), api("c"))),
            Release(SERVICE, "dev", (api("a"), api("b"), api("c"))),
            Release(
                SERVICE,
                "release",
                (
                    api("a", qualifier="1"),
                    api("b", qualifier="2"),
                    api("c", qualifier="release"),
                ),
            ),
        ],
    ),
    "a stage pointed elsewhere in the file keeps the APIs that were released live": (
        USUAL,
        [Release(SERVICE, "release", (api("b", qualifier="2"),), {"live": "x"})],
        file(stages={"dev": "$DEFAULT", "release": "1"}),
        [Release(SERVICE, "release", (api("b", qualifier="1"),), {"live": "x"})],
    ),
    "a stage pointed elsewhere live": (
        USUAL,
        [Release(SERVICE, "release", on((api("a"), PING), "2"))],
        USUAL,
        [],
    ),
    "variables of a stage one by one": (
        file(variables={"a": "1", "b": "1"}, stages={"dev": "$DEFAULT"}),
        [Release(SERVICE, "dev", (api("a"), PING), {"a": "live", "b": "1", "c": "live"})],
        file(variables={"a": "1", "b": "2", "d": "1"}, stages={"dev": "$DEFAULT"}),
        [Release(SERVICE, "dev", (api("a"), PING), {"a": "live", "b": "2", "c": "live", "d": "1"})],
    ),
    "a stage added in the file": (
        file(stages={"dev": "$DEFAULT"}),
        [],
        USUAL,
        [Release(SERVICE, "release", on((api("a"), PING), "release"))],
    ),
    "a stage added in both": (
        file(stages={"dev": "$DEFAULT"}),
        [Release(SERVICE, "release", (api("b", qualifier="2"),), {"live": "x"})],
        USUAL,
        [Release(SERVICE, "release", on((api("a"), PING), "release"), {"live": "x"})],
    ),
    "a stage released live": (USUAL, [Release(SERVICE, "prepub", (PING,))], USUAL, []),
    "a stage dropped from the file": (
        USUAL,
        [],
        file(stages={"dev": "$DEFAULT"}),
        [Unrelease(SERVICE, "release")],
    ),
    "a stage dropped in both": (
        USUAL,
        [Unrelease(SERVICE, "release")],
        file(stages={"dev": "$DEFAULT"}),
        [],
    ),
    "a stage taken off the air live": (USUAL, [Unrelease(SERVICE, "release")], USUAL, []),
    "a stage taken off the air live stays so when APIs change": (
        USUAL,
        [Unrelease(SERVICE, "release")],
        file(apis=(PING,)),
        [PutService(SERVICE, "shop", (PING,)), Release(SERVICE, "dev", (PING,))],
    ),
    "a stage taken off the air live that the file changed": (
        USUAL,
        [Unrelease(SERVICE, "release")],
        file(stages={"dev": "$DEFAULT", "release": "2"}),
        [Release(SERVICE, "release", on((api("a"), PING), "2"))],
    ),
    "another service": (
        USUAL,
        [PutService("other", "Other", (PING,)), Release("other", "dev", (PING,))],
        orders(code="newer"),
        [PutFunction("orders", "newer")],
    ),
}


def test_what_clients_of_the_cloud_set_stays() -> None:
    """The name of a release, what is in force beside it, and what routes nothing."""
    features = StageFeatures(overlays={"ping": Overlay((Window(1),))})
    apis = on((api("a"), PING), "release")
    state = live(
        Release(SERVICE, "release", apis, {}, features, Edition("20261124")),
        PutResource("plans", "small", {"rate": 1}),
    )
    assert merge(state, USUAL, USUAL).changes.changes == ()
    other = file(stages={**STAGES, "release": "$DEFAULT"})
    after = apply(state, merge(state, USUAL, other).changes)
    stage = after.services[SERVICE].stages["release"]
    assert (stage.features, stage.edition) == (features, None), "it is another release"
    assert after.resources == state.resources


@pytest.mark.parametrize(
    ("last", "changed", "declared", "expected"), CASES.values(), ids=CASES.keys()
)
def test_what_the_file_changed_wins_and_the_rest_stays(
    last: Batch, changed: list[Change], declared: Batch, expected: list[Change]
) -> None:
    """Exactly these changes, in an order in which they can be applied."""
    found, _ = merged(live(*changed, start=last), last, declared)
    assert list(found.changes.changes) == expected


# What is told to be kept

ALIAS = ("functions", "orders", "aliases")
STAGE = ("services", SERVICE, "stages")
BETA = orders(aliases={"release": Route("1"), "beta": Route("2")})


def plain_alias(main: str) -> dict[str, object]:
    """An alias as plain values."""
    silent: dict[str, object] = {"weights": {}, "rules": [], "split": "random", "sticky_by": None}
    return {"version": main, **silent, "description": ""}


KEPT: dict[str, tuple[Batch, list[Change], list[Kept]]] = {
    "nothing": (USUAL, [], []),
    "a moved alias": (
        USUAL,
        [PutAlias("orders", "release", Route("2"))],
        [Kept((*ALIAS, "release"), plain_alias("1"), plain_alias("2"))],
    ),
    "a new alias": (
        USUAL,
        [PutAlias("orders", "beta", Route("2"))],
        [Kept((*ALIAS, "beta"), None, plain_alias("2"))],
    ),
    "a deleted alias": (
        BETA,
        [DeleteAlias("orders", "beta")],
        [Kept((*ALIAS, "beta"), plain_alias("2"), None)],
    ),
    "a moved $DEFAULT": (
        USUAL,
        [PutAlias("orders", "$DEFAULT", Route("2"))],
        [Kept((*ALIAS, "$DEFAULT"), plain_alias("$LATEST"), plain_alias("2"))],
    ),
    "fields of $LATEST": (
        orders(configuration=A1),
        [PutFunction("orders", "up", Configuration(timeout=9, environment={"B": "2"}), "words")],
        [
            Kept(("functions", "orders", "versions", "$LATEST", *at), declared, found)
            for at, declared, found in [
                (("code",), "latest", "up"),
                (("timeout",), 3.0, 9),
                (("environment", "B"), None, "2"),
                (("environment", "A"), "1", None),
                (("description",), "", "words"),
            ]
        ],
    ),
    "a deleted version": (
        USUAL,
        [DeleteVersion("orders", "2")],
        [
            Kept(
                ("functions", "orders", "versions", "2"),
                version_plain(apply(EMPTY, USUAL).functions["orders"].versions["2"]),
                None,
            )
        ],
    ),
    "a published version is nobody's business": (USUAL, [Publish("orders", "three")], []),
    "a version that was made anew": (
        file(stages={}),
        [
            DeleteFunction("orders"),
            PutFunction("orders", "latest"),
            Publish("orders", "other"),
            Publish("orders", "two"),
            PutAlias("orders", "release", Route("1")),
        ],
        [Kept(("functions", "orders", "versions", "1", "code"), "one", "other")],
    ),
    "a deleted function": (
        file({"orders": ORDERS, "payments": ORDERS}),
        [DeleteFunction("payments")],
        [
            Kept(
                ("functions", "payments"),
                {
                    "name": "payments",
                    "versions": function_plain(
                        apply(EMPTY, file({"payments": ORDERS}, (), {})).functions["payments"]
                    )["versions"],
                    "aliases": {"release": plain_alias("1")},
                    "faults": {},
                },
                None,
            )
        ],
    ),
    "the service": (
        USUAL,
        [PutService(SERVICE, "store", (PING,))],
        [
            Kept(("services", SERVICE, "name"), "shop", "store"),
            Kept(
                ("services", SERVICE, "apis"),
                [api_plain(api("a")), api_plain(PING)],
                [api_plain(PING)],
            ),
        ],
    ),
    "a stage's APIs and variables": (
        file(stages={"dev": "$DEFAULT"}, variables={"a": "1"}),
        [Release(SERVICE, "dev", (PING,), {"b": "2"})],
        [
            Kept(
                (*STAGE, "dev", "apis"),
                [api_plain(api("a")), api_plain(PING)],
                [api_plain(PING)],
            ),
            Kept((*STAGE, "dev", "variables", "b"), None, "2"),
            Kept((*STAGE, "dev", "variables", "a"), "1", None),
        ],
    ),
    "a stage's qualifiers": (
        file(apis=(api("a"), api("b")), stages={"dev": "$DEFAULT"}),
        [Release(SERVICE, "dev", (api("a", qualifier="1"), api("b", qualifier="2")))],
        [Kept((*STAGE, "dev", "qualifiers", "orders"), "$DEFAULT", "1, 2")],
    ),
    "a stage off the air": (
        USUAL,
        [Unrelease(SERVICE, "release")],
        [
            Kept(
                (*STAGE, "release"),
                stage_plain(apply(EMPTY, USUAL).services[SERVICE].stages["release"]),
                None,
            )
        ],
    ),
    "a new stage": (
        USUAL,
        [Release(SERVICE, "prepub", (PING,))],
        [Kept((*STAGE, "prepub"), None, {"variables": {}, "apis": [api_plain(PING)]})],
    ),
    "nothing of other services and of functions that no file ever named": (
        USUAL,
        [
            PutService("other", "Other"),
            PutFunction("payments", "p"),
            PutAlias("payments", "x", Route("$LATEST")),
        ],
        [],
    ),
}


@pytest.mark.parametrize(("declared", "changed", "expected"), KEPT.values(), ids=KEPT.keys())
def test_what_survives_is_told(
    declared: Batch, changed: list[Change], expected: list[Kept]
) -> None:
    """Part by part, as the file has it and as it is live."""
    found, _ = merged(live(*changed, start=declared), declared, declared)
    assert list(found.kept) == expected
    assert found.changes == Batch(())


def test_what_the_file_overrides_is_not_kept() -> None:
    """It is changed."""
    state = live(PutAlias("orders", "release", Route("$LATEST")))
    found, _ = merged(state, USUAL, orders(aliases={"release": Route("2")}))
    assert found.kept == ()


def test_what_comes_back_is_not_kept() -> None:
    """The alias was deleted live, and a stage of the file needs it again."""
    state = live(DeleteAlias("orders", "beta"), start=BETA)
    aliases = {"release": Route("1"), "beta": Route("2")}
    needs = file({"orders": replace(ORDERS, aliases=aliases)}, stages={**STAGES, "dev": "beta"})
    found, after = merged(state, BETA, needs)
    assert found.kept == ()
    assert alias_plain(after.functions["orders"].aliases["beta"]) == plain_alias("2")


# Features of stages: each by itself


def gated(features: StageFeatures) -> Batch:
    """The usual file with features on every stage."""
    return Batch(
        tuple(
            replace(change, features=features) if isinstance(change, Release) else change
            for change in USUAL.changes
        )
    )


@pytest.mark.parametrize(
    ("last", "here", "declared", "expected", "kept"),
    [
        pytest.param(
            StageFeatures(5),
            StageFeatures(5, deny=("::1",)),
            StageFeatures(6),
            StageFeatures(6, deny=("::1",)),
            ["deny"],
            id="the limit in the file, the networks live",
        ),
        pytest.param(
            StageFeatures(5),
            StageFeatures(9),
            StageFeatures(5),
            StageFeatures(9),
            ["throttle"],
            id="the limit live",
        ),
        pytest.param(
            StageFeatures(5, ("::1",)),
            StageFeatures(5, ("::1",)),
            StageFeatures(allow=("::1",)),
            StageFeatures(allow=("::1",)),
            [],
            id="the limit dropped from the file",
        ),
        pytest.param(
            None,
            StageFeatures(9, deny=("::1",)),
            StageFeatures(5),
            StageFeatures(5, deny=("::1",)),
            ["deny"],
            id="the first time",
        ),
    ],
)
def test_each_feature_of_a_stage_is_settled_by_itself(
    last: StageFeatures | None,
    here: StageFeatures,
    declared: StageFeatures,
    expected: StageFeatures,
    kept: list[str],
) -> None:
    """A file that is silent about a limit or a network takes neither away."""
    state = live(start=gated(here))
    found = merge(state, gated(last) if last else None, gated(declared))
    after = apply(state, found.changes).services[SERVICE].stages
    assert [stage.features for stage in after.values()] == [expected] * 2
    assert {each.path[4:] for each in found.kept} == {("features", name) for name in kept}


def test_a_stage_that_comes_back_has_its_features() -> None:
    """It was taken off the air live, and the file changes its limit."""
    state = live(Unrelease(SERVICE, "dev"), start=gated(StageFeatures(5)))
    found = merge(state, gated(StageFeatures(5)), gated(StageFeatures(6)))
    after = apply(state, found.changes).services[SERVICE].stages
    assert after["dev"].features == StageFeatures(6)


# Keys and usage plans: as a whole

PARTNER = Access({"partner": Key("AKID", "s3cret")}, {"gold": UsagePlan(("partner",), ("dev",))})
OTHERS = Access({"other": Key("AKID", "other")})


def keyed(access: Access) -> Batch:
    """The usual file with keys."""
    return Batch(
        tuple(
            replace(change, access=access) if isinstance(change, PutService) else change
            for change in USUAL.changes
        )
    )


@pytest.mark.parametrize(
    ("last", "here", "declared", "expected", "kept"),
    [
        pytest.param(NO_ACCESS, NO_ACCESS, PARTNER, PARTNER, False, id="new in the file"),
        pytest.param(PARTNER, PARTNER, NO_ACCESS, NO_ACCESS, False, id="dropped from the file"),
        pytest.param(PARTNER, OTHERS, PARTNER, OTHERS, True, id="others live"),
        pytest.param(OTHERS, PARTNER, NO_ACCESS, NO_ACCESS, False, id="both"),
        pytest.param(None, PARTNER, NO_ACCESS, PARTNER, True, id="the first time, silent"),
        pytest.param(None, PARTNER, OTHERS, OTHERS, False, id="the first time"),
    ],
)
def test_keys_and_plans_are_settled_as_a_whole(
    *, last: Access | None, here: Access, declared: Access, expected: Access, kept: bool
) -> None:
    """What the file changed wins; what is kept is told without secrets."""
    state = live(start=keyed(here))
    found = merge(state, keyed(last) if last else None, keyed(declared))
    assert apply(state, found.changes).services[SERVICE].access == expected
    told = [each for each in found.kept if each.path[-1] == "access"]
    assert [each.path for each in told] == [("services", SERVICE, "access")] * kept
    assert "s3cret" not in repr(told)


def test_a_merge_that_leaves_keys_alone_does_not_name_them() -> None:
    """A change in the journal holds a secret only where it sets one."""
    state = live(start=keyed(PARTNER))
    declared = Batch(
        tuple(
            replace(change, name="store") if isinstance(change, PutService) else change
            for change in keyed(PARTNER).changes
        )
    )
    found = merge(state, keyed(PARTNER), declared)
    assert found.changes == Batch((PutService(SERVICE, "store", (api("a"), PING)),))


# The first time


def test_on_nothing_a_file_builds_what_it_declares() -> None:
    """As `apply` would from the empty state."""
    found, after = merged(EMPTY, None, USUAL)
    expected = apply(EMPTY, USUAL)
    assert (after.functions, after.services) == (expected.functions, expected.services)
    assert found.kept == ()


def test_the_first_time_a_file_overrides_what_it_names_and_deletes_nothing() -> None:
    """The live state was made by hand, without any file."""
    state = live(
        PutFunction("orders", "uploaded", Configuration(timeout=9, environment={"B": "2"})),
        Publish("orders", "one"),
        PutAlias("orders", "release", Route("$LATEST")),
        PutAlias("orders", "beta", Route("1")),
        PutAlias("orders", "$DEFAULT", Route("1")),
        PutFunction("payments", "p"),
        PutService(SERVICE, "by hand", (api("b"),)),
        Release(SERVICE, "release", (api("b", qualifier="beta"),), {"live": "x"}),
        Release(SERVICE, "prepub", (PING,)),
        start=None,
    )
    found, after = merged(state, None, orders(configuration=A1))
    function, service = after.functions["orders"], after.services[SERVICE]
    assert function.configuration == Configuration(environment={"B": "2", "A": "1"})
    assert {name: alias.route for name, alias in function.aliases.items()} == {
        "$DEFAULT": Route("1"),
        "release": Route("1"),
        "beta": Route("1"),
    }
    assert function.versions["1"] is state.functions["orders"].versions["1"]
    assert function.versions["2"].configuration == A1
    assert after.functions["payments"] is state.functions["payments"]
    assert (service.name, service.apis) == ("shop", (api("a"), PING))
    assert service.stages["release"].apis == on((api("a"), PING), "release")
    assert service.stages["release"].variables == {"live": "x"}
    assert service.stages["prepub"] is state.services[SERVICE].stages["prepub"]
    assert {kept.path for kept in found.kept} == {
        (*ALIAS, "$DEFAULT"),
        (*ALIAS, "beta"),
        ("functions", "orders", "versions", "$LATEST", "environment", "B"),
        (*STAGE, "release", "variables", "live"),
        (*STAGE, "prepub"),
    }


def test_a_service_that_is_not_there_is_built_in_whole() -> None:
    """Even if the file was applied before, to a state that was lost."""
    _, after = merged(EMPTY, USUAL, USUAL)
    assert after.services[SERVICE] == apply(EMPTY, USUAL).services[SERVICE]
    assert list(after.functions) == ["orders"]


def test_a_file_may_declare_versions_without_a_number() -> None:
    """The next number then, as in a change; nested batches are one batch."""
    changes = (PutFunction("orders", "latest"), Publish("orders"), Publish("orders", "two"))
    declared = Batch((PutService(SERVICE, "shop"), Batch(changes)))
    _, after = merged(EMPTY, None, declared)
    versions = after.functions["orders"].versions
    assert {number: version.code for number, version in versions.items()} == {
        "$LATEST": "latest",
        "1": "latest",
        "2": "two",
    }


def test_a_version_keeps_a_configuration_that_was_declared_for_it() -> None:
    """A declaration that was made from a snapshot has them."""
    declared = Batch((PutFunction("orders", "x"), Publish("orders", "y", "1", "first", SLOW)))
    _, after = merged(EMPTY, None, declared)
    version = after.functions["orders"].versions["1"]
    assert (version.configuration, version.description) == (SLOW, "first")


def test_a_declaration_holds_only_what_declares() -> None:
    """A deletion cannot be declared."""
    with pytest.raises(ValueError, match="a declaration holds no DeleteFunction"):
        merge(EMPTY, None, Batch((DeleteFunction("orders"),)))


# Refusals

REFUSED: dict[str, tuple[Batch, list[Change], Batch, dict[tuple[str | int, ...], str]]] = {
    "a published version was edited": (
        USUAL,
        [],
        orders(versions={"1": "edited", "2": "two"}),
        {("functions", "orders", "source"): "edited-version"},
    ),
    "a folder has the number of another version that was published live": (
        USUAL,
        [Publish("orders", "three")],
        orders(versions={"1": "one", "2": "two", "3": "mine"}),
        {("functions", "orders", "source"): "edited-version"},
    ),
    "a number that was passed over": (
        orders(versions={"1": "one", "5": "five"}),
        [],
        orders(versions={"1": "one", "3": "three", "5": "five"}),
        {("functions", "orders", "source"): "bad-version"},
    ),
    "a number that was deleted live before the file had it": (
        USUAL,
        [Publish("orders"), DeleteVersion("orders", "3")],
        orders(versions={"1": "one", "2": "two", "3": "three"}, aliases={"release": Route("3")}),
        {("functions", "orders", "source"): "bad-version"},
    ),
    "an alias names a version that was deleted live": (
        USUAL,
        [DeleteVersion("orders", "2")],
        orders(
            aliases={
                "release": Route("2"),
                "beta": Route("1", {"2": Decimal("0.5")}),
            }
        ),
        {
            ("functions", "orders", "aliases", "release", "version"): "unknown-version",
            ("functions", "orders", "aliases", "beta", "weights", "2"): "unknown-version",
        },
    ),
    "a stage names a version that was deleted live": (
        USUAL,
        [DeleteVersion("orders", "2")],
        file(stages={"dev": "$DEFAULT", "release": "2"}),
        {("stages", "release", "alias"): "unknown-qualifier"},
    ),
    "a new alias that cannot be is not told again for its stage": (
        USUAL,
        [DeleteVersion("orders", "2")],
        file(
            {"orders": replace(ORDERS, aliases={"release": Route("1"), "new": Route("2")})},
            stages={"dev": "new", "release": "release"},
        ),
        {("functions", "orders", "aliases", "new", "version"): "unknown-version"},
    ),
    "a dropped alias that a stage names live": (
        BETA,
        [Release(SERVICE, "prepub", (api("x", qualifier="beta"),))],
        USUAL,
        {("functions", "orders", "aliases"): "alias-in-use"},
    ),
    "a dropped function that another service names": (
        USUAL,
        [PutService("other", "Other"), Release("other", "dev", (api("x"),))],
        file({}, (PING,), {"dev": "$DEFAULT"}),
        {("functions", "orders"): "function-in-use"},
    ),
}


@pytest.mark.parametrize(
    ("last", "changed", "declared", "expected"), REFUSED.values(), ids=REFUSED.keys()
)
def test_what_cannot_be_applied_is_refused_at_its_place(
    last: Batch,
    changed: list[Change],
    declared: Batch,
    expected: dict[tuple[str | int, ...], str],
) -> None:
    """Each mistake once; what only follows from another one is not told."""
    with pytest.raises(Refused) as caught:
        merge(live(*changed, start=last), last, declared)
    problems = caught.value.problems
    assert {problem.at: problem.code for problem in problems} == expected
    assert len(problems) == len(expected)


def test_all_problems_are_told_at_once() -> None:
    """Of all functions and stages."""
    both = {"orders": ORDERS, "payments": ORDERS}
    edited = replace(ORDERS, versions={"1": "edited", "2": "edited too"})
    state = live(DeleteVersion("orders", "2"), start=file(both))
    wrong = file({"orders": replace(ORDERS, aliases={"x": Route("2")}), "payments": edited})
    with pytest.raises(Refused) as caught:
        merge(state, file(both), wrong)
    assert sorted(problem.code for problem in caught.value.problems) == [
        "alias-in-use",
        "edited-version",
        "edited-version",
        "unknown-version",
    ]


def test_an_edited_version_is_told_with_the_way_out() -> None:
    """The hint has the command that restores the folder."""
    with pytest.raises(Refused) as caught:
        merge(live(), USUAL, orders(versions={"1": "edited", "2": "two"}))
    [problem] = caught.value.problems
    assert problem.message == (
        "version '1' of function 'orders' is published and never changes, "
        "but the folder v1 of its source was edited"
    )
    assert problem.hint == (
        "put the edit into latest/ and publish, or restore the folder: "
        "`gateway code get orders --version 1`"
    )


def test_a_used_number_is_told_with_the_next_free_one() -> None:
    """Also when the file itself has higher ones."""
    state = live(Publish("orders", number="5"), DeleteVersion("orders", "5"))
    wrong = orders(versions={"1": "one", "2": "two", "4": "four", "7": "seven"})
    with pytest.raises(Refused) as caught:
        merge(state, USUAL, wrong)
    [problem] = caught.value.problems
    assert problem.message == (
        "the folder v4 of function 'orders' cannot be published: "
        "it has used the numbers up to 5, and they are never used twice"
    )
    assert problem.hint == "the next free number is 8: call the folder 'v8'"


def test_a_version_with_a_weight_is_the_key_that_is_wrong() -> None:
    """As in a file that does not load."""
    wrong = orders(aliases={"release": Route("1", {"2": Decimal("0.5")})})
    with pytest.raises(Refused) as caught:
        merge(live(DeleteVersion("orders", "2")), USUAL, wrong)
    assert [problem.on_key for problem in caught.value.problems] == [True]


def test_what_load_would_have_refused_is_refused_all_the_same() -> None:
    """A declaration that no file gave: without a place, because there is none."""
    with pytest.raises(Refused) as caught:
        merge(live(), USUAL, Batch((*USUAL.changes, PutFunction("1st", "code"))))
    assert [(problem.code, problem.at) for problem in caught.value.problems] == [("bad-name", ())]

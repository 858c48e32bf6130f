"""Changes: each alters what it says and nothing else, or is refused and alters nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    PutService,
    Release,
    Unrelease,
)
from gateway.core.decide import decide
from gateway.core.entries import Target
from gateway.core.errors import Refused
from gateway.core.functions import Configuration, FunctionVersion
from gateway.core.routes import parse_path
from gateway.core.rules import RequestView, parse_rule
from gateway.core.snapshot import (
    EMPTY,
    Api,
    FunctionBackend,
    HttpBackend,
    MockBackend,
    Service,
    Snapshot,
    Stage,
)
from gateway.core.split import Draw

Build = Callable[..., Snapshot]

BOB = parse_rule("invoke.headers.User exact Bob", "2")
SPLIT = Route("1", {"2": Decimal("0.1")})


def api(name: str, qualifier: str = "$DEFAULT", function: str = "orders") -> Api:
    """An API that a function answers."""
    return Api(name, "GET", parse_path(f"/{name}"), FunctionBackend(function, qualifier))


@pytest.fixture(scope="module")
def full(build: Build, shop: Snapshot) -> Snapshot:
    """The shop with a second function, two aliases and a service on two stages."""
    return build(
        PutFunction("payments", "payment code"),
        PutAlias("orders", "release", SPLIT, "for everybody"),
        PutAlias("orders", "prepub", Route("3", rules=(BOB,))),
        PutService("shop", "The shop"),
        Release("shop", "dev", (api("a"), Api("m", "ANY", parse_path("=/m"), MockBackend("m")))),
        Release("shop", "release", (api("a", "release"),), {"region": "local"}),
        start=shop,
    )


# What each change does


def test_a_new_function_has_an_editable_version_and_a_default_alias() -> None:
    """`$DEFAULT` leads to `$LATEST`, as in the cloud."""
    slow = Configuration(timeout=30)
    snapshot = apply(EMPTY, PutFunction("orders", "code", slow, "words"))
    function = snapshot.functions["orders"]
    latest = FunctionVersion("orders", "$LATEST", "code", slow, "words")
    assert function.versions == {"$LATEST": latest}
    assert list(function.aliases) == ["$DEFAULT"]
    assert function.aliases["$DEFAULT"].route == Route("$LATEST")
    assert function.last == 0
    assert set(snapshot.entries["orders"]) == {"$LATEST", "$DEFAULT"}


def test_putting_a_function_again_gives_its_editable_version_new_code(full: Snapshot) -> None:
    """Published versions and aliases stay, as do their numbers."""
    before = full.functions["orders"]
    after = apply(full, PutFunction("orders", "newer")).functions["orders"]
    assert after.versions["$LATEST"] == FunctionVersion(
        "orders", "$LATEST", "newer", Configuration()
    )
    for number in "123456":
        assert after.versions[number] is before.versions[number]
    assert (after.aliases, after.last) == (before.aliases, before.last)


def test_publishing_freezes_the_editable_version(build: Build) -> None:
    """Code and configuration of the moment, with the publisher's words."""
    first = PutFunction("orders", "one", Configuration(timeout=1), "of $LATEST")
    second = PutFunction("orders", "two", Configuration(timeout=2))
    snapshot = build(first, Publish("orders", description="first"), second)
    function = snapshot.functions["orders"]
    assert function.versions["1"] == FunctionVersion(
        "orders", "1", "one", Configuration(timeout=1), "first"
    )
    assert function.versions["$LATEST"].code == "two"
    assert function.last == 1


@pytest.mark.parametrize(
    ("change", "number", "code"),
    [
        pytest.param(Publish("orders"), "7", "latest code", id="the next number"),
        pytest.param(Publish("orders", number="10"), "10", "latest code", id="a later number"),
        pytest.param(Publish("orders", "frozen"), "7", "frozen", id="code of its own"),
        pytest.param(Publish("orders", ""), "7", "", id="even empty code"),
    ],
)
def test_published_versions_have_a_number_and_code(
    change: Publish, number: str, code: str, shop: Snapshot
) -> None:
    """The change may name either."""
    function = apply(shop, change).functions["orders"]
    assert function.versions[number].code == code
    assert function.last == int(number)


def test_a_version_may_be_frozen_with_a_configuration_of_its_own(shop: Snapshot) -> None:
    """Without one it has that of `$LATEST`, which stays as it is either way."""
    own = Configuration(timeout=9, environment={"A": "b"})
    function = apply(shop, Publish("orders", "frozen", configuration=own)).functions["orders"]
    assert function.versions["7"].configuration == own
    assert function.versions["6"].configuration == function.configuration == Configuration()


def test_numbers_are_never_used_again(build: Build, shop: Snapshot) -> None:
    """Even when the last version was deleted, or a number was passed over."""
    snapshot = build(DeleteVersion("orders", "6"), Publish("orders"), start=shop)
    assert "6" not in snapshot.functions["orders"].versions
    assert "7" in snapshot.functions["orders"].versions
    snapshot = build(Publish("orders", number="20"), DeleteVersion("orders", "20"), start=snapshot)
    assert snapshot.functions["orders"].last == 20
    for number in ("6", "7", "20"):
        with pytest.raises(Refused, match="allowed: numbers above 20"):
            apply(snapshot, Publish("orders", number=number))
    assert "21" in apply(snapshot, Publish("orders")).functions["orders"].versions


def test_deleting_a_version_removes_it_as_a_qualifier(shop: Snapshot) -> None:
    """Only that one."""
    snapshot = apply(shop, DeleteVersion("orders", "3"))
    assert list(snapshot.functions["orders"].versions) == ["$LATEST", "1", "2", "4", "5", "6"]
    assert set(shop.entries["orders"]) - set(snapshot.entries["orders"]) == {"3"}


def test_putting_an_alias_replaces_its_whole_routing(full: Snapshot) -> None:
    """What is not named is cleared: weights, rules, words."""
    alias = apply(full, PutAlias("orders", "release", Route("2"))).functions["orders"].aliases
    assert alias["release"].route == Route("2")
    assert alias["release"].description == ""
    assert alias["prepub"] is full.functions["orders"].aliases["prepub"]


@pytest.mark.parametrize("name", ["release", "$DEFAULT", "a"])
def test_any_alias_can_carry_any_routing(
    name: str, shop: Snapshot, nobody: RequestView, fixed: Callable[[float], Draw]
) -> None:
    """`$DEFAULT` too; and the change counts on the next request."""
    snapshot = apply(shop, PutAlias("orders", name, Route("1", {"2": Decimal("0.1")}, (BOB,))))
    target = Target("orders", name)
    assert decide(snapshot, target, nobody, fixed(0.05)).version == "2"
    assert decide(snapshot, target, nobody, fixed(0.15)).version == "1"
    back = apply(snapshot, PutAlias("orders", name, Route("1")))
    assert decide(back, target, nobody, fixed(0.05)).version == "1"


def test_deleting_an_alias_removes_it_as_a_qualifier(full: Snapshot) -> None:
    """Only that one; its versions stay."""
    snapshot = apply(full, DeleteAlias("orders", "prepub"))
    assert list(snapshot.functions["orders"].aliases) == ["$DEFAULT", "release"]
    assert set(full.entries["orders"]) - set(snapshot.entries["orders"]) == {"prepub"}
    assert snapshot.functions["orders"].versions == full.functions["orders"].versions


def test_deleting_a_function_removes_all_of_it(full: Snapshot) -> None:
    """The other function stays."""
    snapshot = apply(full, DeleteFunction("payments"))
    assert list(snapshot.functions) == ["orders"]
    assert list(snapshot.entries) == ["orders"]


def test_a_service_is_created_or_renamed(full: Snapshot) -> None:
    """Renaming keeps its stages; the APIs to be released next are given anew each time."""
    assert apply(EMPTY, PutService("s", "One")).services == {"s": Service("s", "One", {})}
    drafted = apply(full, PutService("shop", "Another", (api("a"), api("b")))).services["shop"]
    assert drafted.name == "Another"
    assert drafted.apis == (api("a"), api("b"))
    assert drafted.stages is full.services["shop"].stages
    snapshot = apply(full, PutService("shop", "Another"))
    assert snapshot.services["shop"].apis == ()


def test_releasing_publishes_apis_to_one_stage(full: Snapshot) -> None:
    """The whole stage is replaced, variables included; other stages stay."""
    apis = (api("b", "3"), Api("h", "ANY", parse_path("^~/h"), HttpBackend("http://h")))
    snapshot = apply(full, Release("shop", "release", apis))
    stages = snapshot.services["shop"].stages
    assert stages["release"] == Stage("release", apis)
    assert stages["dev"] is full.services["shop"].stages["dev"]
    assert list(stages) == ["dev", "release"]


@pytest.mark.parametrize("stage", ["test", "dev"])
def test_test_is_dev(stage: str, full: Snapshot) -> None:
    """Releasing to either and taking either off the air is the same."""
    released = apply(full, Release("shop", stage, (api("c"),))).services["shop"]
    assert list(released.stages) == ["dev", "release"]
    assert [found.id for found in released.stages["dev"].apis] == ["c"]
    assert released.stages["dev"].name == "dev"
    gone = apply(full, Unrelease("shop", stage)).services["shop"]
    assert list(gone.stages) == ["release"]


def test_every_qualifier_can_be_released(shop: Snapshot, build: Build) -> None:
    """A version, the editable code, an alias."""
    apis = (api("a", "3"), api("b", "$LATEST"), api("c", "$DEFAULT"))
    snapshot = build(PutService("shop", ""), Release("shop", "prepub", apis), start=shop)
    assert snapshot.services["shop"].stages["prepub"].apis == apis


# Refusals


@pytest.mark.parametrize(
    ("change", "code", "message", "hint"),
    [
        pytest.param(
            PutFunction("1st", "code"),
            "bad-name",
            "'1st' cannot name a function; allowed: 1 to 60 letters, digits, '-' or '_', "
            "starting with a letter and ending with a letter or digit",
            "",
            id="a function's name",
        ),
        pytest.param(
            DeleteFunction("order"),
            "unknown-function",
            "no function 'order'; there is orders, payments",
            "did you mean 'orders'?",
            id="deleting no function",
        ),
        pytest.param(
            DeleteFunction("orders"),
            "function-in-use",
            "function 'orders' answers '/a' in stage 'dev' of service 'shop'",
            "release the stage without that api first",
            id="deleting a function that answers an api",
        ),
        pytest.param(
            Publish("stock"),
            "unknown-function",
            "no function 'stock'; there is orders, payments",
            "",
            id="publishing no function",
        ),
        pytest.param(
            Publish("orders", number="6"),
            "bad-version",
            "'6' cannot be published; allowed: numbers above 6",
            "",
            id="publishing a number that was used",
        ),
        pytest.param(
            Publish("orders", number="$LATEST"),
            "bad-version",
            "'$LATEST' cannot be published; allowed: numbers above 6",
            "",
            id="publishing what is no number",
        ),
        pytest.param(
            Publish("orders", number="07"),
            "bad-version",
            "'07' cannot be published; allowed: numbers above 6",
            "",
            id="publishing a leading zero",
        ),
        pytest.param(
            DeleteVersion("stock", "1"),
            "unknown-function",
            "no function 'stock'; there is orders, payments",
            "",
            id="deleting a version of no function",
        ),
        pytest.param(
            DeleteVersion("orders", "9"),
            "unknown-version",
            "'9' is no published version of 'orders'; it has 1, 2, 3, 4, 5, 6",
            "",
            id="deleting no version",
        ),
        pytest.param(
            DeleteVersion("orders", "$LATEST"),
            "unknown-version",
            "'$LATEST' is no published version of 'orders'; it has 1, 2, 3, 4, 5, 6",
            "",
            id="deleting the editable version",
        ),
        pytest.param(
            DeleteVersion("payments", "1"),
            "unknown-version",
            "'1' is no published version of 'payments'; it has none",
            "",
            id="deleting a version where there is none",
        ),
        pytest.param(
            DeleteVersion("orders", "1"),
            "version-in-use",
            "version '1' of 'orders' is named by release",
            "point the alias somewhere else first",
            id="deleting a main version",
        ),
        pytest.param(
            DeleteVersion("orders", "2"),
            "version-in-use",
            "version '2' of 'orders' is named by release, prepub",
            "point the alias somewhere else first",
            id="deleting an additional version, which is also a rule's",
        ),
        pytest.param(
            PutAlias("stock", "release", Route("1")),
            "unknown-function",
            "no function 'stock'; there is orders, payments",
            "",
            id="an alias of no function",
        ),
        pytest.param(
            PutAlias("orders", "2nd", Route("1")),
            "bad-name",
            "'2nd' cannot name an alias; allowed: '$DEFAULT', or 1 to 64 letters, digits, "
            "'-' or '_' that start with a letter",
            "",
            id="an alias's name",
        ),
        pytest.param(
            PutAlias("orders", "$LATEST", Route("1")),
            "bad-name",
            "'$LATEST' cannot name an alias",
            "",
            id="the editable version as an alias",
        ),
        pytest.param(
            DeleteAlias("stock", "release"),
            "unknown-function",
            "no function 'stock'; there is orders, payments",
            "",
            id="deleting an alias of no function",
        ),
        pytest.param(
            DeleteAlias("orders", "$DEFAULT"),
            "alias-fixed",
            "$DEFAULT cannot be deleted; point it somewhere else",
            "",
            id="deleting $DEFAULT",
        ),
        pytest.param(
            DeleteAlias("orders", "relase"),
            "unknown-alias",
            "function 'orders' has no alias 'relase'; it has $DEFAULT, release, prepub",
            "did you mean 'release'?",
            id="deleting no alias",
        ),
        pytest.param(
            DeleteAlias("orders", "1"),
            "unknown-alias",
            "function 'orders' has no alias '1'",
            "",
            id="deleting a version as an alias",
        ),
        pytest.param(
            Release("shoop", "dev", ()),
            "unknown-service",
            "no service 'shoop'; there is shop",
            "did you mean 'shop'?",
            id="releasing no service",
        ),
        pytest.param(
            Release("shop", "prod", ()),
            "unknown-stage",
            "no stage 'prod'; allowed: dev, prepub, release",
            "",
            id="releasing to no stage",
        ),
        pytest.param(
            Release("shop", "relese", ()),
            "unknown-stage",
            "no stage 'relese'; allowed: dev, prepub, release",
            "did you mean 'release'?",
            id="releasing to a stage with a typo",
        ),
        pytest.param(
            Unrelease("shoop", "dev"),
            "unknown-service",
            "no service 'shoop'; there is shop",
            "did you mean 'shop'?",
            id="taking no service off the air",
        ),
        pytest.param(
            Unrelease("shop", "prepub"),
            "unknown-stage",
            "service 'shop' is not released to 'prepub'; it is to dev, release",
            "",
            id="taking a stage off the air that is not on it",
        ),
        pytest.param(
            Unrelease("shop", "prod"),
            "unknown-stage",
            "no stage 'prod'; allowed: dev, prepub, release",
            "",
            id="taking no stage off the air",
        ),
    ],
)
def test_changes_that_break_a_rule_are_refused(
    change: Change, code: str, message: str, hint: str, full: Snapshot
) -> None:
    """With a stable code, the thing, the value and what is allowed."""
    with pytest.raises(Refused) as caught:
        apply(full, change)
    [problem] = caught.value.problems
    assert problem.code == code
    assert message in problem.message
    assert (problem.at, problem.hint) == ((), hint)


def test_a_version_that_answers_an_api_cannot_be_deleted(full: Snapshot, build: Build) -> None:
    """It can as soon as the stage names another qualifier; other stages and versions can be."""
    held = build(Release("shop", "prepub", (api("b", "5"), api("c", "4"))), start=full)
    with pytest.raises(Refused) as caught:
        apply(held, DeleteVersion("orders", "5"))
    [problem] = caught.value.problems
    assert problem.code == "version-in-use"
    where = "'/b' in stage 'prepub' of service 'shop'"
    assert problem.message == f"version '5' of 'orders' answers {where}"
    assert problem.hint == "release the stage with another qualifier first"
    assert "6" not in apply(held, DeleteVersion("orders", "6")).functions["orders"].versions
    moved = build(Release("shop", "prepub", (api("b"),)), DeleteVersion("orders", "5"), start=held)
    assert "5" not in moved.functions["orders"].versions


def test_an_alias_that_answers_an_api_cannot_be_deleted(full: Snapshot, build: Build) -> None:
    """Another function's alias of the same name can be."""
    with pytest.raises(Refused) as caught:
        apply(full, DeleteAlias("orders", "release"))
    [problem] = caught.value.problems
    assert problem.code == "alias-in-use"
    where = "'/a' in stage 'release' of service 'shop'"
    assert problem.message == f"alias 'release' of 'orders' answers {where}"
    assert problem.hint == "release the stage with another qualifier first"
    other = build(
        PutAlias("payments", "release", Route("$LATEST")),
        DeleteAlias("payments", "release"),
        start=full,
    )
    assert list(other.functions["payments"].aliases) == ["$DEFAULT"]
    gone = build(Unrelease("shop", "release"), DeleteAlias("orders", "release"), start=full)
    assert "release" not in gone.functions["orders"].aliases


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        pytest.param(
            PutAlias("orders", "a", Route("7", {"8": Decimal(0)}, (parse_rule(BOB.when, "9"),))),
            {
                ("version",): "unknown-version",
                ("weights", "8"): "unknown-version",
                ("rules", 0, "version"): "unknown-version",
            },
            id="each version that an alias names",
        ),
        pytest.param(
            Release("shop", "dev", (api("a"), api("b", "relase"), api("c", function="order"))),
            {(1,): "unknown-qualifier", (2,): "unknown-function"},
            id="each api with an unknown target",
        ),
        pytest.param(
            Release("shop", "dev", (api("a"), api("b"), api("a", "release"))),
            {(2,): "duplicate-api"},
            id="an api like another",
        ),
    ],
)
def test_refusals_tell_every_place(
    change: Change, problems: Mapping[tuple[str | int, ...], str], full: Snapshot
) -> None:
    """All at once."""
    with pytest.raises(Refused) as caught:
        apply(full, change)
    assert {problem.at: problem.code for problem in caught.value.problems} == problems


def test_an_unknown_version_of_an_alias_is_told_with_what_there_is(full: Snapshot) -> None:
    """Published versions in order, and the editable one."""
    with pytest.raises(Refused) as caught:
        apply(full, PutAlias("orders", "release", Route("7")))
    [problem] = caught.value.problems
    assert problem.message == (
        "alias 'release' of function 'orders' names version '7'; "
        "it has 1, 2, 3, 4, 5, 6 and $LATEST"
    )


def test_an_unknown_qualifier_of_an_api_is_told_with_what_there_is(full: Snapshot) -> None:
    """Versions and aliases alike."""
    with pytest.raises(Refused) as caught:
        apply(full, Release("shop", "dev", (api("b", "relase"),)))
    [problem] = caught.value.problems
    assert problem.message == (
        "function 'orders' has no version and no alias 'relase'; "
        "it has $LATEST, 1, 2, 3, 4, 5, 6, $DEFAULT, release, prepub"
    )
    assert problem.hint == "did you mean 'release'?"


def test_a_function_can_be_deleted_once_no_api_names_it(full: Snapshot, build: Build) -> None:
    """Other backends name none."""
    mock = Api("m", "ANY", parse_path("/m"), MockBackend("m"))
    snapshot = build(
        Release("shop", "dev", (mock,)),
        Unrelease("shop", "release"),
        DeleteFunction("orders"),
        start=full,
    )
    assert list(snapshot.functions) == ["payments"]


# Every change


EVERY_CHANGE = [
    PutFunction("stock", "code"),
    PutFunction("orders", "code"),
    DeleteFunction("payments"),
    Publish("orders"),
    DeleteVersion("orders", "6"),
    PutAlias("orders", "stable", Route("3")),
    PutAlias("orders", "release", Route("2")),
    PutAlias("orders", "release", SPLIT, "for everybody"),
    DeleteAlias("orders", "prepub"),
    PutService("other", "Other"),
    PutService("shop", "Renamed"),
    PutService("shop", "The shop", (api("a"),)),
    Release("shop", "prepub", (api("a", "prepub"),)),
    Release("shop", "dev", ()),
    Unrelease("shop", "dev"),
    Batch((Publish("orders"), PutAlias("orders", "release", Route("7")))),
    Batch(()),
]


@pytest.mark.parametrize("change", EVERY_CHANGE, ids=lambda change: type(change).__name__)
def test_a_change_is_one_revision_and_leaves_the_old_snapshot_as_it_was(
    change: Change, full: Snapshot
) -> None:
    """Deeply: nothing that a request in flight reads was altered."""
    before, entries = deepcopy(full), {name: dict(found) for name, found in full.entries.items()}
    after = apply(full, change)
    assert after.revision == full.revision + 1
    assert full == before
    assert {name: dict(found) for name, found in full.entries.items()} == entries


def parts(snapshot: Snapshot) -> dict[tuple[str, ...], tuple[object, object]]:
    """Every version, alias and stage by name, each with what was compiled from it."""
    found: dict[tuple[str, ...], tuple[object, object]] = {}
    for name, function in snapshot.functions.items():
        for qualifier, part in {**function.versions, **function.aliases}.items():
            found["function", name, qualifier] = (part, snapshot.entries[name][qualifier])
    for name, service in snapshot.services.items():
        for stage, released in service.stages.items():
            found["service", name, stage] = (released, released.table)
    return found


@pytest.mark.parametrize("change", EVERY_CHANGE, ids=lambda change: type(change).__name__)
def test_what_a_change_does_not_touch_is_shared(change: Change, full: Snapshot) -> None:
    """The very same objects: an untouched alias keeps its compiled entry, and so its sequence."""
    before, after = parts(full), parts(apply(full, change))
    same = [at for at, (part, _) in after.items() if at in before and before[at][0] == part]
    assert len(same) >= len(before) - 2
    for at in same:
        assert after[at][0] is before[at][0]
        assert after[at][1] is before[at][1]


def test_an_alias_put_as_it_is_keeps_its_entry(full: Snapshot) -> None:
    """Also spelled anew; but a new route has a new entry, and so does another order of weights."""
    held = full.entries["orders"]["release"]
    same = PutAlias("orders", "release", Route("1", {"2": Decimal("0.10")}), "for everybody")
    assert apply(full, same).entries["orders"]["release"] is held
    for route in (Route("1"), Route("1", {"2": Decimal("0.2")}), Route("1", {"3": Decimal("0.1")})):
        changed = apply(full, PutAlias("orders", "release", route, "for everybody"))
        assert changed.entries["orders"]["release"] is not held


def test_reordered_weights_are_another_route(shop: Snapshot, build: Build) -> None:
    """The order is the layout's: sticky keys depend on it."""
    route = Route("1", {"2": Decimal("0.1"), "3": Decimal("0.2")})
    turned = Route("1", {"3": Decimal("0.2"), "2": Decimal("0.1")})
    snapshot = build(PutAlias("orders", "a", route), PutAlias("orders", "a", turned), start=shop)
    split = snapshot.entries["orders"]["a"].split
    assert split is not None
    assert split.versions == ("3", "1", "2")


def test_a_new_description_alone_keeps_the_split_equal(full: Snapshot) -> None:
    """So that words do not disturb a sequence."""
    after = apply(full, PutAlias("orders", "release", SPLIT, "other words"))
    assert after.functions["orders"].aliases["release"].description == "other words"
    assert after.entries["orders"]["release"].split == full.entries["orders"]["release"].split


# Batches


def test_a_batch_is_one_revision(shop: Snapshot) -> None:
    """Later changes see earlier ones; batches may hold batches."""
    inner = Batch((Publish("orders"), PutAlias("orders", "release", Route("7"))))
    snapshot = apply(shop, Batch((inner, PutAlias("orders", "prepub", Route("7")))))
    assert snapshot.revision == shop.revision + 1
    assert list(snapshot.functions["orders"].aliases) == ["$DEFAULT", "release", "prepub"]


def test_a_batch_is_all_or_nothing(full: Snapshot) -> None:
    """The refusal names the change by its place, and nothing was altered."""
    before = deepcopy(full)
    wrong = PutAlias("orders", "release", Route("8"))
    with pytest.raises(Refused) as caught:
        apply(full, Batch((Publish("orders"), Batch((PutService("x", ""), wrong)), wrong)))
    [problem] = caught.value.problems
    assert (problem.code, problem.at) == ("unknown-version", (1, 1, "version"))
    assert "it has 1, 2, 3, 4, 5, 6, 7 and $LATEST" in problem.message
    assert full == before


def test_one_batch_leads_where_its_changes_lead_one_by_one(build: Build) -> None:
    """But for the revision; recovery relies on it."""
    changes = (
        PutFunction("orders", "code"),
        Publish("orders"),
        Publish("orders", "two"),
        PutAlias("orders", "release", SPLIT),
        PutService("shop", "Shop"),
        Release("shop", "release", (api("a", "release"),)),
        PutAlias("orders", "prepub", Route("1")),
        DeleteAlias("orders", "prepub"),
    )
    single, batched = build(*changes), apply(EMPTY, Batch(changes))
    assert (single.revision, batched.revision) == (len(changes), 1)
    assert single.functions == batched.functions
    assert single.services == batched.services


# Any sequence of changes

FUNCTIONS = st.sampled_from(["orders", "payments", "x"])
ALIASES = st.sampled_from(["$DEFAULT", "release", "2nd"])
NUMBERS = st.sampled_from(["1", "2", "3", "$LATEST"])
STAGES = st.sampled_from(["dev", "test", "release", "qa"])
ROUTES = st.builds(Route, NUMBERS) | st.just(SPLIT)
APIS = st.lists(st.builds(api, st.sampled_from("ab"), NUMBERS | ALIASES, FUNCTIONS), max_size=2)
CHANGES: st.SearchStrategy[Change] = st.one_of(
    st.builds(PutFunction, FUNCTIONS, st.sampled_from(["one", "two"])),
    st.builds(DeleteFunction, FUNCTIONS),
    st.builds(Publish, FUNCTIONS),
    st.builds(Publish, FUNCTIONS, number=NUMBERS),
    st.builds(DeleteVersion, FUNCTIONS, NUMBERS),
    st.builds(PutAlias, FUNCTIONS, ALIASES, ROUTES),
    st.builds(DeleteAlias, FUNCTIONS, ALIASES),
    st.builds(PutService, st.just("shop"), st.text(max_size=3), APIS.map(tuple)),
    st.builds(Release, st.just("shop"), STAGES, APIS.map(tuple)),
    st.builds(Unrelease, st.just("shop"), STAGES),
)


@settings(deadline=None)
@given(changes=st.lists(CHANGES, min_size=5, max_size=40), size=st.integers(2, 5))
def test_any_changes_lead_to_a_snapshot_that_holds_together(
    changes: list[Change], size: int, nobody: RequestView, fixed: Callable[[float], Draw]
) -> None:
    """Or are refused and lead nowhere; what is left can be decided for, whole or in batches."""
    snapshot, taken = EMPTY, list[Change]()
    for change in changes:
        before = deepcopy(snapshot)
        try:
            after = apply(snapshot, change)
        except Refused:
            assert snapshot == before
            continue
        assert snapshot == before
        assert after.revision == snapshot.revision + 1
        snapshot = after
        taken.append(change)
    for name, function in snapshot.functions.items():
        qualifiers = {**function.versions, **function.aliases}
        assert set(snapshot.entries[name]) == set(qualifiers)
        for qualifier in qualifiers:
            decision = decide(snapshot, Target(name, qualifier), nobody, fixed(0.05))
            assert decision.version in function.versions
    assert set(snapshot.entries) == set(snapshot.functions)
    for service in snapshot.services.values():
        for stage in service.stages.values():
            assert all(
                target.qualifier in snapshot.entries[target.function] for target in stage.targets()
            )
    batched = EMPTY
    for start in range(0, len(taken), size):
        batched = apply(batched, Batch(tuple(taken[start : start + size])))
    assert (batched.functions, batched.services) == (snapshot.functions, snapshot.services)

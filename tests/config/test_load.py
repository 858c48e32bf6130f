"""Good files: what a stages.toml declares, as changes and as the snapshot they build."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from gateway.config import ConfigurationInvalid, Declaration, load
from gateway.config.merge import merge
from gateway.core.access import Access, Key, UsagePlan
from gateway.core.apply import apply
from gateway.core.changes import Publish, PutAlias, PutFunction, PutService, Release
from gateway.core.errors import Problem, Refused, StageNotFound
from gateway.core.features import (
    NO_API_FEATURES,
    NO_STAGE_FEATURES,
    ApiFeatures,
    StageFeatures,
)
from gateway.core.parameters import Constant, Goal, Parameter
from gateway.core.snapshot import (
    EMPTY,
    FunctionBackend,
    HttpBackend,
    MockBackend,
    Service,
    Snapshot,
)

EXAMPLE = Path(__file__).parent / "good" / "example.toml"
EVERYTHING = Path(__file__).parent / "good" / "everything.toml"
Write = Callable[[str | bytes], Path]

SMALL = """
[service]
name = "shop"

[functions.orders]
source = "functions/orders"
"""


def built(declaration: Declaration) -> Snapshot:
    """The snapshot of a declaration."""
    return apply(EMPTY, declaration.changes)


def service(snapshot: Snapshot) -> Service:
    """The one service of a file."""
    assert snapshot.default_service is not None
    return snapshot.default_service


@pytest.fixture
def example(write: Write) -> Declaration:
    """The documented example."""
    return load(write(EXAMPLE.read_bytes()))


@pytest.fixture
def everything(write: Write) -> Declaration:
    """A file with every key there is."""
    return load(write(EVERYTHING.read_bytes()))


def test_the_changes_come_in_the_order_in_which_they_can_be_applied(example: Declaration) -> None:
    """Service, function, its versions, its aliases, the stages."""
    kinds = [type(change) for change in example.changes.changes]
    assert kinds == [
        PutService,
        PutFunction,
        *[Publish] * 4,
        *[PutAlias] * 3,
        *[Release] * 3,
    ]


def test_the_example_has_its_versions(example: Declaration, project: Path) -> None:
    """Each folder is a version; its path is absolute."""
    function = built(example).functions["orders"]
    orders = project / "functions" / "orders"
    assert {number: version.code for number, version in function.versions.items()} == {
        "$LATEST": str(orders / "latest"),
        "1": str(orders / "v1"),
        "2": str(orders / "v2"),
        "3": str(orders / "v3"),
        "4": str(orders / "v4"),
    }
    assert function.configuration.timeout == 3.0
    assert function.configuration.environment == {"GREETING": "hello"}


def test_the_example_has_its_aliases(example: Declaration) -> None:
    """Rules, weights and the default, as written."""
    aliases = built(example).functions["orders"].aliases
    assert {name: alias.route.to_dict() for name, alias in aliases.items()} == {
        "$DEFAULT": route("$LATEST"),
        "prepub": route("3", rules=[{"when": "invoke.headers.User exact Bob", "version": "4"}]),
        "release": route("1", weights={"2": 0.1}),
    }
    assert aliases["release"].route.weights["2"] == Decimal("0.1")


def route(version: str, **parts: object) -> dict[str, object]:
    """A route as a dictionary, with what is not said."""
    silent: dict[str, object] = {"weights": {}, "rules": [], "split": "random", "sticky_by": None}
    return {"version": version, **silent, **parts}


def test_the_example_releases_every_api_to_every_stage(example: Declaration) -> None:
    """The qualifier is the stage's; other backends are the same everywhere."""
    stages = service(built(example)).stages
    assert list(stages) == ["dev", "prepub", "release"]
    for stage, alias in (("dev", "$DEFAULT"), ("prepub", "prepub"), ("release", "release")):
        assert [(api.id, api.backend) for api in stages[stage].apis] == [
            ("ANY /orders/{id}", FunctionBackend("orders", alias)),
            ("ANY ^~/legacy/", HttpBackend("http://127.0.0.1:9000")),
            ("GET =/ping", MockBackend("pong")),
        ]
    assert stages["release"].variables == {"region": "local"}


def test_the_example_has_no_warnings(example: Declaration) -> None:
    """The documented example is beyond doubt."""
    assert example.warnings == ()


def test_every_key_is_read(everything: Declaration) -> None:
    """No key of the file is without effect."""
    snapshot = built(everything)
    configuration = snapshot.functions["orders"].configuration
    assert configuration.handler == "index.main_handler"
    assert configuration.timeout == 0.25
    assert configuration.memory == 256
    assert configuration.concurrency == 10
    assert snapshot.functions["orders"].versions["$LATEST"].description == "takes orders"
    assert snapshot.functions["orders"].aliases["release"].description == "what users see"
    assert snapshot.functions["web"].configuration.handler == "app.orders.main_handler"
    apis = {api.id: api.backend for api in service(snapshot).stages["release"].apis}
    assert apis == {
        "orders": FunctionBackend("orders", "release"),
        "POST /payments": FunctionBackend("payments", "stable", integrated=False),
        "ANY /web": FunctionBackend("web", "release"),
        "ANY ^~/legacy/": HttpBackend("https://[::1]:9000/old", timeout=1.5),
        "GET =/ping": MockBackend("pong", 203, {"Content-Type": "text/plain"}),
    }


def test_every_feature_is_read(everything: Declaration) -> None:
    """Of APIs and of stages; what says none has none."""
    stages = service(built(everything)).stages
    assert stages["release"].features == StageFeatures(500, ("10.0.0.0/8", "::1"), ("10.0.0.7",))
    assert stages["dev"].features == NO_STAGE_FEATURES
    features = {api.id: api.features for api in stages["release"].apis}
    parameters = (
        Parameter("X-User", "header", required=True),
        Parameter("page", "query", kind="int", default="1"),
        Parameter("id", "path"),
        Parameter("sum", "body", kind="float"),
    )
    assert features.pop("orders") == ApiFeatures(
        100, cors=True, base64=True, gzip=True, parameters=parameters, auth="key", max_body=2**20
    )
    assert features.pop("ANY ^~/legacy/") == ApiFeatures(
        parameters=(Parameter("user", "query", to=Goal("X-User", "header")),),
        constants=(Constant("X-From", "header", "gateway"),),
    )
    assert set(features.values()) == {NO_API_FEATURES}


def test_keys_and_plans_are_read(everything: Declaration) -> None:
    """In the order of the file, stages under their own names."""
    access = service(built(everything)).access
    assert access == Access(
        {"visitor": Key("AKIDvisitor", "0"), "partner": Key("AKIDpartner", "s3cret")},
        {
            "gold": UsagePlan(("partner",), ("dev", "release"), 10, 1000),
            "all": UsagePlan(("partner", "visitor"), ("dev",)),
        },
    )
    assert list(access.plans) == ["gold", "all"]


def test_test_is_another_name_of_dev(everything: Declaration) -> None:
    """The cloud's name of the first stage."""
    snapshot = built(everything)
    assert service(snapshot).stage("test") is service(snapshot).stage("dev")
    with pytest.raises(StageNotFound):
        service(snapshot).stage("prepub")


def test_numbers_may_have_gaps_and_ascend(write: Write) -> None:
    """A deleted version leaves a gap; 10 comes after 3; other folders are the user's."""
    declaration = load(write(SMALL.replace("functions/orders", "functions/gaps")))
    assert list(built(declaration).functions["orders"].versions) == ["$LATEST", "1", "3", "10"]


def test_default_leads_to_latest_where_it_is_not_declared(write: Write) -> None:
    """The core's own alias is enough for a stage."""
    text = SMALL + (
        '[[apis]]\nmethod = "ANY"\npath = "/"\nfunction = "orders"\n\n'
        '[stages.dev]\nalias = "$DEFAULT"\n[stages.prepub]\nalias = "$LATEST"\n'
        '[stages.release]\nalias = "4"\n'
    )
    stages = service(built(load(write(text)))).stages
    backends = [stage.apis[0].backend for stage in stages.values()]
    assert backends == [FunctionBackend("orders", q) for q in ("$DEFAULT", "$LATEST", "4")]


@pytest.mark.parametrize("handler", ["web.main_handler", "app.orders.main_handler"])
def test_a_handler_may_be_in_a_package(write: Write, handler: str) -> None:
    """`a.b` is the file `a/b.py` or the package `a/b/`."""
    source = SMALL.replace("functions/orders", "functions/packages")
    declaration = load(write(f'{source}handler = "{handler}"\n'))
    assert built(declaration).functions["orders"].configuration.handler == handler


def test_a_source_may_lie_outside(project: Path) -> None:
    """`..` is allowed: the file may have a folder of its own."""
    folder = project / "settings"
    folder.mkdir(exist_ok=True)
    path = folder / "stages.toml"
    path.write_text(SMALL.replace("functions/orders", "../functions/orders"))
    code = built(load(path)).functions["orders"].versions["1"].code
    assert code == str(project / "functions" / "orders" / "v1")


LIVE_ONLY = (
    SMALL
    + """
[functions.orders.aliases]
release = { version = "1", weights = { "7" = 0.1 }, rules = [
    { when = "invoke.headers.User exact Bob", version = "9" },
] }

[[apis]]
method = "ANY"
path = "/"
function = "orders"

[stages.test]
alias = "beta"

[stages.prepub]
alias = "9"

[stages.release]
alias = "release"
aliases = { orders = "7" }
"""
)


def test_a_file_may_name_what_only_exists_live(write: Write) -> None:
    """Versions and aliases of its functions; what it builds is for a state that has them."""
    known = {"orders": ["7", "9", "$LATEST", "$DEFAULT", "beta"], "payments": ["1"]}
    declaration = load(write(LIVE_ONLY), known)
    assert PutAlias in map(type, declaration.changes.changes)
    assert not [
        c for c in declaration.changes.changes if isinstance(c, Publish) and c.number == "7"
    ]
    releases = [c for c in declaration.changes.changes if isinstance(c, Release)]
    assert [release.apis[0].backend for release in releases] == [
        FunctionBackend("orders", qualifier) for qualifier in ("beta", "9", "7")
    ]
    with pytest.raises(Refused):
        apply(EMPTY, declaration.changes)


@pytest.mark.parametrize(
    ("known", "codes"),
    [
        pytest.param(None, ["unknown-version"] * 4 + ["unknown-alias"], id="nothing"),
        pytest.param({"payments": ["7", "9", "beta"]}, None, id="of another function"),
        pytest.param({"orders": ["9", "beta"]}, ["unknown-version"] * 2, id="not all"),
    ],
)
def test_what_exists_nowhere_is_a_mistake(
    write: Write, known: dict[str, list[str]] | None, codes: list[str] | None
) -> None:
    """With what there is, live and in the folders."""
    with pytest.raises(ConfigurationInvalid) as caught:
        load(write(LIVE_ONLY), known)
    found = [diagnostic.code for diagnostic in caught.value.diagnostics]
    assert sorted(found) == sorted(codes or ["unknown-version"] * 4 + ["unknown-alias"])


def test_a_mistake_lists_what_exists_live_in_its_order(write: Write) -> None:
    """Folders and live versions together."""
    with pytest.raises(ConfigurationInvalid) as caught:
        load(write(LIVE_ONLY), {"orders": ["10", "9", "beta"]})
    messages = [diagnostic.message for diagnostic in caught.value.diagnostics]
    assert messages == [
        (
            "alias 'release' of function 'orders' names version '7'; "
            "it has 1, 2, 3, 4, 9, 10 and $LATEST"
        ),
        (
            "stage 'release' points to '7', which function 'orders' does not have; "
            "it has $DEFAULT, release, beta, 1, 2, 3, 4, 9, 10, $LATEST"
        ),
    ]


def test_what_a_merge_refuses_is_shown_in_the_file(write: Write) -> None:
    """At the source, the version, the key of a weight, and the stage however it is spelled."""
    declaration = load(write(LIVE_ONLY), {"orders": ["7", "9", "beta"]})
    with pytest.raises(Refused) as caught:
        merge(EMPTY, None, declaration.changes)
    problems = caught.value.problems
    edited = Problem("edited-version", "edited", ("functions", "orders", "source"))
    gone = Problem("alias-in-use", "in use", ("functions", "orders", "aliases"))
    lost = Problem("function-in-use", "in use", ("functions", "payments"))
    error = declaration.invalid([*problems, edited, gone, lost])
    shown = {(found.code, found.line, found.column, found.length) for found in error.diagnostics}
    assert shown == {
        ("edited-version", 6, 10, 18),
        ("function-in-use", 5, 2, 9),
        ("alias-in-use", 8, 2, 24),
        ("unknown-version", 9, 40, 3),
        ("unknown-version", 10, 57, 3),
        ("unknown-qualifier", 19, 9, 6),
        ("unknown-qualifier", 22, 9, 3),
        ("unknown-qualifier", 25, 9, 9),
    }


def test_windows_line_ends_are_line_ends(write: Write) -> None:
    """Editors on Windows write them."""
    declaration = load(write(EXAMPLE.read_bytes().replace(b"\n", b"\r\n")))
    assert service(built(declaration)).name == "shop"


@pytest.mark.parametrize(
    ("rest", "code"),
    [
        pytest.param('[stages.dev]\nalias = "$DEFAULT"\n', "no-apis", id="no apis"),
        pytest.param(
            '[[apis]]\nmethod = "GET"\npath = "/"\nfunction = "orders"\n',
            "no-stages",
            id="no stages",
        ),
        pytest.param("", "no-apis", id="neither"),
    ],
)
def test_a_file_with_which_nothing_can_be_reached_is_doubted(
    write: Write, rest: str, code: str
) -> None:
    """It loads, with a warning: functions can be invoked without any API."""
    (warning,) = load(write(SMALL + rest)).warnings
    assert (warning.code, warning.severity) == (code, "warning")
    assert ": warning[" in str(warning)


def test_a_name_is_shown_as_it_was_given(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`./x` stays `./x`."""
    monkeypatch.chdir(project)
    with pytest.raises(ConfigurationInvalid) as caught:
        load("./nowhere.toml")
    assert str(caught.value).startswith("./nowhere.toml: error[missing-file]")


def test_a_good_file_needs_no_positions(write: Write) -> None:
    """The parser with positions is imported for mistakes alone."""
    path = write(EXAMPLE.read_bytes())
    program = (
        "import sys; from gateway.config import load; load(sys.argv[1]);"
        "assert not [m for m in sys.modules if m.startswith(('tree_sitter', 're2', 'jsonpath'))]"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    subprocess.run([sys.executable, "-c", program, str(path)], check=True, env=environment)

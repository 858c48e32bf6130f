"""An exported file, to the letter: comments stay, and only what differs is edited.

`UPDATE_GOLDEN=1 pytest tests/config` writes the expected differences anew; read the difference.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from difflib import unified_diff
from pathlib import Path

import pytest

from gateway.config import ConfigurationInvalid, load
from gateway.config.export import Exported, Package, export
from gateway.config.load import SERVICE
from gateway.core.access import Access, UsagePlan
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
from gateway.core.features import StageFeatures
from gateway.core.functions import Configuration
from gateway.core.overlays import Overlay, Window
from gateway.core.routes import parse_path
from gateway.core.rules import parse_rule
from gateway.core.snapshot import EMPTY, Api, FunctionBackend, HttpBackend, MockBackend, Snapshot

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "exported"
DOCUMENTED = re.findall(
    r"```toml\n(.*?)```", (ROOT / "docs" / "stages-toml.md").read_text(encoding="utf-8"), re.DOTALL
)[0]
FILES = {"repository": (ROOT / "stages.toml").read_text(encoding="utf-8"), "documented": DOCUMENTED}


def declared(project: Path, text: str) -> Batch:
    """What a file beside the project's folders declares."""
    path = project / "exported.toml"
    path.write_text(text, encoding="utf-8")
    return load(path).changes


def api(path: str, qualifier: str = "$DEFAULT", function: str = "orders") -> Api:
    """An API that a function answers."""
    return Api(f"GET {path}", "GET", parse_path(path), FunctionBackend(function, qualifier))


def everywhere(state: Snapshot, *apis: Api, variables: dict[str, str] | None = None) -> Change:
    """Release APIs to every stage, each function under the stage's qualifier."""
    service = state.services[SERVICE]
    releases = []
    for name, stage in service.stages.items():
        [target] = stage.targets()
        released = tuple(
            replace(found, backend=replace(found.backend, qualifier=target.qualifier))
            if isinstance(found.backend, FunctionBackend)
            else found
            for found in apis
        )
        kept = stage.variables if variables is None else variables
        releases.append(Release(SERVICE, name, released, kept))
    return Batch((PutService(SERVICE, service.name, apis), *releases))


def changed(name: str, state: Snapshot) -> Change:
    """What was changed live, by the name of the golden file."""
    apis = state.services[SERVICE].apis
    tenth = Route("1", {"2": Decimal("0.25"), "3": Decimal("0.05")})
    bob = parse_rule("invoke.headers.User exact Bob", "4")
    ann = parse_rule('invoke.headers.User in "Ann", Bo', "$LATEST")
    code = state.functions["orders"].versions["$LATEST"].code
    changes: dict[str, Change] = {
        "alias moved": PutAlias("orders", "release", Route("2")),
        "weights changed": PutAlias("orders", "release", tenth, "shifting"),
        "weights and rules added": PutAlias(
            "orders", "$DEFAULT", Route("$LATEST", {"4": Decimal("1E-12")}, (bob,))
        ),
        "rules changed": PutAlias("orders", "prepub", Route("2", rules=(ann, bob))),
        "alias added": PutAlias("orders", "beta-2", Route("3", rules=(bob,), split="even")),
        "alias removed": Batch((Unrelease(SERVICE, "prepub"), DeleteAlias("orders", "prepub"))),
        "APIs added": everywhere(state, api("=/first"), *apis, api("/last/{id}")),
        "APIs removed": everywhere(state, *apis[:1]),
        "APIs in another order": everywhere(state, *apis[::-1]),
        "API answered by others": everywhere(
            state,
            replace(apis[0], backend=HttpBackend("http://127.0.0.1:9", 0.5)),
            replace(apis[1], backend=MockBackend('"a"\n', 418, {"X-A": "1"})),
            replace(apis[2], backend=FunctionBackend("orders", "$DEFAULT", integrated=False)),
        ),
        "variables changed": everywhere(state, *apis, variables={"region": "far", "B": "\\"}),
        "configuration changed": PutFunction(
            "orders", code, Configuration("index.other", 0.5, environment={"A": "b"}), "words"
        ),
        "function added": Batch(
            (
                PutFunction("payments", "p", Configuration(memory=64), "takes money"),
                Publish("payments"),
                PutAlias("payments", "release", Route("1")),
                PutAlias("payments", "$DEFAULT", Route("1")),
            )
        ),
        "function removed": Batch(
            (
                everywhere(state, *(a for a in apis if not isinstance(a.backend, FunctionBackend))),
                DeleteFunction("orders"),
            )
        ),
        "stage pointed elsewhere": Release(
            SERVICE, "release", state.services[SERVICE].stages["dev"].apis
        ),
        "service renamed": PutService(SERVICE, 'the "shop"', apis),
    }
    return changes[name]


NAMES = [
    *("alias moved", "weights changed", "weights and rules added", "rules changed"),
    *("alias added", "alias removed", "APIs added", "APIs removed", "APIs in another order"),
    *("API answered by others", "variables changed", "configuration changed"),
    *("function added", "function removed", "stage pointed elsewhere", "service renamed"),
]


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("name", NAMES)
def test_only_what_differs_is_edited(project: Path, file: str, name: str) -> None:
    """As the golden difference has it."""
    text = FILES[file]
    batch = declared(project, text)
    state = apply(EMPTY, batch)
    exported = export(apply(state, changed(name, state)), text, batch)
    lines = unified_diff(
        text.splitlines(), exported.text.splitlines(), "file", "exported", "", "", 2
    )
    difference = "\n".join(line.rstrip() for line in lines) + "\n"
    golden = GOLDEN / file / f"{name.lower().replace(' ', '-')}.diff"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(difference, encoding="utf-8")
    assert difference == golden.read_text(encoding="utf-8")


def test_every_expectation_has_its_case() -> None:
    """No expected difference is left behind when a case is renamed."""
    names = {name.lower().replace(" ", "-") for name in NAMES}
    for file in FILES:
        assert {path.stem for path in (GOLDEN / file).iterdir()} == names


@pytest.mark.parametrize("file", FILES)
def test_a_state_that_is_as_declared_leaves_the_file_as_it_is(project: Path, file: str) -> None:
    """Byte for byte, with nothing to remark and no folder missing."""
    text = FILES[file]
    batch = declared(project, text)
    assert export(apply(EMPTY, batch), text, batch) == Exported(text, (), ())


def test_without_a_file_one_is_written(project: Path) -> None:
    """In the order of the documented one, without what is as usual."""
    state = apply(EMPTY, declared(project, FILES["repository"]))
    exported = export(state)
    assert exported.text == (
        """[service]
name = "shop"

[functions.orders]
source = "functions/orders"

[functions.orders.aliases]
prepub = { version = "3", rules = [{ when = "invoke.headers.User exact Bob", version = "4" }] }
release = { version = "1", weights = { "2" = 0.1 } }

[[apis]]
method = "ANY"
path = "/orders/{id}"
function = "orders"

[[apis]]
method = "ANY"
path = "=/orders"
function = "orders"

[[apis]]
method = "GET"
path = "=/ping"
mock = { body = "pong" }

[stages.dev]
alias = "$DEFAULT"

[stages.prepub]
alias = "prepub"

[stages.release]
alias = "release"
"""
    )
    assert exported.notes == ()
    assert [package.folder for package in exported.packages] == [
        f"functions/orders/{folder}" for folder in ("v1", "v2", "v3", "v4", "latest")
    ]


def test_nothing_is_a_file_too() -> None:
    """With the service that a file has to have."""
    assert export(EMPTY) == Exported('[service]\nname = "service-default"\n', (), ())


def test_line_ends_and_a_missing_last_one_stay(project: Path) -> None:
    """What is added has those of the file."""
    text = FILES["repository"].rstrip("\n").replace("\n", "\r\n")
    batch = declared(project, FILES["repository"])
    state = apply(apply(EMPTY, batch), Unrelease(SERVICE, "release"))
    assert export(apply(EMPTY, batch), text).text == text
    exported = export(state, text).text
    assert exported.endswith('[stages.prepub]\r\nalias = "prepub"\r\n')
    assert exported.count("\n") == exported.count("\r\n")


# What a file cannot say

SMALL = '[service]\nname = "shop"\n\n[functions.orders]\nsource = "functions/orders"\n'
PING = Api("ping", "GET", parse_path("=/ping"), MockBackend("pong"))
NOTES: dict[str, tuple[list[Change], list[str]]] = {
    "a configuration of its own": (
        [
            PutFunction("orders", "x", Configuration(timeout=9, environment={"A": "b"})),
            Publish("orders", "live"),
            PutFunction("orders", "x"),
        ],
        [
            (
                "version '5' of function 'orders' keeps timeout 9, environment {'A': 'b'}; "
                "in a file all versions share one configuration"
            ),
            "$LATEST of function 'orders' was uploaded; its folder has other code",
        ],
    ),
    "a description": (
        [Publish("orders", "live", description="the fifth")],
        [
            "version '5' of function 'orders' has a description, which a file has no place for",
        ],
    ),
    "deleted numbers": (
        [DeleteVersion("orders", "2"), Publish("orders", number="9"), DeleteVersion("orders", "9")],
        [
            (
                "function 'orders' has used the numbers up to 9; "
                "the last ones were deleted, and from the file alone they would be used again"
            ),
            (
                "version '2' of function 'orders' was deleted; "
                "its folder v2 would publish it again where nothing is live yet"
            ),
        ],
    ),
    "drafts": (
        [
            PutService(SERVICE, "shop", (api("/a", "1"), PING)),
            Release(SERVICE, "dev", (PING,)),
        ],
        [
            "apis that are not released yet name qualifiers, which a file leaves to its stages",
            "the service has other apis than its stages; the file has those of the stages",
        ],
    ),
    "a stage of its own": (
        [
            PutService(SERVICE, "shop", (PING,)),
            Release(SERVICE, "dev", (PING,)),
            Release(SERVICE, "prepub", ()),
            Release(SERVICE, "release", (PING,)),
        ],
        [
            (
                "stage 'prepub' has other apis than the file; "
                "a file releases the same apis to every stage"
            ),
        ],
    ),
    "qualifiers within a stage": (
        [
            PutService(SERVICE, "shop", (api("/a"), api("/b"), api("/c"))),
            Release(SERVICE, "dev", (api("/a", "1"), api("/b", "2"), api("/c", "2"))),
        ],
        [
            (
                "api 'GET /a' in stage 'dev' names '1' of function 'orders'; "
                "the file has '2' for all its apis"
            ),
        ],
    ),
    "an API of a function that is gone": (
        [PutService(SERVICE, "shop", (PING, api("/a", function="gone")))],
        ["api 'GET /a' is left out, because its function does not exist"],
    ),
    "limits of one API in one stage": (
        [
            PutService(SERVICE, "shop", (PING,)),
            Release(
                SERVICE,
                "dev",
                (PING,),
                {},
                StageFeatures(9, overlays={"ping": Overlay((Window(1),))}),
            ),
        ],
        [
            (
                "stage 'dev' has limits, networks or CORS for api 'ping' alone, "
                "which a file has no place for"
            ),
        ],
    ),
    "a plan of one API": (
        [
            PutService(
                SERVICE,
                "shop",
                (),
                Access(
                    {},
                    {
                        "wide": UsagePlan((), ("dev",)),
                        "narrow": UsagePlan((), (), apis=("dev/ping",)),
                    },
                ),
            ),
        ],
        ["plan 'narrow' is left out, because it opens single apis"],
    ),
    "what clients of the cloud keep": (
        [PutResource("plans", "small", {}), PutResource("plugins", "a", {})],
        ["what clients of the cloud keep is left out: plans (1), plugins (1)"],
    ),
    "another service": (
        [PutService("other", "Other")],
        ["service 'other' ('Other') is left out; a file has one service"],
    ),
}


@pytest.mark.parametrize(("changes", "notes"), NOTES.values(), ids=NOTES.keys())
def test_what_a_file_cannot_say_is_told(
    project: Path, changes: list[Change], notes: list[str]
) -> None:
    """In sentences, and the file loads all the same."""
    batch = declared(project, SMALL)
    exported = export(apply(apply(EMPTY, batch), Batch(tuple(changes))), SMALL, batch)
    assert list(exported.notes) == notes
    assert declared(project, exported.text).changes


def test_most_stages_say_which_apis_the_file_has(project: Path) -> None:
    """Of as many stages for one list as for another, the one that would be released next."""
    batch = declared(project, SMALL)
    other = Api("other", "GET", parse_path("=/other"), MockBackend("other"))
    changes: tuple[Change, ...] = (
        PutService(SERVICE, "shop", (other,)),
        Release(SERVICE, "dev", (PING,)),
        Release(SERVICE, "release", (other,)),
    )
    state = apply(apply(EMPTY, batch), Batch(changes))
    assert 'name = "other"' in export(state, SMALL).text
    state = apply(state, Release(SERVICE, "prepub", (PING,)))
    assert 'name = "ping"' in export(state, SMALL).text


def test_code_that_has_no_folder_is_told(project: Path) -> None:
    """Where the folder belongs, as the file spells its source."""
    text = SMALL.replace("functions/orders", "./functions/orders/")
    batch = declared(project, text)
    changes = (
        PutFunction("orders", "uploaded"),
        Publish("orders", "live"),
        PutFunction("payments", "p"),
        Publish("payments"),
    )
    exported = export(apply(apply(EMPTY, batch), Batch(changes)), text, batch)
    assert exported.packages == (
        Package("orders", "5", "live", "functions/orders/v5"),
        Package("orders", "$LATEST", "uploaded", "functions/orders/latest"),
        Package("payments", "1", "p", "functions/payments/v1"),
        Package("payments", "$LATEST", "p", "functions/payments/latest"),
    )
    assert exported.notes == (
        "$LATEST of function 'orders' was uploaded; its folder has other code",
    )


# Files that do not load


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[service", id="no TOML"),
        pytest.param("service = 1\n", id="a service that is a number"),
        pytest.param("functions = []\n", id="functions that are a list"),
        pytest.param("functions.orders = 1\n", id="a function that is a number"),
        pytest.param("functions.orders.source = 1\n", id="a source that is a number"),
        pytest.param("functions.orders.aliases.a = 1\n", id="an alias that is a number"),
        pytest.param("[apis]\n", id="apis that are a table"),
        pytest.param("apis = [1]\n", id="an API that is a number"),
        pytest.param("apis = [{ mock = { headers = 1 } }]\n", id="headers that are a number"),
        pytest.param("stages = 1\n", id="stages that are a number"),
        pytest.param("stages.dev.aliases = []\n", id="overrides that are a list"),
    ],
)
def test_a_file_that_does_not_load_is_not_edited(text: str) -> None:
    """It is refused, never guessed at."""
    with pytest.raises(ConfigurationInvalid):
        export(EMPTY, text)


def test_an_alias_with_a_mistake_is_written_anew(project: Path) -> None:
    """The file was edited since, and does not load any more."""
    text = SMALL + '[functions.orders.aliases]\nrelease = { version = "1", weight = 1 }\n'
    state = apply(EMPTY, declared(project, SMALL))
    state = apply(state, PutAlias("orders", "release", Route("2")))
    assert 'release = { version = "2", weight = 1 }' in export(state, text).text


def test_tomlkit_is_imported_for_editing_alone() -> None:
    """It costs more than a whole start."""
    program = (
        "import sys; import gateway.config.export, gateway.config.merge;"
        "assert not [m for m in sys.modules if m.startswith(('tomlkit', 'tree_sitter'))]"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)

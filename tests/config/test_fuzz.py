"""Whatever the file holds: changes that apply, or mistakes that can be shown. Nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.config import ConfigurationInvalid, Diagnostic, load, render
from gateway.core.apply import apply
from gateway.core.snapshot import EMPTY

GOOD = [path.read_text() for path in sorted((Path(__file__).parent / "good").glob("*.toml"))]
PIECES = st.one_of(
    st.sampled_from(
        [
            *(
                '"',
                "'",
                '"""',
                "\n",
                "\r\n",
                "\t",
                "[",
                "]",
                "[[",
                "]]",
                "{",
                "}",
                "=",
                ",",
                ".",
                "#",
            ),
            *(
                "nan",
                "inf",
                "-1",
                "0.1",
                "1e999999",
                "1e-999999",
                "2026-01-01",
                "true",
                "[1]",
                "{}",
            ),
            *(
                "$LATEST",
                "$DEFAULT",
                "[apis]",
                "\\",
                "\\u0000",
                "9" * 20,
                "0x" + "f" * 20,
                "..",
                "/",
            ),
            *("exact", "regex", "(", "{id}", "https://", "v1", "latest", "release", "dev", "test"),
        ]
    ),
    st.text(st.characters(codec="utf-8"), max_size=3),
)
EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), PIECES), min_size=1, max_size=4)


def check(diagnostics: Sequence[Diagnostic]) -> None:
    """There are mistakes, in the order of the file, and they can be shown."""
    places = [(found.line, found.column) for found in diagnostics]
    assert places
    assert places == sorted(places)
    assert render(diagnostics)
    assert all(json.dumps(found.to_dict()) for found in diagnostics)


def loads_or_explains(path: Path, data: bytes) -> bool:
    """Whether the file loads; if so its changes apply, if not its mistakes can be shown."""
    path.write_bytes(data)
    try:
        declaration = load(path)
    except ConfigurationInvalid as error:
        check(error.diagnostics)
        return False
    assert apply(EMPTY, declaration.changes).revision == 1
    return True


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=st.sampled_from(GOOD), edits=EDITS)
def test_an_edited_file_loads_or_is_explained(
    project: Path, text: str, edits: list[tuple[float, int, str]]
) -> None:
    """Some characters deleted, inserted or replaced, anywhere."""
    for where, deleted, inserted in edits:
        start = int(where * len(text))
        text = text[:start] + inserted + text[start + deleted :]
    loads_or_explains(project / "edited.toml", text.encode())


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_load_or_are_explained(project: Path, data: bytes) -> None:
    """No encoding, no syntax, no sense."""
    assert not loads_or_explains(project / "bytes.toml", data)


VERSIONS = st.sampled_from(["1", "2", "3", "4", "$LATEST", "$LATEST", "9", "latest"])
WEIGHTS = st.sampled_from([0, 1, 0.1, 0.25, 0.5, 0.9, 1.5, "0.1", 1e-13])
CONDITIONS = st.sampled_from(
    [
        "invoke.headers.User exact Bob",
        "invoke.query.page range [1,9]",
        "invoke.body.$.user.id in 1, 2",
        "invoke.cookies.beta exists",
        "invoke.path.id range (1,2)",
        "invoke.headers.User",
    ]
)
ROUTES = st.fixed_dictionaries(
    {"version": VERSIONS},
    optional={
        "weights": st.dictionaries(VERSIONS, WEIGHTS, max_size=2),
        "rules": st.lists(
            st.fixed_dictionaries({"when": CONDITIONS, "version": VERSIONS}), max_size=2
        ),
        "split": st.sampled_from(["random", "even", "sticky"]),
        "sticky_by": st.sampled_from(["invoke.headers.User", "User"]),
    },
)
ALIASES = st.dictionaries(
    st.sampled_from(["$DEFAULT", "release", "prepub", "$LATEST"]), ROUTES, max_size=3
)
FUNCTIONS = st.dictionaries(
    st.sampled_from(["orders", "payments", "x"]),
    st.fixed_dictionaries(
        {"source": st.sampled_from([*["functions/orders"] * 3, "functions/gaps", "functions/odd"])},
        optional={"aliases": ALIASES, "timeout": st.sampled_from([1, 0.5, 0])},
    ),
    max_size=2,
)
APIS = st.lists(
    st.fixed_dictionaries(
        {
            "method": st.sampled_from(["GET", "ANY", "get"]),
            "path": st.sampled_from(["/", "/{a}", "/{b}", "=/x", "^~/x", "/x", "/x/", "x"]),
        },
        optional={
            "function": st.sampled_from(["orders", "payments"]),
            "mock": st.just({"body": "x"}),
            "name": st.sampled_from(["one", "two", "GET /"]),
        },
    ),
    max_size=4,
)
STAGES = st.dictionaries(
    st.sampled_from(["dev", "test", "prepub", "release", "qa"]),
    st.fixed_dictionaries(
        {"alias": st.sampled_from(["$DEFAULT", "$DEFAULT", "release", "1", "$LATEST"])},
        optional={"aliases": st.dictionaries(st.sampled_from(["orders"]), VERSIONS)},
    ),
    max_size=3,
)
DOCUMENTS = st.fixed_dictionaries(
    {"service": st.just({"name": "shop"})},
    optional={"functions": FUNCTIONS, "apis": APIS, "stages": STAGES},
)


def toml(value: object) -> str:
    """A value as TOML on one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


@settings(max_examples=300, deadline=None)
@given(document=DOCUMENTS)
def test_what_loads_can_be_applied(project: Path, document: dict[str, Any]) -> None:
    """Everything that `apply` refuses is found here first, at its place."""
    text = "\n".join(f"{key} = {toml(value)}" for key, value in document.items())
    loads_or_explains(project / "document.toml", text.encode())

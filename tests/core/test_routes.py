"""Paths: the cloud's four kinds and their priority, in one table."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.errors import ApiNotFound, MethodNotSupported, Refused
from gateway.core.routes import METHODS, Kind, Path, Table, check_method, parse_path

Found = tuple[str, Mapping[str, str]]


def table_of(*patterns: str) -> Table[str]:
    """A table of `METHOD pattern`s, each of which is its own value."""
    entries = (pattern.split(" ", 1) for pattern in patterns)
    return Table((method, parse_path(path), f"{method} {path}") for method, path in entries)


# Patterns


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("=/user", Path("=/user", Kind.EXACT, "/user")),
        ("^~/user", Path("^~/user", Kind.PREFIX, "/user")),
        ("/user", Path("/user", Kind.PLAIN, "/user")),
        ("/user/{id}", Path("/user/{id}", Kind.PARAMETER, "/user/{id}", ("id",))),
        (
            "/{a}/x/{b_1-c}/",
            Path("/{a}/x/{b_1-c}/", Kind.PARAMETER, "/{a}/x/{b_1-c}/", ("a", "b_1-c")),
        ),
        ("/", Path("/", Kind.PLAIN, "/")),
        ("=/", Path("=/", Kind.EXACT, "/")),
        ("/ü/a.b~c/", Path("/ü/a.b~c/", Kind.PLAIN, "/ü/a.b~c/")),
    ],
)
def test_paths_are_of_four_kinds(text: str, path: Path) -> None:
    """Told apart by their markers and by parameters."""
    assert parse_path(text) == path


@pytest.mark.parametrize(
    ("text", "why", "hint"),
    [
        ("user", "must start with '/'", "did you mean '/user'?"),
        ("", "must start with '/'", "did you mean '/'?"),
        ("=user", "must start with '/'", "did you mean '=/user'?"),
        ("^~user", "must start with '/'", "did you mean '^~/user'?"),
        ("{id}", "must start with '/'", "did you mean '/{id}'?"),
        ("/a b", "may not hold white space, '?', '#', '\\' or stray braces", ""),
        ("/a?b=1", "may not hold white space, '?', '#', '\\' or stray braces", ""),
        ("/a#b", "may not hold white space, '?', '#', '\\' or stray braces", ""),
        ("/a\\b", "may not hold white space, '?', '#', '\\' or stray braces", ""),
        ("/a\n", "may not hold white space, '?', '#', '\\' or stray braces", ""),
        ("/{}", "may not hold white space, '?', '#', '\\' or stray braces", ""),
        ("/{1a}", "may not hold white space, '?', '#', '\\' or stray braces", ""),
        ("/{a", "may not hold white space, '?', '#', '\\' or stray braces", ""),
        ("/a}", "may not hold white space, '?', '#', '\\' or stray braces", ""),
        ("/{{a}}", "may not hold white space, '?', '#', '\\' or stray braces", ""),
        ("=/a/{id}", "has parameters behind '=' or '^~'", "did you mean '/a/{id}'?"),
        ("^~/a/{id}", "has parameters behind '=' or '^~'", "did you mean '/a/{id}'?"),
        ("/a{id}", "has a parameter inside the segment 'a{id}'", "use /{name}/"),
        ("/{id}a", "has a parameter inside the segment '{id}a'", "use /{name}/"),
        ("/{a}{b}", "has a parameter inside the segment '{a}{b}'", "use /{name}/"),
        ("/{id}/x/{id}", "names a parameter twice", ""),
    ],
)
def test_paths_that_mean_nothing_are_refused(text: str, why: str, hint: str) -> None:
    """With the path and what is wrong with it."""
    with pytest.raises(Refused) as caught:
        parse_path(text)
    [problem] = caught.value.problems
    assert problem.code == "bad-path"
    assert problem.message == f"the path {text!r} {why}"
    assert problem.hint == hint


@pytest.mark.parametrize("method", METHODS)
def test_methods_of_apis(method: str) -> None:
    """HTTP's and `ANY`, in upper case."""
    assert check_method(method) == method


@pytest.mark.parametrize(
    ("method", "hint"),
    [("get", "did you mean 'GET'?"), ("PSOT", "did you mean 'POST'?"), ("*", ""), ("", "")],
)
def test_unknown_methods_of_apis_are_refused(method: str, hint: str) -> None:
    """With the methods that there are."""
    with pytest.raises(Refused) as caught:
        check_method(method)
    [problem] = caught.value.problems
    assert problem.code == "bad-method"
    assert problem.message == (
        f"the method {method!r} is unknown; "
        "allowed: GET, POST, PUT, DELETE, HEAD, PATCH, OPTIONS, ANY"
    )
    assert problem.hint == hint


# Look-up


@pytest.mark.parametrize(
    ("patterns", "request_", "found", "parameters"),
    [
        pytest.param(["ANY =/user"], "GET /user", 0, {}, id="exact: the path itself"),
        pytest.param(["ANY ^~/user"], "GET /user", 0, {}, id="prefix: the path itself"),
        pytest.param(["ANY ^~/user"], "GET /usertest", 0, {}, id="prefix: characters go on"),
        pytest.param(["ANY ^~/user"], "GET /user/a/b", 0, {}, id="prefix: segments go on"),
        pytest.param(["ANY ^~/a/"], "GET /a/", 0, {}, id="prefix: with a slash"),
        pytest.param(["ANY /user"], "GET /user", 0, {}, id="plain: exact"),
        pytest.param(["ANY /user"], "GET /usertest", 0, {}, id="plain: or prefix of characters"),
        pytest.param(["ANY /user"], "GET /user/test/a", 0, {}, id="plain: or prefix of segments"),
        pytest.param(["ANY /"], "GET /x/y", 0, {}, id="plain: the root answers everything"),
        pytest.param(["ANY /u/{id}"], "GET /u/7", 0, {"id": "7"}, id="parameter: a segment"),
        pytest.param(["ANY /u/{id}"], "GET /u/a b", 0, {"id": "a b"}, id="parameter: decoded text"),
        pytest.param(
            ["ANY /{a}/x/{b}"],
            "GET /1/x/2",
            0,
            {"a": "1", "b": "2"},
            id="parameter: several, from left to right",
        ),
        pytest.param(
            ["ANY /u/{id}/"], "GET /u/7/", 0, {"id": "7"}, id="parameter: a slash at the end"
        ),
        pytest.param(
            ["ANY /user", "ANY /user/{id}", "ANY ^~/user", "ANY =/user/1"],
            "GET /user/1",
            3,
            {},
            id="priority: exact first",
        ),
        pytest.param(
            ["ANY /user", "ANY /user/{id}", "ANY ^~/user"],
            "GET /user/1",
            2,
            {},
            id="priority: then prefix, even before a longer parameter path",
        ),
        pytest.param(
            ["ANY /user/1", "ANY /user/{id}"],
            "GET /user/1",
            1,
            {"id": "1"},
            id="priority: then parameter, even before the plain path itself",
        ),
        pytest.param(["ANY /user", "ANY /u/{id}"], "GET /user/1", 0, {}, id="priority: plain last"),
        pytest.param(
            ["ANY /user", "ANY =/user"], "GET /user/1", 0, {}, id="priority: exact is only exact"
        ),
        pytest.param(
            ["ANY ^~/a", "ANY ^~/a/b", "ANY ^~/a/b/c"],
            "GET /a/b/x",
            1,
            {},
            id="longest prefix wins",
        ),
        pytest.param(
            ["ANY ^~/ab", "ANY ^~/a"], "GET /abc", 0, {}, id="longest prefix, listed first"
        ),
        pytest.param(["ANY /", "ANY /a", "ANY /a/b"], "GET /a/bc", 2, {}, id="longest plain wins"),
        pytest.param(
            ["ANY /{x}/b", "ANY /a/{y}"],
            "GET /a/b",
            1,
            {"y": "b"},
            id="the earlier literal segment wins",
        ),
        pytest.param(
            ["ANY /{x}/{y}", "ANY /a/{y}/c"],
            "GET /a/b",
            0,
            {"x": "a", "y": "b"},
            id="a literal that leads nowhere gives way",
        ),
        pytest.param(
            ["ANY /{x}/b/{z}", "ANY /a/{y}/c"],
            "GET /a/b/d",
            0,
            {"x": "a", "z": "d"},
            id="parameters of the way that led nowhere are forgotten",
        ),
        pytest.param(
            ["GET /u/{id}", "POST /u/{name}"],
            "POST /u/7",
            1,
            {"name": "7"},
            id="each method has its own parameter names",
        ),
        pytest.param(["ANY =/a", "GET =/a"], "GET /a", 1, {}, id="exact: the method before ANY"),
        pytest.param(["ANY =/a", "GET =/a"], "POST /a", 0, {}, id="exact: ANY for the others"),
        pytest.param(
            ["ANY ^~/a", "GET ^~/a"], "GET /ab", 1, {}, id="prefix: the method before ANY"
        ),
        pytest.param(["ANY /{a}", "GET /{b}"], "GET /x", 1, {"b": "x"}, id="parameter: the same"),
        pytest.param(["ANY /a", "GET /a"], "POST /ab", 0, {}, id="plain: ANY for the others"),
        pytest.param(["GET /a", "ANY /a/b"], "GET /a/b", 1, {}, id="length before the method"),
        pytest.param(
            ["GET =/a", "POST ^~/a"], "POST /a", 1, {}, id="method: falls through from exact"
        ),
        pytest.param(
            ["GET ^~/a/b", "POST ^~/a"], "POST /a/b", 1, {}, id="method: falls to a shorter prefix"
        ),
        pytest.param(
            ["GET ^~/a", "POST /{x}"], "POST /a", 1, {"x": "a"}, id="method: falls to parameters"
        ),
        pytest.param(
            ["GET /a/{y}", "POST /{x}/b"],
            "POST /a/b",
            1,
            {"x": "a"},
            id="method: falls to the other parameter path",
        ),
        pytest.param(["GET /{x}", "POST /"], "POST /a", 1, {}, id="method: falls to plain"),
    ],
)
def test_look_up(
    patterns: Sequence[str], request_: str, found: int, parameters: Mapping[str, str]
) -> None:
    """Each row is a table, a request, the entry that answers and its parameters."""
    method, path = request_.split(" ", 1)
    for entries in (patterns, patterns[::-1]):
        assert table_of(*entries).match(method, path) == (patterns[found], parameters)


@pytest.mark.parametrize(
    ("patterns", "request_"),
    [
        pytest.param([], "GET /", id="an empty table"),
        pytest.param(["ANY =/user"], "GET /user/", id="exact: a slash more"),
        pytest.param(["ANY =/user"], "GET /use", id="exact: less"),
        pytest.param(["ANY =/user"], "GET /User", id="paths are case-sensitive"),
        pytest.param(["ANY ^~/user"], "GET /use", id="prefix: less"),
        pytest.param(["ANY ^~/user/"], "GET /user", id="prefix: its slash is part of it"),
        pytest.param(["ANY ^~/user"], "GET /a/user", id="prefix: elsewhere"),
        pytest.param(["ANY /user"], "GET /use", id="plain: less"),
        pytest.param(["ANY /user/{id}"], "GET /user/", id="parameter: an empty segment is none"),
        pytest.param(["ANY /user/{id}"], "GET /user", id="parameter: no segment"),
        pytest.param(["ANY /user/{id}"], "GET /user/1/2", id="parameter: one segment only"),
        pytest.param(["ANY /user/{id}"], "GET /user/1/", id="parameter: a slash more"),
    ],
)
def test_a_path_that_no_api_has(patterns: Sequence[str], request_: str) -> None:
    """Is not found, whatever the method."""
    method, path = request_.split(" ", 1)
    with pytest.raises(ApiNotFound) as caught:
        table_of(*patterns).match(method, path)
    assert caught.value.path == path


@pytest.mark.parametrize("pattern", ["GET =/user", "GET ^~/us", "GET /{name}", "GET /us"])
def test_a_path_that_apis_have_but_none_with_the_method(pattern: str) -> None:
    """Is another error, for every kind of path."""
    with pytest.raises(MethodNotSupported) as caught:
        table_of(pattern, "POST /other").match("POST", "/user")
    assert (caught.value.method, caught.value.path) == ("POST", "/user")


def test_paths_in_errors_are_encoded() -> None:
    """What a client sends cannot break the line that tells of it."""
    with pytest.raises(ApiNotFound, match="/a%0Ab%22"):
        table_of().match("GET", '/a\nb"')
    with pytest.raises(MethodNotSupported, match="/a%0Ab"):
        table_of("GET /").match("POST", "/a\nb")


@pytest.mark.parametrize(
    "patterns",
    [
        pytest.param(["GET /a", "POST /a", "GET /a"], id="the same text"),
        pytest.param(["GET /a/{x}", "GET /b", "GET /a/{y}"], id="other names of parameters"),
    ],
)
def test_two_apis_with_the_same_method_and_path_are_refused(patterns: list[str]) -> None:
    """At the place of the later one."""
    with pytest.raises(Refused) as caught:
        table_of(*patterns)
    [problem] = caught.value.problems
    method, path = patterns[2].split()
    assert (problem.code, problem.at) == ("duplicate-api", (2,))
    assert problem.message == f"another api has the method {method} and the path {path!r}"


def test_the_same_words_as_different_kinds_are_no_duplicates() -> None:
    """Nor are different methods."""
    table = table_of("GET /a", "GET =/a", "GET ^~/a", "ANY /a", "GET /{a}")
    assert table.match("GET", "/a") == ("GET =/a", {})


# Against an oracle


def fits(pattern: str, path: str) -> dict[str, str] | None:
    """The parameters, if a pattern fits a path: CONTRACT 5.2 word by word."""
    if pattern.startswith("="):
        return {} if path == pattern[1:] else None
    if pattern.startswith("^~"):
        return {} if path.startswith(pattern[2:]) else None
    if "{" not in pattern:
        return {} if path.startswith(pattern) else None
    wanted, given_ = pattern.split("/"), path.split("/")
    if len(wanted) != len(given_):
        return None
    parameters = {}
    for want, have in zip(wanted, given_, strict=True):
        if want.startswith("{") and have:
            parameters[want[1:-1]] = have
        elif want != have:
            return None
    return parameters


def priority(entry: str) -> tuple[int, object, bool]:
    """Smaller is tried first: kind, then length or the earlier literal, then the method."""
    method, pattern = entry.split(" ")
    if pattern.startswith("="):
        return 1, 0, method == "ANY"
    if pattern.startswith("^~"):
        return 2, -len(pattern), method == "ANY"
    if "{" in pattern:
        return 3, [segment.startswith("{") for segment in pattern.split("/")], method == "ANY"
    return 4, -len(pattern), method == "ANY"


def oracle(entries: Iterable[str], method: str, path: str) -> Found | type[Exception]:
    """What the contract says, by trying every entry."""
    having = [entry for entry in entries if fits(entry.split(" ")[1], path) is not None]
    able = [entry for entry in having if entry.split(" ")[0] in {method, "ANY"}]
    if not able:
        return MethodNotSupported if having else ApiNotFound
    best = min(able, key=priority)
    return best, fits(best.split(" ")[1], path) or {}


SEGMENTS = st.sampled_from(["a", "b", "ab", ""])
PATHS = st.lists(SEGMENTS, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))


@st.composite
def patterns_(draw: st.DrawFn) -> str:
    """`METHOD pattern` over a small alphabet."""
    method = draw(st.sampled_from(["GET", "POST", "ANY"]))
    marker = draw(st.sampled_from(["=", "^~", "", "{"]))
    path = draw(PATHS)
    if marker == "{":
        parts = path.split("/")
        chosen = draw(st.sets(st.integers(1, len(parts) - 1), min_size=1))
        parts = [f"{{p{i}}}" if i in chosen else part for i, part in enumerate(parts)]
        return f"{method} {'/'.join(parts)}"
    return f"{method} {marker}{path}"


@settings(deadline=None, max_examples=400)
@given(
    entries=st.lists(patterns_(), max_size=12, unique=True),
    requests=st.lists(st.tuples(st.sampled_from(["GET", "POST"]), PATHS), min_size=1, max_size=8),
)
def test_a_table_finds_what_trying_every_entry_finds(
    entries: list[str], requests: list[tuple[str, str]]
) -> None:
    """Random tables and requests, compared with the contract read word by word."""
    table = table_of(*entries)
    for method, path in requests:
        expected = oracle(entries, method, path)
        if isinstance(expected, type):
            with pytest.raises(expected):
                table.match(method, path)
        else:
            assert table.match(method, path) == expected


# Work


def calls_of(table: Table[str], method: str, path: str) -> int:
    """How many functions, built-in ones included, one look-up calls."""
    count = 0

    def count_calls(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count_calls)
    try:
        table.match(method, path)
    finally:
        sys.setprofile(before)
    return count


def many(number: int) -> Table[str]:
    """A table of `number` APIs of every kind, all of the same lengths."""
    kinds = ("=/e/{:06}", "^~/f/{:06}", "/p/{:06}/{{id}}", "/q/{:06}", "/{{id}}/{:06}")
    return table_of(*(f"ANY {kind.format(n)}" for kind in kinds for n in range(number)))


@pytest.mark.parametrize(
    "path", ["/e/000003", "/f/000003/x", "/p/000003/x", "/q/000003/x", "/x/000003"]
)
def test_look_up_work_does_not_grow_with_the_number_of_apis(path: str) -> None:
    """Five APIs a kind or two thousand: the same calls, and not one more."""
    few, lots = calls_of(many(5), "GET", path), calls_of(many(2_000), "GET", path)
    assert few == lots
    assert few < 60


def test_prefixes_cost_one_look_up_for_each_length_that_occurs() -> None:
    """Lengths beyond the path's are passed over."""
    short = table_of(*(f"ANY /{'x' * n}" for n in range(1, 5)))
    long = table_of(*(f"ANY /{'x' * n}" for n in range(1, 500)))
    assert calls_of(long, "GET", "/xxyyy") <= calls_of(short, "GET", "/xxyyy") + 2

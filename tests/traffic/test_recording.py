"""A recording says again what was written, and a line that says something else is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.traffic.failures import BadLine
from gateway.traffic.opening import MAX_LINE
from gateway.traffic.recording import Answered, Origin, Recorded, parse, read, write
from gateway.traffic.recording_line import schema

SCHEMA = Path(__file__).parents[2] / "docs" / "recording.schema.json"
LEAST = {"v": 1, "at": 0, "method": "GET", "path": "/"}

_BYTES = st.characters(max_codepoint=0xFF, exclude_categories=["Cc", "Cs"])
_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
_VISIBLE = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
recorded = st.builds(
    Recorded,
    at=st.integers(0, 10**12).map(lambda micros: round(micros / 1e6, 6)),
    method=st.sampled_from(["GET", "POST", "M-SEARCH"]),
    path=st.text(_VISIBLE).map(lambda text: "/" + text.replace("?", "").replace("#", "")),
    query=st.text(_VISIBLE).map(lambda text: text.replace("#", "")),
    headers=st.lists(st.tuples(st.sampled_from(["User", "X-a", "cookie"]), st.text(_BYTES))).map(
        tuple
    ),
    body=st.binary(),
    user=st.none() | _TEXT,
    origin=st.none() | st.builds(Origin, _TEXT, st.integers(1, 10**9)),
    stage=st.none() | st.sampled_from(["dev", "release"]),
    answer=st.none()
    | st.builds(
        Answered,
        status=st.integers(100, 999),
        seconds=st.none() | st.floats(0, 1e6),
        version=st.none() | st.just("2"),
        reason=st.none() | st.just("weight"),
        revision=st.none() | st.integers(0, 2**40),
    )
    | st.just(Answered(version="1")),
)


@given(recorded)
def test_what_was_written_is_read(request: Recorded) -> None:
    """Every value of every field."""
    line = write(request)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert list(read([line])) == [request]


def test_a_line_has_nothing_to_say_of_what_there_is_not() -> None:
    """The shortest one."""
    assert write(Recorded(0.0, "GET", "/")) == b'{"v":1,"at":0.0,"method":"GET","path":"/"}\n'


def test_a_line_says_everything() -> None:
    """In one order, with the body as text where it is."""
    request = Recorded(
        at=1.2345678,
        method="POST",
        path="/orders",
        query="a=1",
        headers=(("User", "Bob"),),
        body=b"\xc3\xbc\0",
        user="Bob",
        origin=Origin("access.log", 7),
        stage="release",
        answer=Answered(200, 0.5, "2", "weight", 3),
    )
    line = json.loads(write(request))
    assert list(line.items()) == [
        ("v", 1),
        ("at", 1.234568),
        ("method", "POST"),
        ("path", "/orders"),
        ("query", "a=1"),
        ("headers", [["User", "Bob"]]),
        ("body", "ü\0"),
        ("user", "Bob"),
        ("origin", {"file": "access.log", "line": 7}),
        ("stage", "release"),
        (
            "answer",
            {"status": 200, "seconds": 0.5, "version": "2", "reason": "weight", "revision": 3},
        ),
    ]


def test_an_answer_of_an_access_log_is_its_status() -> None:
    """Which is all that most lines know."""
    line = write(Recorded(0.0, "GET", "/", answer=Answered(404)))
    assert json.loads(line)["answer"] == {"status": 404}


def test_a_body_that_is_no_text_is_base64() -> None:
    """Under another name."""
    assert json.loads(write(Recorded(0.0, "PUT", "/", body=b"\xff")))["body64"] == "/w=="


def test_empty_lines_say_nothing() -> None:
    """Wherever they stand."""
    line = write(Recorded(0.0, "GET", "/"))
    assert len(list(read([b"", line, b"  ", line[:-1]]))) == 2


REFUSED = {
    "no json": (b"{", "it is no JSON: "),
    "no text": (b"\xff", "it is no JSON: "),
    "a list": (b"[]", "it is no JSON object"),
    "another version": ({"v": 2}, "it is of version 2; this gateway reads version 1"),
    "no time": ({"at": None}, "its 'at' is None: "),
    "endless time": (b'{"v":1,"at":1e999,"method":"GET","path":"/"}', "its 'at' is inf: "),
    "time before the beginning": ({"at": -1}, "its 'at' is -1: "),
    "no path": (b'{"v":1,"at":1,"method":"GET"}', "it has no 'path'"),
    "a query in the path": ({"path": "/a?b"}, "its 'path' is '/a?b'; allowed: a path from '/' on"),
    "letters in the path": ({"path": "/ü"}, "its 'path' is '/ü'; allowed: a path from '/' on"),
    "a line in the path": ({"path": "/\n"}, "its 'path' is '/\\n'; allowed: a path from '/' on"),
    "a fragment": ({"query": "a#b"}, "its 'query' is 'a#b'; allowed: percent-encoded ASCII"),
    "no method": ({"method": "GET /"}, "its 'method' is 'GET /'; allowed: a method of HTTP"),
    "half a header": ({"headers": [["a"]]}, "it has no 'headers.0.1'"),
    "a line in a header": (
        {"headers": [["a", "b\nc"]]},
        "its 'headers.0.1' is 'b\\nc'; allowed: names and values of HTTP",
    ),
    "wide letters in a header": ({"headers": [["a", "Ω"]]}, "its 'headers.0.1' is 'Ω'; allowed: "),
    "a typing mistake": ({"haeders": []}, "unknown key 'haeders'; did you mean 'headers'?"),
    "a typing mistake inside": (
        {"answer": {"stauts": 200}},
        "unknown key 'answer.stauts'; did you mean 'status'?",
    ),
    "two bodies": ({"body": "", "body64": ""}, "both 'body' and 'body64'; allowed: one of them"),
    "no base64": ({"body64": "ü"}, "its 'body64' is no base64"),
    "line zero": ({"origin": {"file": "a", "line": 0}}, "its 'origin.line' is 0: "),
    "a long value": ({"user": ["x" * 200]}, "its 'user' is ['" + "x" * 75 + "...: "),
    "a long line": (b" " * MAX_LINE + b"{}", f"it is longer than {MAX_LINE} bytes"),
}


@pytest.mark.parametrize(("line", "sentence"), REFUSED.values(), ids=REFUSED)
def test_a_line_that_says_something_else_is_refused(
    line: bytes | dict[str, object], sentence: str
) -> None:
    """With the file, the number and a sentence."""
    data = line if isinstance(line, bytes) else json.dumps(LEAST | line).encode()
    with pytest.raises(BadLine) as refused:
        list(read([b"", data], "shop.jsonl"))
    assert (refused.value.file, refused.value.line) == ("shop.jsonl", 2)
    assert sentence in refused.value.sentence
    assert str(refused.value) == f"shop.jsonl:2: {refused.value.sentence}"


@given(st.binary(max_size=60) | st.dictionaries(st.text(), st.none()).map(json.dumps))
def test_any_bytes_are_a_line_or_refused(line: bytes | str) -> None:
    """Nothing else can happen."""
    data = line.encode() if isinstance(line, str) else line
    with pytest.raises(BadLine):
        parse(data)


def test_the_published_schema_is_that_of_the_type() -> None:
    """Which is made from it: `json.dumps(schema(), indent=2)`."""
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == schema()


def test_the_schema_knows_every_field() -> None:
    """Under the names that lines have."""
    made = schema()
    fields = {*Recorded._fields, "v", "body64"}
    assert set(made["properties"]) == fields
    assert set(made["$defs"]["AnswerLine"]["properties"]) == set(Answered._fields)
    assert set(made["$defs"]["OriginLine"]["properties"]) == set(Origin._fields)

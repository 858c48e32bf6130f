"""Integrated answers: what a function spells out, and what of it is no answer (CONTRACT 5.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.dataplane.conftest import Make

MALFORMED = (
    b'{"errno":403,"error":"Invalid scf response format. please check your scf response format."}'
)
TEXT = "text/plain; charset=utf-8"
OWN = ("x-gateway-", "x-api-requestid")

Pairs = list[tuple[str, str]]


def own_headers(answer: object) -> Pairs:
    """The headers that are the function's or made for it."""
    headers: Pairs = answer.headers.multi_items()  # type: ignore[attr-defined]
    return [pair for pair in headers if not pair[0].startswith(OWN)]


@pytest.mark.parametrize(
    ("value", "status", "headers", "body"),
    [
        pytest.param(
            '{"isBase64Encoded": False, "statusCode": 201, '
            '"headers": {"Content-Type": "application/json"}, "body": "[1]"}',
            201,
            [("content-type", "application/json"), ("content-length", "3")],
            b"[1]",
            id="every key",
        ),
        pytest.param(
            '{"statusCode": 200}',
            200,
            [("content-type", TEXT), ("content-length", "0")],
            b"",
            id="a status alone",
        ),
        pytest.param(
            '{"statusCode": 200, "headers": None, "body": None}',
            200,
            [("content-type", TEXT), ("content-length", "0")],
            b"",
            id="nothing said with None",
        ),
        pytest.param(
            '{"statusCode": 200, "headers": {}, "body": "ü€"}',
            200,
            [("content-type", TEXT), ("content-length", "5")],
            "ü€".encode(),
            id="text is UTF-8",
        ),
        pytest.param(
            '{"statusCode": 200, "body": "//4A", "isBase64Encoded": True}',
            200,
            [("content-type", TEXT), ("content-length", "3")],
            b"\xff\xfe\x00",
            id="Base64",
        ),
        pytest.param(
            '{"statusCode": 200, "headers": {"X-A": "1"}}',
            200,
            [("content-type", TEXT), ("x-a", "1"), ("content-length", "0")],
            b"",
            id="headers without a content type",
        ),
        pytest.param(
            '{"statusCode": 200, "headers": {"X-Content-Type": "1", "X-N": "content-type: a"}}',
            200,
            [
                ("content-type", TEXT),
                ("x-content-type", "1"),
                ("x-n", "content-type: a"),
                ("content-length", "0"),
            ],
            b"",
            id="what only looks like a content type",
        ),
        pytest.param(
            '{"statusCode": 200, "headers": {"CONTENT-TYPE": "image/png"}}',
            200,
            [("content-type", "image/png"), ("content-length", "0")],
            b"",
            id="names in any case",
        ),
        pytest.param(
            '{"statusCode": 200, "headers": {"Set-Cookie": ["a=1", "b=2"], "X-Empty": []}}',
            200,
            [
                ("content-type", TEXT),
                ("set-cookie", "a=1"),
                ("set-cookie", "b=2"),
                ("content-length", "0"),
            ],
            b"",
            id="several values",
        ),
        pytest.param(
            '{"statusCode": 200, "headers": {"X-N": 5, "X-F": 1.5, "X-L": [1, "2"], "X-E": ""}}',
            200,
            [
                ("content-type", TEXT),
                ("x-n", "5"),
                ("x-f", "1.5"),
                ("x-l", "1"),
                ("x-l", "2"),
                ("x-e", ""),
                ("content-length", "0"),
            ],
            b"",
            id="numbers as values",
        ),
        pytest.param(
            '{"statusCode": 302, "headers": {"Location": "/x", "X-Tab": "a\\tb"}}',
            302,
            [
                ("content-type", TEXT),
                ("location", "/x"),
                ("x-tab", "a\tb"),
                ("content-length", "0"),
            ],
            b"",
            id="redirect, and a tab inside a value",
        ),
        pytest.param(
            '{"statusCode": 204, "body": "dropped"}', 204, [("content-type", TEXT)], b"", id="204"
        ),
        pytest.param(
            '{"statusCode": 304, "headers": {"ETag": "x"}, "body": "dropped"}',
            304,
            [("content-type", TEXT), ("etag", "x")],
            b"",
            id="304",
        ),
        pytest.param(
            '{"statusCode": 599, "body": "e"}',
            599,
            [("content-type", TEXT), ("content-length", "1")],
            b"e",
            id="the highest status",
        ),
        pytest.param(
            '{"statusCode": 200, "unknown": 1}',
            200,
            [("content-type", TEXT), ("content-length", "0")],
            b"",
            id="keys that mean nothing",
        ),
        pytest.param(
            '__import__("types").MappingProxyType({"statusCode": 200, "body": "m"})',
            200,
            [("content-type", TEXT), ("content-length", "1")],
            b"m",
            id="any mapping",
        ),
        pytest.param(
            '{"statusCode": 200, "body": "\\ud800"}',
            200,
            [("content-type", TEXT), ("content-length", "3")],
            b"\xed\xa0\x80",
            id="half a surrogate pair",
        ),
    ],
)
def test_an_integrated_answer_is_sent_as_it_is_spelled_out(
    returning: Make, value: str, status: int, headers: Pairs, body: bytes
) -> None:
    """Status, headers in their order, body; a content type where none is given."""
    caller = returning(value)
    for _ in range(2):  # the second time from memory
        answer = caller()
        assert (answer.status_code, answer.content) == (status, body)
        assert own_headers(answer) == headers


def spelled(headers: str) -> str:
    """An answer that has nothing but these headers."""
    return f'{{"statusCode": 200, "headers": {headers}}}'


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("None", id="nothing"),
        pytest.param('"text"', id="text"),
        pytest.param("[1]", id="a list"),
        pytest.param("7", id="a number"),
        pytest.param("{}", id="no status"),
        pytest.param('{"body": "x"}', id="a body alone"),
        pytest.param('{"statusCode": None}', id="status None"),
        pytest.param('{"statusCode": "200"}', id="status as text"),
        pytest.param('{"statusCode": 200.0}', id="status as a float"),
        pytest.param('{"statusCode": True}', id="status as a bool"),
        pytest.param('{"statusCode": 199}', id="status below 200"),
        pytest.param('{"statusCode": 600}', id="status above 599"),
        pytest.param('{"statusCode": -1}', id="negative status"),
        pytest.param('{"statusCode": 200, "body": {"a": 1}}', id="body as a dict"),
        pytest.param('{"statusCode": 200, "body": b"x"}', id="body as bytes"),
        pytest.param('{"statusCode": 200, "body": 5}', id="body as a number"),
        pytest.param('{"statusCode": 200, "body": "x", "isBase64Encoded": "true"}', id="flag text"),
        pytest.param('{"statusCode": 200, "body": "x", "isBase64Encoded": 1}', id="flag number"),
        pytest.param('{"statusCode": 200, "body": "x", "isBase64Encoded": None}', id="flag None"),
        pytest.param('{"statusCode": 200, "body": "x", "isBase64Encoded": True}', id="no Base64"),
        pytest.param('{"statusCode": 200, "body": "ü", "isBase64Encoded": True}', id="no ASCII"),
        pytest.param(spelled('["a"]'), id="headers as a list"),
        pytest.param(spelled('"a: b"'), id="headers as text"),
        pytest.param(spelled('{"X-A": None}'), id="value None"),
        pytest.param(spelled('{"X-A": True}'), id="value a bool"),
        pytest.param(spelled('{"X-A": {"a": 1}}'), id="value a dict"),
        pytest.param(spelled('{"X-A": b"x"}'), id="value bytes"),
        pytest.param(spelled('{"X-A": ["x", None]}'), id="value None in a list"),
        pytest.param(spelled('{"X-A": [["x"]]}'), id="a list in a list"),
        pytest.param(spelled('{5: "x"}'), id="name a number"),
        pytest.param(spelled('{"": "x"}'), id="name empty"),
        pytest.param(spelled('{"X A": "x"}'), id="name with a space"),
        pytest.param(spelled('{"X-Ü": "x"}'), id="name beyond ASCII"),
        pytest.param(spelled('{"X-A:": "x"}'), id="name with a colon"),
        pytest.param(spelled('{"X-A\\r\\nX-B": "x"}'), id="line end in a name"),
        pytest.param(spelled('{"X-A": "x\\r\\nX-Evil: 1"}'), id="CR LF in a value"),
        pytest.param(spelled('{"X-A": "x\\nX-Evil: 1"}'), id="LF in a value"),
        pytest.param(spelled('{"X-A": "x\\rX-Evil: 1"}'), id="CR in a value"),
        pytest.param(spelled('{"X-A": ["fine", "x\\r\\n\\r\\nbody"]}'), id="CR LF in a list"),
        pytest.param(spelled('{"X-A": "x\\x00"}'), id="NUL in a value"),
        pytest.param(spelled('{"X-A": "x\\x1b[2J"}'), id="control character in a value"),
        pytest.param(spelled('{"X-A": "x\\x7f"}'), id="DEL in a value"),
        pytest.param(spelled('{"X-A": "\\ud800"}'), id="half a surrogate pair in a value"),
        pytest.param(
            '{"statusCode": 200, "headers": {"Content-Length": "5\\r\\nX-Evil: 1"}}',
            id="line end in a header that is not the function's",
        ),
    ],
)
def test_what_is_no_answer_is_the_clouds_403(returning: Make, value: str) -> None:
    """With its text to the letter, and with everything that is said of the decision."""
    answer = returning(value)()
    assert (answer.status_code, answer.content) == (403, MALFORMED)
    assert own_headers(answer) == [
        ("content-type", "application/json"),
        ("content-length", str(len(MALFORMED))),
    ]
    assert answer.headers["x-gateway-version"] == "$LATEST"


@pytest.mark.parametrize(
    "name",
    [
        "Connection",
        "content-length",
        "Date",
        "Keep-Alive",
        "Transfer-Encoding",
        "Upgrade",
        "X-Api-RequestId",
        "X-Gateway-Version",
        "X-Gateway-Mine",
        "x_gateway_version",
    ],
)
def test_a_function_cannot_set_what_is_not_its_own(returning: Make, name: str) -> None:
    """Framing is the server's and the reasons are the gateway's; the rest of the answer stays."""
    value = f'{{"statusCode": 200, "headers": {{"{name}": "spoilt", "X-Own": "1"}}, "body": "ab"}}'
    answer = returning(value)()
    assert (answer.status_code, answer.content) == (200, b"ab")
    assert "spoilt" not in answer.headers.values()
    assert answer.headers["x-gateway-version"] == "$LATEST"
    assert own_headers(answer) == [
        ("content-type", TEXT),
        ("x-own", "1"),
        ("content-length", "2"),
    ]


def test_values_beyond_latin_1_travel_as_utf_8(returning: Make) -> None:
    """Latin-1 is what headers are; where it does not suffice, UTF-8 is what clients expect."""
    value = '{"statusCode": 200, "headers": {"X-Latin": "ü", "X-Far": "€"}}'
    raw = dict(returning(value)().headers.raw)
    assert (raw[b"x-latin"], raw[b"x-far"]) == (b"\xfc", "€".encode())


def test_equal_headers_of_different_types_are_told_apart(returning: Make) -> None:
    """`1`, `1.0` and `True` are equal in Python and read differently."""
    code = """
        import json
        VALUES = ["1", 1, 1.0, True]
        async def main_handler(event, context):
            return {"statusCode": 200, "headers": {"X-V": VALUES[int(event["body"])]}}
    """
    caller = returning(code)
    for _ in range(2):
        answers = [caller("/dev/", "POST", content=str(index)) for index in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 403]
        assert [answer.headers.get("x-v") for answer in answers] == ["1", "1", "1.0", None]


def test_more_different_headers_than_are_remembered_are_sent_rightly(returning: Make) -> None:
    """The memory starts afresh when it is full."""
    code = """
        async def main_handler(event, context):
            return {"statusCode": 200, "headers": {"X-V": event["queryString"]["v"]}}
    """
    caller = returning(code)

    async def scenario() -> list[str]:
        return [(await caller.ask(f"/dev/?v={n}")).headers["x-v"] for n in range(1100)]

    assert caller.run(scenario()) == [str(number) for number in range(1100)]


def test_a_head_request_is_answered_as_the_function_says(returning: Make) -> None:
    """The server leaves the body out; the length says what it would have been."""
    code = """
        async def main_handler(event, context):
            return {"statusCode": 200, "body": event["httpMethod"]}
    """
    answer = returning(code)("/dev/", "HEAD")
    assert (answer.status_code, answer.headers["content-length"]) == (200, "4")


def test_plain_functions_and_coroutines_answer_alike(returning: Make) -> None:
    """A plain function runs in a thread."""
    code = 'def main_handler(event, context):\n    return {"statusCode": 418, "body": "tea"}\n'
    plain = returning(code)()
    inline = returning(code.replace("def", "async def"))()
    assert (plain.status_code, plain.content) == (inline.status_code, inline.content)
    assert own_headers(plain) == own_headers(inline)

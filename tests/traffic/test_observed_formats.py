"""Every line that a server writes by its format string is read back, and no other in bad time."""

from __future__ import annotations

from time import perf_counter

import pytest

from gateway.traffic.observed_formats import (
    COMBINED,
    COMMON,
    ENVOY,
    UnreadableFormat,
    names_of,
    parser,
)

CLF = '10.0.0.1 - amy [17/May/2015:10:05:03 +0000] "GET /a?b=c HTTP/1.1" 200 12'
AGENT = ' "-" "Mozilla/5.0 (X; \\"Y\\")"'.replace('\\"', "\\x22")
OF_ENVOY = (
    '[2026-01-31T12:00:00.123Z] "GET /a HTTP/1.1" 200 - 0 5 12 11 "-" "curl/8" "id" "shop:80"'
    ' "127.0.0.1:9001"'
)


@pytest.mark.parametrize(
    ("written", "line", "field", "value"),
    [
        pytest.param(COMMON, CLF, "remote_user", "amy", id="common"),
        pytest.param(COMMON, CLF, "request", "GET /a?b=c HTTP/1.1", id="quoted"),
        pytest.param(COMBINED, CLF + AGENT, "status", "200", id="combined"),
        pytest.param(ENVOY, OF_ENVOY, "upstream_host", "127.0.0.1:9001", id="Envoy"),
        pytest.param(ENVOY, OF_ENVOY, "duration", "12", id="Envoy's time"),
        pytest.param("$a", "all of it, here", "a", "all of it, here", id="the whole line"),
        pytest.param("${a}b", "xb", "a", "x", id="braces"),
        pytest.param("v=$v;", "v=2;", "v", "2", id="text around"),
        pytest.param(
            "$upstream_addr $status",
            "10.0.0.1:80, 10.0.0.2:80 : 10.0.0.3:80 502",
            "upstream_addr",
            "10.0.0.1:80, 10.0.0.2:80 : 10.0.0.3:80",
            id="several upstreams",
        ),
        pytest.param("%RESP(X-V)% %A:9%", "2 b", "resp(x-v)", "2", id="an argument"),
    ],
)
def test_a_field_is_what_the_server_wrote(written: str, line: str, field: str, value: str) -> None:
    """Between the texts of the format string, whatever it is."""
    fields = parser(written)(line)
    assert fields is not None
    assert fields[field] == value
    assert list(fields) == names_of(written)


@pytest.mark.parametrize("line", ["", "nothing like it", CLF[:-3], CLF.replace(" - ", " ")])
def test_another_line_is_none(line: str) -> None:
    """A line is in the format from its beginning to its end, or not at all."""
    assert parser(COMMON)(line) is None


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param("", {}, id="none"),
        pytest.param(" 2", {"1": "2"}, id="bare"),
        pytest.param(' "two words" x', {"1": "two words", "2": "x"}, id="quoted"),
        pytest.param(" v=2", {"1": "2", "v": "2"}, id="named"),
        pytest.param(' v="a b"', {"1": "a b", "v": "a b"}, id="named and quoted"),
    ],
)
def test_fields_may_follow(more: str, expected: dict[str, str]) -> None:
    """Servers append what their owners want to know."""
    fields = parser(COMMON, extra=True)(CLF + more)
    assert fields is not None
    assert dict(list(fields.items())[7:]) == expected


def test_what_follows_must_be_fields() -> None:
    """Single spaces separate them; a format that ends otherwise has none."""
    assert parser(COMMON, extra=True)(f"{CLF}  two spaces") is None
    assert parser("$a:")("x: 2") is None


@pytest.mark.parametrize(
    ("written", "why"),
    [
        pytest.param("nothing", "names no field", id="no variable"),
        pytest.param("$a $a", "'a' twice", id="twice"),
        pytest.param("$a$b", "nothing between $a and $b", id="nothing between"),
    ],
)
def test_a_format_that_reads_nothing_is_refused(written: str, why: str) -> None:
    """Before a line is read, with what is wrong."""
    with pytest.raises(UnreadableFormat, match=why.replace("$", r"\$")):
        parser(written)


@pytest.mark.parametrize("text", ["x " * 100_000, '"' * 100_000, ", ," * 50_000, "a, " * 50_000])
def test_a_hostile_line_costs_one_pass(text: str) -> None:
    """Twice the quadratic time of such a line would be minutes."""
    parses = [parser(COMBINED, extra=True), parser(ENVOY), parser("$upstream_addr $b $c")]
    begun = perf_counter()
    for parse in parses:
        parse(text)
        parse(CLF + text)
    assert perf_counter() - begun < 5

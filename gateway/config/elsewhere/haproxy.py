"""HAProxy: one frontend whose rules settle the choice, then its outcome, in the plan's order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import Final
from zlib import crc32

from gateway.config.elsewhere.conditions import Condition
from gateway.config.elsewhere.naming import (
    NOT_FOUND,
    TEXT,
    Elsewhere,
    reaches,
    scaled,
    version_name,
)
from gateway.config.elsewhere.ways import Choice, Outcome, Way, path_pattern

_HEAD: Final = """\
global
    log stdout format raw local0

defaults
    mode http
    log global
    timeout connect 5s
    timeout client 60s
    timeout server 60s

frontend gateway"""

_LOG: Final = ", ".join(
    f'"{name}": "{value}"'
    for name, value in {
        "time": "%Tl",
        "method": "%HM",
        "status": "%ST",
        "ms": "%Ta",
        "stage": "%[var(txn.stage)]",
        "function": "%[var(txn.outcome),field(1,|)]",
        "alias": "%[var(txn.outcome),field(2,|)]",
        "version": "%[var(txn.outcome),field(3,|)]",
        "reason": "%[var(txn.outcome),field(4,|)]",
        "revision": "REVISION",
        "upstream": "%si:%sp",
    }.items()
)
_HASHES: Final = 1 << 32
_OPEN: Final = "!{ var(txn.outcome) -m found }"


def haproxy(wanted: Elsewhere) -> str:
    """A whole configuration file."""
    lines = [*(f"# {line}".rstrip() for line in wanted.notes), _HEAD]
    lines += [f"    {line}" for line in _frontend(wanted)]
    for function, version in wanted.plan.versions():
        host, port = wanted.upstreams[function, version]
        lines += ["", f"backend {version_name(function, version)}"]
        lines += [f"    server version {host}:{port}"]
    return "\n".join(lines) + "\n"


def _frontend(wanted: Elsewhere) -> Iterator[str]:
    host, port = wanted.listen
    revision = str(wanted.plan.revision)
    yield f"bind {host}:{port}"
    yield f"log-format '{{{_LOG.replace('REVISION', revision)}}}'"
    yield "http-request del-header X-Gateway- -m beg"
    yield "http-request deny deny_status 400 if { path -m sub -i %2f }"
    yield "http-request set-var(txn.path) path,url_dec"
    yield r"http-request deny deny_status 400 if { var(txn.path) -m reg (^|/)\.\.?(/|$) }"
    for number, way in enumerate(wanted.plan.ways, start=1):
        yield from _taken(way, f"way{number}")
    answer = f"status 404 content-type application/json string '{NOT_FOUND}'"
    yield f"http-request return {answer} unless {{ var(txn.way) -m found }}"
    for number, way in enumerate(wanted.plan.ways, start=1):
        mine = f"{{ var(txn.way) -m str way{number} }}"
        yield from _decided(way.choice, way, mine) if way.choice else _fixed(way, mine)
    if not wanted.keep_stage:
        yield "http-request replace-path '^/[^/]+(?:/|$)(.*)' '/\\1'"
    yield "use_backend %[var(txn.outcome),field(5,|)]"
    yield from _said(revision)


def _taken(way: Way, name: str) -> Iterator[str]:
    """Which API takes the request."""
    method = "" if way.api.method == "ANY" else f" {{ method {way.api.method} }}"
    path = f"{{ var(txn.path) -m reg {_whole(path_pattern(way, coded=False))} }}"
    mine = f"if !{{ var(txn.way) -m found }}{method} {path}"
    yield f"http-request set-var(txn.way) str({name}) {mine}"
    yield f"http-request set-var(txn.stage) str({way.stage}) if {{ var(txn.way) -m str {name} }}"


def _fixed(way: Way, mine: str) -> Iterator[str]:
    assert way.fixed is not None  # noqa: S101 - a way has a choice or a fixed answer
    status, body = way.fixed.status, _quoted(way.fixed.body)
    yield f"http-request return status {status} content-type '{TEXT}' string {body} if {mine}"


def _decided(choice: Choice, way: Way, mine: str) -> Iterator[str]:
    for found, outcome in choice.conditions:
        if reaches(way, found):
            yield f"# rule {found.number}: {found.when.encode('unicode_escape').decode()}"
            yield _set(outcome, f"{_OPEN} {mine} {_test(found, way)}")
    shares, scale = scaled(choice)
    if len(shares) == 1:
        yield _set(shares[0][0], f"{_OPEN} {mine}")
        return
    if choice.sticky:
        owner = choice.shares[0][0]
        seed = crc32(f"{owner.function}/{owner.alias}".encode()) & 0x7FFFFFFF
        key = f"req.fhdr({choice.sticky},-1)"
        has_key = f"{{ {key} -m found }}"
        draw = f"http-request set-var(txn.draw) {key},xxh32({seed})"
        yield f"{draw} if {_OPEN} {mine} {has_key}"
        hashed = [(outcome, int(share * _HASHES)) for outcome, share in choice.shares]
        yield from _drawn(hashed, f"{_OPEN} {mine} {has_key}", sticky=True)
    yield f"http-request set-var(txn.draw) rand({scale}) if {_OPEN} {mine}"
    yield from _drawn(shares, f"{_OPEN} {mine}", sticky=False)


def _drawn(shares: list[tuple[Outcome, int]], when: str, *, sticky: bool) -> Iterator[str]:
    """The last outcome takes what rounding would leave to nobody."""
    bounds = accumulate(share for _, share in shares[:-1])
    for (outcome, _), bound in zip(shares[:-1], bounds, strict=True):
        yield _set(outcome, f"{when} {{ var(txn.draw) -m int lt {bound} }}", sticky=sticky)
    yield _set(shares[-1][0], when, sticky=sticky)


def _set(outcome: Outcome, when: str, *, sticky: bool = False) -> str:
    reason = "sticky" if sticky else outcome.reason
    upstream = version_name(outcome.function, outcome.version)
    text = f"{outcome.function}|{outcome.alias}|{outcome.version}|{reason}|{upstream}"
    return f"http-request set-var(txn.outcome) str({text}) if {when}"


def _test(found: Condition, way: Way) -> str:
    if found.source == "path":
        pattern = path_pattern(way, coded=False, values={found.name: found.pattern})
        return f"{{ var(txn.path) -m reg {_whole(pattern)} }}"
    name = "cookie" if found.source == "cookies" else found.name
    where = "query" if found.source == "query" else f"req.fhdr({name},-1)"
    return f"{{ {where} -m reg {_whole(found.pattern)} }}"


def _said(revision: str) -> Iterator[str]:
    """What answers say; what versions say of themselves is dropped."""
    yield "http-after-response del-header X-Gateway- -m beg"
    there = "if { var(txn.way) -m found }"
    yield f"http-after-response set-header X-Gateway-Stage %[var(txn.stage)] {there}"
    yield f"http-after-response set-header X-Gateway-Revision {revision}"
    for index, name in enumerate(("Function", "Alias", "Version", "Reason"), start=1):
        value = f"var(txn.outcome),field({index},|)"
        header = f"http-after-response set-header X-Gateway-{name}"
        yield f"{header} %[{value}] if {{ {value} -m len gt 0 }}"


def _whole(pattern: str) -> str:
    return _quoted(f"(?s)^(?:{pattern})\\z")


def _quoted(text: str) -> str:
    """A text in HAProxy's single quotes, in which nothing is special."""
    escaped = text.replace("'", "'\"'\"'")
    return f"'{escaped}'"

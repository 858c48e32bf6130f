"""nginx: chains of maps settle the API, the rules and the draw; one location passes requests on.

Everything is decided by regular expressions in the order of the plan, because nginx compares the
texts of a map, and the names of arguments and cookies, without case.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from gateway.config.elsewhere.conditions import Condition
from gateway.config.elsewhere.naming import (
    NOT_FOUND,
    OWN_HEADERS,
    TEXT,
    Elsewhere,
    reaches,
    version_name,
)
from gateway.config.elsewhere.ways import Choice, Outcome, Way, path_pattern

_LOG: Final = ", ".join(
    f'"{name}": "{value}"'
    for name, value in {
        "time": "$time_iso8601",
        "method": "$request_method",
        "path": "$request_uri",
        "status": "$status",
        "seconds": "$request_time",
        "stage": "$gateway_stage",
        "function": "$gateway_function",
        "alias": "$gateway_alias",
        "version": "$gateway_version",
        "reason": "$gateway_reason",
        "revision": "$gateway_revision",
        "upstream": "$upstream_addr",
    }.items()
)


def nginx(wanted: Elsewhere) -> str:
    """A file for nginx's `http` context."""
    return _Writer(wanted).text()


class _Writer:
    """Writes one file; outcomes and choices are numbered as they come up."""

    def __init__(self, wanted: Elsewhere) -> None:
        self._wanted = wanted
        self._outcomes: dict[tuple[Outcome, bool], str] = {}
        self._choices: dict[tuple[Choice, str], str] = {}
        self._lines: list[str] = []

    def text(self) -> str:
        ways = {f"way{number}": way for number, way in enumerate(self._wanted.plan.ways, start=1)}
        taken = [
            (f"~(?s)\\A(?:{_method(way)} {path_pattern(way, coded=False)})\\z", name)
            for name, way in ways.items()
        ]
        self._map('"$request_method $uri"', "$gateway_way", taken)
        led = [(name, self._choice(way) if way.choice else name) for name, way in ways.items()]
        self._map("$gateway_way", "$gateway_outcome", led)
        self._map("$gateway_way", "$gateway_stage", [(n, way.stage) for n, way in ways.items()])
        self._answers()
        head = [f"# {line}".rstrip() for line in self._wanted.notes]
        server = self._server({name: way for name, way in ways.items() if way.fixed})
        return "\n".join([*head, *self._upstreams(), *self._lines, *server]) + "\n"

    def _choice(self, way: Way) -> str:
        """The variable that holds the outcome of an API's qualifier."""
        choice = way.choice
        assert choice is not None  # noqa: S101 - fixed answers have none, and are not asked for
        by_path = any(found.source == "path" for found, _ in choice.conditions)
        key = (choice, way.stage + way.api.path.text if by_path else "")
        if key not in self._choices:
            variable = self._choices[key] = f"$gateway_choice{len(self._choices) + 1}"
            self._decide(variable, choice, way)
        return self._choices[key]

    def _decide(self, variable: str, choice: Choice, way: Way) -> None:
        conditions = [
            (found, outcome) for found, outcome in choice.conditions if reaches(way, found)
        ]
        names = [f"{variable}_rule{found.number}" for found, _ in conditions]
        names = [variable, *names[1:], f"{variable}_rest"] if conditions else [variable]
        self._draw(names[-1], choice)
        for (found, outcome), name, following in zip(
            reversed(conditions), reversed(names[:-1]), reversed(names[1:]), strict=True
        ):
            self._lines.append(
                f"# rule {found.number}: {found.when.encode('unicode_escape').decode()}"
            )
            source, pattern = _source(found, way)
            hit = (f"~(?s)\\A(?:{pattern})\\z", self._outcome(outcome))
            absent = [("", following)] if found.source == "headers" else []
            self._map(source, name, [*absent, hit], following)

    def _draw(self, variable: str, choice: Choice) -> None:
        if len(choice.shares) == 1:
            self._map("$gateway_way", variable, [], self._outcome(choice.shares[0][0]))
        elif not choice.sticky:
            self._split("$request_id", variable, self._shares(choice, sticky=False))
        else:
            owner = choice.shares[0][0]
            header = f"$http_{choice.sticky.lower().replace('-', '_')}"
            salted = f'"{owner.function}/{owner.alias.replace("$", "")}/{header}"'
            self._split("$request_id", f"{variable}_drawn", self._shares(choice, sticky=False))
            self._split(salted, f"{variable}_stuck", self._shares(choice, sticky=True))
            self._map(header, variable, [("", f"{variable}_drawn")], f"{variable}_stuck")

    def _shares(self, choice: Choice, *, sticky: bool) -> list[tuple[str, Decimal]]:
        return [(self._outcome(each, sticky=sticky), share) for each, share in choice.shares]

    def _split(self, key: str, variable: str, shares: list[tuple[str, Decimal]]) -> None:
        """The last share takes what rounding would leave to nobody."""
        *first, last = shares
        parts = [f"    {share * 100:.2f}% {outcome};" for outcome, share in first]
        lines = [f"split_clients {key} {variable} {{", *parts, f"    * {last[0]};", "}"]
        self._lines += lines

    def _outcome(self, outcome: Outcome, *, sticky: bool = False) -> str:
        return self._outcomes.setdefault((outcome, sticky), f"outcome{len(self._outcomes) + 1}")

    def _answers(self) -> None:
        """What each outcome says, and who answers it."""
        rows = {
            name: (
                each.function,
                _literal(each.alias),
                _literal(each.version),
                "sticky" if sticky else each.reason,
                version_name(each.function, each.version),
            )
            for (each, sticky), name in self._outcomes.items()
        }
        for index, what in enumerate(("function", "alias", "version", "reason", "upstream")):
            values = [(name, row[index]) for name, row in rows.items() if row[index]]
            self._map("$gateway_outcome", f"$gateway_{what}", values)
        revision = [("", "")] if rows else []
        number = str(self._wanted.plan.revision)
        self._map("$gateway_way", "$gateway_revision", revision, number)

    def _map(
        self, source: str, variable: str, rows: Iterable[tuple[str, str]], default: str = '""'
    ) -> None:
        lines = [f"    {_quoted(key)} {value or _quoted(value)};" for key, value in rows]
        self._lines += [f"map {source} {variable} {{", f"    default {default};", *lines, "}"]

    def _upstreams(self) -> Iterator[str]:
        # "$LATEST" and "$DEFAULT" would be read as variables wherever values are.
        yield 'geo $gateway_dollar { default "$"; }'
        for function, version in self._wanted.plan.versions():
            host, port = self._wanted.upstreams[function, version]
            server = f"server {host}:{port}; keepalive 64;"
            yield f"upstream {version_name(function, version)} {{ {server} }}"

    def _server(self, fixed: dict[str, Way]) -> Iterator[str]:
        host, port = self._wanted.listen
        yield f"log_format gateway escape=json '{{{_LOG}}}';"
        yield "server {"
        yield f"    listen {host}:{port};"
        yield "    merge_slashes off;"
        yield "    client_max_body_size 0;"
        yield "    default_type application/json;"
        yield "    access_log /var/log/nginx/gateway.log gateway;"
        for header in OWN_HEADERS[:-1]:
            yield f"    add_header {header} $gateway_{header.rpartition('-')[2].lower()} always;"
        yield from self._location(fixed)
        for name, way in fixed.items():
            yield from _fixed(name, way)
        yield "}"

    def _location(self, fixed: dict[str, Way]) -> Iterator[str]:
        yield "    location / {"
        yield f"        if ($gateway_outcome = \"\") {{ return 404 '{NOT_FOUND}'; }}"
        for name in fixed:
            fixed_answer = f"error_page 418 = @{name}; return 418;"
            yield f"        if ($gateway_outcome = {name}) {{ {fixed_answer} }}"
        if not self._wanted.keep_stage:
            yield '        rewrite "(?s)^/[^/]+(?:/|$)(.*)$" /$1 break;'
        yield "        proxy_http_version 1.1;"
        yield '        proxy_set_header Connection "";'
        yield "        proxy_set_header Host $http_host;"
        for header in OWN_HEADERS:
            yield f'        proxy_set_header {header} "";'
            yield f"        proxy_hide_header {header};"
        yield "        proxy_pass http://$gateway_upstream;"
        yield "    }"


def _fixed(name: str, way: Way) -> Iterator[str]:
    assert way.fixed is not None  # noqa: S101 - only fixed answers come here
    yield f"    location @{name} {{"
    yield f'        default_type "{TEXT}";'
    yield f"        return {way.fixed.status} {_quoted(way.fixed.body)};"
    yield "    }"


def _method(way: Way) -> str:
    return "[^ ]+" if way.api.method == "ANY" else way.api.method


def _source(found: Condition, way: Way) -> tuple[str, str]:
    """The variable that a rule looks at, and the pattern of a hit."""
    if found.source == "headers":
        return f"$http_{found.name.lower().replace('-', '_')}", found.pattern
    if found.source == "path":
        return "$uri", path_pattern(way, coded=False, values={found.name: found.pattern})
    return {"query": "$args", "cookies": "$http_cookie"}[found.source], found.pattern


def _literal(text: str) -> str:
    return text.replace("$", "${gateway_dollar}")


def _quoted(text: str) -> str:
    """A text in nginx's double quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

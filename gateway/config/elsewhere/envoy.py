"""Envoy: one route for each rule and one for the draw of each API, in the plan's order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from gateway.config.elsewhere.blocks import yaml
from gateway.config.elsewhere.conditions import Condition
from gateway.config.elsewhere.naming import (
    NOT_FOUND,
    OWN_HEADERS,
    TEXT,
    Elsewhere,
    reaches,
    said,
    scaled,
    version_name,
)
from gateway.config.elsewhere.ways import Choice, Outcome, Way, path_pattern

Table = dict[str, Any]

_V3: Final = "type.googleapis.com/envoy.extensions"
_MANAGER: Final = f"{_V3}.filters.network.http_connection_manager.v3.HttpConnectionManager"
_LOG: Final = {
    "time": "%START_TIME%",
    "method": "%REQ(:METHOD)%",
    "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "status": "%RESPONSE_CODE%",
    "ms": "%DURATION%",
    **{
        header.rpartition("-")[2].lower(): f"%RESP({header.upper()})%"
        for header in OWN_HEADERS[:-1]
    },
    "upstream": "%UPSTREAM_HOST%",
}

# Envoy refuses what takes more than 100 steps, and a rule about a query takes more.
_STEPS: Final = "re2.max_program_size.error_level"
_RUNTIME: Final[Table] = {"layers": [{"name": "gateway", "static_layer": {_STEPS: 1_000_000}}]}


def envoy(wanted: Elsewhere) -> str:
    """A bootstrap file with static resources."""
    clusters = [
        _cluster(version_name(*key), *wanted.upstreams[key]) for key in wanted.plan.versions()
    ]
    resources = {"listeners": [_listener(wanted)], "clusters": clusters}
    head = "".join(f"# {line}".rstrip() + "\n" for line in wanted.notes)
    return head + yaml({"static_resources": resources, "layered_runtime": _RUNTIME})


def _listener(wanted: Elsewhere) -> Table:
    host = {"name": "gateway", "domains": ["*"], "routes": list(_routes(wanted))}
    host["request_headers_to_remove"] = list(OWN_HEADERS)
    manager = {
        "@type": _MANAGER,
        "stat_prefix": "gateway",
        # %2F is a slash like any other, and dots are resolved before anything is matched.
        "normalize_path": True,
        "path_with_escaped_slashes_action": "UNESCAPE_AND_FORWARD",
        "access_log": [_access_log()],
        "route_config": {"name": "gateway", "virtual_hosts": [host]},
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{_V3}.filters.http.router.v3.Router"},
            }
        ],
    }
    name = "envoy.filters.network.http_connection_manager"
    filters = [{"name": name, "typed_config": manager}]
    return {
        "name": "gateway",
        "address": _address(*wanted.listen),
        "filter_chains": [{"filters": filters}],
    }


def _access_log() -> Table:
    return {
        "name": "envoy.access_loggers.stdout",
        "typed_config": {
            "@type": f"{_V3}.access_loggers.stream.v3.StdoutAccessLog",
            "log_format": {"json_format": _LOG},
        },
    }


def _address(host: str, port: int) -> Table:
    return {"socket_address": {"address": host, "port_value": port}}


def _cluster(name: str, host: str, port: int) -> Table:
    endpoint = {"endpoint": {"address": _address(host, port)}}
    return {
        "name": name,
        "type": "STRICT_DNS",
        "connect_timeout": "5s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _routes(wanted: Elsewhere) -> Iterator[Table]:
    for way in wanted.plan.ways:
        if way.choice is None:
            yield _fixed(way, wanted.plan.revision)
        else:
            yield from _chosen(way, way.choice, wanted)
    yield {
        "match": {"prefix": "/"},
        "direct_response": {"status": 404, "body": {"inline_string": NOT_FOUND}},
        "response_headers_to_add": _set({"Content-Type": "application/json"}),
    }


def _fixed(way: Way, revision: int) -> Table:
    assert way.fixed is not None  # noqa: S101 - a way has a choice or a fixed answer
    body = {"inline_string": way.fixed.body} if way.fixed.body else None
    answer = {"status": way.fixed.status, **({"body": body} if body else {})}
    headers = _set({"Content-Type": TEXT, **said(way, None, revision)})
    return {"match": _match(way), "direct_response": answer, "response_headers_to_add": headers}


def _chosen(way: Way, choice: Choice, wanted: Elsewhere) -> Iterator[Table]:
    revision, action = wanted.plan.revision, _action(wanted)
    for found, outcome in choice.conditions:
        if reaches(way, found):
            cluster = {"cluster": version_name(outcome.function, outcome.version)}
            yield {
                "match": _match(way, found),
                "route": {**cluster, **action},
                "response_headers_to_add": _set(said(way, outcome, revision)),
            }
    if choice.sticky:
        by = {"name": choice.sticky, "present_match": True}
        policy = [{"header": {"header_name": choice.sticky}}]
        split = {**_weighted(way, choice, revision, sticky=True), "use_hash_policy": True}
        match = _match(way)
        match["headers"] = [*match.get("headers", []), by]
        yield {
            "match": match,
            "route": {"weighted_clusters": split, "hash_policy": policy, **action},
        }
    split = _weighted(way, choice, revision, sticky=False)
    yield {"match": _match(way), "route": {"weighted_clusters": split, **action}}


def _action(wanted: Elsewhere) -> Table:
    if wanted.keep_stage:
        return {}
    return {"regex_rewrite": {"pattern": {"regex": "^/[^/]+(?:/|$)"}, "substitution": "/"}}


def _weighted(way: Way, choice: Choice, revision: int, *, sticky: bool) -> Table:
    def cluster(outcome: Outcome, share: int) -> Table:
        told = said(way, outcome, revision) | ({"X-Gateway-Reason": "sticky"} if sticky else {})
        return {
            "name": version_name(outcome.function, outcome.version),
            "weight": share,
            "response_headers_to_add": _set(told),
        }

    # A hash is taken modulo the sum: another sum would send every sticky key somewhere else.
    shares, _ = scaled(choice, 9 if sticky else 2)
    return {"clusters": [cluster(*each) for each in shares]}


def _match(way: Way, found: Condition | None = None) -> Table:
    values = {}
    headers = []
    if way.api.method != "ANY":
        headers.append({"name": ":method", "string_match": {"exact": way.api.method}})
    if found is not None and found.source == "path":
        values = {found.name: found.coded}
    elif found is not None:
        headers.append(_header(found))
    path = path_pattern(way, coded=True, values=values)
    return {"safe_regex": {"regex": path}, **({"headers": headers} if headers else {})}


def _header(found: Condition) -> Table:
    """A test of a header; Envoy reads the query as a part of the pseudo-header `:path`."""
    if found.value is not None:
        return {"name": found.name, "string_match": {"exact": found.value}}
    name = {"headers": found.name, "query": ":path", "cookies": "cookie"}[found.source]
    begin = r"[^?]*\?" if found.source == "query" else ""
    return {"name": name, "string_match": {"safe_regex": {"regex": begin + found.pattern}}}


def _set(headers: Table) -> list[Table]:
    """Headers that replace whatever the version says."""
    return [
        {
            "header": {"key": name, "value": value},
            "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
        }
        for name, value in headers.items()
    ]

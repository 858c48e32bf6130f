"""What the options of `gateway serve` mean: for one process, or for each of several."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.edge_options import edge
from gateway.cli.state import declared_file, state_place

if TYPE_CHECKING:
    from gateway.app import Setup
    from gateway.serving import Addresses, Interception

Given = Mapping[str, Any]
"""The options by name, as click read them."""


def setup_of(given: Given) -> Setup:
    """What the gateway is built from.

    Raises:
        click.UsageError: Options or variables contradict each other, or are none.
    """
    from gateway.app import Setup
    from gateway.controlplane.attempts import Policy
    from gateway.serving import LOOPBACKS
    from gateway.setup import Role
    from gateway.store.logged import Retention

    place, database = state_place(given["state"], given["config"])
    control_host = given["control_host"]
    return Setup(
        file=declared_file(given["role"], given["config"], database),
        state=place,
        database=database,
        seed=given["seed"],
        token=os.environ.get("GATEWAY_TOKEN") or None,
        control_hosts=() if control_host in LOOPBACKS else (control_host,),
        policy=Policy(retries=given["retries"], delay=given["retry_delay"]),
        keys=_keys(),
        accept_any_signature=given["accept_any_signature"],
        traced=traced(),
        retention=Retention(given["log_age"], given["log_entries"]),
        role=Role(given["role"]),
    )


def addresses_of(given: Given, intercept: Interception | None) -> Addresses:
    """Where it listens.

    Raises:
        click.UsageError: A deadline is none.
    """
    from gateway.serving import Addresses

    return Addresses(
        given["host"],
        given["port"],
        given["control_port"],
        given["control_host"],
        intercept,
        edge=edge(given["max_requests"], given["max_body"], given["deadlines"], given["lenient"]),
        shared=given["reuse_port"],
    )


def intercepting(given: Given, state: Path | None) -> AbstractContextManager[Interception | None]:
    """The front that the options ask for, while it is needed."""
    from gateway.cli.intercepting import interception

    return interception(given["intercept_port"], given["intercept_ca"], state)


def check(given: Given) -> None:
    """Find mistakes of usage before anything is started.

    Raises:
        click.UsageError: With the first one.
    """
    _, database = state_place(given["state"], given["config"])
    declared_file(given["role"], given["config"], database)
    edge(given["max_requests"], given["max_body"], given["deadlines"], given["lenient"])
    traced()
    _keys()


def traced() -> float | None:
    """The share of requests that OpenTelemetry is told of, by its own variables.

    Raises:
        click.UsageError: They ask for what cannot be done.
    """
    told = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    if not any(os.environ.get(name) for name in told):
        return None
    if find_spec("opentelemetry") is None:
        from gateway.observe.traces import TracingUnavailable

        raise click.UsageError(f"{told[0]} is set, and {TracingUnavailable()}")
    text = os.environ.get("OTEL_TRACES_SAMPLER_ARG", "0.01")
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise click.UsageError(f"OTEL_TRACES_SAMPLER_ARG is {text!r}; allowed: a share, 0 to 1")
    return share


def _keys() -> dict[str, str] | None:
    """The key pairs of clients of the cloud; `None` where none are configured."""
    text = os.environ.get("GATEWAY_KEYS", "").strip()
    if not text:
        return None
    from gateway.controlplane.cloud import parse_keys
    from gateway.core.errors import Refused

    try:
        return parse_keys(text)
    except Refused as refused:
        raise click.UsageError(f"GATEWAY_KEYS: {refused}") from None

"""The pytest plugin: the fixtures `gateway` and `gateway_factory`.

It is imported in every run of pytest on a machine that has the package installed, whether or not a
test asks for a gateway: so nothing but pytest is imported until one does.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.testing.running import RunningGateway

_MARKER = (
    "gateway(file, *, seed, functions, aliases, stages, apis): what the `gateway` fixture serves:"
    " a stages.toml, relative to the test's own file, or functions and aliases given here"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Say what may be set in pytest's configuration."""
    parser.addini("gateway_file", "the stages.toml that the gateway fixture serves", default="")
    parser.addini("gateway_seed", "the seed of its dice", default="0")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture
def gateway(request: pytest.FixtureRequest) -> Iterator[RunningGateway]:
    """A gateway on free ports, as the marker `gateway` or pytest's configuration says."""
    from gateway.testing.asking import asked_for
    from gateway.testing.starting import running_gateway

    with running_gateway(**asked_for(request)) as running:
        yield running


@pytest.fixture
def gateway_factory() -> Iterator[Callable[..., RunningGateway]]:
    """Start as many gateways as a test needs; takes what `running_gateway` takes."""
    from gateway.testing.starting import running_gateway

    with ExitStack() as stack:
        yield lambda *given, **named: stack.enter_context(running_gateway(*given, **named))

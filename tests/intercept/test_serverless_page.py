"""The page about serverless tools knows every host, every limit, and what the object store does."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.controlplane.objects.operations import OPERATIONS
from gateway.controlplane.objects.stored import Room
from gateway.dataplane.deadlines import IDLE_SECONDS
from gateway.intercept.authority import EXTRA
from gateway.intercept.front import MOST_CONNECTIONS, OPENING_SECONDS
from gateway.intercept.hosts import SERVICES
from gateway.intercept.opening import MAX_HEAD

TEXT = (Path(__file__).parents[2] / "docs" / "serverless.md").read_text(encoding="utf-8")
MB = 1024 * 1024


@pytest.mark.parametrize("service", SERVICES)
def test_the_page_knows_every_host(service: str) -> None:
    """That is answered here."""
    assert f"| `{service}.tencentcloudapi.com` |" in TEXT


@pytest.mark.parametrize(
    "words",
    [
        EXTRA,
        f"| connections at a time | {MOST_CONNECTIONS} |",
        f"to speak TLS | {OPENING_SECONDS:.0f} seconds each |",
        f"| head of a request for a tunnel | {MAX_HEAD // 1024} KB |",
        f"| time without a request | {IDLE_SECONDS} seconds |",
        f"most {Room().largest // MB} MB, all of them {Room().total // 1024 // MB} GB and",
        f"and {Room().most:,} objects; the oldest",
    ],
)
def test_the_page_knows_every_limit(words: str) -> None:
    """As the code has it."""
    assert words in TEXT


def test_the_page_knows_what_the_object_store_does() -> None:
    """Method by method."""
    rows = {line.split("|")[1].strip(): line for line in TEXT.splitlines() if line[:2] == "| "}
    for operation in OPERATIONS:
        method, kind, *part = operation.split()
        row = rows["lifecycle" if part == ["lifecycle"] else f"{kind}s"]
        assert method in row
        assert not part or f"`?{part[0]}`" in row

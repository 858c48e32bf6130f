"""What was seen on the wire becomes a line that reads back, without its secrets."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from gateway.traffic.capturing import REDACTED, SECRETS, line_of
from gateway.traffic.recording import Answered, Recorded, read


class Seen(NamedTuple):
    """A request and its answer."""

    at: float = 1.5
    method: str = "POST"
    path: str = "/orders%20"
    query: bytes = b"a=1"
    headers: tuple[tuple[bytes, bytes], ...] = ((b"User", b"B\xf6b"), (b"cookie", b"a=secret"))
    body: bytes = b"\xff\x00"
    stage: str = "release"
    status: int = 201
    seconds: float = 0.0123456789
    said: dict[bytes, bytes] = {  # noqa: RUF012 - a named tuple shares its defaults
        b"x-gateway-version": b"2",
        b"x-gateway-reason": b"weight",
        b"x-gateway-revision": b"7",
    }


def test_a_line_reads_back() -> None:
    """Byte by byte, but for the secret."""
    [recorded] = read([line_of(Seen())])
    assert recorded == Recorded(
        1.5,
        "POST",
        "/orders%20",
        "a=1",
        (("User", "B\xf6b"), ("cookie", REDACTED)),
        b"\xff\x00",
        stage="release",
        answer=Answered(201, 0.012346, "2", "weight", 7),
    )


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_secrets_are_left_out_in_any_spelling(name: str) -> None:
    """Unless somebody asks for them."""
    seen = Seen(headers=((name.title().encode(), b"secret"),))
    assert b"secret" not in line_of(seen)
    assert b"secret" in line_of(seen, SECRETS - {name})


@pytest.mark.parametrize("said", [{}, {b"x-gateway-revision": b"new"}], ids=["none", "no-number"])
def test_an_answer_need_not_say_anything(said: dict[bytes, bytes]) -> None:
    """An error before anything was decided, or another server's headers."""
    [recorded] = read([line_of(Seen(said=said))])
    assert recorded.answer == Answered(201, 0.012346)

"""Messages arrive whole, in whatever pieces they were sent."""

from __future__ import annotations

import json
import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.runtime.frames import Frames, framed

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, width=32),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
).filter(lambda value: "Infinity" not in json.dumps(value))


@given(st.lists(VALUES, max_size=4), st.integers(1, 9))
def test_whatever_the_pieces(values: list[object], size: int) -> None:
    """Every message, once, in order."""
    data = b"".join(map(framed, values))
    frames, got = Frames(), []
    for start in range(0, len(data), size):
        frames.feed(data[start : start + size])
        while (message := frames.take()) is not None:
            got.append(json.loads(message))
    assert got == values


def nested() -> object:
    """Deeper than JSON can be written."""
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("make", "error"),
    [
        pytest.param(lambda: {1}, TypeError, id="set"),
        pytest.param(lambda: float("nan"), ValueError, id="nan"),
        pytest.param(nested, RecursionError, id="nested"),
    ],
)
def test_what_is_no_json(make: type[object], error: type[Exception]) -> None:
    """Is refused by whoever would send it."""
    with pytest.raises(error):
        framed(make())


def test_receiving_waits_for_the_whole_message() -> None:
    """And tells when nobody is there any more."""
    mine, theirs = socket.socketpair()
    with mine, theirs:
        sender = threading.Thread(target=theirs.sendall, args=(framed("x" * 10**6),))
        sender.start()
        frames = Frames()
        assert frames.receive(mine) == json.dumps("x" * 10**6).encode()
        sender.join()
        theirs.close()
        assert frames.receive(mine) is None

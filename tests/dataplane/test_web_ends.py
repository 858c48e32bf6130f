"""What counts as a whole answer of a web application, and what as a caller who left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gateway.dataplane.asgi import Message
from gateway.dataplane.web_ends import CallerLeft, Ends

Step = Callable[[Ends], Awaitable[object]]


def start(*headers: tuple[bytes, bytes]) -> Message:
    """The head of an answer."""
    return {"type": "http.response.start", "status": 200, "headers": list(headers)}


def body(text: bytes, *, more: bool) -> Message:
    """A piece of an answer."""
    return {"type": "http.response.body", "body": text, "more_body": more}


LENGTH = (b"Content-Length", b"4")


@pytest.mark.parametrize(
    ("messages", "complete"),
    [
        pytest.param([start(), body(b"ab", more=True)], False, id="a stream goes on"),
        pytest.param([start(LENGTH), body(b"ab", more=True)], False, id="half of its length"),
        pytest.param(
            [start(LENGTH), body(b"ab", more=True), body(b"cd", more=True)],
            True,
            id="its whole length, though the application has not said so yet",
        ),
        pytest.param([start(LENGTH), body(b"abcd", more=False)], True, id="all of it at once"),
        pytest.param([start(), body(b"", more=False)], True, id="nothing, and that is all"),
    ],
)
def test_a_caller_who_leaves_has_left_only_an_answer_that_was_not_whole(
    messages: list[Message], complete: bool
) -> None:
    """Whoever got what was announced may hang up; the application may go on saying so."""

    async def scenario() -> None:
        sent: list[Message] = []
        leaving = asyncio.Event()

        async def receive() -> Message:
            await leaving.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        ends = Ends(receive, send, [], has_body=False)
        for message in messages:
            await ends.send(message)
        leaving.set()
        assert (await ends.receive())["type"] == "http.disconnect"
        assert (ends.complete, ends.gone) == (complete, not complete)
        if complete:
            await ends.send(body(b"", more=False))
        else:
            with pytest.raises(CallerLeft):
                await ends.send(body(b"", more=False))

    asyncio.run(scenario())

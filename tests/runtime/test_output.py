"""What a handler says is kept with its invocation; everybody else's words are left alone."""

from __future__ import annotations

import asyncio
import contextvars
import io
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.functions import FunctionVersion
from gateway.runtime import Outcome, Runner, Runtime, UserCodeError, load, output
from gateway.runtime.output import (
    LIMIT,
    Said,
    Stream,
    Tail,
    install,
    remove,
    speaker,
    text_of,
)

Make = Callable[..., FunctionVersion]

PLACES = {
    "inline": ("async def", "auto"),
    "plain function, inline": ("def", "inline"),
    "thread": ("def", "auto"),
    "async, in a thread": ("async def", "thread"),
    "process": ("def", "process"),
    "async, in a process": ("async def", "process"),
}

WAYS = {
    "print": ("print('a', 1)", "a 1\n"),
    "standard error": ("import sys; print('b', file=sys.stderr)", "b\n"),
    "both, in order": (
        "import sys; print(1); print(2, file=sys.stderr); sys.stdout.writelines(['3', '4'])",
        "1\n2\n34",
    ),
    "logging": (
        # What Python does where nobody has configured anything; pytest has.
        "import logging; logging.lastResort.handle(logging.makeLogRecord({'msg': 'c'}))",
        "c\n",
    ),
    "any text": ("import sys; sys.stderr.write('größe 数')", "größe 数"),
    "nothing": ("pass", ""),
}


def handler(kind: str, body: str) -> str:
    """The file of a handler with this body."""
    return f"{kind} main_handler(event, context):\n    {body}\n"


@contextmanager
def listening() -> Iterator[None]:
    """Our streams, in place: those of the fixture are replaced by pytest when a test begins."""
    install()
    try:
        yield
    finally:
        remove()


def answer(runtime: Runtime, version: FunctionVersion, event: object = None) -> Outcome:
    """Invoke a version once, in a loop of its own."""
    with listening():
        runtime.prove(version)
        return asyncio.run(runtime.invoke(version, event, "r"))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("body", "said"), WAYS.values(), ids=WAYS.keys())
def test_whatever_a_handler_says_is_kept(
    runtime: Runtime, make: Make, place: str, body: str, said: str
) -> None:
    """Wherever it runs."""
    kind, isolation = PLACES[place]
    outcome = answer(runtime, make(handler(kind, body), isolation=isolation))
    assert (outcome.status, outcome.output) == (200, said)
    assert 0 < outcome.seconds < 3


@pytest.mark.parametrize("place", PLACES)
def test_what_was_said_before_a_failure_is_kept_too(
    runtime: Runtime, make: Make, place: str
) -> None:
    """Output is worth most when something went wrong."""
    kind, isolation = PLACES[place]
    version = make(handler(kind, "print('so far'); raise ValueError"), isolation=isolation)
    outcome = answer(runtime, version)
    assert (outcome.status, outcome.output) == (430, "so far\n")


SLOW = {
    "inline, at last": ("def", "inline", "import time; print('x'); time.sleep(0.05)"),
    "inline, waiting": ("async def", "auto", "import asyncio; print('x'); await asyncio.sleep(9)"),
    "thread": ("def", "thread", "print('x'); import time; time.sleep(0.1)"),
    "process": ("def", "process", "print('x'); import time; time.sleep(9)"),
}


@pytest.mark.parametrize(("kind", "isolation", "body"), SLOW.values(), ids=SLOW.keys())
def test_what_was_said_before_the_time_was_over(
    runtime: Runtime, make: Make, kind: str, isolation: str, body: str
) -> None:
    """The words so far, and the time that was granted or taken."""
    version = make(handler(kind, body), isolation=isolation, timeout=0.04)
    outcome = answer(runtime, version)
    assert (outcome.status, outcome.output) == (433, "x\n")
    assert 0.04 <= outcome.seconds < 3
    runner = runtime.runner(version)
    assert isinstance(runner, Runner)
    generation = runner._generation
    while generation is not None and generation.running:
        threading.Event().wait(0)  # a thread runs on


def test_nobody_gets_anothers_words(runtime: Runtime, make: Make) -> None:
    """A hundred invocations that take turns, in every place at the same time."""
    places = {
        "async def": "import asyncio; await asyncio.sleep(0)",
        "def": "import time; time.sleep(0)",
    }
    versions = [
        make(
            handler(kind, f"for n in range(5):\n        print(event, n); {pause}"),
            isolation=isolation,
            concurrency=25,
            function=f"{kind.replace(' ', '')}-{isolation}",
        )
        for kind, pause in places.items()
        for isolation in ("auto", "thread")
    ]
    for version in versions:
        runtime.prove(version)

    async def scenario() -> list[Outcome]:
        numbers = range(100)
        calls = (runtime.invoke(versions[n % 4], n, str(n)) for n in numbers)
        return await asyncio.gather(*calls)

    with listening():
        outcomes = asyncio.run(scenario())
    for number, outcome in enumerate(outcomes):
        assert outcome.output == "".join(f"{number} {n}\n" for n in range(5))


def test_what_is_said_is_still_said_aloud(
    runtime: Runtime, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever watches the terminal sees it; whoever reads the gateway's own output does not."""
    for isolation in ("thread", "process"):
        version = make(handler("def", "print('aloud')"), function=isolation, isolation=isolation)
        real = Streams(monkeypatch)
        assert answer(runtime, version).output == "aloud\n"
        assert (real.out.getvalue(), real.err.getvalue()) == ("", "aloud\n")


def test_words_outside_an_invocation_are_nobodys(runtime: Runtime, make: Make) -> None:
    """Before, between and after; and none of them disturb."""
    version = make(handler("async def", "print('mine')"))
    runtime.prove(version)

    async def scenario() -> list[Outcome]:
        print("before")
        first = await runtime.invoke(version, {}, "r")
        print("between")
        second = await runtime.invoke(version, {}, "r")
        print("after")
        return [first, second]

    with listening():
        outcomes = asyncio.run(scenario())
    assert [outcome.output for outcome in outcomes] == ["mine\n", "mine\n"]


def test_a_thread_with_the_handlers_context_speaks_for_it(runtime: Runtime, make: Make) -> None:
    """`asyncio.to_thread` hands the context on; a bare thread does not."""
    body = "import asyncio; await asyncio.to_thread(print, 'in a thread')"
    assert answer(runtime, make(handler("async def", body))).output == "in a thread\n"


@pytest.mark.parametrize("isolation", ["auto", "process"])
def test_what_imports_say_belongs_to_loading(runtime: Runtime, make: Make, isolation: str) -> None:
    """Not to the invocation that made it necessary."""
    code = "print('loaded')\n" + handler("async def", "print('called')")
    version = make(code, isolation=isolation)
    runner = runtime.runner(version)
    with listening():
        assert asyncio.run(runner.invoke({}, "r")).output == "called\n"
    assert isinstance(runner, Runner)
    assert runner._generation is not None
    assert runner._generation._loaded.output == "loaded\n"


@pytest.mark.parametrize("isolation", ["auto", "process"])
def test_what_broken_code_says_is_told_with_its_failure(
    runtime: Runtime, make: Make, isolation: str
) -> None:
    """By the error, and by the outcome of whoever called it."""
    version = make("print('trying')\nraise KeyError", isolation=isolation)
    with listening(), pytest.raises(UserCodeError) as caught:
        runtime.prove(version)
    assert caught.value.output == "trying\n"
    assert caught.value.to_dict()["output"] == "trying\n"
    outcome = asyncio.run(runtime.invoke(version, {}, "r"))
    assert (outcome.status, outcome.output) == (443, "trying\n")


def test_a_loaded_version_keeps_what_it_said(make: Make) -> None:
    """Also when nobody but the loader is asked."""
    with listening():
        version = load(make("print(1)\ndef main_handler(e, c): ..."))
    version.unload()
    assert version.output == "1\n"


def test_a_log_handler_made_before_speaks_for_nobody(runtime: Runtime, make: Make) -> None:
    """It holds the real stream; that is what "not attributable" means."""
    before = io.StringIO()
    logger = logging.getLogger("made-before")
    logger.addHandler(logging.StreamHandler(before))
    logger.propagate = False
    body = "import logging; logging.getLogger('made-before').warning('w')"
    try:
        assert answer(runtime, make(handler("def", body))).output == ""
    finally:
        logger.handlers.clear()
    assert before.getvalue() == "w\n"


@given(st.lists(st.integers(0, LIMIT * 2).map("x".__mul__) | st.text(), max_size=6))
def test_a_tail_is_the_end_of_everything(texts: list[str]) -> None:
    """Exactly the last characters, and how many came before them."""
    tail = Tail()
    for text in texts:
        tail.write(text)
    everything = "".join(texts)
    dropped = max(0, len(everything) - LIMIT)
    notice = f"[{dropped} characters before these were dropped]\n" if dropped else ""
    assert tail.text() == notice + everything[dropped:]


@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_a_flood_is_cut(runtime: Runtime, make: Make, isolation: str) -> None:
    """The last words are kept, with a line that tells of the others."""
    body = "[print('y' * 999) for n in range(1000)]; print('end')"
    said = answer(runtime, make(handler("def", body), isolation=isolation)).output
    first, _, rest = said.partition("\n")
    assert first == f"[{1_000_000 + 4 - LIMIT} characters before these were dropped]"
    assert len(rest) == LIMIT
    assert rest.endswith("y\nend\n")


def test_many_threads_may_speak_at_once() -> None:
    """One tail for all of them, and nothing is lost."""
    said: Said = []
    stream = Stream(io.StringIO(), io.StringIO())
    together = threading.Barrier(8)

    def speak() -> None:
        speaker.set(said)
        together.wait()
        for _ in range(200):
            stream.write("ab")

    threads = [threading.Thread(target=speak) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == 1
    assert sorted(text_of(said)) == sorted("ab" * 1600)


def test_two_threads_whose_first_words_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waited for the lock finds the other's tail."""
    said: Said = []

    class Late:
        """A lock that somebody else has just given back."""

        def __enter__(self) -> None:
            said.append(Tail())

        def __exit__(self, *_: object) -> None: ...

    def speak() -> None:
        speaker.set(said)
        Stream(io.StringIO(), io.StringIO()).write("x")

    monkeypatch.setattr(output, "_lock", Late())
    contextvars.copy_context().run(speak)
    assert (len(said), text_of(said)) == (1, "x")


def test_our_streams_are_the_real_ones_in_everything_else() -> None:
    """Whatever is asked of them; and bytes are refused as ever."""
    real = io.StringIO()
    stream = Stream(real, io.StringIO())
    assert stream.write("four") == 4
    assert (stream.isatty(), stream.tell(), stream.closed) == (False, 4, False)
    with pytest.raises(TypeError):
        stream.write(b"bytes")  # type: ignore[arg-type]


def test_a_stream_that_was_closed_hinders_nobody_who_speaks() -> None:
    """Another handler may have closed it: what is said is kept all the same."""
    closed = io.StringIO()
    closed.close()
    said: Said = []
    context = contextvars.copy_context()
    context.run(speaker.set, said)
    assert context.run(Stream(io.StringIO(), closed).write, "kept") == 4
    assert text_of(said) == "kept"


class Streams:
    """The process's streams, replaced for a test."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.out, self.err = io.StringIO(), io.StringIO()
        patch.setattr(sys, "stdout", self.out)
        patch.setattr(sys, "stderr", self.err)


def test_the_streams_are_put_back_by_the_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two gateways in one process need them once."""
    real = Streams(monkeypatch)
    install()
    ours: object = sys.stdout
    install()
    assert sys.stdout is ours
    assert isinstance(ours, Stream)
    remove()
    assert sys.stdout is ours
    remove()
    assert [id(sys.stdout), id(sys.stderr)] == [id(real.out), id(real.err)]


def test_streams_that_are_not_there_or_not_ours_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process without a terminal has none; a test that replaced one wants it back itself."""
    Streams(monkeypatch)
    monkeypatch.setattr(sys, "stderr", None)
    install()
    assert sys.stderr is None
    theirs = io.StringIO()
    monkeypatch.setattr(sys, "stdout", theirs)
    remove()
    assert sys.stdout is theirs


def test_closing_a_runtime_puts_the_streams_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, however often it is closed."""
    real = Streams(monkeypatch)
    first, second = Runtime(), Runtime()
    first.close()
    first.close()
    assert sys.stdout is not real.out
    second.close()
    assert sys.stdout is real.out

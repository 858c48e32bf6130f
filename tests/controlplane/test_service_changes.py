"""Changes of a running gateway: whole or not at all, durable before live, and never in between."""

from __future__ import annotations

import asyncio
import threading
import tomllib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.app import Gateway, Setup
from gateway.config import ConfigurationInvalid
from gateway.core.alias import Route
from gateway.core.changes import Batch, DeleteAlias, PutAlias
from gateway.core.entries import Target
from gateway.core.errors import FunctionNotFound, QualifierNotFound, Refused
from gateway.core.functions import Configuration
from gateway.dice import Fixed
from gateway.runtime import BrokenVersions
from gateway.store.packages import read_files, read_zip, to_zip
from gateway.store.protocol import Author, Record, StaleRevision, StateUnusable

ME = Author("me", "here")
STAGES = """
[service]
name = "shop"

[functions.orders]
source = "functions/orders"

[functions.orders.aliases]
release = { version = "1" }

[[apis]]
method = "GET"
path = "/orders"
function = "orders"

[stages.release]
alias = "release"
"""
TO_2 = PutAlias("orders", "release", Route("2"))
TENTH = PutAlias("orders", "release", Route("1", {"2": Decimal("0.1")}))

Story = Callable[[Gateway], Coroutine[Any, Any, None]]


def code(text: str) -> str:
    """A handler that answers with a text."""
    return f"def main_handler(event, context):\n    return {text!r}\n"


class Shop:
    """A folder with a stages.toml, and gateways that are opened there one after another."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.file = root / "stages.toml"
        self.file.write_text(STAGES)
        for folder in ("latest", "v1", "v2"):
            self.edit(folder, code(folder))

    def edit(self, folder: str, text: str) -> None:
        path = self.root / "functions" / "orders" / folder / "index.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    @property
    def latest(self) -> Path:
        return self.root / "functions" / "orders" / "latest"

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Gateway]:
        """A gateway with its state in a file."""
        gateway = await Gateway.open(Setup(self.file, self.root / ".gateway" / "state.db", seed=1))
        try:
            yield gateway
        finally:
            await gateway.close()

    def run(self, *stories: Story) -> None:
        """Tell stories, each to a gateway that is opened anew."""

        async def each(story: Story) -> None:
            async with self.opened() as gateway:
                await story(gateway)

        for story in stories:
            asyncio.run(each(story))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop with `$LATEST`, two published versions, and one stage."""
    return Shop(tmp_path)


async def answer(gateway: Gateway, qualifier: str = "release") -> object:
    """What a qualifier answers."""
    return (await gateway.service.invoke(Target("orders", qualifier), None, {})).value


def leads_to(gateway: Gateway, alias: str = "release") -> Route:
    """Where an alias leads."""
    return gateway.live.snapshot.functions["orders"].aliases[alias].route


def test_a_change_is_live_when_it_is_answered(shop: Shop) -> None:
    """And says what it altered."""

    async def story(gateway: Gateway) -> None:
        assert await answer(gateway) == "v1"
        done = await gateway.service.change(TO_2, ME)
        assert (done.revision, done.changed) == (2, True)
        (altered,) = done.differences
        assert altered.path == ("functions", "orders", "aliases", "release")
        assert await answer(gateway) == "v2"

    shop.run(story)


def test_a_change_that_alters_nothing_makes_no_revision(shop: Shop) -> None:
    """The same alias once more is where it was."""

    async def story(gateway: Gateway) -> None:
        await gateway.service.change(TO_2, ME)
        done = await gateway.service.change(TO_2, ME)
        assert (done.revision, done.changed, done.differences) == (2, False, ())
        assert len(await gateway.service.store.records()) == 2

    shop.run(story)


def test_a_refused_change_leaves_everything_as_it_was(shop: Shop) -> None:
    """The first half of a batch as well."""

    async def story(gateway: Gateway) -> None:
        before = gateway.live.snapshot
        wrong = PutAlias("orders", "release", Route("9"))
        for change in (wrong, Batch((TO_2, wrong)), DeleteAlias("orders", "release")):
            with pytest.raises(Refused):
                await gateway.service.change(change, ME)
        assert gateway.live.snapshot is before
        assert len(await gateway.service.store.records()) == 1

    shop.run(story)


@pytest.mark.parametrize("expected", [0, 2, 99])
def test_a_stale_revision_is_refused(shop: Shop, expected: int) -> None:
    """Whoever looked at another state is told which one is live."""

    async def story(gateway: Gateway) -> None:
        with pytest.raises(StaleRevision) as caught:
            await gateway.service.change(TO_2, ME, expected=expected)
        assert (caught.value.expected, caught.value.actual) == (expected, 1)
        assert (await gateway.service.change(TO_2, ME, expected=1)).revision == 2

    shop.run(story)


def test_code_that_does_not_load_is_refused_with_its_own_error(shop: Shop) -> None:
    """It is neither live nor remembered, and nothing of it stays loaded."""

    async def story(gateway: Gateway) -> None:
        before = gateway.live.snapshot
        with pytest.raises(BrokenVersions) as caught:
            await gateway.service.put_code("orders", read_files({"index.py": b"1 / 0"}), ME)
        (error,) = caught.value.errors
        assert (error.code, error.number) == ("user-code-error", "$LATEST")
        assert "ZeroDivisionError" in error.stack
        assert gateway.live.snapshot is before
        assert await answer(gateway, "$LATEST") == "latest"
        assert [r.revision for r in await gateway.service.store.records()] == [1]

    shop.run(story, lambda gateway: expect(gateway, "$LATEST", "latest"))


async def expect(gateway: Gateway, qualifier: str, text: str) -> None:
    """A story of one sentence."""
    assert await answer(gateway, qualifier) == text


def test_what_cannot_be_remembered_does_not_go_live(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, say."""

    async def story(gateway: Gateway) -> None:
        async def full(_record: Record) -> None:
            raise StateUnusable("the disk is full")

        with monkeypatch.context() as patch:
            patch.setattr(gateway.service.store, "commit", full)
            with pytest.raises(StateUnusable):
                await gateway.service.change(TO_2, ME)
        assert await answer(gateway) == "v1"
        assert (await gateway.service.change(TO_2, ME)).revision == 2

    shop.run(story)


def test_a_checkpoint_that_cannot_be_written_is_told_and_costs_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change it belongs to is live and remembered."""

    async def full(_store: object, _snapshot: object) -> bool:
        raise StateUnusable("the disk is full")

    async def story(gateway: Gateway) -> None:
        monkeypatch.setattr("gateway.controlplane.writer.compact", full)
        listening = gateway.events.subscribe()
        await gateway.service.change(TO_2, ME)
        await gateway.writer.drain()
        told = [await anext(listening) for _ in range(2)]
        assert [event.name for event in told] == ["revision", "error"]
        assert told[1].data["message"] == "the disk is full"

    shop.run(story, lambda gateway: expect(gateway, "release", "v2"))


def test_a_change_goes_on_when_whoever_asked_has_gone(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off in the middle of its commit, it is live and remembered all the same."""

    async def story(gateway: Gateway) -> None:
        store = gateway.service.store
        commit, reached, go_on = store.commit, asyncio.Event(), asyncio.Event()

        async def slow(record: Record) -> None:
            reached.set()
            await go_on.wait()
            await commit(record)

        monkeypatch.setattr(store, "commit", slow)
        asking = asyncio.create_task(gateway.service.change(TO_2, ME))
        await reached.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        go_on.set()
        await gateway.writer.drain()
        assert leads_to(gateway) == Route("2")

    shop.run(story, lambda gateway: expect(gateway, "release", "v2"))


def test_changes_at_the_same_time_are_made_one_after_another(shop: Shop) -> None:
    """None is lost: each gets a revision of its own."""

    async def story(gateway: Gateway) -> None:
        names = [f"a{number}" for number in range(30)]
        asked = [gateway.service.change(PutAlias("orders", n, Route("1")), ME) for n in names]
        done = await asyncio.gather(*asked)
        assert sorted(d.revision for d in done) == list(range(2, 32))
        assert set(names) < gateway.live.snapshot.functions["orders"].aliases.keys()

    shop.run(story)


# Versions and code


def test_publishing_freezes_the_code_as_it_is_now(shop: Shop) -> None:
    """What is edited afterwards is another version."""

    async def story(gateway: Gateway) -> None:
        shop.edit("latest", code("three"))
        done = await gateway.service.publish("orders", "the third", ME)
        assert [d.path for d in done.differences] == [("functions", "orders", "versions", "3")]
        shop.edit("latest", code("four"))
        await gateway.service.reload("orders", shop.latest)
        assert await answer(gateway, "3") == "three"
        assert await answer(gateway, "$LATEST") == "four"
        version = gateway.live.snapshot.functions["orders"].versions["3"]
        assert (version.description, version.code[:7]) == ("the third", "sha256:")

    shop.run(story, lambda gateway: expect(gateway, "3", "three"))


def test_code_can_be_uploaded_and_read_back(shop: Shop) -> None:
    """`$LATEST` is the upload until its folder is edited again."""
    package = read_files({"index.py": code("uploaded").encode(), "data/table.txt": b"1,2"})

    async def story(gateway: Gateway) -> None:
        done = await gateway.service.put_code("orders", package, ME)
        assert done.changed
        assert await answer(gateway, "$LATEST") == "uploaded"
        again = await gateway.service.package_of("orders", "$LATEST")
        assert read_zip(to_zip(again)).files == package.files

    async def edited(gateway: Gateway) -> None:
        assert await answer(gateway, "$LATEST") == "uploaded"
        shop.edit("latest", code("edited"))
        await gateway.service.reload("orders", shop.latest)
        assert await answer(gateway, "$LATEST") == "edited"

    shop.run(story, edited, lambda gateway: expect(gateway, "$LATEST", "edited"))


def test_a_new_function_comes_with_its_code(shop: Shop) -> None:
    """It has `$LATEST` and `$DEFAULT`, and no stage leads to it yet."""
    package = read_files({"main.py": code("new").encode()})

    async def story(gateway: Gateway) -> None:
        configuration = Configuration(handler="main.main_handler")
        await gateway.service.put_code("fresh", package, ME, configuration=configuration)
        invoked = await gateway.service.invoke(Target("fresh", "$DEFAULT"), None, {})
        assert invoked.value == "new"

    shop.run(story)


@pytest.mark.parametrize(
    ("function", "version", "error"),
    [("orders", "9", QualifierNotFound), ("none", "1", FunctionNotFound)],
)
def test_code_of_what_does_not_exist_cannot_be_read(
    shop: Shop, function: str, version: str, error: type[Exception]
) -> None:
    """The error names what is missing."""

    async def story(gateway: Gateway) -> None:
        with pytest.raises(error):
            await gateway.service.package_of(function, version)

    shop.run(story)


# Roll-back


def test_a_roll_back_is_one_change_and_effective_at_once(shop: Shop) -> None:
    """From 50 % back to the old version, not to 10 %."""

    async def story(gateway: Gateway) -> None:
        for route in (TENTH, PutAlias("orders", "release", Route("1", {"2": Decimal("0.5")}))):
            await gateway.service.change(route, ME)
        done = await gateway.service.roll_back("orders", "release", None, ME)
        assert (done.revision, done.restores) == (4, 1)
        assert leads_to(gateway) == Route("1")
        with pytest.raises(Refused) as caught:
            await gateway.service.roll_back("orders", "release", None, ME)
        assert caught.value.code == "nothing-to-roll-back"
        done = await gateway.service.roll_back("orders", "release", 2, ME)
        assert leads_to(gateway) == TENTH.route

    shop.run(story)


# The file


def test_what_was_changed_live_survives_a_restart(shop: Shop) -> None:
    """The file did not change, so it has no say."""

    async def story(gateway: Gateway) -> None:
        await gateway.service.change(TO_2, ME)

    async def again(gateway: Gateway) -> None:
        assert await answer(gateway) == "v2"
        assert gateway.live.snapshot.revision == 2
        preview = await gateway.service.apply_file(None, ME, dry_run=True)
        assert not preview.done.changed
        (kept,) = preview.kept
        assert kept.path == ("functions", "orders", "aliases", "release")

    shop.run(story, again)


def test_what_the_file_changed_since_wins(shop: Shop) -> None:
    """As somebody wrote it there on purpose, after the fact."""

    async def story(gateway: Gateway) -> None:
        await gateway.service.change(TO_2, ME)
        shop.file.write_text(STAGES.replace('version = "1"', 'version = "$LATEST"'))
        preview = await gateway.service.apply_file(None, ME, dry_run=True)
        assert preview.done.changed
        assert await answer(gateway) == "v2"
        await gateway.service.apply_file(None, ME)
        assert await answer(gateway) == "latest"

    shop.run(story)


def test_an_edited_published_version_is_a_mistake(shop: Shop) -> None:
    """It is told with its place in the file, and the published code goes on answering."""

    async def story(gateway: Gateway) -> None:
        shop.edit("v1", code("edited"))
        with pytest.raises(ConfigurationInvalid) as caught:
            await gateway.service.apply_file(None, ME)
        (found,) = caught.value.diagnostics
        assert (found.code, found.line) == ("edited-version", 6)
        assert await answer(gateway) == "v1"
        with pytest.raises(ConfigurationInvalid):
            await Gateway.open(gateway.setup)

    shop.run(story)


def test_a_folder_that_cannot_be_published_is_a_mistake_in_the_file(shop: Shop) -> None:
    """Links lead out of what is frozen."""
    (shop.root / "functions" / "orders" / "v2" / "link.py").symlink_to("/etc/hostname")
    with pytest.raises(ConfigurationInvalid) as caught:
        shop.run(lambda gateway: expect(gateway, "release", "v1"))
    (found,) = caught.value.diagnostics
    assert found.line == 6
    assert "link.py" in found.message


def test_a_broken_edit_is_told_and_nothing_moves(shop: Shop) -> None:
    """Neither by code nor by file; the next good edit is picked up as if nothing had been."""

    async def story(gateway: Gateway) -> None:
        listening = gateway.events.subscribe()
        shop.edit("latest", "1 / 0")
        await gateway.service.reload("orders", shop.latest)
        shop.file.write_text("[service]\n")
        await gateway.service.apply_edit()
        first, second = [await anext(listening) for _ in range(2)]
        assert (first.name, first.data["code"]) == ("error", "user-code-error")
        assert "ZeroDivisionError" in str(first.data["text"])
        assert (second.name, second.data["code"]) == ("error", "configuration-invalid")
        assert "error[missing-key]" in str(second.data["text"])
        assert await answer(gateway, "$LATEST") == "latest"
        shop.edit("latest", code("mended"))
        await gateway.service.reload("orders", shop.latest)
        third = await anext(listening)
        assert (third.name, third.data["function"]) == ("reload", "orders")
        assert await answer(gateway, "$LATEST") == "mended"
        await gateway.service.reload("unknown", shop.latest)

    shop.run(story)


def test_the_live_state_can_be_written_as_a_file(shop: Shop) -> None:
    """With what was changed live in it."""

    async def story(gateway: Gateway) -> None:
        await gateway.service.change(TENTH, ME)
        exported = await gateway.service.export()
        assert tomllib.loads(exported.text)["functions"]["orders"]["aliases"]["release"] == {
            "version": "1",
            "weights": {"2": 0.1},
        }
        assert (exported.notes, exported.packages) == ((), ())
        shop.file.unlink()
        assert tomllib.loads((await gateway.service.export()).text)["service"]["name"] == "shop"

    shop.run(story)


# Several processes


def test_two_gateways_on_one_state_follow_each_other(shop: Shop) -> None:
    """Whoever writes second has seen what was written first; nothing is lost."""

    async def story(one: Gateway) -> None:
        async with shop.opened() as two:
            following = [asyncio.create_task(g.writer.follow()) for g in (one, two)]
            asked = [
                gateway.service.change(PutAlias("orders", f"{name}{number}", Route("1")), ME)
                for number in range(10)
                for name, gateway in (("a", one), ("b", two))
            ]
            done = await asyncio.gather(*asked)
            assert sorted(d.revision for d in done) == list(range(2, 22))
            await two.service.publish("orders", "", ME)
            await one.service.change(PutAlias("orders", "release", Route("3")), ME)
            assert await answer(one, "3") == "latest"
            await two.writer.reached(23)
            assert two.live.snapshot == one.live.snapshot
            for task in following:
                task.cancel()
            await asyncio.gather(*following, return_exceptions=True)

    shop.run(story)


def test_a_stale_writer_who_insists_is_refused_across_processes(shop: Shop) -> None:
    """If-Match means what it says."""

    async def story(one: Gateway) -> None:
        async with shop.opened() as two:
            await two.service.change(TO_2, ME)
            with pytest.raises(StaleRevision) as caught:
                await one.service.change(TENTH, ME, expected=1)
            assert caught.value.actual == 2

    shop.run(story)


# Explaining and invoking


def test_an_explanation_needs_no_invocation(shop: Shop) -> None:
    """The draw may be given."""

    async def story(gateway: Gateway) -> None:
        await gateway.service.change(TENTH, ME)
        request: tuple[str, str, list[tuple[str, str]], str] = ("GET", "/orders", [], "")
        told = [gateway.service.explain("release", request, Fixed(draw)) for draw in (0.05, 0.5)]
        assert sorted(str(t.version) for t in told) == ["1", "2"]
        assert gateway.service.explain("release", request, None).version in {"1", "2"}

    shop.run(story)


def test_a_routing_key_is_case_sensitive(shop: Shop) -> None:
    """Unlike the name of a header."""

    async def story(gateway: Gateway) -> None:
        from gateway.core.rules import parse_rule

        rule = parse_rule("invoke.headers.User exact Bob", "2")
        body = parse_rule("invoke.body.$.user exact Eve", "2")
        query = parse_rule("invoke.query.user exact Eve", "2")
        await gateway.service.change(
            PutAlias("orders", "release", Route("1", rules=(query, rule, body))), ME
        )

        async def version(key: dict[str, str], event: object = None) -> str | None:
            target = Target("orders", "release")
            return (await gateway.service.invoke(target, key, event)).version

        assert await version({"User": "Bob"}) == "2"
        assert await version({"user": "Bob"}) == "1"
        assert await version({}, {"user": "Eve"}) == "2"

    shop.run(story)


def test_proving_does_not_block_the_data_plane(shop: Shop) -> None:
    """An import that takes long runs beside the requests."""
    gate = threading.Event()

    async def story(gateway: Gateway) -> None:
        import builtins

        builtins.gate_of_the_test = gate  # type: ignore[attr-defined]
        slow = f"import builtins\nbuiltins.gate_of_the_test.wait(20)\n{code('slow')}"
        package = read_files({"index.py": slow.encode()})
        putting = asyncio.create_task(gateway.service.put_code("orders", package, ME))
        for _ in range(100):
            assert await answer(gateway, "1") == "v1"
        assert not putting.done()
        gate.set()
        await putting
        assert await answer(gateway, "$LATEST") == "slow"
        del builtins.gate_of_the_test  # type: ignore[attr-defined]

    shop.run(story)

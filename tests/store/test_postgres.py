"""The store in PostgreSQL beyond the contract: lines break, schemas grow, nodes come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

import psycopg
import pytest

from benchmarks.databases import Database
from gateway.core.changes import Batch
from gateway.store import postgres_link, postgres_notices, postgres_schema, postgres_turn
from gateway.store.invocations import Invocation
from gateway.store.postgres import PostgresStore
from gateway.store.postgres_address import parse_address
from gateway.store.postgres_link import Connection
from gateway.store.protocol import Author, Record, StaleRevision, StateAway, StateUnusable

Moves = Callable[[int], list[Record]]
pytestmark = pytest.mark.sockets

OURS = "application_name = 'gateway' AND pid <> pg_backend_pid()"


@asynccontextmanager
async def opened(*urls: str) -> AsyncIterator[list[PostgresStore]]:
    """A store for each address, as nodes open them."""
    stores: list[PostgresStore] = []
    try:
        stores.extend([await PostgresStore.open(url) for url in urls])
        yield stores
    finally:
        for store in stores:
            await store.close()


def sql(url: str, *statements: str) -> None:
    """Do something to the tables that no gateway does."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def break_lines(url: str) -> None:
    """End every connection of a gateway, as a restart or a firewall does."""
    with psycopg.connect(url, autocommit=True, application_name="test") as connection:
        connection.execute(
            f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE {OURS}".encode()
        )


# Nodes that share a state


def test_nodes_see_what_each_other_commits(space: str, moves: Moves) -> None:
    """Told at once, in order; and who is late is stale."""
    records = moves(4)

    async def scenario() -> list[int]:
        async with opened(space, space) as (one, other), aclosing(other.watch(0)) as watching:
            seen = []
            for record in records:
                await one.commit(record)
                seen.append((await anext(watching)).revision)
            with pytest.raises(StaleRevision, match="at revision 4, not 3"):
                await other.commit(replace(records[3], author=Author("rival", "")))
            return seen

    assert asyncio.run(scenario()) == [1, 2, 3, 4]


def test_of_two_nodes_one_succeeds(space: str, moves: Moves) -> None:
    """Each revision is made once, whoever asks at the same time."""
    records = moves(12)

    async def scenario() -> list[Record]:
        async with opened(space, space) as stores:
            for record in records:
                rivals = [replace(record, author=Author(str(n), "")) for n in range(2)]
                answers: list[object] = await asyncio.gather(
                    *(store.commit(rival) for store, rival in zip(stores, rivals, strict=True)),
                    return_exceptions=True,
                )
                assert answers.count(None) == 1
                assert sum(isinstance(each, StaleRevision) for each in answers) == 1
            return await stores[0].records(limit=100)

    kept = asyncio.run(scenario())
    assert [record.revision for record in kept] == list(range(12, 0, -1))


def test_a_node_that_was_late_goes_next(
    space: str, moves: Moves, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other waits while it catches up, and not for ever."""
    monkeypatch.setattr(postgres_turn, "HELD_SECONDS", 3600.0)
    records = moves(4)

    async def scenario() -> list[Record]:
        async with opened(space, space) as (one, other):
            await one.commit(records[0])
            with pytest.raises(StaleRevision):
                await other.commit(records[0])
            hasty = asyncio.create_task(one.commit(records[1]))
            late = replace(records[1], author=Author("late", ""))
            await other.commit(late)
            with pytest.raises(StaleRevision):
                await hasty
            with pytest.raises(StaleRevision):  # again: it has the turn already
                await one.commit(records[1])
            await one.commit(records[2])
            await other.commit(records[3])
            return await one.records()

    kept = asyncio.run(scenario())
    assert [record.author.who for record in kept] == ["ann", "ann", "late", "ann"]


def test_a_turn_that_nobody_uses_passes(
    space: str, moves: Moves, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever does not try again holds nobody up."""
    monkeypatch.setattr(postgres_turn, "HELD_SECONDS", 0.01)
    records = moves(3)

    async def scenario() -> int:
        async with opened(space, space) as (one, other):
            await one.commit(records[0])
            with pytest.raises(StaleRevision):
                await other.commit(records[0])
            await one.commit(records[1])
            await other.commit(records[2])
            return len(await one.records())

    assert asyncio.run(scenario()) == 3


def test_one_node_leads_until_it_goes(space: str) -> None:
    """Then the next one that asks does."""

    async def scenario() -> list[bool]:
        async with opened(space, space) as (one, other):
            led = [await one.leads(), await other.leads(), await one.leads()]
            await one.close()
            return [*led, await other.leads()]

    assert asyncio.run(scenario()) == [True, False, True, True]


def test_who_loses_its_connection_leads_no_more(space: str) -> None:
    """Until it has asked again."""

    async def scenario() -> list[bool]:
        async with opened(space, space) as (one, other):
            led = [await one.leads()]
            await asyncio.to_thread(break_lines, space)
            return [*led, await other.leads(), await one.leads()]

    assert asyncio.run(scenario()) == [True, True, False]


def test_states_in_one_database_do_not_meet(database: Database, moves: Moves) -> None:
    """Each in a schema of its own, with its own journal and its own leader."""
    one_space, other_space = database.space(), database.space()

    async def scenario() -> list[object]:
        async with opened(one_space, other_space) as (one, other):
            for record in moves(2):
                await one.commit(record)
            return [await one.leads(), await other.leads(), await other.records()]

    assert asyncio.run(scenario()) == [True, True, []]


# Invocations of nodes


def invocation(name: str) -> Invocation:
    """One that was just accepted."""
    return Invocation(name, "orders", "release", None, {}, 1e9)


def test_what_a_node_left_is_adopted_by_another(space: str) -> None:
    """Where it is gone; what belongs to one that is there stays its own."""

    async def scenario() -> list[list[str]]:
        async with opened(space, space, space) as (gone, there, next_one):
            await gone.invocations.add(invocation("a"), 7)
            await there.invocations.add(invocation("b"), 7)
            await gone.close()
            adopted = [await next_one.invocations.adopt(7, lambda _: False) for _ in range(2)]
            assert await there.invocations.begin("b") is not None
            assert await next_one.invocations.begin("b") is None
            assert await next_one.invocations.begin("a") is not None
            return [[each.request_id for each in found] for found in adopted]

    assert asyncio.run(scenario()) == [["a"], ["a"]]


def test_an_attempt_is_counted_once_whatever_breaks(space: str) -> None:
    """Work that is done twice because its answer was lost makes no difference."""

    async def scenario() -> int:
        async with opened(space) as (store,):
            invocations = store.invocations

            async def twice(work: postgres_link.Work[object]) -> object:
                await store._link.run(work)
                return await store._link.run(work)

            invocations._perform = twice  # type: ignore[assignment]
            await invocations.add(invocation("a"), 7)
            found = await invocations.begin("a")
            assert found is not None
            return found.attempts

    assert asyncio.run(scenario()) == 1


# Connections that break


def test_a_broken_connection_is_made_again(space: str, moves: Moves) -> None:
    """Nobody notices: neither who commits nor who watches."""
    records = moves(3)

    async def scenario() -> list[int]:
        async with opened(space) as (store,), aclosing(store.watch(0)) as watching:
            seen = []
            for record in records:
                await store.commit(record)
                seen.append((await anext(watching)).revision)
                await asyncio.to_thread(break_lines, space)
            return seen

    assert asyncio.run(scenario()) == [1, 2, 3]


def test_a_commit_whose_answer_was_lost_is_found(space: str, moves: Moves) -> None:
    """It was accepted; the second try sees its own mark and not a rival."""
    (first,) = moves(1)

    async def scenario() -> list[Record]:
        async with opened(space) as (store,):
            commit, tries = store._link.run, []

            async def lost(work: postgres_link.Work[object]) -> object:
                async def broken(connection: Connection) -> object:
                    result = await work(connection)
                    tries.append(connection)
                    if len(tries) == 1:
                        await connection.close()
                        raise psycopg.OperationalError("the answer was lost")
                    return result

                return await commit(broken)

            await store.load()
            store._link.run = lost  # type: ignore[method-assign, assignment]
            await store.commit(first)
            store._link.run = commit  # type: ignore[method-assign]
            assert len(tries) == 2
            return await store.records()

    assert asyncio.run(scenario()) == [first]


def test_an_answer_that_does_not_come_is_not_waited_for(
    space: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is given up, and the next work has another one."""

    async def sleep(connection: Connection) -> None:
        await connection.execute("SELECT pg_sleep(60)")

    async def scenario() -> None:
        async with opened(space) as (store,):
            monkeypatch.setattr(postgres_link, "ANSWER_SECONDS", 0.1)
            with pytest.raises(StateAway, match=r"gives no answer within 0\.1 seconds"):
                await store._link.run(sleep)
            monkeypatch.setattr(postgres_link, "ANSWER_SECONDS", 10.0)
            assert await store.records() == []

    asyncio.run(scenario())


def test_a_connection_that_cannot_be_prepared_is_let_go(
    space: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that answers nothing, too."""
    monkeypatch.setattr(postgres_link, "ANSWER_SECONDS", 0.1)

    async def sleep(connection: Connection) -> None:
        await connection.execute("SELECT pg_sleep(60)")

    async def scenario() -> None:
        link = postgres_link.Link(parse_address(space), sleep)
        for said in ("it gives no answer", "it gives no answer"):  # the second is not tried
            with pytest.raises(StateAway, match=said):
                await link.run(sleep)
        await link.close()

    asyncio.run(scenario())


def test_hanging_up_twice_is_hanging_up(space: str) -> None:
    """Also on a line that has ended by itself."""

    async def scenario() -> None:
        async with opened(space) as (store,):
            await store._link.run(gone)
            assert await store.records() == []

    async def gone(connection: Connection) -> None:
        postgres_link.hang_up(connection)
        postgres_link.hang_up(connection)
        await connection.close()
        postgres_link.hang_up(connection)

    asyncio.run(scenario())


def test_a_database_that_is_away_is_waited_for(own: Database, moves: Moves) -> None:
    """Commits say so at once; who watches goes on when it is back, and nothing is lost."""
    records = moves(4)

    async def scenario(url: str) -> tuple[list[int], str]:
        async with opened(url, url) as (one, other), aclosing(other.watch(0)) as watching:
            await one.commit(records[0])
            seen = [(await anext(watching)).revision]
            following = asyncio.ensure_future(anext(watching))
            await asyncio.to_thread(own.kill)
            with pytest.raises(StateAway) as away:
                await one.commit(records[1])
            for store in (one, other):
                with pytest.raises(StateAway):
                    await store.leads()
            assert one.age is not None
            await asyncio.to_thread(own.start)
            while True:
                try:
                    await one.commit(records[1])
                except StateAway:
                    continue
                break
            seen.append((await following).revision)
            assert (await one.load()) == (await other.load())
            return seen, str(away.value)

    seen, said = asyncio.run(scenario(own.space()))
    assert seen == [1, 2]
    assert said.startswith(f"the state 'postgresql://gateway@127.0.0.1:{own.port}/postgres' c")
    assert "cret" not in said
    assert said.endswith("; whether revision 2 was recorded is not known")
    own.stop()
    with pytest.raises(StateAway, match=r"cannot be used: .*refused"):
        asyncio.run(PostgresStore.open(own.url))


def test_a_silence_makes_nobody_miss_anything(
    space: str, moves: Moves, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing is told, everybody looks after a while."""
    monkeypatch.setattr(postgres_notices, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(postgres_notices, "CHANNEL", "elsewhere")

    async def scenario() -> int:
        async with opened(space, space) as (one, other), aclosing(other.watch(0)) as watching:
            following = asyncio.ensure_future(anext(watching))
            await one.commit(moves(1)[0])
            return (await following).revision

    assert asyncio.run(scenario()) == 1


# Tables


def test_nodes_that_start_at_the_same_time_make_the_tables_once(space: str) -> None:
    """One makes them and the others wait."""

    async def scenario() -> list[int]:
        stores = await asyncio.gather(*(PostgresStore.open(space) for _ in range(6)))
        found = [(await store.load()).revision for store in stores]
        for store in stores:
            await store.close()
        return found

    assert asyncio.run(scenario()) == [0] * 6


def test_older_tables_become_newer_ones(space: str, moves: Moves) -> None:
    """Forward, all steps or none; the journal stays; an older node refuses from then on."""
    records, steps = moves(3), postgres_schema.STEPS
    newer = (*steps, ("ALTER TABLE gateway_records ADD COLUMN more text",))
    broken = (*newer, ("CREATE TABLE half (x int)", "no statement"))
    knows = f"from a newer program; this one knows {len(steps)}"

    async def scenario() -> list[str]:
        said = []
        async with opened(space) as (older,):
            await older.commit(records[0])
            with pytest.raises(psycopg.errors.SyntaxError):
                async with await psycopg.AsyncConnection.connect(
                    space, autocommit=True
                ) as connection:
                    await postgres_schema.migrate(connection, broken)
            await older.commit(records[1])
            async with await psycopg.AsyncConnection.connect(space, autocommit=True) as connection:
                await postgres_schema.migrate(connection, newer)
                await postgres_schema.migrate(connection, newer)
            for work in (older.commit(records[2]), older.load(), older.package("x")):
                with pytest.raises(StateUnusable) as caught:
                    await work
                said.append(str(caught.value).partition("cannot be used: ")[2])
            with pytest.raises(StateUnusable, match=knows):
                await PostgresStore.open(space)
        return said

    said = asyncio.run(scenario())
    assert said == [f"it has schema {len(newer)}, {knows}"] * 3
    with psycopg.connect(space) as connection:
        found = connection.execute("SELECT revision, more FROM gateway_records ORDER BY 1")
        assert found.fetchall() == [(1, None), (2, None)]


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        pytest.param(
            "UPDATE gateway_records SET change = '{}' WHERE revision = 2",
            "revision 2 is not what was written",
            id="another change",
        ),
        pytest.param(
            "DELETE FROM gateway_altered; DELETE FROM gateway_records WHERE revision = 2",
            "revision 2 is missing",
            id="a gap",
        ),
        pytest.param(
            "UPDATE gateway_checkpoints SET state = '{}'",
            "the checkpoint of revision 1 is not what was written",
            id="another checkpoint",
        ),
        pytest.param(
            "DELETE FROM gateway_altered; DELETE FROM gateway_records",
            "revision 1 is missing",
            id="nothing but the checkpoint",
        ),
    ],
)
def test_damage_is_told(harm: str, said: str, space: str, moves: Moves) -> None:
    """Never loaded as if it were what was written."""

    async def scenario() -> None:
        async with opened(space) as (store,):
            for record in moves(3):
                await store.commit(record)
            await store.checkpoint(1, Batch(()))
            await asyncio.to_thread(sql, space, *harm.split("; "))
            await store.load()

    with pytest.raises(StateUnusable, match=f"cannot be used: {said}$") as caught:
        asyncio.run(scenario())
    assert not isinstance(caught.value, StateAway)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        pytest.param(
            "ALTER ROLE narrow SET default_transaction_read_only = on", "read-only", id="read-only"
        ),
        pytest.param("REVOKE CREATE ON SCHEMA {} FROM narrow", "permission denied", id="rights"),
    ],
)
def test_a_database_that_refuses_is_told(harm: str, said: str, database: Database) -> None:
    """With its reason, and as something that does not pass by itself."""
    space = database.space()
    schema = space.rpartition("%3D")[2]
    sql(space, "DROP ROLE IF EXISTS narrow", "CREATE ROLE narrow LOGIN")
    sql(space, f"GRANT ALL ON SCHEMA {schema} TO narrow", harm.format(schema))
    try:
        with pytest.raises(StateUnusable, match=said) as caught:
            asyncio.run(PostgresStore.open(space.replace("//gateway:se%40cret@", "//narrow@")))
        assert not isinstance(caught.value, StateAway)
    finally:
        sql(space, f"REVOKE ALL ON SCHEMA {schema} FROM narrow", "DROP ROLE narrow")


def test_commits_are_durable_whatever_the_server_is_set_to(database: Database) -> None:
    """What is acknowledged is on the disk."""
    space = database.space().replace("%3D", "%3D", 1) + "%20-csynchronous_commit%3Doff"

    async def scenario() -> str:
        async with opened(space) as (store,):

            async def asked(connection: Connection) -> str:
                found = await connection.execute("SHOW synchronous_commit")
                (value,) = await found.fetchone() or ("",)
                return str(value)

            return await store._link.run(asked)

    assert asyncio.run(scenario()) == "on"


def test_closing_while_it_connects_waits_for_nothing(space: str) -> None:
    """Who begins to watch and leaves at once is not held."""

    async def scenario() -> None:
        async with opened(space) as (store,):
            following = asyncio.ensure_future(anext(store.watch(0)))
            for _ in range(3):  # now it has begun to connect
                await asyncio.sleep(0)
            assert store._notices._link._running
            await store.close()
            with pytest.raises((StopAsyncIteration, StateUnusable)):
                await following

    asyncio.run(scenario())

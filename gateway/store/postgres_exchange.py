"""The exchange of the nodes of a cluster: a table in their database, on a connection of its own.

What changes the state never waits for it. Words are left one after the other, so that whoever reads
on from the last number that he has seen misses none: one that is numbered earlier cannot appear
later.
"""

from __future__ import annotations

from typing import Final

from gateway.store.exchange import KEPT_SECONDS, PAGE
from gateway.store.postgres_address import parse_address
from gateway.store.postgres_link import Connection, Link
from gateway.store.postgres_schema import APPLICATION, STEPS, migrate, transaction
from gateway.store.postgres_turn import STATE

# One statement is over even when whoever sent it is stopped in the middle of his work; the number
# is given when it is the word's turn.
_INSERT: Final = f"""
    WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock({APPLICATION + 3}, {STATE}))
    INSERT INTO gateway_words (sender, word)
    SELECT %s, %b FROM turn, gateway_schema WHERE version <= %s
"""  # noqa: S608 - our own numbers
_LATEST: Final = """
    SELECT DISTINCT ON (sender) word FROM gateway_words WHERE sender <> %s
    ORDER BY sender, number DESC
"""
_NEWS: Final = """
    SELECT number, word FROM gateway_words WHERE number > %s AND sender <> %s
    ORDER BY number LIMIT %s
"""
_PRUNE: Final = "DELETE FROM gateway_words WHERE at < clock_timestamp() - %s * interval '1 second'"


class PostgresExchange:
    """The exchange in one database.

    Args:
        url: The address of the state.
        sender: Who leaves words here; its own are not among those that it reads.

    Attributes:
        name: What it is, for sentences about it.
    """

    def __init__(self, url: str, sender: str) -> None:
        address = parse_address(url)
        self.name = f"the exchange in {address.name}"
        self._sender = sender
        self._link = Link(address, _prepare)
        self._read = 0

    async def publish(self, word: bytes) -> None:
        """Leave a word.

        Raises:
            StateUnusable: It cannot be left.
        """

        async def work(connection: Connection) -> None:
            left = await connection.execute(_INSERT, (self._sender, word, len(STEPS)))
            if not left.rowcount:
                await migrate(connection)  # it refuses newer tables, and says so

        await self._link.run(work)

    async def latest(self) -> list[bytes]:
        """The last word of every other node.

        Raises:
            StateUnusable: It cannot be read.
        """

        async def work(connection: Connection) -> list[bytes]:
            async with transaction(connection):
                asked = await connection.execute(_LATEST, (self._sender,), binary=True)
                return [bytes(word) for (word,) in await asked.fetchall()]

        return await self._link.run(work)

    async def news(self) -> list[bytes]:
        """The first words of others since the last question, in the order in which they came.

        Raises:
            StateUnusable: They cannot be read.
        """

        async def work(connection: Connection) -> list[tuple[int, bytes]]:
            async with transaction(connection):
                values = (self._read, self._sender, PAGE)
                return await (await connection.execute(_NEWS, values, binary=True)).fetchall()

        found = await self._link.run(work)
        if found:
            self._read = found[-1][0]
        return [bytes(word) for _, word in found]

    async def prune(self) -> None:
        """Forget what is older than `KEPT_SECONDS`.

        Raises:
            StateUnusable: It cannot be forgotten.
        """

        async def work(connection: Connection) -> None:
            async with transaction(connection):
                await connection.execute(_PRUNE, (KEPT_SECONDS,))

        await self._link.run(work)

    async def close(self) -> None:
        """Let go of the connection; what still waits for an answer is broken off."""
        await self._link.close(hurry=True)


async def _prepare(_connection: Connection) -> None:
    """Nothing: what is told here is worth no special care."""

"""A pool whose connections all died (a restart of PostgreSQL, a failover) loses one call, not one for each connection."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.chassis import database, errors
from tests.support import polling, postgres

# Whose database is made for this module (tests/integration/conftest.py).
SERVICE = "inventory"

SIZE = 4
OWN = database.Statement("SELECT pg_backend_pid()")
SLOW = database.Statement("SELECT pg_backend_pid() FROM pg_sleep(0.1)")
TERMINATE = database.Statement("SELECT pg_terminate_backend(pid) FROM unnest(%(pids)s::int[]) AS given(pid)")
ALIVE = database.Statement("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%(pids)s::int[])")


@pytest_asyncio.fixture
async def db(database_url: str) -> AsyncIterator[database.Database]:
    async with postgres.opened(database_url, {}) as opened:
        yield opened


@pytest_asyncio.fixture
async def operator(database_url: str) -> AsyncIterator[database.Database]:
    async with postgres.opened(database_url, {}) as opened:
        yield opened


async def all_terminated(db: database.Database, operator: database.Database) -> set[int]:
    """Fill the pool, and have the server end each of its connections: which they were."""
    pids: set[int] = set()

    async def filled() -> bool:
        pids.update(row[0] for rows in await asyncio.gather(*(db.read(SLOW) for _ in range(SIZE))) for row in rows)
        return len(pids) >= SIZE

    await polling.eventually(filled)
    await operator.read(TERMINATE, {"pids": list(pids)})

    async def gone() -> bool:
        return await operator.read(ALIVE, {"pids": list(pids)}) == [(0,)]

    await polling.eventually(gone)
    return pids


async def in_a_row(db: database.Database, *, transactions: bool) -> list[bool]:
    """Which of so many calls, one after another, were answered."""
    answered = []
    for _ in range(2 * SIZE):
        try:
            if transactions:
                async with db.transaction() as transaction:
                    await transaction.run(OWN)
            else:
                await db.read(OWN)
        except errors.TransientError:
            answered.append(False)
        else:
            answered.append(True)
    return answered


@pytest.mark.parametrize("transactions", [False, True])
async def test_when_all_connections_of_a_pool_are_lost_one_call_fails_and_the_next_is_answered(
    db: database.Database, operator: database.Database, *, transactions: bool
) -> None:
    before = await all_terminated(db, operator)
    assert await in_a_row(db, transactions=transactions) == [False] + [True] * (2 * SIZE - 1)
    assert (await db.read(OWN))[0][0] not in before


async def test_a_pool_that_is_closed_while_it_checks_its_connections_closes(
    database_url: str, operator: database.Database
) -> None:
    async with postgres.opened(database_url, {}) as db:
        await all_terminated(db, operator)
        with pytest.raises(errors.TransientError):
            await db.read(OWN)


async def test_a_server_that_vanished_without_a_word_is_noticed_within_15_seconds(db: database.Database) -> None:
    """As the kernel is told for each connection. That it keeps to it is not tried here: no packet is lost on loopback."""
    async with db._pool.connection() as connection:
        with socket.socket(fileno=os.dup(connection.fileno())) as link:
            idle, interval, count, unacknowledged_ms = (
                link.getsockopt(socket.IPPROTO_TCP, option)
                for option in (
                    socket.TCP_KEEPIDLE,
                    socket.TCP_KEEPINTVL,
                    socket.TCP_KEEPCNT,
                    socket.TCP_USER_TIMEOUT,
                )
            )
            assert link.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert idle + interval * count <= 15
    assert unacknowledged_ms <= 15_000

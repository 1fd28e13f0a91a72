"""What an operator may do about events that the brokers refused, on a real outbox; what is published is read back from Kafka."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from services.chassis import database, ids, kafka
from services.chassis.kafka import topics
from services.chassis.outbox import outbox, refused, relay
from tests.support import postgres, servers

# Whose database is made for this module (tests/integration/conftest.py).
SERVICE = "inventory"

SET_ASIDE = database.Statement("""
UPDATE outbox SET shard = -1 - shard, headers = '{"refused": "too large", "own": "kept"}' WHERE key = %(key)s
""")
SHOWN = database.Statement("SELECT key, sequence, shard < 0, headers FROM outbox ORDER BY id")
ACTIONS = database.Statement(
    "SELECT action, actor FROM parked_actions WHERE event_id = ANY(%(ids)s::uuid[]) ORDER BY id"
)


@pytest.fixture(scope="module")
def topic() -> str:
    name = f"test-{uuid.uuid4().hex[:10]}"
    topics.ensure(kafka.Connection(servers.kafka_bootstrap(), "test"), {name: 1}, replication=1)
    return name


@pytest_asyncio.fixture
async def db(database_url: str) -> AsyncIterator[database.Database]:
    async with postgres.opened(database_url, {}) as opened:
        await opened.read(database.Statement("TRUNCATE outbox, leases"))
        yield opened


@pytest_asyncio.fixture
async def producer() -> AsyncIterator[kafka.Producer]:
    made = kafka.Producer(kafka.Connection(servers.kafka_bootstrap(), "test"))
    yield made
    await made.stop()


def letter(topic: str, key: str, sequence: int) -> outbox.Entry:
    now = datetime.now(UTC)
    return outbox.Entry(ids.new_id(now), topic, key, "souk.order.v1.OrderCancelled", sequence, now, b"")


async def set_aside(db: database.Database, topic: str, key: str) -> list[str]:
    """Two events of a key that the relay set aside: their ids."""
    letters = [letter(topic, key, 1), letter(topic, key, 2)]
    async with db.transaction() as transaction:
        transaction.emit(letters)
    await db.read(SET_ASIDE, {"key": key})
    return [each.event_id for each in letters]


async def test_a_key_that_was_refused_is_sent_again_in_order_with_a_record_of_who_said_so(
    db: database.Database, topic: str
) -> None:
    head, behind = await set_aside(db, topic, "a")
    await set_aside(db, topic, "b")
    assert [(row[0], row[2], row[5]) for row in await refused.listed(db)][:2] == [
        (head, "a", "too large"),
        (behind, "a", "too large"),
    ]
    assert await refused.send(db, behind, actor="ann")
    assert [row[:3] for row in await db.read(SHOWN)] == [
        ("a", 1, False),
        ("a", 2, False),
        ("b", 1, True),
        ("b", 2, True),
    ]
    assert (await db.read(SHOWN))[0][3] == {"own": "kept"}, "it is not refused any more"
    assert await db.read(ACTIONS, {"ids": [head, behind]}) == [("send", "ann")] * 2
    assert not await refused.send(db, head, actor="ann")


async def test_a_record_that_can_never_be_published_is_discarded_and_its_key_goes_on(
    db: database.Database, topic: str
) -> None:
    head, _ = await set_aside(db, topic, "a")
    assert await refused.discard(db, head, actor="ann")
    assert [row[:3] for row in await db.read(SHOWN)] == [("a", 2, False)]
    assert await db.read(ACTIONS, {"ids": [head]}) == [("discard", "ann")]
    assert not await refused.discard(db, head, actor="ann")


async def test_an_event_that_waits_to_be_published_is_not_an_operators_to_discard(
    db: database.Database, topic: str
) -> None:
    waiting = letter(topic, "a", 1)
    async with db.transaction() as transaction:
        transaction.emit([waiting])
    assert not await refused.discard(db, waiting.event_id, actor="ann")
    assert not await refused.send(db, waiting.event_id, actor="ann")
    assert [row[:3] for row in await db.read(SHOWN)] == [("a", 1, False)]


async def test_a_relay_at_work_publishes_what_is_sent_again_before_what_came_later(
    db: database.Database, topic: str, producer: kafka.Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    published: list[tuple[str, str]] = []
    publish = kafka.Producer.publish

    async def noted(self: kafka.Producer, records: list[kafka.Record]) -> list[bool]:
        published.extend((record.key, record.headers["ce_sequence"]) for record in records)
        return list(await publish(self, records))

    monkeypatch.setattr(kafka.Producer, "publish", noted)
    [head, _] = await set_aside(db, topic, "a")
    bringer = relay.Relay(db, producer, service="test", owner="me", batch=10)
    # It knows from here on what is set aside, and asks again only when it renews its lease.
    await bringer.work()
    await refused.send(db, head, actor="ann")
    async with db.transaction() as transaction:
        transaction.emit([letter(topic, "a", 3)])
    async with asyncio.timeout(20):
        while await db.read(SHOWN):
            await bringer.work()
    assert published == [("a", "1"), ("a", "2"), ("a", "3")]


async def test_the_command_lists_sends_and_says_by_its_exit_code_whether_the_event_was_there(
    db: database.Database, database_url: str, topic: str, capsys: pytest.CaptureFixture[str]
) -> None:
    head, _ = await set_aside(db, topic, "a")
    assert await refused.operate(database_url, "list", "", actor="ann") == 0
    assert f"{head}\t{topic}\ta\t" in capsys.readouterr().out
    assert await refused.operate(database_url, "send", head, actor="ann") == 0
    assert await refused.operate(database_url, "discard", head, actor="ann") == 1

"""From a transaction through the outbox, the relay and a real Kafka into another transaction: once, and in order."""

import asyncio
import math
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from kafka import KafkaConsumer

from services.chassis import clock, database, errors, ids, kafka
from services.chassis.events import consumer, parked, reader
from services.chassis.kafka import topics
from services.chassis.outbox import leases, outbox, relay
from souk.order.v1 import order_events_pb2
from tests.support import postgres, servers

# Whose database is made for this module (tests/integration/conftest.py).
SERVICE = "inventory"


@dataclass(frozen=True)
class Noted:
    """A fact of this test: something with a key and a number."""

    key: str
    number: int


def render(fact: Noted) -> order_events_pb2.OrderCancelled:
    return order_events_pb2.OrderCancelled(order_id=fact.key, repeat=fact.number)


def publications(topic: str) -> outbox.Publications:
    return {Noted: outbox.Publication(topic, lambda fact: fact.key, render, sequence=lambda fact: fact.number)}


class Notebook:
    """Handles events by writing them down in a table, in the transaction it is given; fails as told."""

    def __init__(self) -> None:
        self.broken: set[tuple[str, int]] = set()
        self.away = 0

    async def note(self, transaction: database.Transaction, facts: Sequence[Noted]) -> None:
        if self.away:
            self.away -= 1
            raise errors.TransientError("the database is away")
        for fact in facts:
            await transaction.run(NOTE, {"key": fact.key, "number": fact.number})
            if (fact.key, fact.number) in self.broken:
                raise ValueError(f"cannot handle {fact}")

    def subscribers(self) -> reader.Subscribers:
        def parse(message: Any) -> Noted:
            return Noted(message.order_id, message.repeat)

        return {order_events_pb2.OrderCancelled: reader.Subscriber(parse, self.note)}


NOTE = database.Statement("INSERT INTO notes (key, number) VALUES (%(key)s, %(number)s)")
NOTES = database.Statement("SELECT key, number FROM notes ORDER BY id")
COUNT = {
    table: database.Statement(f"SELECT count(*) FROM {table}")
    for table in ("notes", "outbox", "inbox", "parked_events")
}


@pytest.fixture(scope="module")
def bootstrap() -> str:
    return servers.kafka_bootstrap()


@pytest.fixture
def topic(bootstrap: str) -> str:
    name = f"test-{uuid.uuid4().hex[:10]}"
    topics.ensure(kafka.Connection(bootstrap, "test"), {name: 3}, replication=1)
    return name


@pytest_asyncio.fixture
async def db(database_url: str) -> AsyncIterator[database.Database]:
    async with postgres.opened(database_url, publications("unused")) as opened:
        await opened.read(database.Statement("DROP TABLE IF EXISTS notes"))
        await opened.read(
            database.Statement("CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY, key text, number int)")
        )
        for table in ("outbox", "inbox", "parked_events", "leases"):
            await opened.read(database.Statement(f"TRUNCATE {table}"))
        yield opened


async def count(db: database.Database, table: str) -> int:
    return int((await db.read(COUNT[table]))[0][0])


async def eventually(ask: Callable[[], Awaitable[bool]], *, within_s: float = 20) -> None:
    async with asyncio.timeout(within_s):
        while not await ask():
            await asyncio.sleep(0.02)


def record(fact: Noted, *, event_id: str = "") -> kafka.Record:
    headers = {"ce_id": event_id or ids.new_id(datetime.now(UTC)), "ce_type": "souk.order.v1.OrderCancelled"}
    return kafka.Record("notes", fact.key, render(fact).SerializeToString(), headers, 0, fact.number)


def deliverer(db: database.Database, notebook: Notebook) -> consumer.Deliverer:
    return consumer.Deliverer(db, reader.Reader(notebook.subscribers()), service="test", now=clock.utc_now)


async def test_what_commits_arrives_once_and_in_order_per_key(
    database_url: str, db: database.Database, topic: str, bootstrap: str
) -> None:
    keys, each = 40, 5
    connection = kafka.Connection(bootstrap, "test")
    async with postgres.opened(database_url, publications(topic)) as writer:
        for number in range(each):
            async with writer.transaction() as transaction:
                transaction.emit(Noted(f"k{key}", number) for key in range(keys))
        bringer = relay.Relay(writer, producer := kafka.Producer(connection), service="test", owner="me", batch=50)
        while await bringer.work():
            pass
        await producer.stop()
    reader = kafka.Consumer(
        connection, kafka.Subscription([topic], f"group-{topic}", 30), deliverer(db, Notebook()).deliver
    )
    await reader.start()
    await eventually(lambda: _has(db, "notes", keys * each))
    await reader.stop()
    rows = await db.read(NOTES)
    for key in range(keys):
        assert [number for name, number in rows if name == f"k{key}"] == list(range(each))
    assert await count(db, "outbox") == 0


async def _has(db: database.Database, table: str, wanted: int) -> bool:
    return await count(db, table) >= wanted


def counted_listings(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """What the brokers answered each time that a consumer asked for all topics."""
    answers: list[set[str]] = []
    ask = KafkaConsumer.topics

    def asked(consumer: KafkaConsumer) -> set[str]:
        answers.append(ask(consumer))
        return answers[-1]

    monkeypatch.setattr(KafkaConsumer, "topics", asked)
    return answers


async def test_a_consumer_that_starts_before_its_topics_exist_asks_once_a_round_and_reads_them_all_the_same(
    db: database.Database, bootstrap: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = [f"late-{uuid.uuid4().hex[:10]}" for _ in range(3)]
    listings = counted_listings(monkeypatch)
    connection = kafka.Connection(bootstrap, "test")
    subscription = kafka.Subscription(late, f"group-{late[0]}", 30)
    reader = kafka.Consumer(connection, subscription, deliverer(db, Notebook()).deliver)
    await reader.start()

    async def missed() -> bool:
        return "topics are missing" in caplog.text

    await eventually(missed)
    topics.ensure(connection, dict.fromkeys(late, 3), replication=1)
    producer = kafka.Producer(connection)
    facts = [record(Noted(f"k{number}", 1)) for number in range(3)]
    told = [kafka.Record(name, fact.key, fact.value, fact.headers) for name, fact in zip(late, facts, strict=True)]
    assert await producer.publish(told) == [True] * 3
    await eventually(lambda: _has(db, "notes", 3))
    await reader.stop()
    await producer.stop()
    rounds = caplog.text.count("topics are missing") + caplog.text.count("consumer reconnects") + 1
    assert 1 < len(listings) <= rounds, "one question a round for all topics"


async def test_what_rolls_back_is_never_published(database_url: str, db: database.Database) -> None:
    async with postgres.opened(database_url, publications("t")) as writer:
        with pytest.raises(RuntimeError):
            async with writer.transaction() as transaction:
                transaction.emit([Noted("k", 1)])
                raise RuntimeError
    assert await count(db, "outbox") == 0


async def test_an_event_that_is_published_twice_has_one_effect(db: database.Database) -> None:
    twice = record(Noted("k", 1))
    await deliverer(db, Notebook()).deliver([twice, twice])
    await deliverer(db, Notebook()).deliver([twice])
    assert await db.read(NOTES) == [("k", 1)]


async def test_two_consumers_of_the_same_event_have_one_effect(db: database.Database) -> None:
    batch = [record(Noted(f"k{number}", 1)) for number in range(20)]
    await asyncio.gather(*(deliverer(db, Notebook()).deliver(batch) for _ in range(4)))
    assert await count(db, "notes") == 20


async def test_an_outage_repeats_the_batch_and_parks_nothing(db: database.Database) -> None:
    notebook = Notebook()
    notebook.away = 3
    await deliverer(db, notebook).deliver([record(Noted("k", 1))])
    assert await db.read(NOTES) == [("k", 1)]
    assert await count(db, "parked_events") == 0


async def test_a_failing_key_is_parked_with_what_follows_it_and_the_others_go_on(db: database.Database) -> None:
    notebook = Notebook()
    notebook.broken = {("bad", 1)}
    handler = deliverer(db, notebook)
    await handler.deliver([record(Noted("bad", 1)), record(Noted("good", 1)), record(Noted("bad", 2))])
    await handler.deliver([record(Noted("bad", 3)), record(Noted("good", 2))])
    assert await db.read(NOTES) == [("good", 1), ("good", 2)]
    assert [row[1] for row in await parked.listed(db)] == ["bad", "bad", "bad"]
    assert await count(db, "inbox") == 2


async def test_a_parked_key_resumes_in_order_when_its_cause_is_gone(
    db: database.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parked, "FIRST_PAUSE_S", 0.01)
    notebook = Notebook()
    notebook.broken = {("bad", 1)}
    await deliverer(db, notebook).deliver([record(Noted("bad", number)) for number in (1, 2, 3)])
    retrier = parked.Retrier(db, reader.Reader(notebook.subscribers()), service="test", now=clock.utc_now)
    await retrier.work()
    assert await db.read(NOTES) == []
    notebook.broken.clear()

    async def resumed() -> bool:
        await retrier.work()
        return await count(db, "parked_events") == 0

    await eventually(resumed)
    assert await db.read(NOTES) == [("bad", 1), ("bad", 2), ("bad", 3)]


async def test_an_event_that_never_succeeds_is_dead_until_an_operator_replays_it(
    db: database.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parked, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(parked, "MOST_ATTEMPTS", 3)
    notebook = Notebook()
    notebook.broken = {("bad", 1)}
    poison = record(Noted("bad", 1))
    await deliverer(db, notebook).deliver([poison])
    retrier = parked.Retrier(db, reader.Reader(notebook.subscribers()), service="test", now=clock.utc_now)

    async def dead() -> bool:
        await retrier.work()
        return [row[4] for row in await parked.listed(db)] == [1]

    await eventually(dead)
    [[topic, headers, payload]] = await db.read(
        database.Statement("SELECT topic, headers, payload FROM outbox ORDER BY id")
    )
    assert topic == outbox.DEAD_LETTER
    assert (headers["origin_topic"], headers["origin_key"], headers["attempts"]) == ("notes", "bad", "3")
    assert "cannot handle" in headers["error"]
    assert payload == poison.value
    notebook.broken.clear()
    assert await parked.replay(db, poison.headers["ce_id"], actor="ann")
    await retrier.work()
    assert await db.read(NOTES) == [("bad", 1)]
    actions = await db.read(database.Statement("SELECT action, actor FROM parked_actions WHERE actor = 'ann'"))
    assert ("replay", "ann") in actions


async def test_a_discarded_event_lets_its_key_go_on(db: database.Database) -> None:
    notebook = Notebook()
    notebook.broken = {("bad", 1)}
    first, second = record(Noted("bad", 1)), record(Noted("bad", 2))
    await deliverer(db, notebook).deliver([first, second])
    assert await parked.discard(db, first.headers["ce_id"], actor="ann")
    retrier = parked.Retrier(db, reader.Reader(notebook.subscribers()), service="test", now=clock.utc_now)
    await retrier.work()
    assert await db.read(NOTES) == [("bad", 2)]


async def test_bytes_that_nobody_can_read_go_to_dead_letter_at_once(db: database.Database) -> None:
    good = record(Noted("k", 1))
    garbage = kafka.Record("notes", "k", b"\xff\xff\xff", good.headers, 2, 77)
    await deliverer(db, Notebook()).deliver([garbage, good])
    assert await db.read(NOTES) == [("k", 1)]
    [[topic, headers]] = await db.read(database.Statement("SELECT topic, headers FROM outbox"))
    assert (topic, headers["origin_partition"], headers["origin_offset"]) == (outbox.DEAD_LETTER, "2", "77")


async def test_relays_share_the_shards_and_take_over_from_one_that_died(db: database.Database) -> None:
    one = leases.Shards(db, "outbox", count=16, owner="one", lease_s=0.5)
    two = leases.Shards(db, "outbox", count=16, owner="two", lease_s=0.5)
    await one.join()
    await one.renew()
    assert len(one.held) == 16
    await two.renew()
    await one.renew()
    await two.renew()
    assert (len(one.held), len(two.held)) == (8, 8)
    assert not one.held.keys() & two.held.keys()
    before = dict(one.held)

    async def taken_over() -> bool:
        await two.renew()
        return len(two.held) == 16

    await eventually(taken_over)
    assert all(two.held[shard] > epoch for shard, epoch in before.items())
    await one.renew()
    assert not one.held, "the one that only seemed dead owns nothing any more, until it gets its share"


async def test_a_relay_that_was_replaced_deletes_nothing(
    database_url: str, db: database.Database, topic: str, bootstrap: str
) -> None:
    async with postgres.opened(database_url, publications(topic)) as writer:
        async with writer.transaction() as transaction:
            transaction.emit([Noted("k", 1)])
        producer = kafka.Producer(kafka.Connection(bootstrap, "test"))
        slow = relay.Relay(writer, producer, service="test", owner="slow", batch=10)
        await slow._own()
        await db.read(
            database.Statement("UPDATE leases SET owner = 'quick', epoch = epoch + 1 WHERE name LIKE 'outbox:%'")
        )
        await slow.work()
        await producer.stop()
    assert await count(db, "outbox") == 1


async def test_a_relay_that_lost_its_shards_and_has_them_again_neither_deletes_nor_sets_aside_by_its_old_lease(
    database_url: str, db: database.Database, topic: str, bootstrap: str
) -> None:
    producer = kafka.Producer(kafka.Connection(bootstrap, "test"))
    async with postgres.opened(database_url, publications(topic)) as writer:
        async with writer.transaction() as transaction:
            transaction.emit([Noted("k", 1)])
        slow = relay.Relay(writer, producer, service="test", owner="me", batch=10)
        await slow._own()
        slow._renew_at = math.inf
        await db.read(database.Statement("UPDATE leases SET epoch = epoch + 1 WHERE name LIKE 'outbox:%'"))
        await slow.work()
        assert await count(db, "outbox") == 1, "what it published is published again by its new lease"
        async with writer.transaction() as transaction:
            transaction.emit([Noted("k", 0)])
        await db.read(
            database.Statement("UPDATE outbox SET shard = -1 - shard WHERE id = (SELECT max(id) FROM outbox)")
        )
        await slow._read_aside()
        await slow.work()
        kept = "SELECT shard >= 0, headers FROM outbox ORDER BY id"
        assert await db.read(database.Statement(kept)) == [(True, None), (False, None)]
        await db.read(database.Statement("DELETE FROM outbox WHERE shard < 0"))
        await db.read(database.Statement("UPDATE leases SET expires_at = '-infinity'"))
        await relay.Relay(writer, producer, service="test", owner="new", batch=10).work()
    await producer.stop()
    assert await count(db, "outbox") == 0

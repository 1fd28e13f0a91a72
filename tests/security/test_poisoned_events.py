"""Records that somebody made to stop a consumer: none holds up another key, repeats for ever or gets lost."""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from services.chassis import clock, database, errors, ids, kafka
from services.chassis.events import consumer, inbox, parked, reader
from services.chassis.kafka import topics
from services.chassis.outbox import outbox, relay
from services.notification import events as notification_events
from services.payment import events as payment_events
from souk.order.v1 import order_events_pb2
from tests.support import polling, postgres, servers

CANCELLED = "souk.order.v1.OrderCancelled"
LETTERS = database.Statement("SELECT event_id, headers, payload FROM outbox ORDER BY id")
PARKED = database.Statement("SELECT key, attempts, dead FROM parked_events ORDER BY position")
HUGE_KEY = "k" * 12_000


@pytest.fixture(scope="module")
def database_url() -> Iterator[str]:
    with postgres.fresh_database(servers.postgres_admin_url(), "inventory") as url:
        yield url


@pytest_asyncio.fixture
async def db(database_url: str) -> AsyncIterator[database.Database]:
    async with postgres.opened(database_url, {}) as opened:
        for table in ("outbox", "inbox", "parked_events", "leases"):
            await opened.read(database.Statement(f"TRUNCATE {table}"))
        yield opened


class Ledger:
    """Handles what it gets, and fails as told."""

    def __init__(self, *failures: Exception) -> None:
        self.seen: list[str] = []
        self.failures = list(failures)

    async def handle(self, _: database.Transaction, order_ids: Sequence[str]) -> None:
        if "bad" in order_ids and self.failures:
            raise self.failures.pop(0)
        self.seen += order_ids

    def reader(self) -> reader.Reader:
        def parse(message: Any) -> str:
            if message.reason == "recursion":
                raise RecursionError("too deep")
            if message.reason == "domain":
                raise errors.invalid("MONEY_INVALID", "currency 'XXX' is not known")
            return str(message.order_id)

        return reader.Reader({order_events_pb2.OrderCancelled: reader.Subscriber(parse, self.handle)})


def record(order_id: str, *, offset: int = 0, **more: Any) -> kafka.Record:
    message = order_events_pb2.OrderCancelled(order_id=order_id, reason=more.get("reason", ""))
    headers = {"ce_id": ids.new_id(datetime.now(UTC)), "ce_type": CANCELLED} | more.get("headers", {})
    value = more.get("value", message.SerializeToString())
    return kafka.Record("orders", more.get("key", order_id), value, headers, 1, offset)


async def deliver(db: database.Database, ledger: Ledger, *records: kafka.Record) -> None:
    handler = consumer.Deliverer(db, ledger.reader(), service="test", now=clock.utc_now)
    async with asyncio.timeout(20):
        await handler.deliver(records)


@pytest.mark.parametrize(
    "poison",
    [
        record("bad", reason="domain", offset=1),
        record("bad", reason="recursion", offset=2),
        record("bad", value=b"\xff\xff", key="nul\0key", offset=3),
        record("bad", value=b"\xff\xff", headers={"nul\0name": "nul\0value"}, offset=4),
        record("bad", value=b"\xff\xff", headers={"traceparent": "\0" * 9, "ce_type": CANCELLED}, offset=5),
        record("bad", value=b"\xff\xff", key=HUGE_KEY, offset=6),
        record("bad", headers={"ce_id": "\udcff\0"}, offset=7),
    ],
    ids=lambda poison: str(poison.offset),
)
async def test_a_record_that_cannot_be_read_is_dead_lettered_once_and_the_others_go_on(
    db: database.Database, poison: kafka.Record
) -> None:
    ledger = Ledger()
    for _ in range(3):
        await deliver(db, ledger, poison, record("good"))
    letters = await db.read(LETTERS)
    assert [letter[0] for letter in letters] == [parked.dead_letter_id(poison)]
    assert (letters[0][1]["origin_topic"], letters[0][1]["origin_offset"]) == ("orders", str(poison.offset))
    assert ledger.seen == ["good"] * 3


async def test_the_batch_of_an_unreadable_record_repeats_without_another_dead_letter(db: database.Database) -> None:
    class Away(Ledger):
        async def handle(self, _: database.Transaction, order_ids: Sequence[str]) -> None:
            if self.failures:
                raise self.failures.pop()
            self.seen += order_ids

    ledger = Away(errors.TransientError("away"), errors.TransientError("away"), ValueError("defect"))
    await deliver(db, ledger, record("x", value=b"\xff", offset=9), record("good"))
    assert len(await db.read(LETTERS)) == 1
    assert ledger.seen == ["good"]


@pytest.fixture
def without_logs(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing of a test's log in its report: workers of pytest-xdist can't send what is not UTF-8."""
    caplog.set_level(logging.CRITICAL, logger="services")


@pytest.mark.usefixtures("without_logs")
@pytest.mark.parametrize("key", [HUGE_KEY, "nul\0", "\udcff"])
async def test_an_event_that_fails_is_parked_whatever_its_key_is_and_what_follows_it_waits(
    db: database.Database, key: str
) -> None:
    ledger = Ledger(ValueError("\0 \udcff"), ValueError("again"))
    await deliver(db, ledger, record("bad", key=key, headers={"x": "\0"}), record("good"))
    await deliver(db, ledger, record("behind", key=key), record("good"))
    assert ledger.seen == ["good", "good"]
    assert [row[0] for row in await db.read(PARKED)] == [reader.stored_key(key)] * 2
    assert len(reader.stored_key(key).encode()) <= reader.MOST_KEY_BYTES


@pytest.mark.parametrize(
    "statement", ["SELECT 1/0", "SELECT 'x'::uuid", "INSERT INTO wide VALUES (repeat(md5('x'), 400))"]
)
async def test_an_error_that_does_not_go_away_is_no_outage(db: database.Database, statement: str) -> None:
    await db.read(database.Statement("CREATE TABLE IF NOT EXISTS wide (key text)"))
    await db.read(database.Statement("ALTER TABLE wide ALTER COLUMN key SET STORAGE PLAIN"))
    await db.read(database.Statement("CREATE INDEX IF NOT EXISTS wide_key ON wide (key)"))
    with pytest.raises(psycopg.Error):
        await db.read(database.Statement(statement))


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (psycopg.errors.DeadlockDetected(), True),
        (psycopg.errors.SerializationFailure(), True),
        (psycopg.errors.TooManyConnections(), True),
        (psycopg.errors.LockNotAvailable(), True),
        (psycopg.errors.AdminShutdown(), True),
        (psycopg.errors.CannotConnectNow(), True),
        (psycopg.errors.ConnectionFailure(), True),
        (psycopg.errors.ReadOnlySqlTransaction(), True),
        (psycopg.OperationalError("connection refused"), True),
        (psycopg.InterfaceError("the connection is closed"), True),
        (psycopg.errors.ProgramLimitExceeded(), False),
        (psycopg.errors.QueryCanceled(), False),
        (psycopg.errors.ObjectInUse(), False),
        (psycopg.DataError("NUL"), False),
        (psycopg.errors.CheckViolation(), False),
    ],
)
def test_what_is_an_outage_is_decided_by_the_state_that_postgresql_gives(
    error: psycopg.Error, *, transient: bool
) -> None:
    assert database.is_transient(error) is transient


@pytest.mark.parametrize("currency", ["XXX", "", "\u20ac"])
def test_a_currency_that_this_release_does_not_know_is_undecodable(currency: str) -> None:
    order, anything = str(uuid.uuid4()), _anything()
    message = order_events_pb2.PaymentRequested(order_id=order, user_id=order)
    message.amount.currency_code, message.amount.units = currency, 5
    headers = {"ce_id": ids.new_id(datetime.now(UTC)), "ce_type": "souk.order.v1.PaymentRequested"}
    asked = kafka.Record("orders", order, message.SerializeToString(), headers)
    with pytest.raises(reader.UndecodableError):
        reader.Reader(payment_events.subscribers(anything, anything)).read(asked)
    confirmed = order_events_pb2.OrderConfirmed(order_id=order, user_id=order)
    confirmed.total.currency_code = currency
    told = kafka.Record(
        "orders", order, confirmed.SerializeToString(), headers | {"ce_type": "souk.order.v1.OrderConfirmed"}
    )
    with pytest.raises(reader.UndecodableError):
        reader.Reader(notification_events.subscribers(anything, anything, anything)).read(told)


def _anything() -> Any:
    """Something that has every use case: reading calls none."""

    class Anything:
        def __getattr__(self, _: str) -> Any:
            return None

    return Anything()


async def test_an_event_that_kills_the_process_ends_dead_lettered_and_costs_no_other_event_an_attempt(
    db: database.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parked, "FIRST_PAUSE_S", 0.0)
    monkeypatch.setattr(parked, "MOST_ATTEMPTS", 3)

    class Killed(BaseException):
        """What no code catches, like the end of the process."""

    class Deadly(Ledger):
        async def handle(self, _: database.Transaction, order_ids: Sequence[str]) -> None:
            if "bad" in order_ids:
                raise Killed
            self.seen += order_ids

    await deliver(db, Ledger(ValueError(), ValueError()), record("bad"))
    ledger = Deadly()
    retrier = parked.Retrier(db, ledger.reader(), service="test", now=clock.utc_now)
    for _ in range(3):
        with pytest.raises(Killed):
            await retrier.work()
    await retrier.work()
    assert [(dead, attempts) for _, attempts, dead in await db.read(PARKED)] == [(1, 4)]
    [[_, headers, _]] = await db.read(LETTERS)
    assert (headers["attempts"], headers["error"]) == ("3", "the process ended while handling it")
    assert await retrier.work() == 0


async def test_an_outage_during_a_retry_counts_as_no_attempt(
    db: database.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parked, "FIRST_PAUSE_S", 0.0)
    outages = [errors.TransientError("away")] * 20
    ledger = Ledger(ValueError(), ValueError(), *outages)
    await deliver(db, ledger, record("bad"))
    retrier = parked.Retrier(db, ledger.reader(), service="test", now=clock.utc_now)
    for _ in outages:
        with pytest.raises(errors.TransientError):
            await retrier.work()
    await retrier.work()
    assert ledger.seen == ["bad"]
    assert await db.read(PARKED) == []


@pytest.fixture(scope="module")
def topic() -> str:
    name = f"test-{uuid.uuid4().hex[:10]}"
    topics.ensure(kafka.Connection(servers.kafka_bootstrap(), "test"), {name: 1}, replication=1)
    return name


def letter(topic: str, key: str, size: int) -> outbox.Entry:
    event_id = ids.new_id(datetime.now(UTC))
    return outbox.Entry(event_id, topic, key, CANCELLED, 0, datetime.now(UTC), b"x" * size)


async def test_a_record_that_the_broker_refuses_is_set_aside_with_what_follows_it_and_the_others_go_on(
    db: database.Database, topic: str
) -> None:
    async with db.transaction() as transaction:
        transaction.emit([letter(topic, "a", 10), letter(topic, "huge", 2_000_000), letter(topic, "huge", 1)])
        transaction.emit([letter(topic, "b", 10)])
    producer = kafka.Producer(kafka.Connection(servers.kafka_bootstrap(), "test"))
    bringer = relay.Relay(db, producer, service="test", owner="me", batch=10)
    async with asyncio.timeout(30):
        while await bringer.work():
            pass
    await producer.stop()
    left = await db.read(database.Statement("SELECT key, shard < 0, headers->>'refused' FROM outbox ORDER BY id"))
    assert [row[:2] for row in left] == [("huge", True), ("huge", True)]
    assert "TooLarge" in left[0][2]
    assert left[1][2] == "behind a record that was refused"


async def test_a_dead_letter_of_the_largest_record_fits_and_says_what_was_cut_off(
    db: database.Database, topic: str
) -> None:
    garbage = kafka.Record("orders", "k", b"\xff" * 1_048_200, {"x": "y" * 5000}, 0, 77)
    await deliver(db, Ledger(), garbage)
    await db.read(database.Statement("UPDATE outbox SET topic = %(topic)s"), {"topic": topic})
    producer = kafka.Producer(kafka.Connection(servers.kafka_bootstrap(), "test"))
    bringer = relay.Relay(db, producer, service="test", owner="me", batch=10)
    [[_, headers, payload]] = await db.read(LETTERS)
    assert (headers["truncated_from"], len(payload)) == ("1048200", parked.MOST_PAYLOAD)
    async with asyncio.timeout(30):
        while await bringer.work():
            pass
    await producer.stop()
    assert await db.read(LETTERS) == []
    assert await _claimed_again(db, garbage) == set()


async def _claimed_again(db: database.Database, garbage: kafka.Record) -> set[str]:
    event_id = parked.dead_letter_id(garbage)
    async with db.transaction() as transaction:
        new, _ = await inbox.claim(transaction, [event_id], [event_id])
    return new


class _Name(str):
    """The name of a header that the library's producer writes as these bytes, whatever the text says."""

    __slots__ = ("raw",)
    raw: bytes

    def encode(self, *_: str) -> bytes:
        return self.raw


def named(raw: bytes) -> _Name:
    name = _Name(raw.hex())
    name.raw = raw
    return name


async def test_a_header_whose_name_is_not_utf_8_stops_nobody_and_the_event_is_handled(
    db: database.Database, topic: str
) -> None:
    connection = kafka.Connection(servers.kafka_bootstrap(), "test")
    first, behind = str(uuid.uuid4()), str(uuid.uuid4())
    odd = {named(b"\xff\xfe"): "1", named(b"\xc3"): "2", "after": "\u20ac"}
    producer = kafka.Producer(connection)
    told = [record(first, headers=odd), record(behind)]
    sent = [kafka.Record(topic, one.key, one.value, one.headers) for one in told]
    assert await producer.publish(sent) == [True, True]
    await producer.stop()
    seen: list[kafka.Record] = []
    ledger = Ledger()
    handler = consumer.Deliverer(db, ledger.reader(), service="test", now=clock.utc_now)

    async def deliver_and_note(records: Sequence[kafka.Record]) -> None:
        seen.extend(records)
        await handler.deliver(records)

    reader = kafka.Consumer(connection, kafka.Subscription([topic], f"group-{topic}", 30), deliver_and_note)
    await reader.start()

    async def both_handled() -> bool:
        return {first, behind} <= set(ledger.seen)

    try:
        await polling.eventually(both_handled, within_s=20)
    finally:
        await reader.stop()
    [odd_one] = [one for one in seen if one.key == first]
    assert {name: odd_one.headers[name] for name in odd_one.headers if not name.startswith("ce_")} == {
        "\\xff\\xfe": "1",
        "\\xc3": "2",
        "after": "\u20ac",
    }

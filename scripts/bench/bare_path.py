"""The bare event path: accept, outbox, Kafka, inventory, order, payment, order. The floor that the product is compared with.

    python -m scripts.bench.bare_path <plan.json >outcome.json

Three services in one process, a schema each, on the servers of the bench's stack: no gRPC, no edge, no validation, no provider,
no mail, and nobody dies. What is sent are the product's own messages.
"""

import asyncio
import json
import random
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import psycopg
from google.type import money_pb2
from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic
from psycopg_pool import AsyncConnectionPool

from scripts.bench import bare_services, bare_tables
from souk.inventory.v1 import inventory_events_pb2
from souk.order.v1 import order_events_pb2
from souk.payment.v1 import payment_events_pb2

SKUS = 1000
PRICE = 10
PARTITIONS = 6
# Orders on their way at most: more would only measure a queue.
MOST_ON_THEIR_WAY = 2000
PATIENCE_S = 120.0
_EMIT = """
INSERT INTO outbox (event_id, topic, key, type, payload)
SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::bytea[])
"""
_CLAIM = "INSERT INTO inbox (event_id) SELECT unnest(%s::uuid[]) ON CONFLICT DO NOTHING RETURNING event_id::text"
_ACCEPT = (
    "INSERT INTO idempotency SELECT %(user)s, o, o FROM unnest(%(ids)s::uuid[]) AS o ON CONFLICT DO NOTHING",
    (
        "INSERT INTO orders (id, user_id, status, total, currency)"
        " SELECT o, %(user)s, 'PENDING', %(total)s, 'USD' FROM unnest(%(ids)s::uuid[]) AS o"
    ),
    (
        "INSERT INTO sagas (order_id, step, deadline)"
        " SELECT o, 'STOCK', now() + interval '10 minutes' FROM unnest(%(ids)s::uuid[]) AS o"
    ),
    "INSERT INTO history (order_id, sequence, status) SELECT o, 1, 'PENDING' FROM unnest(%(ids)s::uuid[]) AS o",
)
_LINES = "INSERT INTO lines SELECT * FROM unnest(%s::uuid[], %s::text[], %s::int[], %s::bigint[])"


@dataclass(frozen=True, slots=True)
class Plan:
    """So many orders of so many lines, so many in each acceptance's transaction, and events in a consumer's at most."""

    database_url: str
    bootstrap: str
    orders: int
    per_commit: int
    batch: int = 500
    lines: int = 3


@dataclass(frozen=True, slots=True)
class Outcome:
    """How long it took from the first order to the last one's money, and what this process used for it, in seconds."""

    seconds: float
    cpu_s: float


@dataclass
class Service:
    """A service of the path: its schema's connections, what it listens to, and what it does with it."""

    schema: str
    topics: Sequence[str]
    handlers: Mapping[type, bare_services.Handler]
    pool: AsyncConnectionPool[bare_services.Connection] = field(init=False)

    async def emit(self, connection: bare_services.Connection, letters: Sequence[bare_services.Unsent]) -> None:
        """Write what is to be told, in the transaction that made it true."""
        rows = [(str(uuid.uuid4()), topic, key, type(m).__name__, m.SerializeToString()) for topic, key, m in letters]
        await connection.execute(_EMIT, bare_services.columns(rows, 5))


class Path:
    """The three services, running."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._stopping = False
        self._topics = {name: f"bare-{name}-{uuid.uuid4().hex[:8]}" for name in bare_tables.SCHEMAS}
        self._placed = self._confirmed = self._captured = 0
        self._moved = asyncio.Condition()
        do = bare_services
        paid, placed = payment_events_pb2, order_events_pb2
        stock = inventory_events_pb2
        self._orders = Service(
            "orders",
            ("inventory", "payments"),
            {stock.StockReserved: do.ask_for_money, paid.PaymentAuthorized: self._confirm},
        )
        self._services = (
            self._orders,
            Service("inventory", ("orders",), {placed.OrderPlaced: do.reserve, placed.OrderConfirmed: do.commit}),
            Service(
                "payments", ("orders",), {placed.PaymentRequested: do.authorize, placed.OrderConfirmed: self._capture}
            ),
        )

    async def run(self) -> Outcome:
        """Place the orders and see the money of each taken. Raises TimeoutError when they do not get there."""
        async with await psycopg.AsyncConnection.connect(self._plan.database_url, autocommit=True) as connection:
            await connection.execute(bare_tables.DDL)
        await asyncio.to_thread(self._make_topics)
        consumers = [await asyncio.to_thread(self._consumer, service) for service in self._services]
        for service in self._services:
            options = {"options": f"-c search_path={service.schema}"}
            service.pool = AsyncConnectionPool(self._plan.database_url, kwargs=options, min_size=2, open=False)
            await service.pool.open(wait=True)
        async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
            for service, consumer in zip(self._services, consumers, strict=True):
                tasks.create_task(self._relay(service))
                tasks.create_task(self._consume(service, consumer))
            cpu, started = time.process_time(), time.monotonic()
            await self._place()
            await self._until(lambda: self._captured >= self._plan.orders)
            outcome = Outcome(round(time.monotonic() - started, 3), round(time.process_time() - cpu, 3))
            self._stopping = True
        for service in self._services:
            await service.pool.close()
        return outcome

    def _make_topics(self) -> None:
        admin = KafkaAdminClient(bootstrap_servers=self._plan.bootstrap)
        admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in self._topics.values()])
        admin.close()

    def _consumer(self, service: Service) -> Any:
        consumer = KafkaConsumer(
            *(self._topics[topic] for topic in service.topics),
            bootstrap_servers=self._plan.bootstrap,
            group_id=f"{self._topics[service.schema]}-readers",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=self._plan.batch,
        )
        until = time.monotonic() + PATIENCE_S
        while not consumer.assignment() and time.monotonic() < until:
            consumer.poll(200)
        return consumer

    async def _place(self) -> None:
        for _ in range(0, self._plan.orders, self._plan.per_commit):
            placed = [self._order() for _ in range(self._plan.per_commit)]
            ids = [order.order_id for order in placed]
            lines = [(order.order_id, line.sku, line.quantity, PRICE) for order in placed for line in order.lines]
            values = {"user": placed[0].user_id, "ids": ids, "total": PRICE * self._plan.lines}
            async with self._orders.pool.connection() as connection:
                for statement in _ACCEPT:
                    await connection.execute(statement, values)
                await connection.execute(_LINES, bare_services.columns(lines, 4))
                await self._orders.emit(connection, [("orders", order.order_id, order) for order in placed])
            self._placed += len(placed)
            await self._until(lambda: self._placed - self._confirmed <= MOST_ON_THEIR_WAY)

    async def _until(self, reached: Callable[[], bool]) -> None:
        async with self._moved:
            await self._moved.wait_for(reached)

    async def _tell(self) -> None:
        async with self._moved:
            self._moved.notify_all()

    def _order(self) -> order_events_pb2.OrderPlaced:
        chosen = random.sample(range(SKUS), self._plan.lines)
        return order_events_pb2.OrderPlaced(
            order_id=str(uuid.uuid4()),
            user_id=str(uuid.uuid4()),
            lines=[order_events_pb2.OrderPlaced.Line(sku=f"SKU-{number}", quantity=1) for number in chosen],
            total=money_pb2.Money(currency_code="USD", units=PRICE * self._plan.lines),
        )

    async def _confirm(
        self, connection: bare_services.Connection, authorized: Sequence[Any]
    ) -> list[bare_services.Unsent]:
        letters = await bare_services.confirm(connection, authorized)
        self._confirmed += len(letters)
        await self._tell()
        return letters

    async def _capture(
        self, connection: bare_services.Connection, confirmed: Sequence[Any]
    ) -> list[bare_services.Unsent]:
        letters = await bare_services.capture(connection, confirmed)
        self._captured += len(letters)
        await self._tell()
        return letters

    async def _relay(self, service: Service) -> None:
        producer = KafkaProducer(bootstrap_servers=self._plan.bootstrap, acks="all", linger_ms=5)

        def publish(rows: Sequence[Any]) -> None:
            for _, topic, key, kind, payload, event_id in rows:
                headers = [("ce_type", kind.encode()), ("ce_id", event_id.encode())]
                producer.send(self._topics[topic], key=key.encode(), value=payload, headers=headers)
            producer.flush()

        while not self._stopping:
            async with service.pool.connection() as connection:
                found = await connection.execute(
                    "SELECT id, topic, key, type, payload, event_id::text FROM outbox ORDER BY id LIMIT 1000"
                )
                rows = await found.fetchall()
                if rows:
                    await asyncio.to_thread(publish, rows)
                    await connection.execute("DELETE FROM outbox WHERE id = ANY(%s)", ([row[0] for row in rows],))
            if not rows:
                await asyncio.sleep(0.01)
        producer.close()

    async def _consume(self, service: Service, consumer: Any) -> None:
        by_name = {kind.__name__: (kind, handler) for kind, handler in service.handlers.items()}
        while not self._stopping:
            polled = await asyncio.to_thread(consumer.poll, 100)
            events = [(dict(record.headers), record.value) for records in polled.values() for record in records]
            if events:
                await self._handle(service, by_name, events)
                await asyncio.to_thread(consumer.commit)
        consumer.close()

    async def _handle(self, service: Service, by_name: Mapping[str, Any], events: Sequence[Any]) -> None:
        """One transaction for a batch: claim its events, handle those of a kind together, write what follows."""
        async with service.pool.connection() as connection:
            ids = [headers["ce_id"].decode() for headers, _ in events]
            fresh = {row[0] for row in await (await connection.execute(_CLAIM, (ids,))).fetchall()}
            by_kind: dict[str, list[Any]] = {}
            for event_id, (headers, value) in zip(ids, events, strict=True):
                kind = headers["ce_type"].decode()
                if event_id in fresh and kind in by_name:
                    by_kind.setdefault(kind, []).append(by_name[kind][0].FromString(value))
            letters = [
                letter for kind, messages in by_kind.items() for letter in await by_name[kind][1](connection, messages)
            ]
            if letters:
                await service.emit(connection, letters)


def main() -> int:
    """Carry out the plan on standard input. Answers with a process exit code."""
    outcome = asyncio.run(Path(Plan(**json.load(sys.stdin))).run())
    json.dump(asdict(outcome), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())

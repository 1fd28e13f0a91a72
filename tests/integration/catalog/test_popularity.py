"""What is ordered becomes popularity, counted once and told seldom; what is deleted is kept for old orders."""

import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import pytest

from services.catalog import domain, events, usecases
from services.chassis import cache, clock, database, kafka
from services.chassis.events import consumer, reader
from souk.catalog.v1 import catalog_events_pb2
from souk.order.v1 import order_events_pb2, order_pb2
from tests.integration.catalog.conftest import Shelves

TOLD = database.Statement("SELECT key, sequence, payload FROM outbox WHERE key = %(key)s ORDER BY id")
SALES = database.Statement("SELECT count(*) FROM sales WHERE product_id = %(product_id)s::uuid")
Deliver = Callable[[Sequence[kafka.Record]], Awaitable[None]]
SOON = timedelta(seconds=61)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = clock.utc_now()

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def hands() -> Clock:
    return Clock()


@pytest.fixture
def catalog(db: database.Database, shared: cache.Shared, hands: Clock) -> usecases.Catalog:
    return usecases.Catalog(db, Shelves(), usecases.caches(shared, shared_s=30), now=hands)


@pytest.fixture
def deliver(db: database.Database, catalog: usecases.Catalog) -> Deliver:
    """Hands records to the catalog's consumer."""
    deliverer = consumer.Deliverer(
        db, reader.Reader(events.subscribers(catalog)), service=usecases.SERVICE, now=clock.utc_now
    )
    return deliverer.deliver


def draft(category: str, *skus: str) -> domain.Draft:
    variants = tuple(domain.Asked(sku, sku, "EUR", 12, 0) for sku in skus)
    return domain.Draft("Tea", "", category, "", variants, "admin")


def new_sku() -> str:
    return f"T-{uuid.uuid4().hex.upper()}"


def confirmed(*lines: tuple[str, int]) -> kafka.Record:
    order_id = str(uuid.uuid4())
    message = order_events_pb2.OrderConfirmed(
        order_id=order_id, lines=[order_pb2.OrderLine(sku=sku, quantity=quantity) for sku, quantity in lines]
    )
    headers = {"ce_id": str(uuid.uuid4()), "ce_type": message.DESCRIPTOR.full_name}
    return kafka.Record("orders", order_id, message.SerializeToString(), headers)


async def told(db: database.Database, product: domain.Product) -> list[tuple[str, int, int]]:
    """The product, version and popularity in each of its events that await the relay."""
    rows = await db.read(TOLD, {"key": product.id})
    changed = [catalog_events_pb2.ProductChanged.FromString(payload).product for _, _, payload in rows]
    return [(key, sequence, p.popularity) for (key, sequence, _), p in zip(rows, changed, strict=True)]


async def test_units_of_all_skus_of_a_product_count_once_and_are_told_with_its_version(
    db: database.Database, catalog: usecases.Catalog, deliver: Deliver, category: str, hands: Clock
) -> None:
    first, second, unknown = new_sku(), new_sku(), new_sku()
    made = await catalog.create(draft(category, first, second))
    records = [confirmed((first, 2), (second, 1)), confirmed((first, 4), (unknown, 9)), confirmed()]
    await deliver(records)
    await deliver(records)

    await catalog.popularity.tell()
    assert len(await told(db, made)) == 1, "it is told after a while"
    hands.now += SOON
    await catalog.popularity.tell()
    assert (await told(db, made))[1:] == [(made.id, 1, 7)]
    await catalog.popularity.tell()
    changed = await catalog.update(domain.Edit(made.id, 1, draft(category, first), None))
    assert (await told(db, made))[2:] == [(made.id, 2, 7)], "a change does not forget it"
    assert changed.popularity == 7


async def test_what_nobody_orders_any_more_loses_its_popularity_and_costs_nothing_more(
    db: database.Database, catalog: usecases.Catalog, deliver: Deliver, category: str, hands: Clock
) -> None:
    sku = new_sku()
    made = await catalog.create(draft(category, sku))
    await deliver([confirmed((sku, 8))])
    hands.now += SOON
    await catalog.popularity.tell()
    for _ in range(4):
        hands.now += timedelta(weeks=1)
        await catalog.popularity.tell()
    hands.now += timedelta(weeks=10)
    await catalog.popularity.tell()

    assert [popularity for _, _, popularity in await told(db, made)] == [0, 8, 4, 2, 1, 0]
    assert await db.read(SALES, {"product_id": made.id}) == [(0,)]
    assert (await catalog.get(made.id)).popularity == 0


async def test_a_deleted_product_is_told_no_more_and_read_only_by_who_asks_for_deleted_ones(
    db: database.Database, catalog: usecases.Catalog, deliver: Deliver, category: str, hands: Clock
) -> None:
    sku = new_sku()
    made = await catalog.create(draft(category, sku))
    await catalog.delete(domain.Deletion(made.id, 1, None))
    before = len(await db.read(TOLD, {"key": made.id}))
    await deliver([confirmed((sku, 3))])
    hands.now += SOON
    await catalog.popularity.tell()

    assert len(await db.read(TOLD, {"key": made.id})) == before
    assert await catalog.get_many([made.id]) == []
    [kept] = await catalog.get_many([made.id], deleted_too=True)
    assert (kept.title, [variant.sku for variant in kept.variants], kept.version) == ("Tea", [sku], 2)
    assert kept.delete_time is not None

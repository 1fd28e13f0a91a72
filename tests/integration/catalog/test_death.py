"""What is left when the process dies at the next line: for every write, nothing or all of it."""

import dataclasses
import uuid
from collections.abc import Iterable

import pytest

from services.catalog import domain, usecases
from services.chassis import cache, clock, database, errors, ids, pages
from tests.integration.catalog import mortal as process
from tests.integration.catalog import promotions
from tests.integration.catalog.conftest import Shelves
from tests.support import mortal, polling

MODULE = process.__name__
OUTBOX = database.Statement("SELECT key FROM outbox")
IN_TRANSACTION = database.Statement("""
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'
""")


def dies(database_url: str, redis_url: str, at: str, **does: str) -> None:
    mortal.dies(MODULE, database_url, at=at, REDIS_URL=redis_url, **does)


def new_sku() -> str:
    return f"SKU-{str(uuid.uuid4()).upper()}"


async def test_a_product_that_died_before_its_commit_never_was(
    database_url: str, own_redis_url: str, db: database.Database, catalog: usecases.Catalog, category: str
) -> None:
    sku, request_id = new_sku(), uuid.uuid4().hex
    dies(database_url, own_redis_url, mortal.WRITTEN, DOES="create", CATEGORY=category, SKU=sku, REQUEST_ID=request_id)
    assert await db.read(OUTBOX) == []
    assert await catalog.offers([sku]) == []
    made = await catalog.create(process.draft(category, sku, request_id))
    assert await db.read(OUTBOX) == [(made.id,)]


async def test_a_product_that_died_after_its_commit_is_found_by_the_repeated_request(
    database_url: str, own_redis_url: str, db: database.Database, catalog: usecases.Catalog, category: str
) -> None:
    sku, request_id = new_sku(), uuid.uuid4().hex
    dies(
        database_url, own_redis_url, mortal.COMMITTED, DOES="create", CATEGORY=category, SKU=sku, REQUEST_ID=request_id
    )
    made = await catalog.create(process.draft(category, sku, request_id))
    assert [variant.sku for variant in made.variants] == [sku]
    assert await db.read(OUTBOX) == [(made.id,)]


async def test_a_category_that_died_before_the_cache_forgot_is_seen_when_the_caches_time_is_over(
    database_url: str, own_redis_url: str, db: database.Database, shared: cache.Shared
) -> None:
    category = f"c-{uuid.uuid4()}"
    short = usecases.Catalog(db, Shelves(), usecases.caches(shared, shared_s=1), now=clock.utc_now)
    await short.put_category(domain.Category(category, "Drinks"))
    dies(database_url, own_redis_url, process.FORGETTING, DOES="put_category", CATEGORY=category)

    async def renamed() -> bool:
        return domain.Category(category, "Renamed") in await short.categories()

    await polling.eventually(renamed)


@pytest.mark.parametrize(
    ("at", "happened"), [(mortal.WRITTEN, False), (mortal.COMMITTED, True), (process.FORGETTING, True)]
)
@pytest.mark.parametrize("does", ["update", "delete", "feature"])
async def test_a_change_and_its_event_are_both_there_or_neither_and_it_can_be_asked_for_again(
    database_url: str,
    own_redis_url: str,
    db: database.Database,
    catalog: usecases.Catalog,
    *,
    category: str,
    does: str,
    at: str,
    happened: bool,
) -> None:
    sku = new_sku()
    made = await catalog.create(process.draft(category, sku, ""))
    dies(database_url, own_redis_url, at, DOES=does, CATEGORY=category, SKU=sku, PRODUCT=made.id)
    assert len(await db.read(OUTBOX)) == 1 + happened
    content = dataclasses.replace(process.draft(category, sku, ""), title="Coffee")
    match does:
        case "update":
            changed = await catalog.update(domain.Edit(made.id, 1, content, None))
            assert (changed.title, changed.version) == ("Coffee", 2)
        case "delete":
            await catalog.delete(domain.Deletion(made.id, 1, None))
            assert not (await catalog.list(domain.Filter(category), pages.Page(5))).rows
        case "feature":
            assert (await catalog.set_featured(made.id, featured=True)).version == 2
    assert len(await db.read(OUTBOX)) == 2


@pytest.mark.parametrize(
    ("at", "happened"), [(mortal.WRITTEN, False), (mortal.COMMITTED, True), (process.FORGETTING, True)]
)
@pytest.mark.parametrize("ends", [False, True])
async def test_a_promotional_price_starts_and_ends_once_whatever_line_the_timer_died_at(
    database_url: str,
    own_redis_url: str,
    db: database.Database,
    catalog: usecases.Catalog,
    *,
    category: str,
    at: str,
    happened: bool,
    ends: bool,
) -> None:
    made = await catalog.create(process.draft(category, new_sku(), ""))
    sku, told = made.variants[0].sku, promotions.price(made, 800)
    await promotions.hear(db, catalog, promotions.scheduled(told))
    charged, version = [(1200, False), (800, True)], 2
    if ends:
        await catalog.pricing.turn()
        await promotions.hear(db, catalog, promotions.withdrawn(told))
        charged, version = [*charged, (1200, False)], 3
    dies(database_url, own_redis_url, at, DOES="turn")
    assert await promotions.charged(db, sku) == (charged if happened else charged[:-1])
    await catalog.pricing.turn()
    await catalog.forget_changed([made.id])
    assert await promotions.charged(db, sku) == charged
    assert (await catalog.get(made.id)).version == version
    assert len(await db.read(OUTBOX)) == version


async def test_a_cache_that_was_never_told_forgets_when_the_event_arrives(
    database_url: str, own_redis_url: str, catalog: usecases.Catalog, category: str
) -> None:
    sku = new_sku()
    made = await catalog.create(process.draft(category, sku, ""))
    await catalog.get(made.id)
    await catalog.offers([sku])
    dies(database_url, own_redis_url, process.FORGETTING, DOES="delete", PRODUCT=made.id)
    assert await catalog.get(made.id) == made
    await catalog.forget_changed([made.id])
    assert await catalog.offers([sku]) == []
    with pytest.raises(errors.DomainError, match="PRODUCT_NOT_FOUND"):
        await catalog.get(made.id)


async def test_a_consumer_that_died_while_it_forgot_forgets_when_the_event_is_delivered_again(
    database_url: str, own_redis_url: str, db: database.Database, catalog: usecases.Catalog, category: str
) -> None:
    sku, event_id = new_sku(), ids.new_id(clock.utc_now())
    made = await catalog.create(process.draft(category, sku, ""))
    await catalog.get(made.id)
    await catalog.offers([sku])
    dies(database_url, own_redis_url, process.FORGETTING, DOES="delete", PRODUCT=made.id)
    dies(database_url, own_redis_url, process.FORGETTING, DOES="hear", PRODUCT=made.id, EVENT_ID=event_id)
    await process.hear_of_deletion(db, catalog, made.id, event_id)
    assert await catalog.offers([sku]) == []
    with pytest.raises(errors.DomainError, match="PRODUCT_NOT_FOUND"):
        await catalog.get(made.id)


async def test_while_a_consumer_forgets_it_holds_no_transaction_open(
    db: database.Database, catalog: usecases.Catalog, monkeypatch: pytest.MonkeyPatch, category: str
) -> None:
    made = await catalog.create(process.draft(category, new_sku(), ""))
    forget = cache.Shared.forget
    seen = []

    async def watched(shared: cache.Shared, keys: Iterable[str]) -> None:
        seen.extend(await db.read(IN_TRANSACTION))
        await forget(shared, keys)

    monkeypatch.setattr(cache.Shared, "forget", watched)
    await process.hear_of_deletion(db, catalog, made.id, ids.new_id(clock.utc_now()))
    assert seen
    assert set(seen) == {(0,)}

"""The catalog on a real database and a real Redis: made once, read through the cache, listed by pages."""

import asyncio
import dataclasses
import uuid
from collections.abc import Sequence

import pytest

from services.catalog import domain, store, usecases
from services.chassis import cache, clock, database, errors, pages
from souk.catalog.v1 import catalog_events_pb2
from tests.integration.catalog.conftest import Shelves
from tests.support import tables

ANN, BOB = "01890000-0000-7000-8000-00000000000a", "01890000-0000-7000-8000-00000000000b"
NOBODYS = "01890000-0000-7000-8000-000000000000"
OUTBOX = database.Statement("SELECT topic, key, type, sequence, payload FROM outbox ORDER BY id")
RAISE_PRICE = database.Statement("UPDATE variants SET price = price + 1 WHERE sku = %(sku)s")
CLAIMED = database.Statement("SELECT count(*) FROM idempotent_requests WHERE request_id = %(request_id)s")


def new_sku() -> str:
    return f"SKU-{str(uuid.uuid4()).upper()}"


def asked(sku: str) -> domain.Asked:
    return domain.Asked(sku, "Large", "EUR", 12, 500_000_000)


def draft(category: str, *skus: str, request_id: str = "", vendor_id: str = ANN) -> domain.Draft:
    variants = tuple(asked(sku) for sku in skus or [new_sku()])
    fingerprint = repr(variants).encode()
    return domain.Draft("Tea", "Green", category, vendor_id, variants, ANN, request_id, fingerprint)


def test_the_migrated_database_is_what_the_tables_say(database_url: str) -> None:
    assert tables.differences(database_url, store.METADATA) == []


async def test_a_product_is_there_as_it_was_made(catalog: usecases.Catalog, category: str) -> None:
    made = await catalog.create(draft(category, new_sku(), new_sku(), new_sku()))
    assert made.version == 1
    assert await catalog.get(made.id) == made


async def test_a_product_and_its_event_are_written_together(
    catalog: usecases.Catalog, db: database.Database, category: str
) -> None:
    made = await catalog.create(draft(category))
    [(topic, key, kind, sequence, payload)] = await db.read(OUTBOX)
    assert (topic, key, kind, sequence) == ("catalog", made.id, "souk.catalog.v1.ProductChanged", 1)
    said = catalog_events_pb2.ProductChanged.FromString(payload).product
    assert (said.id, said.vendor_id, said.category) == (made.id, ANN, category)
    assert [variant.sku for variant in said.variants] == [made.variants[0].sku]


async def test_the_shops_own_product_has_no_vendor(catalog: usecases.Catalog, category: str) -> None:
    made = await catalog.create(draft(category, vendor_id=""))
    assert (await catalog.get(made.id)).vendor_id == ""


async def test_a_repeated_request_finds_what_its_first_made(
    catalog: usecases.Catalog, db: database.Database, category: str
) -> None:
    wanted = draft(category, request_id=uuid.uuid4().hex)
    made = await catalog.create(wanted)
    assert await catalog.create(wanted) == made
    assert len(await db.read(OUTBOX)) == 1


async def test_of_one_request_many_times_at_once_one_makes_the_product(
    catalog: usecases.Catalog, db: database.Database, category: str
) -> None:
    wanted = draft(category, request_id=uuid.uuid4().hex)
    made = await asyncio.gather(*(catalog.create(wanted) for _ in range(6)))
    assert len({product.id for product in made}) == 1
    assert len(await db.read(OUTBOX)) == 1


async def test_a_request_id_with_other_content_is_refused(catalog: usecases.Catalog, category: str) -> None:
    request_id = uuid.uuid4().hex
    await catalog.create(draft(category, request_id=request_id))
    with pytest.raises(errors.DomainError, match="REQUEST_ID_REUSED"):
        await catalog.create(draft(category, request_id=request_id))


async def test_a_taken_sku_changes_nothing(catalog: usecases.Catalog, db: database.Database, category: str) -> None:
    taken, free, request_id = new_sku(), new_sku(), uuid.uuid4().hex
    await catalog.create(draft(category, taken))
    with pytest.raises(errors.DomainError, match="SKU_TAKEN") as caught:
        await catalog.create(draft(category, free, taken, request_id=request_id))
    assert caught.value.metadata == {"sku": taken}
    assert [violation.field for violation in caught.value.violations] == ["variants[1].sku"]
    assert await catalog.offers([free]) == []
    assert await db.read(CLAIMED, {"request_id": request_id}) == [(0,)]
    assert len(await db.read(OUTBOX)) == 1


async def test_products_made_at_once_with_skus_in_common_have_one_winner(
    catalog: usecases.Catalog, category: str
) -> None:
    for _ in range(5):
        skus = [new_sku() for _ in range(50)]
        wanted = [draft(category, *skus), draft(category, *reversed(skus))] * 4
        answers = await asyncio.gather(*(catalog.create(item) for item in wanted), return_exceptions=True)
        refused = [answer for answer in answers if isinstance(answer, BaseException)]
        assert [str(error).partition(":")[0] for error in refused] == ["SKU_TAKEN"] * 7


async def test_a_category_must_exist(catalog: usecases.Catalog, db: database.Database) -> None:
    with pytest.raises(errors.DomainError, match="CATEGORY_UNKNOWN") as caught:
        await catalog.create(draft("no-such-category"))
    assert caught.value.code is errors.Code.FAILED_PRECONDITION
    assert await db.read(OUTBOX) == []


async def test_a_wrong_price_changes_nothing(catalog: usecases.Catalog, db: database.Database, category: str) -> None:
    wrong = dataclasses.replace(draft(category), variants=(domain.Asked(new_sku(), "", "EUR", -1, 0),))
    with pytest.raises(errors.DomainError, match="MONEY_INVALID"):
        await catalog.create(wrong)
    assert await db.read(OUTBOX) == []


async def test_an_unknown_product_is_not_found(catalog: usecases.Catalog) -> None:
    with pytest.raises(errors.DomainError, match="PRODUCT_NOT_FOUND"):
        await catalog.get(NOBODYS)


async def test_offers_say_what_an_order_needs_and_leave_out_what_is_not_for_sale(
    catalog: usecases.Catalog, category: str
) -> None:
    first, second, unknown = new_sku(), new_sku(), new_sku()
    made = await catalog.create(draft(category, first, second))
    offers = {offer.sku: offer for offer in await catalog.offers([second, first, unknown, first])}
    assert set(offers) == {first, second}
    assert offers[first] == domain.Offer(first, made.id, "Tea, Large", made.variants[0].price, category, ANN, "")


async def test_a_sku_that_was_asked_for_too_early_is_for_sale_as_soon_as_it_is_made(
    catalog: usecases.Catalog, category: str
) -> None:
    sku = new_sku()
    assert await catalog.offers([sku]) == []
    await catalog.create(draft(category, sku))
    assert [offer.sku for offer in await catalog.offers([sku])] == [sku]


async def test_what_was_read_once_is_read_from_the_cache(
    catalog: usecases.Catalog, db: database.Database, shared: cache.Shared, category: str
) -> None:
    sku = new_sku()
    await catalog.create(draft(category, sku))
    [before] = await catalog.offers([sku])
    await db.read(RAISE_PRICE, {"sku": sku})
    another_process = usecases.Catalog(db, Shelves(), usecases.caches(shared, shared_s=30), now=clock.utc_now)
    assert [await catalog.offers([sku]), await another_process.offers([sku])] == [[before]] * 2


async def test_without_redis_the_catalog_works(db: database.Database, category: str) -> None:
    nobody = cache.Shared("redis://127.0.0.1:1/0", cache.Seal(b"a secret of the tests"))
    catalog = usecases.Catalog(db, Shelves(), usecases.caches(nobody, shared_s=30), now=clock.utc_now)
    made = await catalog.create(draft(category))
    assert await catalog.get(made.id) == made
    assert len(await catalog.offers([made.variants[0].sku])) == 1
    await catalog.put_category(domain.Category(category, "Renamed"))
    assert domain.Category(category, "Renamed") in await catalog.categories()
    await nobody.stop()


async def _walk(catalog: usecases.Catalog, category: str, size: int) -> tuple[list[str], list[int]]:
    seen: list[str] = []
    sizes: list[int] = []
    token = ""
    while True:
        found = await catalog.list(domain.Filter(category), pages.Page(size, token))
        seen += [product.id for product in found.rows]
        sizes.append(len(found.rows))
        token = found.next_after
        if not token:
            return seen, sizes


async def test_a_category_is_listed_newest_first_in_pages(catalog: usecases.Catalog, category: str) -> None:
    made = [(await catalog.create(draft(category))).id for _ in range(7)]
    assert await _walk(catalog, category, 3) == (sorted(made, reverse=True), [3, 3, 1])
    assert await _walk(catalog, category, 7) == (sorted(made, reverse=True), [7])


async def test_a_page_that_is_asked_for_later_shows_what_follows_though_more_was_made(
    catalog: usecases.Catalog, category: str
) -> None:
    made = sorted([(await catalog.create(draft(category))).id for _ in range(4)], reverse=True)
    first = await catalog.list(domain.Filter(category), pages.Page(2))
    await catalog.create(draft(category))
    second = await catalog.list(domain.Filter(category), pages.Page(2, first.next_after))
    assert [product.id for product in [*first.rows, *second.rows]] == made


async def test_all_products_are_listed_without_a_category(catalog: usecases.Catalog, category: str) -> None:
    made = await catalog.create(draft(category))
    newest = await catalog.list(domain.Filter(), pages.Page(1))
    assert [product.id for product in newest.rows] == [made.id]


async def test_a_category_without_products_is_an_empty_page(catalog: usecases.Catalog, category: str) -> None:
    assert await catalog.list(domain.Filter(category), pages.Page(5)) == pages.Slice([], "")


async def test_a_category_that_is_none_is_not_found(catalog: usecases.Catalog) -> None:
    with pytest.raises(errors.DomainError, match="CATEGORY_NOT_FOUND"):
        await catalog.list(domain.Filter("nothing-here"), pages.Page(5))


async def test_a_renamed_category_is_seen_at_once(catalog: usecases.Catalog, category: str) -> None:
    assert domain.Category(category, "Drinks") in await catalog.categories()
    await catalog.put_category(domain.Category(category, "Beverages"))
    assert [known for known in await catalog.categories() if known.slug == category] == [
        domain.Category(category, "Beverages")
    ]


async def test_categories_come_by_slug(catalog: usecases.Catalog) -> None:
    for slug in ("zz-last", "aa-first"):
        await catalog.put_category(domain.Category(slug, slug))
    slugs = [category.slug for category in await catalog.categories()]
    assert slugs == sorted(slugs)


@pytest.mark.parametrize("owner", [ANN, None])
async def test_the_vendor_and_the_shop_say_how_many_there_are(
    catalog: usecases.Catalog, shelves: Shelves, category: str, owner: str | None
) -> None:
    made = await catalog.create(draft(category))
    level = await catalog.set_stock(domain.Counted(made.id, "", "east", 5, "user:x"), owner_id=owner)
    assert level == domain.StockLevel(made.variants[0].sku, "east", 5, 0, 5)
    assert shelves.told == [domain.Counted(made.id, made.variants[0].sku, "east", 5, "user:x")]


async def _refused(catalog: usecases.Catalog, counted: domain.Counted, owner: str | None) -> errors.DomainError:
    with pytest.raises(errors.DomainError) as caught:
        await catalog.set_stock(counted, owner_id=owner)
    return caught.value


async def test_somebody_elses_product_looks_as_if_it_were_not_there(
    catalog: usecases.Catalog, shelves: Shelves, category: str
) -> None:
    made = await catalog.create(draft(category))
    own = await catalog.create(draft(category, vendor_id=""))
    counted = [domain.Counted(product_id, "", "east", 5, "user:x") for product_id in (made.id, own.id, NOBODYS)]
    refused: Sequence[errors.DomainError] = [await _refused(catalog, item, BOB) for item in counted]
    assert {(error.code, error.reason, error.message) for error in refused} == {
        (errors.Code.NOT_FOUND, "PRODUCT_NOT_FOUND", "the product does not exist")
    }
    assert shelves.told == []


async def test_a_sku_of_another_product_is_refused(catalog: usecases.Catalog, shelves: Shelves, category: str) -> None:
    made = await catalog.create(draft(category, new_sku(), new_sku()))
    for sku in ("", "OTHER"):
        error = await _refused(catalog, domain.Counted(made.id, sku, "east", 5, "user:x"), None)
        assert error.reason == "SKU_NOT_IN_PRODUCT"
    assert shelves.told == []

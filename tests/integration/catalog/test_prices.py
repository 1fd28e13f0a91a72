"""Promotional prices on a real database: they start, end, overlap and are heard in any order; and what was charged is kept."""

import asyncio
import dataclasses
import uuid
from datetime import timedelta

import pytest

from services.catalog import domain, usecases
from services.catalog.domain import timeline
from services.chassis import database, errors, pages
from services.chassis.rpc import render
from souk.catalog.v1 import catalog_events_pb2
from tests.integration.catalog.promotions import TOLD, charged, hear, price, scheduled, withdrawn
from tests.support import polling

NOBODYS = "01890000-0000-7000-8000-000000000000"
SET_PRICE = database.Statement("UPDATE variants SET price = %(price)s WHERE sku = %(sku)s")
REWRITE = database.Statement("UPDATE price_history SET price = 1 WHERE sku = %(sku)s")
DUE = database.Statement(
    "SELECT count(*) FROM promotional_prices WHERE product_id = %(id)s::uuid AND due_time IS NOT NULL"
)


def new_sku() -> str:
    return f"SKU-{str(uuid.uuid4()).upper()}"


def asked(sku: str, euros: int = 10, currency: str = "EUR") -> domain.Asked:
    return domain.Asked(sku, "", currency, euros, 0)


def draft(category: str, *variants: domain.Asked) -> domain.Draft:
    return domain.Draft("Tea", "", category, "", variants or (asked(new_sku()),), "admin")


def cents(product: domain.Product) -> list[tuple[int, int | None]]:
    """What each variant costs, and what that is compared to."""
    return [
        (
            variant.charged.amount,
            variant.reduction.earlier.amount if variant.reduction and variant.reduction.earlier else None,
        )
        for variant in product.variants
    ]


async def versions(db: database.Database, product: domain.Product) -> list[int]:
    return [row[0] for row in await db.read(TOLD, {"id": product.id})]


async def edited(catalog: usecases.Catalog, product: domain.Product, *variants: domain.Asked) -> domain.Product:
    return await catalog.update(domain.Edit(product.id, product.version, draft(product.category, *variants), None))


async def test_a_promotional_price_starts_and_ends_and_everybody_is_told(
    db: database.Database, catalog: usecases.Catalog, category: str
) -> None:
    made = await catalog.create(draft(category))
    sku = made.variants[0].sku
    await catalog.get(made.id)
    await catalog.offers([sku])
    told = price(made, 800)
    await hear(db, catalog, scheduled(told))
    assert cents(await catalog.get(made.id)) == [(1000, None)]
    await catalog.pricing.turn()
    on_sale = await catalog.get(made.id)
    [variant] = on_sale.variants
    assert (cents(on_sale), on_sale.version, variant.price.amount) == ([(800, 1000)], 2, 1000)
    assert variant.reduction
    assert variant.reduction.ends == render.moment(told.end_time)
    assert [offer.price.amount for offer in await catalog.offers([sku])] == [800]
    await hear(db, catalog, withdrawn(told))
    await catalog.pricing.turn()
    after = await catalog.get(made.id)
    assert (cents(after), after.version) == ([(1000, None)], 3)
    assert await charged(db, sku) == [(1000, False), (800, True), (1000, False)]
    rows = await db.read(TOLD, {"id": made.id})
    events = [catalog_events_pb2.ProductChanged.FromString(row[1]).product.variants[0] for row in rows]
    assert [render.money_value(each.price).amount for each in events] == [1000, 800, 1000]
    assert [each.HasField("earlier_price") for each in events] == [False, True, False]
    assert render.money_value(events[1].regular_price).amount == 1000


async def test_a_window_ends_by_itself(db: database.Database, catalog: usecases.Catalog, category: str) -> None:
    made = await catalog.create(draft(category))
    await hear(db, catalog, scheduled(price(made, 800, end=timedelta(seconds=1))))
    await catalog.pricing.turn()
    assert cents(await catalog.get(made.id)) == [(800, 1000)]

    async def over() -> bool:
        await catalog.pricing.turn()
        return cents(await catalog.get(made.id)) == [(1000, None)]

    await polling.eventually(over)


async def test_of_prices_that_overlap_the_lowest_counts(
    db: database.Database, catalog: usecases.Catalog, category: str
) -> None:
    made = await catalog.create(draft(category))
    season, day = price(made, 800), price(made, 500)
    await hear(db, catalog, scheduled(day), scheduled(season))
    await catalog.pricing.turn()
    assert cents(await catalog.get(made.id)) == [(500, 1000)]
    await hear(db, catalog, withdrawn(day))
    await catalog.pricing.turn()
    # It is still on sale, and no longer as cheap as it was in these 30 days: nothing may be announced.
    assert cents(await catalog.get(made.id)) == [(800, None)]


async def test_a_promotion_that_follows_another_lowers_the_price_further_without_a_moment_between(
    db: database.Database, catalog: usecases.Catalog, category: str
) -> None:
    made = await catalog.create(draft(category))
    first = price(made, 800)
    await hear(db, catalog, scheduled(first))
    await catalog.pricing.turn()
    await hear(db, catalog, withdrawn(first), scheduled(price(made, 600)))
    await catalog.pricing.turn()
    assert cents(await catalog.get(made.id)) == [(600, 1000)]
    assert await charged(db, made.variants[0].sku) == [(1000, False), (800, True), (600, True)]


async def test_an_edit_changes_the_regular_price_and_the_lower_one_is_charged(
    db: database.Database, catalog: usecases.Catalog, category: str
) -> None:
    made = await catalog.create(draft(category))
    sku = made.variants[0].sku
    await hear(db, catalog, scheduled(price(made, 800)))
    await catalog.pricing.turn()
    dearer = await edited(catalog, await catalog.get(made.id), asked(sku, 12))
    assert (cents(dearer), dearer.variants[0].price.amount) == ([(800, 1000)], 1200)
    assert dearer == await catalog.get(made.id)
    again = domain.Edit(made.id, 2, draft(category, asked(sku, 12)), None)
    assert await catalog.update(again) == dearer
    cheaper = await edited(catalog, dearer, asked(sku, 7))
    assert cents(cheaper) == [(700, None)]
    dear_again = await edited(catalog, cheaper, asked(sku, 12))
    assert cents(dear_again) == [(800, None)], "it was cheaper in these 30 days"
    assert await versions(db, made) == [1, 2, 3, 4, 5]


async def test_a_price_is_of_the_skus_and_the_currency_that_it_names(
    db: database.Database, catalog: usecases.Catalog, category: str
) -> None:
    one, other, foreign, late = (new_sku() for _ in range(4))
    variants = asked(one), asked(other), asked(foreign, 10, "USD")
    made = await catalog.create(draft(category, *variants))
    await hear(db, catalog, scheduled(price(made, 900)), scheduled(price(made, 700, sku=one)))
    await catalog.pricing.turn()
    assert cents(await catalog.get(made.id)) == [(700, 1000), (900, 1000), (1000, None)]
    # One that is offered later takes part, one whose currency changes leaves.
    more = await edited(catalog, await catalog.get(made.id), asked(one, 10, "USD"), *variants[1:], asked(late))
    assert cents(more) == [(1000, None), (900, 1000), (1000, None), (900, None)]
    shown = (await catalog.prices(made.id, late, pages.Page(9))).rows
    assert [(period.begun.price.amount, period.begun.promotional) for period in shown] == [(900, True)]


async def test_a_promotion_that_nobody_saw_was_never_charged(
    db: database.Database, catalog: usecases.Catalog, category: str
) -> None:
    made = await catalog.create(draft(category))
    await hear(db, catalog, scheduled(price(made, 800, start=timedelta(hours=-2), end=timedelta(hours=-1))))
    await catalog.pricing.turn()
    assert await catalog.get(made.id) == made
    assert await charged(db, made.variants[0].sku) == [(1000, False)]
    assert (await versions(db, made), await db.read(DUE, {"id": made.id})) == ([1], [(0,)])


async def test_what_is_heard_late_or_again_changes_nothing(
    db: database.Database, catalog: usecases.Catalog, category: str
) -> None:
    made = await catalog.create(draft(category))
    told = price(made, 800)
    await hear(db, catalog, withdrawn(told))
    await hear(db, catalog, scheduled(told), scheduled(told))
    await catalog.pricing.turn()
    await hear(db, catalog, scheduled(told))
    await catalog.pricing.turn()
    assert await catalog.get(made.id) == made
    planned = price(made, 800, start=timedelta(hours=1), end=timedelta(hours=2))
    await hear(db, catalog, scheduled(planned), withdrawn(planned))
    await catalog.pricing.turn()
    assert (await versions(db, made), await db.read(DUE, {"id": made.id})) == ([1], [(0,)])


async def test_of_many_timers_one_changes_the_price_whoever_edits_meanwhile(
    db: database.Database, catalog: usecases.Catalog, category: str
) -> None:
    made = await catalog.create(draft(category))
    sku = made.variants[0].sku
    await hear(db, catalog, scheduled(price(made, 800)))
    edit = domain.Edit(made.id, 1, draft(category, asked(sku, 12)), None)
    turns = (catalog.pricing.turn() for _ in range(6))
    *_, answer = await asyncio.gather(*turns, catalog.update(edit), return_exceptions=True)
    while await catalog.pricing.turn():
        pass
    product = await catalog.get(made.id)
    assert product.variants[0].charged.amount == 800
    refused = isinstance(answer, errors.DomainError)
    assert (product.version, product.variants[0].price.amount) == ((2, 1000) if refused else (3, 1200))
    assert await versions(db, made) == list(range(1, product.version + 1))


async def test_a_product_that_is_deleted_or_unknown_has_no_promotions(
    db: database.Database, catalog: usecases.Catalog, category: str
) -> None:
    made = await catalog.create(draft(category))
    await catalog.delete(domain.Deletion(made.id, 1, None))
    nobodys = dataclasses.replace(made, id=str(uuid.uuid4()))
    await hear(db, catalog, scheduled(price(made, 800)), scheduled(price(nobodys, 800)))
    await catalog.pricing.turn()
    assert await versions(db, made) == [1, 2]
    for product in (made, nobodys):
        assert await db.read(DUE, {"id": product.id}) == [(int(product is made),)]
    assert not await db.read(TOLD, {"id": nobodys.id})


async def test_lists_filter_by_what_is_charged(db: database.Database, catalog: usecases.Catalog, category: str) -> None:
    made = await catalog.create(draft(category))
    await hear(db, catalog, scheduled(price(made, 800)))
    await catalog.pricing.turn()
    for low, found in ((700, 1), (900, 0)):
        wanted = domain.Filter(category, prices=domain.Prices("EUR", low, low + 199))
        assert len((await catalog.list(wanted, pages.Page(5))).rows) == found


async def test_whoever_changes_a_price_it_is_in_the_history_which_nobody_changes(
    db: database.Database, catalog: usecases.Catalog, category: str
) -> None:
    made = await catalog.create(draft(category))
    sku = made.variants[0].sku
    for amount in (900, 900, 950):
        await db.read(SET_PRICE, {"sku": sku, "price": amount})
    await catalog.set_featured(made.id, featured=True)
    assert await charged(db, sku) == [(1000, False), (900, False), (950, False)]
    with pytest.raises(Exception, match="append-only"):
        await db.read(REWRITE, {"sku": sku})


async def test_the_history_of_a_product_comes_in_pages(catalog: usecases.Catalog, category: str) -> None:
    one, other = new_sku(), new_sku()
    product = await catalog.create(draft(category, asked(one), asked(other)))
    for euros in (11, 12):
        product = await edited(catalog, product, asked(one, euros), asked(other))
    found: list[timeline.Period] = []
    page = pages.Page(3)
    while not found or page.after:
        part = await catalog.prices(product.id, "", page)
        found += part.rows
        page = pages.Page(3, part.next_after)
    assert [(period.sku, period.begun.price.amount) for period in found][:2] == [(one, 1200), (one, 1100)]
    assert {(period.sku, period.begun.price.amount) for period in found[2:]} == {(one, 1000), (other, 1000)}
    own = (await catalog.prices(product.id, one, pages.Page(9))).rows
    assert [period.end_time for period in own] == [None, own[0].begun.time, own[1].begun.time]
    with pytest.raises(errors.DomainError, match="PRODUCT_NOT_FOUND"):
        await catalog.prices(NOBODYS, "", pages.Page(3))

"""Products that change on a real database and a real Redis: edited, deleted, shown in the window, found by filters."""

import asyncio
import dataclasses
import uuid
from typing import Any

import pytest

from services.catalog import domain, events, usecases
from services.chassis import cache, clock, database, errors, pages
from souk.catalog.v1 import catalog_events_pb2
from tests.integration.catalog.conftest import Shelves

ANN, BOB = "01890000-0000-7000-8000-00000000000a", "01890000-0000-7000-8000-00000000000b"
NOBODYS = "01890000-0000-7000-8000-000000000000"
OUTBOX = database.Statement("SELECT key, type, sequence, payload FROM outbox ORDER BY id")
PAGE = pages.Page(100)


def new_sku() -> str:
    return f"SKU-{str(uuid.uuid4()).upper()}"


def asked(sku: str = "", units: int = 12, currency: str = "EUR") -> domain.Asked:
    return domain.Asked(sku or new_sku(), "Large", currency, units, 0)


def draft(category: str, *variants: domain.Asked, **changes: Any) -> domain.Draft:
    made = domain.Draft("Tea", "Green", category, ANN, variants or (asked(),), ANN)
    return dataclasses.replace(made, **changes)


async def refusal(change: Any) -> errors.DomainError:
    with pytest.raises(errors.DomainError) as caught:
        await change
    return caught.value


async def found(catalog: usecases.Catalog, **wanted: Any) -> list[str]:
    return [product.id for product in (await catalog.list(domain.Filter(**wanted), PAGE)).rows]


async def test_a_product_keeps_its_attributes_and_images(catalog: usecases.Catalog, category: str) -> None:
    said = {"material": 'li"nen', "origin": "Пермь \\ %"}
    seen = ("https://example.com/1.png", "http://example.com/2.png?a=b")
    made = await catalog.create(draft(category, attributes=said, images=seen))
    read = await catalog.get(made.id)
    assert (read.attributes, read.images) == (said, seen)
    assert read == made


async def test_an_edit_is_seen_everywhere_and_told(
    catalog: usecases.Catalog, db: database.Database, category: str
) -> None:
    first, second, third = new_sku(), new_sku(), new_sku()
    made = await catalog.create(draft(category, asked(first), asked(second)))
    await catalog.get(made.id)
    await catalog.offers([first, second])
    content = draft(category, asked(third, 5), asked(first, 7), title="Coffee", attributes={"roast": "dark"})
    edited = await catalog.update(domain.Edit(made.id, 1, content, ANN))
    assert (edited.version, edited.title, edited.create_time) == (2, "Coffee", made.create_time)
    assert await catalog.get(made.id) == edited
    offers = {offer.sku: offer.price.amount for offer in await catalog.offers([first, second, third])}
    assert offers == {first: 700, third: 500}
    key, kind, sequence, payload = (await db.read(OUTBOX))[-1]
    assert (key, kind, sequence) == (made.id, "souk.catalog.v1.ProductChanged", 2)
    said = catalog_events_pb2.ProductChanged.FromString(payload).product
    assert [variant.sku for variant in said.variants] == [third, first]


async def test_a_sku_that_was_taken_out_stays_the_products_and_may_come_back(
    catalog: usecases.Catalog, category: str
) -> None:
    kept, gone = new_sku(), new_sku()
    made = await catalog.create(draft(category, asked(kept), asked(gone)))
    await catalog.update(domain.Edit(made.id, 1, draft(category, asked(kept)), None))
    error = await refusal(catalog.create(draft(category, asked(gone))))
    assert (error.reason, error.metadata) == ("SKU_TAKEN", {"sku": gone})
    await catalog.update(domain.Edit(made.id, 2, draft(category, asked(gone), asked(kept)), None))
    assert {offer.sku for offer in await catalog.offers([kept, gone])} == {kept, gone}


async def test_an_edit_by_who_read_an_older_version_changes_nothing(
    catalog: usecases.Catalog, db: database.Database, category: str
) -> None:
    made = await catalog.create(draft(category))
    own = asked(made.variants[0].sku)
    await catalog.update(domain.Edit(made.id, 1, draft(category, own, title="Coffee"), ANN))
    error = await refusal(catalog.update(domain.Edit(made.id, 1, draft(category, own, title="Cocoa"), ANN)))
    assert (error.code, error.reason, error.metadata["version"]) == (errors.Code.ABORTED, "VERSION_CHANGED", "2")
    assert (await catalog.get(made.id)).title == "Coffee"
    assert len(await db.read(OUTBOX)) == 2


async def test_of_many_edits_at_once_one_wins(catalog: usecases.Catalog, category: str) -> None:
    made = await catalog.create(draft(category))
    edits = [
        domain.Edit(made.id, 1, draft(category, asked(made.variants[0].sku), title=f"Tea {number}"), ANN)
        for number in range(6)
    ]
    answers = await asyncio.gather(*(catalog.update(edit) for edit in edits), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, errors.DomainError)]
    assert [error.reason for error in refused] == ["VERSION_CHANGED"] * 5
    assert (await catalog.get(made.id)).version == 2


async def test_an_edit_that_comes_again_finds_what_it_made(
    catalog: usecases.Catalog, db: database.Database, category: str
) -> None:
    made = await catalog.create(draft(category))
    edit = domain.Edit(made.id, 1, draft(category, asked(made.variants[0].sku), title="Coffee"), ANN)
    assert await catalog.update(edit) == await catalog.update(edit)
    assert len(await db.read(OUTBOX)) == 2


async def test_an_edit_that_is_refused_changes_nothing(
    catalog: usecases.Catalog, db: database.Database, category: str
) -> None:
    taken = new_sku()
    await catalog.create(draft(category, asked(taken)))
    made = await catalog.create(draft(category))
    wrong = {
        "SKU_TAKEN": draft(category, asked(), asked(taken)),
        "CATEGORY_UNKNOWN": draft("no-such-category"),
        "MONEY_INVALID": draft(category, asked(units=-1)),
    }
    for reason, content in wrong.items():
        assert (await refusal(catalog.update(domain.Edit(made.id, 1, content, ANN)))).reason == reason
    assert await catalog.get(made.id) == made
    assert [offer.sku for offer in await catalog.offers([made.variants[0].sku])] == [made.variants[0].sku]
    assert len(await db.read(OUTBOX)) == 2


async def test_a_deleted_product_is_gone_and_told(
    catalog: usecases.Catalog, db: database.Database, category: str
) -> None:
    made = await catalog.create(draft(category))
    sku = made.variants[0].sku
    await catalog.get(made.id)
    await catalog.offers([sku])
    for _ in range(2):
        await catalog.delete(domain.Deletion(made.id, 1, ANN))
    assert (await refusal(catalog.get(made.id))).reason == "PRODUCT_NOT_FOUND"
    assert await catalog.offers([sku]) == []
    assert await catalog.get_many([made.id]) == []
    assert await found(catalog, category=category) == []
    edit = domain.Edit(made.id, 2, draft(category), ANN)
    assert (await refusal(catalog.update(edit))).reason == "PRODUCT_NOT_FOUND"
    assert (await refusal(catalog.set_featured(made.id, featured=True))).reason == "PRODUCT_NOT_FOUND"
    assert (await refusal(catalog.create(draft(category, asked(sku))))).reason == "SKU_TAKEN"
    key, kind, sequence, payload = (await db.read(OUTBOX))[-1]
    assert (key, kind, sequence) == (made.id, "souk.catalog.v1.ProductDeleted", 2)
    said = catalog_events_pb2.ProductDeleted.FromString(payload)
    assert (said.product_id, list(said.skus), said.version) == (made.id, [sku], 2)
    assert len(await db.read(OUTBOX)) == 2


async def test_a_deletion_by_who_read_an_older_version_changes_nothing(
    catalog: usecases.Catalog, category: str
) -> None:
    made = await catalog.create(draft(category))
    changed = await catalog.set_featured(made.id, featured=True)
    assert (await refusal(catalog.delete(domain.Deletion(made.id, 1, ANN)))).reason == "VERSION_CHANGED"
    assert await catalog.get(made.id) == changed
    await catalog.delete(domain.Deletion(made.id, 0, ANN))
    assert await catalog.get_many([made.id]) == []


async def test_somebody_elses_product_looks_as_if_it_were_not_there(catalog: usecases.Catalog, category: str) -> None:
    made = await catalog.create(draft(category))
    own = await catalog.create(draft(category, vendor_id=""))
    for product_id in (made.id, own.id, NOBODYS):
        edit = domain.Edit(product_id, 1, draft(category), BOB)
        for change in (catalog.update(edit), catalog.delete(domain.Deletion(product_id, 1, BOB))):
            assert (await refusal(change)).reason == "PRODUCT_NOT_FOUND"
    assert set(await found(catalog, category=category)) == {made.id, own.id}


async def test_what_is_in_the_window_is_listed_there(catalog: usecases.Catalog, category: str) -> None:
    shown, hidden = await catalog.create(draft(category)), await catalog.create(draft(category))
    for _ in range(2):
        assert (await catalog.set_featured(shown.id, featured=True)).version == 2
    assert (await catalog.get(shown.id)).featured
    listed = await found(catalog, featured=True)
    assert shown.id in listed
    assert hidden.id not in listed
    await catalog.set_featured(shown.id, featured=False)
    assert shown.id not in await found(catalog, featured=True)


async def test_several_products_come_in_the_order_they_were_asked_for(catalog: usecases.Catalog, category: str) -> None:
    one, two = await catalog.create(draft(category)), await catalog.create(draft(category))
    assert await catalog.get_many([two.id, NOBODYS, one.id, two.id]) == [two, one]
    assert await catalog.get_many([]) == []


async def test_a_category_lists_what_is_in_those_below_it_too(catalog: usecases.Catalog, category: str) -> None:
    for slug, parent in ((f"{category}-hot", category), (f"{category}-tea", f"{category}-hot")):
        await catalog.put_category(domain.Category(slug, slug, parent))
    slugs = [category, f"{category}-hot", f"{category}-tea"]
    made = [(await catalog.create(draft(slug))).id for slug in slugs]
    for number, slug in enumerate(slugs):
        assert await found(catalog, category=slug) == made[number:][::-1]
    await catalog.put_category(domain.Category(slugs[1], "Hot", ""))
    assert await found(catalog, category=category) == made[:1]


async def test_of_moves_that_would_make_a_circle_one_is_refused(catalog: usecases.Catalog, category: str) -> None:
    one, two = domain.Category(f"{category}-1", "1"), domain.Category(f"{category}-2", "2")
    for item in (one, two):
        await catalog.put_category(item)
    moves = [dataclasses.replace(one, parent=two.slug), dataclasses.replace(two, parent=one.slug)]
    answers = await asyncio.gather(*(catalog.put_category(move) for move in moves), return_exceptions=True)
    [refused] = [answer for answer in answers if isinstance(answer, errors.DomainError)]
    assert refused.reason == "CATEGORY_CYCLE"
    error = await refusal(catalog.put_category(domain.Category(f"{category}-3", "3", "no-such-category")))
    assert error.reason == "CATEGORY_PARENT_UNKNOWN"


async def test_products_are_found_by_vendor_price_and_the_beginning_of_their_title(
    catalog: usecases.Catalog, category: str
) -> None:
    tea = await catalog.create(draft(category, asked(units=5), asked(units=50)))
    odd = await catalog.create(draft(category, asked(units=20), title="100%_\\ Cocoa", vendor_id=BOB))
    dollars = await catalog.create(draft(category, asked(units=20, currency="USD"), title="TEABAG", vendor_id=""))
    by: dict[str, list[str]] = {}
    filters: dict[str, dict[str, Any]] = {
        "vendor": {"vendor_id": BOB},
        "cheap": {"prices": domain.Prices("EUR", 0, 500)},
        "middling": {"prices": domain.Prices("EUR", 501, 4999)},
        "dear": {"prices": domain.Prices("EUR", 5000, 10**9)},
        "dollars": {"prices": domain.Prices("USD", 0, 10**9)},
        "tea": {"title_prefix": "tEa"},
        "odd": {"title_prefix": "100%_\\"},
        "any": {"title_prefix": "%"},
        "both": {"title_prefix": "t", "vendor_id": ANN},
    }
    for name, wanted in filters.items():
        by[name] = await found(catalog, category=category, **wanted)
    assert by == {
        "vendor": [odd.id],
        "cheap": [tea.id],
        "middling": [odd.id],
        "dear": [tea.id],
        "dollars": [dollars.id],
        "tea": [dollars.id, tea.id],
        "odd": [odd.id],
        "any": [],
        "both": [tea.id],
    }


async def test_pages_of_a_filter_hold_each_product_once(catalog: usecases.Catalog, category: str) -> None:
    made = [(await catalog.create(draft(category, vendor_id=(ANN, BOB)[number % 2]))).id for number in range(9)]
    seen, token = [], ""
    while True:
        page = await catalog.list(domain.Filter(category, BOB), pages.Page(2, token))
        seen += [product.id for product in page.rows]
        token = page.next_after
        if not token:
            break
    assert seen == made[1::2][::-1]


async def test_another_process_forgets_what_an_event_says_was_changed(
    catalog: usecases.Catalog, db: database.Database, shared: cache.Shared, category: str
) -> None:
    gone = new_sku()
    made = await catalog.create(draft(category, asked(), asked(gone)))
    long = usecases.Catalog(db, Shelves(), usecases.caches(shared, shared_s=30), now=clock.utc_now)
    await long.get(made.id)
    await long.offers([gone])
    await catalog.update(domain.Edit(made.id, 1, draft(category, asked(made.variants[0].sku)), None))
    subscriber = events.subscribers(long)[catalog_events_pb2.ProductChanged]
    assert subscriber.prepare is not None
    await subscriber.prepare([subscriber.parse(catalog_events_pb2.ProductChanged(product_id=made.id))])
    assert (await long.get(made.id)).version == 2
    assert await long.offers([gone]) == []

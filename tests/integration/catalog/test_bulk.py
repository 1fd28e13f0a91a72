"""Files of products over the real server: a file is imported whole or not at all, and says so row by row."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator

import grpc
import pytest

from services.chassis import database, errors
from services.chassis.rpc import status
from souk.catalog.v1 import attribute_schema_pb2, bulk_pb2, catalog_service_pb2
from souk.inventory.v1 import inventory_service_pb2, inventory_service_pb2_grpc
from tests.integration.catalog.bulk_files import (
    Response,
    imported,
    lines,
    new_sku,
    of_category,
    outcomes,
    pieces,
    problems,
    refused,
    row,
)
from tests.integration.catalog.served import BOB, Served, variant
from tests.support import polling

OUTBOX = database.Statement("SELECT type, key FROM outbox ORDER BY id")
APPLIED, CHECKED, REFUSED = Response.APPLIED, Response.CHECKED, Response.REFUSED


@pytest.fixture
def catalog(served: Served) -> Served:
    return served


async def test_rows_become_products_with_their_events(db: database.Database, catalog: Served) -> None:
    several = {"product": "mug", "title": "Mug", "attributes": {"colour": "blue"}, "images": ["https://example.com/1"]}
    file = lines(
        row(catalog.category, title="Cafe\u0301"),
        row(catalog.category, **several, variant_title="Small"),
        row(catalog.category, **several, variant_title="Large", price="900", currency="JPY"),
    )

    summary, rows = await imported(catalog, catalog.admin, file)

    assert (summary.state, summary.rows, summary.created) == (APPLIED, 3, 3)
    assert [(each.line, each.product_id == rows[1].product_id) for each in rows] == [(1, False), (2, True), (3, True)]
    coffee, mug = sorted(await of_category(catalog), key=lambda product: product.title)
    assert (coffee.title, mug.title, mug.vendor_id, mug.version) == ("Caf\u00e9", "Mug", "", 1)
    assert (dict(mug.attributes), list(mug.images)) == ({"colour": "blue"}, ["https://example.com/1"])
    assert [(each.title, each.price.units, each.price.nanos) for each in mug.variants] == [
        ("Small", 12, 500_000_000),
        ("Large", 900, 0),
    ]
    changed = "souk.catalog.v1.ProductChanged"
    assert sorted(await db.read(OUTBOX)) == sorted([(changed, coffee.id), (changed, mug.id)])


async def test_the_same_file_again_changes_nothing(db: database.Database, catalog: Served) -> None:
    file = lines(row(catalog.category), row(catalog.category, product="mug"), row(catalog.category, product="mug"))
    _, first = await imported(catalog, catalog.admin, file)

    summary, again = await imported(catalog, catalog.admin, file)

    assert (summary.state, summary.unchanged) == (APPLIED, 3)
    assert [each.product_id for each in again] == [each.product_id for each in first]
    assert len(await db.read(OUTBOX)) == 2


async def test_a_row_changes_what_it_names_and_nothing_else(catalog: Served) -> None:
    kept, changed = variant(), variant()
    made = await catalog.stub.CreateProduct(
        catalog.product(variants=[kept, changed], description="Green", attributes={"a": "b"}), metadata=catalog.ann
    )
    added = {"sku": new_sku(), "product": made.id.upper(), "price": "1", "currency": "EUR", "tax_class": "reduced"}

    _, rows = await imported(
        catalog, catalog.admin, lines({"sku": changed.sku, "price": "13", "currency": "EUR"}, added)
    )

    assert outcomes(rows) == ["UPDATED", "CREATED"]
    after = await catalog.stub.GetProduct(catalog_service_pb2.GetProductRequest(id=made.id))
    assert (after.version, after.description, dict(after.attributes)) == (2, "Green", {"a": "b"})
    assert (after.vendor_id, after.tax_class) == (made.vendor_id, "reduced")
    assert [(each.sku, each.price.units) for each in after.variants] == [
        (kept.sku, 12),
        (changed.sku, 13),
        (added["sku"], 1),
    ]


async def test_one_wrong_row_and_nothing_is_imported(db: database.Database, catalog: Served) -> None:
    made = await catalog.stub.CreateProduct(catalog.product(), metadata=catalog.admin)
    there = {"sku": made.variants[0].sku}
    good, same = row(catalog.category), row(catalog.category)
    file = lines(
        good,
        there | {"title": "Other"},
        row(catalog.category, sku="lower", title="x" * 201),
        row("no-such-shelf"),
        row(catalog.category, price="0"),
        row(catalog.category, price="1.001"),
        {"sku": new_sku()},
        same,
        same,
        row(catalog.category, colour="blue"),
        row(catalog.category, attributes=["a"]),
        row(catalog.category, title="4242 4242 4242 4242"),
        row(catalog.category, price=12),
        row(catalog.category, vendor_id=BOB),
        row(catalog.category, product="two", title="One"),
        row(catalog.category, product="two", title="Other"),
    )

    summary, rows = await imported(catalog, catalog.admin, file)

    assert (summary.state, summary.rows, summary.created, summary.updated) == (REFUSED, 16, 3, 1)
    assert outcomes(rows)[:2] == ["CREATED", "UPDATED"]
    assert (rows[0].product_id, rows[1].product_id) == ("", made.id)
    assert problems(rows) == [
        (3, "sku", "string.pattern"),
        (3, "title", "string.max_len"),
        (4, "category", "CATEGORY_UNKNOWN"),
        (5, "price", "MONEY_INVALID"),
        (6, "price", "MONEY_INVALID"),
        (7, "title", "FIELD_REQUIRED"),
        (7, "category", "FIELD_REQUIRED"),
        (7, "price", "FIELD_REQUIRED"),
        (9, "sku", "SKU_DUPLICATE"),
        (10, "colour", "COLUMN_UNKNOWN"),
        (11, "attributes", "FIELD_TYPE_WRONG"),
        (12, "title", "string.card_number"),
        (13, "price", "FIELD_TYPE_WRONG"),
        (14, "vendor_id", "VENDOR_FIXED"),
        (16, "title", "PRODUCT_MIXED"),
    ]
    assert [product.id for product in await of_category(catalog)] == [made.id]
    assert len(await db.read(OUTBOX)) == 1


async def test_a_dry_run_says_what_would_happen(db: database.Database, catalog: Served) -> None:
    summary, rows = await imported(catalog, catalog.admin, lines(row(catalog.category)), dry_run=True, request_id="dry")
    assert (summary.state, outcomes(rows), rows[0].product_id) == (CHECKED, ["CREATED"], "")
    assert not await db.read(OUTBOX)


async def test_a_repeated_request_gets_the_first_report_and_changes_nothing(catalog: Served) -> None:
    file, key = lines(row(catalog.category), row(catalog.category)), uuid.uuid4().hex
    first = await imported(catalog, catalog.admin, file, request_id=key)
    made = (await of_category(catalog))[0]
    await catalog.stub.DeleteProduct(catalog_service_pb2.DeleteProductRequest(id=made.id), metadata=catalog.admin)

    assert await imported(catalog, catalog.admin, file, request_id=key, size=7) == first
    assert len(await of_category(catalog)) == 1
    reused = await refused(catalog, catalog.admin, lines(row(catalog.category)), request_id=key)
    assert reused.reason == "REQUEST_ID_REUSED"


async def test_a_vendor_imports_their_own_products_only(catalog: Served) -> None:
    bobs = await catalog.stub.CreateProduct(catalog.product(), metadata=catalog.bob)
    taken = bobs.variants[0].sku
    mine = row(catalog.category)

    summary, rows = await imported(
        catalog, catalog.ann, lines(mine, {"sku": taken, "title": "Mine"}, row(catalog.category, product=bobs.id))
    )
    assert summary.state == REFUSED
    # Another vendor's id is a word like any other: it does not say that there is such a product.
    assert outcomes(rows) == ["CREATED", "ROW_REFUSED", "CREATED"]
    assert ("sku", "SKU_TAKEN") in {(field, reason) for _, field, reason in problems(rows)}

    await imported(catalog, catalog.ann, lines(mine))
    assert {product.vendor_id for product in await of_category(catalog)} == {bobs.vendor_id, bobs.vendor_id[:-1] + "a"}


async def test_a_vendor_does_not_take_what_the_shop_has_in_stock(catalog: Served, inventory: str) -> None:
    stocked = row(catalog.category)
    level = inventory_service_pb2.SetStockRequest(sku=stocked["sku"], warehouse="east", on_hand=5, actor="test")
    async with grpc.aio.insecure_channel(inventory) as channel:
        stub = inventory_service_pb2_grpc.InventoryServiceStub(channel)
        await stub.SetStock(level, metadata=catalog.shop.as_service("catalog"))
    # More than a product has are asked for at once.
    for others in ([], [row(catalog.category) for _ in range(60)]):
        summary, rows = await imported(catalog, catalog.ann, lines(stocked, *others))
        assert (summary.state, summary.created, problems(rows)) == (REFUSED, len(others), [(1, "sku", "SKU_TAKEN")])
        summary, _ = await imported(catalog, catalog.ann, lines(*others))
        assert (summary.state, summary.created) == (APPLIED, len(others))


async def test_a_deleted_product_does_not_come_back(catalog: Served) -> None:
    made = await catalog.stub.CreateProduct(catalog.product(), metadata=catalog.admin)
    await catalog.stub.DeleteProduct(catalog_service_pb2.DeleteProductRequest(id=made.id), metadata=catalog.admin)

    _, rows = await imported(
        catalog,
        catalog.admin,
        lines(row(catalog.category, sku=made.variants[0].sku), row(catalog.category, product=made.id)),
    )
    assert problems(rows) == [(1, "sku", "SKU_TAKEN"), (2, "product", "PRODUCT_NOT_FOUND")]


async def test_what_a_category_asks_for_is_asked_of_rows_too(catalog: Served) -> None:
    old = await catalog.stub.CreateProduct(catalog.product(), metadata=catalog.admin)
    schema = {"properties": {"litres": {"type": "integer"}}, "required": ["litres"], "additionalProperties": False}
    await catalog.stub.SetCategorySchema(
        attribute_schema_pb2.SetCategorySchemaRequest(category=catalog.category, json_schema=json.dumps(schema)),
        metadata=catalog.admin,
    )

    _, rows = await imported(
        catalog,
        catalog.admin,
        lines(
            row(catalog.category),
            row(catalog.category, attributes={"litres": "two", "colour": "blue"}),
            row(catalog.category, attributes={"litres": "2"}),
            {"sku": old.variants[0].sku, "title": "Tea"},
        ),
    )
    assert outcomes(rows)[2:] == ["CREATED", "UNCHANGED"]
    assert problems(rows) == [
        (1, "attributes[litres]", "ATTRIBUTE_REQUIRED"),
        (2, "attributes[litres]", "ATTRIBUTE_TYPE_WRONG"),
        (2, "attributes[colour]", "ATTRIBUTE_UNKNOWN"),
    ]


@pytest.mark.parametrize("who", ["nobody", "customer"])
async def test_who_may_not_write_imports_nothing(catalog: Served, who: str) -> None:
    caller = () if who == "nobody" else catalog.customer
    error = await refused(catalog, caller, lines(row(catalog.category)))
    assert error.reason == ("TOKEN_MISSING" if who == "nobody" else "ACCESS_DENIED")
    assert not await of_category(catalog)


async def test_a_file_of_unknown_form_is_refused(catalog: Served) -> None:
    error = await refused(catalog, catalog.admin, b"x", format=bulk_pb2.FILE_FORMAT_UNSPECIFIED)
    assert (error.reason, [violation.reason for violation in error.violations]) == ("FILE_INVALID", ["FORMAT_UNKNOWN"])


async def test_a_file_that_breaks_off_is_not_imported(db: database.Database, catalog: Served) -> None:
    sending = asyncio.Event()

    async def half() -> AsyncIterator[bulk_pb2.ImportProductsRequest]:
        for piece in pieces(lines(row(catalog.category), row(catalog.category)), 100_000):
            yield piece
        sending.set()
        await asyncio.sleep(60)

    call = catalog.stub.ImportProducts(half(), metadata=catalog.admin)
    await sending.wait()
    # Of one caller one file at a time.
    second = await refused(catalog, catalog.admin, lines(row(catalog.category)))
    assert (second.code, second.reason) == (errors.Code.RESOURCE_EXHAUSTED, "OVERLOADED")
    call.cancel()

    async def is_over() -> bool:
        try:
            return bool(await imported(catalog, catalog.admin, b""))
        except grpc.aio.AioRpcError:
            return False

    await polling.eventually(is_over)
    assert not await of_category(catalog)
    assert not await db.read(OUTBOX)


async def test_a_stream_that_is_too_large_ends(catalog: Served) -> None:
    async def endless() -> AsyncIterator[bulk_pb2.ImportProductsRequest]:
        for piece in pieces(b"x" * (17 * 1024 * 1024), 1024 * 1024):
            yield piece

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async for _ in catalog.stub.ImportProducts(endless(), metadata=catalog.admin):
            pass
    parsed = status.parse(caught.value)
    assert isinstance(parsed, errors.DomainError)
    assert parsed.reason == "REQUEST_TOO_LARGE"

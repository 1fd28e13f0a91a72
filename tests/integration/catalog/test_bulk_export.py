"""An exported file is what an import takes: imported again it changes nothing."""

import json
from datetime import UTC, datetime

import pytest

from services.catalog.messages import bulk
from services.chassis import database, ids
from souk.catalog.v1 import bulk_pb2, catalog_service_pb2
from tests.integration.catalog.bulk_files import exported, imported, lines, new_sku, of_category, row
from tests.integration.catalog.served import ANN, BOB, NOBODYS, Served, variant

OUTBOX = database.Statement("SELECT count(*) FROM outbox")
FORMATS = [bulk_pb2.CSV, bulk_pb2.JSON_LINES]
AWKWARD = {
    "title": '=HYPERLINK("https://example.com"), "tea"',
    "description": "'quoted'\nand \"so\" on,\r\n- a list;\tof things",
    "attributes": {"origin": "'+Assam', \"India\"", "colour": "gr\u00fcn"},
    "images": ["https://example.com/1?a=b,c", "https://example.com/2"],
    "tax_class": "reduced",
}


@pytest.fixture
def catalog(served: Served) -> Served:
    return served


@pytest.mark.parametrize("written", FORMATS)
async def test_an_exported_file_imported_again_changes_nothing(
    db: database.Database, catalog: Served, written: bulk_pb2.FileFormat.ValueType
) -> None:
    shared = AWKWARD | {"product": "several", "variant_title": "-1"}
    several = [row(catalog.category, **shared, price="900", currency="JPY"), row(catalog.category, **shared)]
    await imported(catalog, catalog.admin, lines(row(catalog.category), *several, row(catalog.category, price="0.01")))
    await catalog.stub.CreateProduct(catalog.product(), metadata=catalog.ann)
    before, told = await of_category(catalog), await db.read(OUTBOX)

    file = await exported(catalog, catalog.admin, format=written)
    summary, rows = await imported(catalog, catalog.admin, file, format=written)

    assert (summary.state, summary.unchanged) == (bulk_pb2.ImportProductsResponse.APPLIED, len(rows))
    # The module's other products are in it too.
    assert {product.id for product in before} <= {each.product_id for each in rows}
    assert (await of_category(catalog), await db.read(OUTBOX)) == (before, told)


async def test_a_vendor_gets_their_own_products_and_an_administrator_whose_they_ask_for(catalog: Served) -> None:
    async def skus(who: tuple[tuple[str, str], ...], vendor_id: str = "") -> set[str]:
        file = await exported(catalog, who, format=bulk_pb2.JSON_LINES, vendor_id=vendor_id)
        return {json.loads(line)["sku"] for line in file.splitlines()}

    made = {}
    for who in ("ann", "bob", "admin"):
        product = await catalog.stub.CreateProduct(catalog.product(), metadata=getattr(catalog, who))
        made[who] = product.variants[0].sku
    gone = await catalog.stub.CreateProduct(catalog.product(), metadata=catalog.ann)
    await catalog.stub.DeleteProduct(catalog_service_pb2.DeleteProductRequest(id=gone.id), metadata=catalog.ann)

    anns = await skus(catalog.ann)
    assert made["ann"] in anns
    assert not anns & {made["bob"], made["admin"], gone.variants[0].sku}
    assert await skus(catalog.ann, ANN.upper()) == await skus(catalog.admin, ANN) == anns
    assert await skus(catalog.ann, BOB) == await skus(catalog.admin, NOBODYS) == set()
    assert set(made.values()) <= await skus(catalog.admin)


async def test_an_export_goes_on_behind_a_product(catalog: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    # Each product is a piece.
    monkeypatch.setattr(bulk, "LARGE_PIECE", 1)
    vendor = catalog.shop.as_user(ids.new_id(datetime.now(UTC)), "VENDOR")
    made = sorted(
        [await catalog.stub.CreateProduct(catalog.product(), metadata=vendor) for _ in range(3)],
        key=lambda product: product.id,
    )
    call = catalog.stub.ExportProducts(bulk_pb2.ExportProductsRequest(), metadata=vendor)
    headers = dict(await call.initial_metadata())
    pieces = [piece async for piece in call]
    assert headers["x-products"] == "3"
    assert [piece.product_id for piece in pieces] == ["", *(product.id for product in made)]
    rest = await exported(catalog, vendor, after_product_id=made[0].id)
    assert rest == b"".join(piece.file.data for piece in pieces[2:])


async def test_a_very_large_product_comes_in_pieces(catalog: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "MOST_PIECE", 1)
    vendor = catalog.shop.as_user(ids.new_id(datetime.now(UTC)), "VENDOR")
    await catalog.stub.CreateProduct(catalog.product(variants=[variant(), variant()]), metadata=vendor)
    call = catalog.stub.ExportProducts(bulk_pb2.ExportProductsRequest(), metadata=vendor)
    pieces = [piece async for piece in call]
    # Nobody resumes behind a product of which a row may be missing.
    assert [piece.product_id for piece in pieces] == ["", "", ""]
    monkeypatch.undo()
    assert b"".join(piece.file.data for piece in pieces) == await exported(catalog, vendor)


async def test_an_export_of_nothing_is_a_table_without_rows(catalog: Served) -> None:
    vendor = catalog.shop.as_user(ids.new_id(datetime.now(UTC)), "VENDOR")
    file = await exported(catalog, vendor)
    assert file.startswith(b"product,sku,")
    summary, rows = await imported(catalog, vendor, file, format=bulk_pb2.CSV)
    assert (summary.state, rows) == (bulk_pb2.ImportProductsResponse.APPLIED, [])
    assert await exported(catalog, vendor, format=bulk_pb2.JSON_LINES) == b""


async def test_a_reduced_product_is_exported_with_its_regular_price(catalog: Served) -> None:
    sku = new_sku()
    await imported(catalog, catalog.ann, lines(row(catalog.category, sku=sku)))
    file = await exported(catalog, catalog.ann, format=bulk_pb2.JSON_LINES)
    [price] = [each["price"] for line in file.splitlines() if (each := json.loads(line))["sku"] == sku]
    assert price == "12.50"

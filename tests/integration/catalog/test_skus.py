"""Whose a SKU is, and a title as people type it, over real servers of the catalog and of inventory."""

import uuid

import grpc

from services.chassis import errors
from souk.catalog.v1 import catalog_service_pb2
from souk.inventory.v1 import inventory_service_pb2, inventory_service_pb2_grpc
from tests.integration.catalog.served import Served, variant
from tests.support import calls


async def test_a_vendor_cannot_take_a_sku_that_the_shop_has_stock_of(served: Served, inventory: str) -> None:
    shops, own = variant(), variant()
    adjust = inventory_service_pb2.AdjustStockRequest(sku=shops.sku, warehouse="east", delta=5, reason="delivered")
    async with grpc.aio.insecure_channel(inventory) as channel:
        stub = inventory_service_pb2_grpc.InventoryServiceStub(channel)
        await stub.AdjustStock(adjust, metadata=served.shop.as_service("catalog"))
    made = await served.stub.CreateProduct(served.product(variants=[own]), metadata=served.ann)
    edit = catalog_service_pb2.UpdateProductRequest(
        id=made.id, version=1, title="Tea", category=served.category, variants=[own, shops]
    )
    for call in (
        served.stub.CreateProduct(served.product(variants=[variant(), shops]), metadata=served.bob),
        served.stub.UpdateProduct(edit, metadata=served.ann),
    ):
        refused = await calls.refused(call)
        assert (refused.code, refused.reason) == (errors.Code.ALREADY_EXISTS, "SKU_TAKEN")
        assert (refused.metadata, [item.field for item in refused.violations]) == (
            {"sku": shops.sku},
            ["variants[1].sku"],
        )
    wanted = served.product(variants=[shops])
    assert (await served.stub.CreateProduct(wanted, metadata=served.admin)).variants[0].sku == shops.sku


async def test_a_vendor_who_has_stock_changes_and_repeats_as_before(served: Served) -> None:
    own, key = variant(), (("idempotency-key", uuid.uuid4().hex),)
    wanted = served.product(variants=[own])
    made = await served.stub.CreateProduct(wanted, metadata=served.ann + key)
    stock = catalog_service_pb2.SetProductStockRequest(id=made.id, sku=own.sku, warehouse="east", on_hand=3)
    await served.stub.SetProductStock(stock, metadata=served.ann)
    assert await served.stub.CreateProduct(wanted, metadata=served.ann + key) == made
    edit = catalog_service_pb2.UpdateProductRequest(
        id=made.id, version=1, title="Green tea", category=served.category, variants=[own, variant()]
    )
    assert (await served.stub.UpdateProduct(edit, metadata=served.ann)).version == 2


async def test_titles_are_found_however_a_keyboard_sends_them(served: Served) -> None:
    for typed, asked_for in (("Cafe\u0301 noir", "CAF\u00c9"), ("Caf\u00e9 blanc", "cafe\u0301 b")):
        made = await served.stub.CreateProduct(served.product(title=typed), metadata=served.ann)
        assert made.title.isascii() is False
        assert "\u00e9" in made.title
        request = catalog_service_pb2.ListProductsRequest(category=served.category, title_prefix=asked_for)
        assert made in (await served.stub.ListProducts(request)).products

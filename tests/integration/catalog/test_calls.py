"""The catalog over its real gRPC server, with a real inventory behind it."""

import uuid
from typing import Any

import pytest

from services.catalog import clients, rpc, usecases
from services.chassis import cache, clock, database, errors
from services.chassis.rpc import client, identity, page_tokens
from souk.catalog.v1 import catalog_service_pb2, catalog_service_pb2_grpc, product_pb2
from tests.integration.catalog.served import ANN, BOB, NOBODYS, Served, use_cases, variant
from tests.support import calls


@pytest.fixture
def catalog(served: Served) -> Served:
    """The catalog of these tests is the one that is called."""
    return served


async def test_a_vendors_product_is_theirs_and_everybody_sees_it(catalog: Served) -> None:
    request = catalog.product(description="Green", variants=[variant(), variant(units=300, nanos=0, currency="JPY")])
    made = await catalog.stub.CreateProduct(request, metadata=catalog.ann)
    assert (made.vendor_id, made.version, list(made.variants)) == (ANN, 1, list(request.variants))
    assert await catalog.stub.GetProduct(catalog_service_pb2.GetProductRequest(id=made.id)) == made
    assert await catalog.stub.GetProduct(catalog_service_pb2.GetProductRequest(id=made.id.upper())) == made
    shown = await catalog.stub.ListProducts(catalog_service_pb2.ListProductsRequest(category=catalog.category))
    assert list(shown.products) == [made]


async def test_an_administrators_product_is_the_shops_own(catalog: Served) -> None:
    made = await catalog.stub.CreateProduct(catalog.product(), metadata=catalog.admin)
    assert made.vendor_id == ""


async def test_the_idempotency_key_header_makes_a_call_safe_to_repeat(catalog: Served) -> None:
    request, key = catalog.product(), (("idempotency-key", uuid.uuid4().hex),)
    made = [await catalog.stub.CreateProduct(request, metadata=catalog.ann + key) for _ in range(2)]
    assert made[0] == made[1]
    other = await calls.refused(catalog.stub.CreateProduct(catalog.product(), metadata=catalog.ann + key))
    assert (other.code, other.reason) == (errors.Code.FAILED_PRECONDITION, "REQUEST_ID_REUSED")
    of_bob = catalog.product()
    assert (await catalog.stub.CreateProduct(of_bob, metadata=catalog.bob + key)).vendor_id == BOB


async def test_a_taken_sku_is_named(catalog: Served) -> None:
    taken = variant()
    await catalog.stub.CreateProduct(catalog.product(variants=[taken]), metadata=catalog.ann)
    refused = await calls.refused(
        catalog.stub.CreateProduct(catalog.product(variants=[variant(), taken]), metadata=catalog.bob)
    )
    assert (refused.code, refused.reason) == (errors.Code.ALREADY_EXISTS, "SKU_TAKEN")
    assert refused.metadata == {"sku": taken.sku}
    assert [violation.field for violation in refused.violations] == ["variants[1].sku"]


async def test_all_wrong_fields_are_named_at_once(catalog: Served) -> None:
    request = catalog.product(
        title="", category="No Slug", variants=[variant("lower-case"), product_pb2.Variant(sku="A-1")]
    )
    refused = await calls.refused(catalog.stub.CreateProduct(request, metadata=catalog.ann))
    assert (refused.code, refused.reason) == (errors.Code.INVALID_ARGUMENT, "REQUEST_INVALID")
    assert {violation.field for violation in refused.violations} == {
        "title",
        "category",
        "variants[0].sku",
        "variants[1].price",
    }


async def test_all_wrong_prices_and_repeated_skus_are_named_at_once(catalog: Served) -> None:
    same = variant()
    wrong = [variant(units=-1, nanos=0), variant(currency="XXX"), variant(nanos=1), same, same]
    refused = await calls.refused(catalog.stub.CreateProduct(catalog.product(variants=wrong), metadata=catalog.ann))
    assert (refused.code, refused.reason) == (errors.Code.INVALID_ARGUMENT, "MONEY_INVALID")
    assert {(violation.field, violation.reason) for violation in refused.violations} == {
        ("variants[0].price", "MONEY_INVALID"),
        ("variants[1].price", "MONEY_INVALID"),
        ("variants[2].price", "MONEY_INVALID"),
        ("variants[4].sku", "SKU_DUPLICATE"),
    }


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": "x" * 201}, "title"),
        ({"title": "x\0"}, "title"),
        ({"description": "x" * 5001}, "description"),
        ({"request_id": "x" * 129}, "request_id"),
        ({"variants": []}, "variants"),
        ({"variants": [variant() for _ in range(51)]}, "variants"),
    ],
)
async def test_a_field_out_of_its_bounds_is_refused(catalog: Served, changes: dict[str, Any], field: str) -> None:
    refused = await calls.refused(catalog.stub.CreateProduct(catalog.product(**changes), metadata=catalog.ann))
    assert (refused.reason, {violation.field for violation in refused.violations}) == ("REQUEST_INVALID", {field})


async def test_an_unknown_category_is_refused(catalog: Served) -> None:
    refused = await calls.refused(
        catalog.stub.CreateProduct(catalog.product(category="nothing-here"), metadata=catalog.ann)
    )
    assert (refused.code, refused.reason) == (errors.Code.FAILED_PRECONDITION, "CATEGORY_UNKNOWN")


async def test_who_may_not_write_is_refused_and_nothing_changes(catalog: Served) -> None:
    stock = catalog_service_pb2.SetProductStockRequest(id=NOBODYS, warehouse="east", on_hand=1)
    category = catalog_service_pb2.PutCategoryRequest(slug=catalog.category, title="Taken over")
    offers = catalog_service_pb2.BatchGetOffersRequest(skus=["A"])
    stub, nobody = catalog.stub, ()
    refused = [
        await calls.refused(call)
        for call in (
            stub.CreateProduct(catalog.product(), metadata=nobody),
            stub.CreateProduct(catalog.product(), metadata=catalog.customer),
            stub.SetProductStock(stock, metadata=catalog.customer),
            stub.PutCategory(category, metadata=catalog.ann),
            stub.BatchGetOffers(offers, metadata=catalog.admin),
            stub.BatchGetOffers(offers, metadata=catalog.shop.as_service("payment")),
        )
    ]
    assert [error.reason for error in refused] == [
        "TOKEN_MISSING",
        "ACCESS_DENIED",
        "ACCESS_DENIED",
        "ACCESS_DENIED",
        "ACCESS_DENIED",
        "TOKEN_MISSING",
    ]
    shown = await stub.ListCategories(catalog_service_pb2.ListCategoriesRequest())
    assert product_pb2.Category(slug=catalog.category, title="Drinks") in shown.categories
    products = await stub.ListProducts(catalog_service_pb2.ListProductsRequest(category=catalog.category))
    assert not products.products


async def test_an_unknown_product_is_not_found_and_no_id_is_invalid(catalog: Served) -> None:
    ids = (NOBODYS, "no-uuid")
    refused = [
        await calls.refused(catalog.stub.GetProduct(catalog_service_pb2.GetProductRequest(id=one))) for one in ids
    ]
    assert [(error.code, error.reason) for error in refused] == [
        (errors.Code.NOT_FOUND, "PRODUCT_NOT_FOUND"),
        (errors.Code.INVALID_ARGUMENT, "REQUEST_INVALID"),
    ]


@pytest.mark.parametrize(
    "token",
    ["nonsense", "%%%", "e30=", "eyJhZnRlciI6IDF9", "eyJhZnRlciI6ICJ1cm46dXVpZDp4In0=", "eyJhZnRlciI6ICJcdTAwMDAifQ=="],
)
async def test_a_page_token_made_by_hand_is_refused(catalog: Served, token: str) -> None:
    refused = await calls.refused(catalog.stub.ListProducts(catalog_service_pb2.ListProductsRequest(page_token=token)))
    assert (refused.code, refused.reason) == (errors.Code.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID")


async def test_a_page_is_as_large_as_the_contract_says(catalog: Served) -> None:
    for _ in range(3):
        await catalog.stub.CreateProduct(catalog.product(), metadata=catalog.ann)
    request = catalog_service_pb2.ListProductsRequest(category=catalog.category, page_size=2)
    first = await catalog.stub.ListProducts(request)
    request.page_token = first.next_page_token
    second = await catalog.stub.ListProducts(request)
    assert (len(first.products), len(second.products), second.next_page_token) == (2, 1, "")
    refused = await calls.refused(catalog.stub.ListProducts(catalog_service_pb2.ListProductsRequest(page_size=-1)))
    assert [violation.field for violation in refused.violations] == ["page_size"]


async def test_the_order_service_gets_offers_of_what_is_for_sale(catalog: Served) -> None:
    one, two = variant(), variant(units=300, nanos=0, currency="JPY")
    made = await catalog.stub.CreateProduct(catalog.product(variants=[one, two]), metadata=catalog.ann)
    request = catalog_service_pb2.BatchGetOffersRequest(skus=[two.sku, "NOT-FOR-SALE", one.sku, two.sku])
    answer = await catalog.stub.BatchGetOffers(request, metadata=catalog.shop.as_service("order"))
    assert {offer.sku: (offer.product_id, offer.title, offer.price) for offer in answer.offers} == {
        one.sku: (made.id, "Tea, Large", one.price),
        two.sku: (made.id, "Tea, Large", two.price),
    }


async def test_no_offers_for_no_skus(catalog: Served) -> None:
    answer = await catalog.stub.BatchGetOffers(
        catalog_service_pb2.BatchGetOffersRequest(), metadata=catalog.shop.as_service("order")
    )
    assert not answer.offers


async def test_the_vendor_and_the_shop_say_how_many_there_are_and_inventory_knows(catalog: Served) -> None:
    wanted = variant()
    made = await catalog.stub.CreateProduct(catalog.product(variants=[wanted]), metadata=catalog.ann)
    request = catalog_service_pb2.SetProductStockRequest(id=made.id, sku=wanted.sku, warehouse="east", on_hand=5)
    expected = catalog_service_pb2.SetProductStockResponse(
        sku=wanted.sku, warehouse="east", on_hand=5, reserved=0, available=5
    )
    assert await catalog.stub.SetProductStock(request, metadata=catalog.ann) == expected
    assert await catalog.stub.SetProductStock(request, metadata=catalog.ann) == expected
    request.ClearField("sku")
    request.on_hand = 0
    assert (await catalog.stub.SetProductStock(request, metadata=catalog.admin)).on_hand == 0


async def test_what_inventory_refuses_is_refused_in_its_words(catalog: Served) -> None:
    made = await catalog.stub.CreateProduct(catalog.product(), metadata=catalog.ann)
    request = catalog_service_pb2.SetProductStockRequest(id=made.id, warehouse="mars", on_hand=5)
    refused = await calls.refused(catalog.stub.SetProductStock(request, metadata=catalog.ann))
    assert (refused.code, refused.reason) == (errors.Code.FAILED_PRECONDITION, "WAREHOUSE_UNKNOWN")
    assert (refused.domain, refused.metadata) == ("inventory", {"warehouse": "mars"})


async def test_somebody_elses_product_looks_as_if_it_were_not_there(catalog: Served) -> None:
    made = await catalog.stub.CreateProduct(catalog.product(), metadata=catalog.ann)
    request = catalog_service_pb2.SetProductStockRequest(id=made.id, warehouse="east", on_hand=5)
    refused = await calls.refused(catalog.stub.SetProductStock(request, metadata=catalog.bob))
    assert (refused.code, refused.reason) == (errors.Code.NOT_FOUND, "PRODUCT_NOT_FOUND")


async def test_wrong_stock_is_named_field_by_field(catalog: Served) -> None:
    request = catalog_service_pb2.SetProductStockRequest(id="x", warehouse="No Place", on_hand=-1)
    refused = await calls.refused(catalog.stub.SetProductStock(request, metadata=catalog.ann))
    assert {violation.field for violation in refused.violations} == {"id", "warehouse", "on_hand"}


async def test_without_inventory_the_caller_is_told_to_come_back(
    db: database.Database, shared: cache.Shared, category: str
) -> None:
    mesh = identity.Mesh(calls.MESH_KEY, "catalog")
    peer = client.Peer("127.0.0.1:1", clients.DESCRIPTOR, mesh, traced=False)
    remembered = usecases.caches(shared, shared_s=30)
    catalog = usecases.Catalog(db, clients.Inventory(peer), remembered, now=clock.utc_now)
    use = use_cases(db, catalog)
    async with calls.served(rpc.servicer(use, page_tokens.PageTokens(db)), "catalog") as shop:
        served = Served(catalog_service_pb2_grpc.CatalogServiceStub(shop.channel), shop, category)
        made = await served.stub.CreateProduct(served.product(), metadata=served.admin)
        request = catalog_service_pb2.SetProductStockRequest(id=made.id, warehouse="east", on_hand=5)
        # Whether a new SKU is the shop's is not known either.
        for call in (
            served.stub.SetProductStock(request, metadata=served.admin),
            served.stub.CreateProduct(served.product(), metadata=served.ann),
        ):
            refused = await calls.refused(call)
            assert (refused.code, refused.reason) == (errors.Code.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE")
            assert refused.retry_after_s == 1.0
    await peer.stop()
    assert (refused.code, refused.reason) == (errors.Code.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE")
    assert refused.retry_after_s == 1.0


async def test_search_reads_all_products_by_pages_oldest_first_and_nobody_else_does(
    catalog: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [await catalog.stub.CreateProduct(catalog.product(), metadata=catalog.admin) for _ in range(3)]
    gone = catalog_service_pb2.DeleteProductRequest(id=made[1].id)
    await catalog.stub.DeleteProduct(gone, metadata=catalog.admin)
    # A page has room for less than two products, and has one all the same.
    monkeypatch.setattr(rpc, "MOST_READ_BYTES", made[0].ByteSize() - 1)
    found: list[product_pb2.Product] = []
    after, search = "", catalog.shop.as_service("search")
    while True:
        request = catalog_service_pb2.ReadProductsRequest(after_id=after)
        page = (await catalog.stub.ReadProducts(request, metadata=search)).products
        assert len(page) <= 1
        if not page:
            break
        found += page
        after = page[-1].id
    assert [product.id for product in found] == sorted(product.id for product in found)
    assert [product for product in found if product in made] == sorted([made[0], made[2]], key=lambda each: each.id)
    refused = await calls.refused(
        catalog.stub.ReadProducts(catalog_service_pb2.ReadProductsRequest(), metadata=catalog.admin)
    )
    assert refused.code is errors.Code.PERMISSION_DENIED

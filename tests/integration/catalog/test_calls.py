"""The catalog over its real gRPC server, with a real inventory behind it."""

import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from google.type.money_pb2 import Money

from services.catalog import clients, rpc, usecases
from services.chassis import cache, clock, database, errors
from services.chassis.rpc import client, identity, page_tokens
from services.inventory import events as inventory_events
from services.inventory import rpc as inventory_rpc
from services.inventory import usecases as inventory_usecases
from souk.catalog.v1 import catalog_service_pb2, catalog_service_pb2_grpc, product_pb2
from tests.support import calls, postgres

if TYPE_CHECKING:  # a name of the type stubs alone
    from souk.catalog.v1.catalog_service_pb2_grpc import CatalogServiceAsyncStub

ANN, BOB = "01890000-0000-7000-8000-00000000000a", "01890000-0000-7000-8000-00000000000b"
NOBODYS = "01890000-0000-7000-8000-000000000000"
Metadata = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Served:
    """A running catalog, and who can call it."""

    stub: "CatalogServiceAsyncStub"
    shop: calls.Shop
    category: str

    @property
    def admin(self) -> Metadata:
        return self.shop.as_user(NOBODYS, "ADMIN")

    @property
    def ann(self) -> Metadata:
        return self.shop.as_user(ANN, "VENDOR")

    @property
    def bob(self) -> Metadata:
        return self.shop.as_user(BOB, "VENDOR")

    @property
    def customer(self) -> Metadata:
        return self.shop.as_user(ANN, "CUSTOMER")

    def product(self, **changes: Any) -> catalog_service_pb2.CreateProductRequest:
        fields: dict[str, Any] = {"title": "Tea", "category": self.category, "variants": [variant()]}
        return catalog_service_pb2.CreateProductRequest(**fields | changes)


def variant(sku: str = "", units: int = 12, nanos: int = 500_000_000, currency: str = "EUR") -> product_pb2.Variant:
    price = Money(currency_code=currency, units=units, nanos=nanos)
    return product_pb2.Variant(sku=sku or f"SKU-{uuid.uuid4().hex[:12].upper()}", title="Large", price=price)


@pytest.fixture(scope="module")
def inventory_url(postgres_admin_url: str) -> Iterator[str]:
    with postgres.fresh_database(postgres_admin_url, "inventory") as url:
        yield url


@pytest_asyncio.fixture
async def inventory(inventory_url: str) -> AsyncIterator[str]:
    """Where a real inventory service answers."""
    async with postgres.opened(inventory_url, inventory_events.PUBLISHED) as db:
        servicer = inventory_rpc.servicer(inventory_usecases.Stock(db, hold_s=600), page_tokens.PageTokens(db))
        async with calls.served(servicer, "inventory") as shop:
            yield shop.address


@pytest_asyncio.fixture
async def catalog(db: database.Database, shared: cache.Shared, inventory: str, category: str) -> AsyncIterator[Served]:
    mesh = identity.Mesh(calls.MESH_KEY, "catalog")
    peer = client.Peer(inventory, clients.DESCRIPTOR, mesh, traced=False)
    remembered = usecases.caches(shared, shared_s=30)
    catalog = usecases.Catalog(db, clients.Inventory(peer), remembered, now=clock.utc_now)
    async with calls.served(rpc.servicer(catalog, page_tokens.PageTokens(db)), "catalog") as shop:
        yield Served(catalog_service_pb2_grpc.CatalogServiceStub(shop.channel), shop, category)
    await peer.stop()


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
    assert (other.kind, other.reason) == (errors.Kind.FAILED_PRECONDITION, "REQUEST_ID_REUSED")
    of_bob = catalog.product()
    assert (await catalog.stub.CreateProduct(of_bob, metadata=catalog.bob + key)).vendor_id == BOB


async def test_a_taken_sku_is_named(catalog: Served) -> None:
    taken = variant()
    await catalog.stub.CreateProduct(catalog.product(variants=[taken]), metadata=catalog.ann)
    refused = await calls.refused(
        catalog.stub.CreateProduct(catalog.product(variants=[variant(), taken]), metadata=catalog.bob)
    )
    assert (refused.kind, refused.reason) == (errors.Kind.ALREADY_EXISTS, "SKU_TAKEN")
    assert refused.metadata == {"sku": taken.sku}
    assert [violation.field for violation in refused.violations] == ["variants[1].sku"]


async def test_all_wrong_fields_are_named_at_once(catalog: Served) -> None:
    request = catalog.product(
        title="", category="No Slug", variants=[variant("lower-case"), product_pb2.Variant(sku="A-1")]
    )
    refused = await calls.refused(catalog.stub.CreateProduct(request, metadata=catalog.ann))
    assert (refused.kind, refused.reason) == (errors.Kind.INVALID_ARGUMENT, "REQUEST_INVALID")
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
    assert (refused.kind, refused.reason) == (errors.Kind.INVALID_ARGUMENT, "MONEY_INVALID")
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
    assert (refused.kind, refused.reason) == (errors.Kind.FAILED_PRECONDITION, "CATEGORY_UNKNOWN")


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
    assert [(error.kind, error.reason) for error in refused] == [
        (errors.Kind.NOT_FOUND, "PRODUCT_NOT_FOUND"),
        (errors.Kind.INVALID_ARGUMENT, "REQUEST_INVALID"),
    ]


@pytest.mark.parametrize(
    "token",
    ["nonsense", "%%%", "e30=", "eyJhZnRlciI6IDF9", "eyJhZnRlciI6ICJ1cm46dXVpZDp4In0=", "eyJhZnRlciI6ICJcdTAwMDAifQ=="],
)
async def test_a_page_token_made_by_hand_is_refused(catalog: Served, token: str) -> None:
    refused = await calls.refused(catalog.stub.ListProducts(catalog_service_pb2.ListProductsRequest(page_token=token)))
    assert (refused.kind, refused.reason) == (errors.Kind.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID")


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
    assert (refused.kind, refused.reason) == (errors.Kind.FAILED_PRECONDITION, "WAREHOUSE_UNKNOWN")
    assert (refused.domain, refused.metadata) == ("inventory", {"warehouse": "mars"})


async def test_somebody_elses_product_looks_as_if_it_were_not_there(catalog: Served) -> None:
    made = await catalog.stub.CreateProduct(catalog.product(), metadata=catalog.ann)
    request = catalog_service_pb2.SetProductStockRequest(id=made.id, warehouse="east", on_hand=5)
    refused = await calls.refused(catalog.stub.SetProductStock(request, metadata=catalog.bob))
    assert (refused.kind, refused.reason) == (errors.Kind.NOT_FOUND, "PRODUCT_NOT_FOUND")


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
    async with calls.served(rpc.servicer(catalog, page_tokens.PageTokens(db)), "catalog") as shop:
        served = Served(catalog_service_pb2_grpc.CatalogServiceStub(shop.channel), shop, category)
        made = await served.stub.CreateProduct(served.product(), metadata=served.ann)
        request = catalog_service_pb2.SetProductStockRequest(id=made.id, warehouse="east", on_hand=5)
        refused = await calls.refused(served.stub.SetProductStock(request, metadata=served.ann))
    await peer.stop()
    assert (refused.kind, refused.reason) == (errors.Kind.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE")
    assert refused.retry_after_s == 1.0


def edit(made: product_pb2.Product, **changes: Any) -> catalog_service_pb2.UpdateProductRequest:
    """The product as it is, with some fields changed."""
    fields: dict[str, Any] = {
        "id": made.id,
        "version": made.version,
        "title": made.title,
        "category": made.category,
        "variants": made.variants,
    }
    return catalog_service_pb2.UpdateProductRequest(**fields | changes)


async def test_the_vendor_and_the_shop_change_a_product_and_others_do_not(catalog: Served) -> None:
    images, attributes = ["https://example.com/a.png", "http://example.com"], {"roast": "dark"}
    made = await catalog.stub.CreateProduct(catalog.product(images=images, attributes=attributes), metadata=catalog.ann)
    assert (list(made.images), dict(made.attributes)) == (images, attributes)
    changed = await catalog.stub.UpdateProduct(edit(made, title="Coffee"), metadata=catalog.ann)
    assert (changed.title, changed.version, changed.vendor_id, list(changed.images)) == ("Coffee", 2, ANN, [])
    again = await catalog.stub.UpdateProduct(edit(changed, title="Cocoa"), metadata=catalog.admin)
    assert (again.version, again.vendor_id) == (3, ANN)
    stale = await calls.refused(catalog.stub.UpdateProduct(edit(made, title="Tea"), metadata=catalog.ann))
    assert (stale.kind, stale.reason) == (errors.Kind.ABORTED, "VERSION_CHANGED")
    gone = catalog_service_pb2.DeleteProductRequest(id=made.id, version=3)
    for call in (
        catalog.stub.UpdateProduct(edit(again), metadata=catalog.bob),
        catalog.stub.DeleteProduct(gone, metadata=catalog.bob),
    ):
        assert (await calls.refused(call)).reason == "PRODUCT_NOT_FOUND"
    for call in (
        catalog.stub.UpdateProduct(edit(again), metadata=catalog.customer),
        catalog.stub.DeleteProduct(gone, metadata=catalog.customer),
    ):
        assert (await calls.refused(call)).reason == "ACCESS_DENIED"
    await catalog.stub.DeleteProduct(gone, metadata=catalog.ann)
    missing = await calls.refused(catalog.stub.GetProduct(catalog_service_pb2.GetProductRequest(id=made.id)))
    assert missing.reason == "PRODUCT_NOT_FOUND"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"images": ["ftp://example.com/a"]}, "images[0]"),
        ({"images": ["https://user:word@example.com/a"]}, "images[0]"),
        ({"images": ["https://"]}, "images[0]"),
        ({"images": ["javascript:alert(1)"]}, "images[0]"),
        ({"images": ["https://example.com/" + "x" * 2000]}, "images[0]"),
        ({"images": ["https://example.com/a"] * 2}, "images"),
        ({"images": [f"https://example.com/{number}" for number in range(21)]}, "images"),
        ({"attributes": {f"a{number}": "x" for number in range(51)}}, "attributes"),
        ({"attributes": {"Not A Name": "x"}}, "attributes[Not A Name]"),
        ({"attributes": {"a": "x" * 201}}, "attributes[a]"),
    ],
)
async def test_images_and_attributes_keep_to_their_limits(catalog: Served, changes: dict[str, Any], field: str) -> None:
    refused = await calls.refused(catalog.stub.CreateProduct(catalog.product(**changes), metadata=catalog.ann))
    assert refused.reason == "REQUEST_INVALID"
    assert {violation.field for violation in refused.violations} == {field}


async def test_only_the_shop_decides_what_is_in_its_window(catalog: Served) -> None:
    made = await catalog.stub.CreateProduct(catalog.product(), metadata=catalog.ann)
    request = catalog_service_pb2.SetProductFeaturedRequest(id=made.id, featured=True)
    refused = await calls.refused(catalog.stub.SetProductFeatured(request, metadata=catalog.ann))
    assert refused.reason == "ACCESS_DENIED"
    shown = await catalog.stub.SetProductFeatured(request, metadata=catalog.admin)
    assert (shown.featured, shown.version) == (True, 2)
    window = await catalog.stub.ListFeaturedProducts(catalog_service_pb2.ListFeaturedProductsRequest())
    assert shown in window.products


async def test_products_are_found_by_filters_and_by_ids(catalog: Served) -> None:
    cheap = await catalog.stub.CreateProduct(catalog.product(variants=[variant(units=1)]), metadata=catalog.ann)
    dear = await catalog.stub.CreateProduct(
        catalog.product(title="Coffee", variants=[variant(units=90)]), metadata=catalog.bob
    )
    request = catalog_service_pb2.ListProductsRequest
    for wanted, expected in (
        (request(category=catalog.category, min_price=Money(currency_code="EUR", units=50)), [dear]),
        (request(category=catalog.category, max_price=Money(currency_code="EUR", units=50)), [cheap]),
        (request(category=catalog.category, vendor_id=BOB.upper()), [dear]),
        (request(category=catalog.category, title_prefix="cof"), [dear]),
    ):
        assert list((await catalog.stub.ListProducts(wanted)).products) == expected
    ids = catalog_service_pb2.BatchGetProductsRequest(ids=[dear.id, NOBODYS, cheap.id.upper(), dear.id])
    assert list((await catalog.stub.BatchGetProducts(ids)).products) == [dear, cheap]


async def test_filters_that_mean_nothing_are_refused(catalog: Served) -> None:
    request = catalog_service_pb2.ListProductsRequest
    euro, dollar = Money(currency_code="EUR", units=5), Money(currency_code="USD", units=9)
    for wanted, reason, field in (
        (request(min_price=euro, max_price=dollar), "PRICE_RANGE_INVALID", ["max_price"]),
        (request(min_price=Money(currency_code="?", units=5)), "MONEY_INVALID", ["min_price"]),
        (request(category="nothing-here"), "CATEGORY_NOT_FOUND", []),
        (request(vendor_id="nobody"), "REQUEST_INVALID", ["vendor_id"]),
    ):
        refused = await calls.refused(catalog.stub.ListProducts(wanted))
        assert (refused.reason, [violation.field for violation in refused.violations]) == (reason, field)


async def test_categories_make_a_tree(catalog: Served) -> None:
    below = catalog_service_pb2.PutCategoryRequest(slug=f"{catalog.category}-hot", title="Hot", parent=catalog.category)
    assert (await catalog.stub.PutCategory(below, metadata=catalog.admin)).parent == catalog.category
    circle = catalog_service_pb2.PutCategoryRequest(slug=catalog.category, title="Drinks", parent=below.slug)
    refused = await calls.refused(catalog.stub.PutCategory(circle, metadata=catalog.admin))
    assert (refused.kind, refused.reason) == (errors.Kind.FAILED_PRECONDITION, "CATEGORY_CYCLE")


async def _tag(call: Any) -> str:
    """The tag of an answer, which anybody may keep."""
    headers = {str(key): str(value) for key, value in await call.initial_metadata()}
    await call
    assert headers["cache-control"].startswith("public")
    return headers["etag"]


async def test_an_answer_has_a_tag_that_changes_when_its_content_does(catalog: Served) -> None:
    made = await catalog.stub.CreateProduct(catalog.product(), metadata=catalog.ann)

    async def tags() -> list[str]:
        messages, stub = catalog_service_pb2, catalog.stub
        return [
            await _tag(stub.GetProduct(messages.GetProductRequest(id=made.id))),
            await _tag(stub.ListProducts(messages.ListProductsRequest(category=catalog.category))),
            await _tag(stub.BatchGetProducts(messages.BatchGetProductsRequest(ids=[made.id]))),
            await _tag(stub.ListFeaturedProducts(messages.ListFeaturedProductsRequest())),
        ]

    before = await tags()
    assert before[0] == 'W/"1"'
    assert (await tags())[:3] == before[:3]
    request = catalog_service_pb2.SetProductFeaturedRequest(id=made.id, featured=True)
    await catalog.stub.SetProductFeatured(request, metadata=catalog.admin)
    after = await tags()
    assert after[0] == 'W/"2"'
    assert all(one != other for one, other in zip(before, after, strict=True))

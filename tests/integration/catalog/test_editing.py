"""Products are changed and found, and categories made, over the catalog's real gRPC server."""

from typing import Any

import pytest
from google.type.money_pb2 import Money

from services.catalog import usecases
from services.chassis import cache, clock, database, errors
from souk.catalog.v1 import catalog_service_pb2, product_pb2
from tests.integration.catalog.conftest import Shelves
from tests.integration.catalog.served import ANN, BOB, NOBODYS, Served, variant
from tests.support import calls, polling


@pytest.fixture
def catalog(served: Served) -> Served:
    """The catalog of these tests is the one that is called."""
    return served


@pytest.fixture
def catalog_in_process(db: database.Database, shared: cache.Shared) -> usecases.Catalog:
    """Another process of the catalog."""
    return usecases.Catalog(db, Shelves(), usecases.caches(shared, shared_s=30), now=clock.utc_now)


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
    assert (stale.code, stale.reason) == (errors.Code.ABORTED, "VERSION_CHANGED")
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


async def test_how_a_unit_is_packed_is_kept_told_with_offers_and_forgotten_when_it_is_left_out(catalog: Served) -> None:
    one, other = variant(), variant()
    one.package.CopyFrom(product_pb2.Package(grams=250, length_mm=100, width_mm=80))
    made = await catalog.stub.CreateProduct(catalog.product(variants=[one, other]), metadata=catalog.ann)
    for _ in range(2):  # from the database, then from the cache
        shown = await catalog.stub.GetProduct(catalog_service_pb2.GetProductRequest(id=made.id))
        assert [item.package for item in shown.variants] == [one.package, product_pb2.Package()]
        request = catalog_service_pb2.BatchGetOffersRequest(skus=[one.sku, other.sku])
        answer = await catalog.stub.BatchGetOffers(request, metadata=catalog.shop.as_service("shipping"))
        assert {offer.sku: offer.package for offer in answer.offers if offer.HasField("package")} == {
            one.sku: one.package
        }
    one.ClearField("package")
    changed = await catalog.stub.UpdateProduct(edit(made, variants=[one, other]), metadata=catalog.ann)
    assert not changed.variants[0].HasField("package")


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


@pytest.mark.parametrize("wrong", ["Food", "1food", "f" * 41, "food "])
async def test_a_tax_class_is_a_word_of_the_tax_rates(catalog: Served, wrong: str) -> None:
    refused = await calls.refused(catalog.stub.CreateProduct(catalog.product(tax_class=wrong), metadata=catalog.ann))
    assert {violation.field for violation in refused.violations} == {"tax_class"}


async def test_a_changed_tax_class_is_told_and_kept(catalog: Served) -> None:
    made = await catalog.stub.CreateProduct(catalog.product(tax_class="food"), metadata=catalog.ann)
    assert made.tax_class == "food"
    change = catalog_service_pb2.UpdateProductRequest(
        id=made.id, version=1, title=made.title, category=made.category, variants=made.variants, tax_class="books"
    )
    changed = await catalog.stub.UpdateProduct(change, metadata=catalog.ann)
    assert changed.tax_class == "books"
    assert (await catalog.stub.GetProduct(catalog_service_pb2.GetProductRequest(id=made.id))).tax_class == "books"


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
    assert (refused.code, refused.reason) == (errors.Code.FAILED_PRECONDITION, "CATEGORY_CYCLE")


POPULAR = database.Statement("UPDATE products SET popularity = 9 WHERE id = %(id)s RETURNING version")


async def test_a_product_that_got_popular_has_another_tag_and_the_same_version(
    served: Served, catalog_in_process: usecases.Catalog, db: database.Database
) -> None:
    made = await served.stub.CreateProduct(served.product(), metadata=served.ann)

    async def tag() -> str:
        return await _tag(served.stub.GetProduct(catalog_service_pb2.GetProductRequest(id=made.id)))

    before = await tag()
    assert await db.read(POPULAR, {"id": made.id}) == [(1,)]
    # As the event of it does.
    await catalog_in_process.forget_changed([made.id])

    async def is_another() -> bool:
        return await tag() != before

    await polling.eventually(is_another)
    # Whoever has read it changes it by its version, as before.
    changed = await served.stub.UpdateProduct(edit(made, title="Coffee"), metadata=served.ann)
    assert (changed.version, changed.popularity) == (2, 9)


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
    assert (await tags())[:3] == before[:3]
    request = catalog_service_pb2.SetProductFeaturedRequest(id=made.id, featured=True)
    await catalog.stub.SetProductFeatured(request, metadata=catalog.admin)
    after = await tags()
    assert all(one != other for one, other in zip(before, after, strict=True))

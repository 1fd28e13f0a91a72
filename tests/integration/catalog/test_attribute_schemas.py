"""What products of a category must say, over the catalog's real gRPC server: changed without a migration, and by versions."""

import asyncio
import json
import uuid
from typing import Any

import pytest
import pytest_asyncio

from services.chassis import database, errors
from souk.catalog.v1 import attribute_schema_pb2, catalog_service_pb2, product_pb2
from tests.integration.catalog.served import Served
from tests.support import calls

LAPTOP = {"properties": {"ram_gb": {"type": "integer", "minimum": 4}}, "required": ["ram_gb"]}
KEPT = database.Statement("""
SELECT version, json_schema->'title' #>> '{}', actor FROM category_schemas WHERE category = %(category)s ORDER BY version
""")


@pytest.fixture
def catalog(served: Served) -> Served:
    """The catalog of these tests is the one that is called."""
    return served


@pytest_asyncio.fixture
async def below(catalog: Served) -> str:
    """A category below the test's own."""
    slug = f"b-{uuid.uuid4()}"
    put = catalog_service_pb2.PutCategoryRequest(slug=slug, title="Laptops", parent=catalog.category)
    await catalog.stub.PutCategory(put, metadata=catalog.admin)
    return slug


def wish(category: str, document: Any, version: int = 0) -> attribute_schema_pb2.SetCategorySchemaRequest:
    return attribute_schema_pb2.SetCategorySchemaRequest(
        category=category, json_schema=json.dumps(document), version=version
    )


async def put(catalog: Served, document: Any, version: int = 0, category: str = "") -> Any:
    request = wish(category or catalog.category, document, version)
    return await catalog.stub.SetCategorySchema(request, metadata=catalog.admin)


async def seen(catalog: Served, category: str) -> list[attribute_schema_pb2.CategorySchema]:
    request = attribute_schema_pb2.GetCategorySchemaRequest(category=category)
    return list((await catalog.stub.GetCategorySchema(request)).schemas)


def edit(made: product_pb2.Product, **changes: Any) -> catalog_service_pb2.UpdateProductRequest:
    kept = {name: getattr(made, name) for name in ("id", "version", "title", "category", "variants", "attributes")}
    return catalog_service_pb2.UpdateProductRequest(**kept | changes)


async def test_a_product_must_say_what_its_category_asks_for(catalog: Served) -> None:
    await put(catalog, LAPTOP)
    call = catalog.stub.CreateProduct(catalog.product(attributes={"ram_gb": "few"}), metadata=catalog.ann)
    refused = await calls.refused(call)
    assert (refused.code, refused.reason) == (errors.Code.INVALID_ARGUMENT, "ATTRIBUTES_INVALID")
    [violation] = refused.violations
    assert (violation.field, violation.reason) == ("attributes[ram_gb]", "ATTRIBUTE_TYPE_WRONG")
    made = await catalog.stub.CreateProduct(catalog.product(attributes={"ram_gb": "16"}), metadata=catalog.ann)
    refused = await calls.refused(catalog.stub.UpdateProduct(edit(made, attributes={}), metadata=catalog.ann))
    assert [item.reason for item in refused.violations] == ["ATTRIBUTE_REQUIRED"]
    changed = await catalog.stub.UpdateProduct(edit(made, attributes={"ram_gb": "32"}), metadata=catalog.ann)
    assert changed.version == 2


async def test_a_product_of_before_stays_readable_and_its_next_update_must_comply(catalog: Served) -> None:
    made = await catalog.stub.CreateProduct(catalog.product(attributes={"ram_gb": "two"}), metadata=catalog.ann)
    await put(catalog, LAPTOP)
    request = catalog_service_pb2.GetProductRequest(id=made.id)
    assert dict((await catalog.stub.GetProduct(request)).attributes) == {"ram_gb": "two"}
    page = await catalog.stub.ListProducts(catalog_service_pb2.ListProductsRequest(category=catalog.category))
    assert [product.id for product in page.products] == [made.id]
    refused = await calls.refused(catalog.stub.UpdateProduct(edit(made, title="New"), metadata=catalog.ann))
    assert refused.reason == "ATTRIBUTES_INVALID"
    featured = catalog_service_pb2.SetProductFeaturedRequest(id=made.id, featured=True)
    assert (await catalog.stub.SetProductFeatured(featured, metadata=catalog.admin)).version == 2


async def test_a_category_asks_for_what_those_above_it_ask_for_too(catalog: Served, below: str) -> None:
    above = await put(catalog, {"required": ["voltage"]})
    own = await put(catalog, LAPTOP, category=below)
    assert await seen(catalog, below) == [above, own]
    assert await seen(catalog, catalog.category) == [above]
    half = catalog.product(category=below, attributes={"ram_gb": "8"})
    refused = await calls.refused(catalog.stub.CreateProduct(half, metadata=catalog.ann))
    assert [item.field for item in refused.violations] == ["attributes[voltage]"]
    whole = catalog.product(category=below, attributes={"ram_gb": "8", "voltage": "230"})
    assert (await catalog.stub.CreateProduct(whole, metadata=catalog.ann)).category == below


async def test_every_version_is_kept_and_a_late_one_is_refused(catalog: Served, db: database.Database) -> None:
    first = await put(catalog, {"title": "first"})
    assert (first.version, await put(catalog, {"title": "first"})) == (1, first)
    await put(catalog, {"title": "second"}, version=1)
    late = catalog.stub.SetCategorySchema(wish(catalog.category, {"title": "late"}, 1), metadata=catalog.admin)
    refused = await calls.refused(late)
    assert (refused.code, refused.reason) == (errors.Code.ABORTED, "VERSION_CHANGED")
    assert refused.metadata["version"] == "2"
    kept = await db.read(KEPT, {"category": catalog.category})
    assert [(version, title) for version, title, _ in kept] == [(1, "first"), (2, "second")]
    assert all(actor for _, _, actor in kept)


async def test_of_schemas_that_are_set_at_the_same_moment_one_wins(catalog: Served) -> None:
    wishes = [wish(catalog.category, {"title": str(number)}) for number in range(8)]
    waiting = [catalog.stub.SetCategorySchema(each, metadata=catalog.admin) for each in wishes]
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert len([made for made in outcomes if isinstance(made, attribute_schema_pb2.CategorySchema)]) == 1
    assert [schema.version for schema in await seen(catalog, catalog.category)] == [1]


async def test_only_the_shop_sets_a_schema_and_what_is_none_is_refused(catalog: Served) -> None:
    request = wish(catalog.category, {})
    refused = await calls.refused(catalog.stub.SetCategorySchema(request, metadata=catalog.ann))
    assert refused.reason == "ACCESS_DENIED"
    evil = wish(catalog.category, {"$ref": "https://example.com/schema.json"})
    refused = await calls.refused(catalog.stub.SetCategorySchema(evil, metadata=catalog.admin))
    assert (refused.reason, refused.violations[0].field) == ("ATTRIBUTE_SCHEMA_INVALID", "json_schema")
    nowhere = wish("no-such-category", {})
    refused = await calls.refused(catalog.stub.SetCategorySchema(nowhere, metadata=catalog.admin))
    assert (refused.code, refused.reason) == (errors.Code.NOT_FOUND, "CATEGORY_NOT_FOUND")
    unknown = attribute_schema_pb2.GetCategorySchemaRequest(category="no-such-category")
    assert (await calls.refused(catalog.stub.GetCategorySchema(unknown))).reason == "CATEGORY_NOT_FOUND"
    assert await seen(catalog, catalog.category) == []

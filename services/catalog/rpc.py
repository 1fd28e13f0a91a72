"""The catalog's calls: parse, call the use case, render. Next stop: `usecases/`."""

import asyncio
import dataclasses
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from services.catalog import domain, messages, usecases
from services.catalog.domain import attribute_schemas, images
from services.catalog.messages import bulk
from services.catalog.usecases import attribute_schemas as attribute_schema_usecases
from services.catalog.usecases import bulk as bulk_usecases
from services.catalog.usecases import images as image_usecases
from services.chassis import idempotency, ids
from services.chassis.rpc import cacheable, identity, page_tokens, server
from souk.catalog.v1 import (
    attribute_schema_pb2,
    bulk_pb2,
    catalog_service_pb2,
    catalog_service_pb2_grpc,
    image_pb2,
    product_pb2,
)

DESCRIPTOR = catalog_service_pb2.DESCRIPTOR.services_by_name["CatalogService"]
# Who changed something sees it at once; who shares a cache with others a few seconds later.
CACHE_CONTROL = "public, max-age=0, s-maxage=5, must-revalidate"
# A page for services that read everything: so many products, and about so many bytes, which every client accepts.
MOST_READ = 500
MOST_READ_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class UseCases:
    """What the calls are about: products, what they must say of themselves, their images, and files of products."""

    catalog: usecases.Catalog
    schemas: attribute_schema_usecases.AttributeSchemas
    images: image_usecases.Images
    bulk: bulk_usecases.Bulk


class CatalogServicer(catalog_service_pb2_grpc.CatalogServiceServicer):
    """`souk.catalog.v1.CatalogService`; what each method promises stands in the contract."""

    def __init__(self, use: UseCases, tokens: page_tokens.PageTokens) -> None:
        self._catalog = use.catalog
        self._schemas = use.schemas
        self._images = use.images
        self._bulk = use.bulk
        self._tokens = tokens

    async def CreateProduct(self, request: catalog_service_pb2.CreateProductRequest, _: Any) -> product_pb2.Product:
        return messages.of_product(await self._catalog.create(_draft(request)))

    async def UpdateProduct(self, request: catalog_service_pb2.UpdateProductRequest, _: Any) -> product_pb2.Product:
        edit = domain.Edit(request.id.lower(), request.version, _content(request), identity.caller().owner_id)
        return messages.of_product(await self._catalog.update(edit))

    async def DeleteProduct(
        self, request: catalog_service_pb2.DeleteProductRequest, _: Any
    ) -> catalog_service_pb2.DeleteProductResponse:
        await self._catalog.delete(domain.Deletion(request.id.lower(), request.version, identity.caller().owner_id))
        return catalog_service_pb2.DeleteProductResponse()

    async def SetProductFeatured(
        self, request: catalog_service_pb2.SetProductFeaturedRequest, _: Any
    ) -> product_pb2.Product:
        return messages.of_product(await self._catalog.set_featured(request.id.lower(), featured=request.featured))

    async def GetProduct(self, request: catalog_service_pb2.GetProductRequest, context: Any) -> product_pb2.Product:
        answer = messages.of_product(await self._catalog.get(request.id.lower()))
        # Not of its version: what is popular, and what a reduced price is compared with, changes without one.
        await _cacheable(context, _content_tag(answer))
        return answer

    async def BatchGetProducts(
        self, request: catalog_service_pb2.BatchGetProductsRequest, context: Any
    ) -> catalog_service_pb2.BatchGetProductsResponse:
        ids_asked = [product_id.lower() for product_id in request.ids]
        found = await self._catalog.get_many(ids_asked, deleted_too=request.include_deleted)
        answer = catalog_service_pb2.BatchGetProductsResponse(
            products=[messages.of_product(product) for product in found]
        )
        await _cacheable(context, _content_tag(answer))
        return answer

    async def ListProducts(
        self, request: catalog_service_pb2.ListProductsRequest, context: Any
    ) -> catalog_service_pb2.ListProductsResponse:
        page = await self._tokens.page(request, page_tokens.ANYBODY, key=ids.check)
        found = await self._catalog.list(messages.product_filter(request), page)
        shown = [messages.of_product(product) for product in found.rows]
        token = await self._tokens.token(request, page_tokens.ANYBODY, found.next_after)
        answer = catalog_service_pb2.ListProductsResponse(products=shown, next_page_token=token)
        await _cacheable(context, _content_tag(answer))
        return answer

    async def ListFeaturedProducts(
        self, request: catalog_service_pb2.ListFeaturedProductsRequest, context: Any
    ) -> catalog_service_pb2.ListFeaturedProductsResponse:
        page = await self._tokens.page(request, page_tokens.ANYBODY, key=ids.check)
        found = await self._catalog.list(domain.Filter(featured=True), page)
        shown = [messages.of_product(product) for product in found.rows]
        token = await self._tokens.token(request, page_tokens.ANYBODY, found.next_after)
        answer = catalog_service_pb2.ListFeaturedProductsResponse(products=shown, next_page_token=token)
        await _cacheable(context, _content_tag(answer))
        return answer

    async def ListCategories(
        self,
        request: catalog_service_pb2.ListCategoriesRequest,  # noqa: ARG002 - it says nothing
        context: Any,
    ) -> catalog_service_pb2.ListCategoriesResponse:
        known = [messages.of_category(category) for category in await self._catalog.categories()]
        answer = catalog_service_pb2.ListCategoriesResponse(categories=known)
        await _cacheable(context, _content_tag(answer))
        return answer

    async def PutCategory(self, request: catalog_service_pb2.PutCategoryRequest, _: Any) -> product_pb2.Category:
        return messages.of_category(await self._catalog.put_category(messages.category(request)))

    async def GetCategorySchema(
        self, request: attribute_schema_pb2.GetCategorySchemaRequest, context: Any
    ) -> attribute_schema_pb2.GetCategorySchemaResponse:
        shown = [messages.of_schema(schema) for schema in await self._schemas.in_force(request.category)]
        answer = attribute_schema_pb2.GetCategorySchemaResponse(schemas=shown)
        await _cacheable(context, _content_tag(answer))
        return answer

    async def SetCategorySchema(
        self, request: attribute_schema_pb2.SetCategorySchemaRequest, _: Any
    ) -> attribute_schema_pb2.CategorySchema:
        actor = identity.caller().user_id
        wanted = attribute_schemas.Wanted(request.category, request.json_schema, request.version, actor)
        return messages.of_schema(await self._schemas.set(wanted))

    async def CreateImageUpload(self, request: image_pb2.CreateImageUploadRequest, _: Any) -> image_pb2.ImageUpload:
        who = identity.caller()
        fingerprint = idempotency.fingerprint(request) if request.request_id else b""
        wish = images.Wish(
            product_id=request.id.lower(),
            content_type=request.content_type,
            owner_id=who.owner_id,
            actor=who.user_id,
            request_id=request.request_id,
            fingerprint=fingerprint,
        )
        return messages.of_form(await self._images.begin(wish))

    async def PutProductImage(self, request: image_pb2.PutProductImageRequest, _: Any) -> product_pb2.Product:
        wanted = images.Placement(
            product_id=request.id.lower(),
            image_id=request.image_id.lower(),
            alt_text=request.alt_text,
            position=request.position,
            owner_id=identity.caller().owner_id,
        )
        return messages.of_product(await self._images.put(wanted))

    async def DeleteProductImage(self, request: image_pb2.DeleteProductImageRequest, _: Any) -> product_pb2.Product:
        product_id, image_id = request.id.lower(), request.image_id.lower()
        return messages.of_product(await self._images.delete(product_id, image_id, identity.caller().owner_id))

    async def ListProductPrices(
        self, request: catalog_service_pb2.ListProductPricesRequest, context: Any
    ) -> catalog_service_pb2.ListProductPricesResponse:
        page = await self._tokens.page(request, page_tokens.ANYBODY, key=int)
        found = await self._catalog.prices(request.id.lower(), request.sku, page)
        shown = [messages.of_period(period) for period in found.rows]
        token = await self._tokens.token(request, page_tokens.ANYBODY, found.next_after)
        answer = catalog_service_pb2.ListProductPricesResponse(prices=shown, next_page_token=token)
        await _cacheable(context, _content_tag(answer))
        return answer

    async def ImportProducts(
        self, request_iterator: AsyncIterator[bulk_pb2.ImportProductsRequest], _: Any
    ) -> AsyncIterator[bulk_pb2.ImportProductsResponse]:
        async with self._bulk.turn(identity.caller().user_id):
            report = await self._bulk.import_file(await _file(request_iterator))
        for message in bulk.of_report(report):
            yield message

    async def ExportProducts(
        self, request: bulk_pb2.ExportProductsRequest, context: Any
    ) -> AsyncIterator[bulk_pb2.ExportProductsResponse]:
        after = request.after_product_id.lower()
        wanted = bulk_usecases.Exported(identity.caller().owner_id, request.vendor_id.lower(), after)
        await context.send_initial_metadata((("x-products", str(await self._bulk.count(wanted))),))
        written = bulk.export_format(request)
        if not after:
            yield bulk.header(written)
        async for products in self._bulk.export(wanted):
            for piece in bulk.exported(products, written):
                yield piece

    async def SetProductStock(
        self, request: catalog_service_pb2.SetProductStockRequest, _: Any
    ) -> catalog_service_pb2.SetProductStockResponse:
        actor = f"user:{identity.caller().user_id}"
        counted = domain.Counted(request.id.lower(), request.sku, request.warehouse, request.on_hand, actor)
        level = await self._catalog.set_stock(counted, owner_id=identity.caller().owner_id)
        return catalog_service_pb2.SetProductStockResponse(
            sku=level.sku,
            warehouse=level.warehouse,
            on_hand=level.on_hand,
            reserved=level.reserved,
            available=level.available,
        )

    async def BatchGetOffers(
        self, request: catalog_service_pb2.BatchGetOffersRequest, _: Any
    ) -> catalog_service_pb2.BatchGetOffersResponse:
        offers = await self._catalog.offers(request.skus)
        return catalog_service_pb2.BatchGetOffersResponse(offers=[messages.of_offer(offer) for offer in offers])

    async def ReadProducts(
        self, request: catalog_service_pb2.ReadProductsRequest, _: Any
    ) -> catalog_service_pb2.ReadProductsResponse:
        most = min(request.page_size or MOST_READ, MOST_READ)
        answer = catalog_service_pb2.ReadProductsResponse()
        room = MOST_READ_BYTES
        for product in await self._catalog.read_after(request.after_id.lower(), most):
            message = messages.of_product(product)
            room -= message.ByteSize()
            if room < 0 and answer.products:
                break
            answer.products.append(message)
        return answer


def servicer(use: UseCases, tokens: page_tokens.PageTokens) -> server.Servicer:
    """The servicer, ready to be served."""
    add = catalog_service_pb2_grpc.add_CatalogServiceServicer_to_server
    return server.Servicer(DESCRIPTOR, add, CatalogServicer(use, tokens))


async def _cacheable(context: Any, tag: str) -> None:
    """Headers of an answer that anybody may keep: a browser asks whether it is still the same, a cache on the way seldom."""
    await cacheable.announce(context, tag, CACHE_CONTROL)


def _content_tag(answer: Message) -> str:
    return cacheable.tag_of(answer.SerializeToString(deterministic=True))


async def _file(pieces: AsyncIterator[bulk_pb2.ImportProductsRequest]) -> bulk_usecases.Wanted:
    """A file as it arrives: the chassis bounds how large it is, and how long that takes."""
    first = await anext(pieces)
    data = bytearray(first.file.data)
    async for piece in pieces:
        data += piece.file.data
    written = bulk.file_format(first)
    said = f"{written.value} {first.dry_run} ".encode()
    who = identity.caller()
    return bulk_usecases.Wanted(
        rows=await asyncio.to_thread(bulk.read, bytes(data), written),
        owner_id=who.owner_id,
        actor=who.user_id,
        request_id=first.request_id,
        fingerprint=hashlib.sha256(said + data).digest(),
        dry_run=first.dry_run,
    )


def _draft(request: catalog_service_pb2.CreateProductRequest) -> domain.Draft:
    return dataclasses.replace(
        _content(request),
        request_id=request.request_id,
        fingerprint=idempotency.fingerprint(request) if request.request_id else b"",
    )


def _content(
    request: catalog_service_pb2.CreateProductRequest | catalog_service_pb2.UpdateProductRequest,
) -> domain.Draft:
    return domain.Draft(
        title=domain.composed(request.title),
        description=request.description,
        category=request.category,
        vendor_id=identity.caller().owner_id or "",
        variants=tuple(messages.asked(variant) for variant in request.variants),
        actor=identity.caller().user_id,
        attributes=dict(request.attributes),
        images=tuple(request.images),
        tax_class=request.tax_class,
    )

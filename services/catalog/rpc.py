"""The catalog's calls: parse, call the use case, render. Next stop: `usecases.py`."""

from typing import Any

from services.catalog import domain, usecases
from services.chassis import idempotency, ids, pages
from services.chassis.rpc import identity, render, server
from souk.catalog.v1 import catalog_service_pb2, catalog_service_pb2_grpc, product_pb2

DESCRIPTOR = catalog_service_pb2.DESCRIPTOR.services_by_name["CatalogService"]


class CatalogServicer(catalog_service_pb2_grpc.CatalogServiceServicer):
    """`souk.catalog.v1.CatalogService`; what each method promises stands in the contract."""

    def __init__(self, catalog: usecases.Catalog) -> None:
        self._catalog = catalog

    async def CreateProduct(self, request: catalog_service_pb2.CreateProductRequest, _: Any) -> product_pb2.Product:
        return product_message(await self._catalog.create(_draft(request)))

    async def GetProduct(self, request: catalog_service_pb2.GetProductRequest, _: Any) -> product_pb2.Product:
        return product_message(await self._catalog.get(request.id.lower()))

    async def ListProducts(
        self, request: catalog_service_pb2.ListProductsRequest, _: Any
    ) -> catalog_service_pb2.ListProductsResponse:
        page = pages.parse(request.page_size, request.page_token, key=ids.check)
        found = await self._catalog.list(request.category, page)
        shown = [product_message(product) for product in found.rows]
        return catalog_service_pb2.ListProductsResponse(products=shown, next_page_token=found.next_token)

    async def ListCategories(
        self,
        request: catalog_service_pb2.ListCategoriesRequest,  # noqa: ARG002 - it says nothing
        _: Any,
    ) -> catalog_service_pb2.ListCategoriesResponse:
        known = [_category_message(category) for category in await self._catalog.categories()]
        return catalog_service_pb2.ListCategoriesResponse(categories=known)

    async def PutCategory(self, request: catalog_service_pb2.PutCategoryRequest, _: Any) -> product_pb2.Category:
        return _category_message(await self._catalog.put_category(domain.Category(request.slug, request.title)))

    async def SetProductStock(
        self, request: catalog_service_pb2.SetProductStockRequest, _: Any
    ) -> catalog_service_pb2.SetProductStockResponse:
        who = identity.caller()
        actor = f"user:{who.user_id}"
        counted = domain.Counted(request.id.lower(), request.sku, request.warehouse, request.on_hand, actor)
        level = await self._catalog.set_stock(counted, owner_id=None if who.is_admin else who.user_id)
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
        return catalog_service_pb2.BatchGetOffersResponse(offers=[_offer_message(offer) for offer in offers])


def servicer(catalog: usecases.Catalog) -> server.Servicer:
    """The servicer, ready to be served."""
    add = catalog_service_pb2_grpc.add_CatalogServiceServicer_to_server
    return server.Servicer(DESCRIPTOR, add, CatalogServicer(catalog))


def _draft(request: catalog_service_pb2.CreateProductRequest) -> domain.Draft:
    who = identity.caller()
    return domain.Draft(
        title=request.title,
        description=request.description,
        category=request.category,
        vendor_id="" if who.is_admin else who.user_id,
        variants=tuple(_asked(variant) for variant in request.variants),
        actor=who.user_id,
        request_id=request.request_id,
        fingerprint=idempotency.fingerprint(request) if request.request_id else b"",
    )


def _asked(variant: product_pb2.Variant) -> domain.Asked:
    price = variant.price
    return domain.Asked(variant.sku, variant.title, price.currency_code, price.units, price.nanos)


def product_message(product: domain.Product) -> product_pb2.Product:
    """A product as the contract shows it."""
    return product_pb2.Product(
        id=product.id,
        title=product.title,
        description=product.description,
        category=product.category,
        vendor_id=product.vendor_id,
        variants=[_variant_message(variant) for variant in product.variants],
        create_time=render.timestamp(product.create_time),
        update_time=render.timestamp(product.update_time),
        version=product.version,
    )


def _variant_message(variant: domain.Variant) -> product_pb2.Variant:
    return product_pb2.Variant(sku=variant.sku, title=variant.title, price=render.money_message(variant.price))


def _offer_message(offer: domain.Offer) -> product_pb2.Offer:
    price = render.money_message(offer.price)
    return product_pb2.Offer(sku=offer.sku, product_id=offer.product_id, title=offer.title, price=price)


def _category_message(category: domain.Category) -> product_pb2.Category:
    return product_pb2.Category(slug=category.slug, title=category.title)

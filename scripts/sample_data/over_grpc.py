"""The shop by gRPC, straight to the services: no rate limit of the edge stands in the way."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self

import grpc
from google.type.money_pb2 import Money

from scripts.sample_data.load import Shelved
from scripts.sample_data.shop import CURRENCY, Category, Product
from services.chassis.rpc import certificates, status
from souk.catalog.v1 import catalog_service_pb2 as messages
from souk.catalog.v1.catalog_service_pb2_grpc import CatalogServiceStub
from souk.catalog.v1.product_pb2 import Variant
from souk.inventory.v1 import inventory_service_pb2 as stock_messages
from souk.inventory.v1.inventory_service_pb2_grpc import InventoryServiceStub

TIMEOUT_S = 20.0
PAGE = 100
CENTS = 100
NANOS_OF_A_CENT = 10_000_000


class GrpcCatalog:
    """The catalog and inventory services, called with an access token."""

    def __init__(self, catalog: grpc.aio.Channel, inventory: grpc.aio.Channel, token: str) -> None:
        self._channels = (catalog, inventory)
        # The stubs are typed for blocking channels.
        self._catalog: Any = CatalogServiceStub(catalog)
        self._inventory: Any = InventoryServiceStub(inventory)
        self._metadata = (("authorization", f"Bearer {token}"),)

    @classmethod
    def connect(cls, catalog: str, inventory: str, token: str, *, tls: str = "") -> Self:
        """The services at these addresses, with the certificate in the folder `tls`; connections open with the first call."""
        return cls(_channel(catalog, "catalog", tls), _channel(inventory, "inventory", tls), token)

    async def close(self) -> None:
        """Close the connections."""
        await asyncio.gather(*(channel.close() for channel in self._channels))

    async def categories(self) -> set[str]:
        """The slugs of all categories."""
        answer = await self._call(self._catalog.ListCategories, messages.ListCategoriesRequest())
        return {category.slug for category in answer.categories}

    async def products(self) -> dict[str, str]:
        """The product's id of every SKU."""
        found: dict[str, str] = {}
        token = ""
        while True:
            request = messages.ListProductsRequest(page_size=PAGE, page_token=token)
            page = await self._call(self._catalog.ListProducts, request)
            found |= {variant.sku: product.id for product in page.products for variant in product.variants}
            token = page.next_page_token
            if not token:
                return found

    async def stocked(self) -> set[tuple[str, str]]:
        """SKU and warehouse of all stock."""
        found: set[tuple[str, str]] = set()
        token = ""
        while True:
            request = stock_messages.ListStockRequest(page_size=PAGE, page_token=token)
            page = await self._call(self._inventory.ListStock, request)
            found |= {(level.sku, level.warehouse) for stock in page.stock for level in stock.levels}
            token = page.next_page_token
            if not token:
                return found

    async def put_category(self, category: Category) -> None:
        """Make the category."""
        request = messages.PutCategoryRequest(slug=category.slug, title=category.title)
        await self._call(self._catalog.PutCategory, request)

    async def create_product(self, product: Product) -> str:
        """Make the product and answer with its id."""
        request = messages.CreateProductRequest(
            title=product.title,
            description=product.description,
            category=product.category,
            variants=[Variant(sku=v.sku, title=v.title, price=_money(v.cents)) for v in product.variants],
            request_id=product.request_id,
        )
        return str((await self._call(self._catalog.CreateProduct, request)).id)

    async def set_stock(self, shelved: Shelved) -> None:
        """Say how many there are."""
        request = messages.SetProductStockRequest(
            id=shelved.product_id, sku=shelved.sku, warehouse=shelved.warehouse, on_hand=shelved.on_hand
        )
        await self._call(self._catalog.SetProductStock, request)

    async def _call(self, method: Callable[..., Awaitable[Any]], request: Any) -> Any:
        try:
            # A service that is just starting is waited for.
            return await method(request, metadata=self._metadata, timeout=TIMEOUT_S, wait_for_ready=True)
        except grpc.aio.AioRpcError as error:
            raise status.parse(error) from error


def _money(cents: int) -> Money:
    return Money(currency_code=CURRENCY, units=cents // CENTS, nanos=cents % CENTS * NANOS_OF_A_CENT)


def _channel(address: str, service: str, tls: str) -> grpc.aio.Channel:
    if not tls:
        return grpc.aio.insecure_channel(address)
    own = certificates.Certificates(Path(tls)).current()
    credentials = grpc.ssl_channel_credentials(own.trusted, own.key, own.certificate)
    return grpc.aio.secure_channel(address, credentials, options=[("grpc.ssl_target_name_override", service)])

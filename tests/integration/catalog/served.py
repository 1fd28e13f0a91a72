"""A catalog over its real gRPC server, and who can call it."""

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from google.type.money_pb2 import Money

from services.catalog import rpc, usecases
from services.catalog.usecases import attribute_schemas as attribute_schema_usecases
from services.catalog.usecases import bulk
from services.catalog.usecases import images as image_usecases
from services.chassis import clock, database
from souk.catalog.v1 import catalog_service_pb2, product_pb2
from tests.support import calls

if TYPE_CHECKING:  # a name of the type stubs alone
    from souk.catalog.v1.catalog_service_pb2_grpc import CatalogServiceAsyncStub

ANN, BOB = "01890000-0000-7000-8000-00000000000a", "01890000-0000-7000-8000-00000000000b"
NOBODYS = "01890000-0000-7000-8000-000000000000"
Metadata = tuple[tuple[str, str], ...]


def use_cases(
    db: database.Database, catalog: usecases.Catalog, bucket: image_usecases.Bucket | None = None
) -> rpc.UseCases:
    """What the calls of a catalog are about; without a bucket no images are taken."""
    schemas = attribute_schema_usecases.AttributeSchemas(db, now=clock.utc_now)
    images = image_usecases.Images(db, catalog, bucket=bucket, now=clock.utc_now)
    return rpc.UseCases(catalog, schemas, images, bulk.Bulk(db, catalog, now=clock.utc_now))


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
    return product_pb2.Variant(sku=sku or f"SKU-{str(uuid.uuid4()).upper()}", title="Large", price=price)

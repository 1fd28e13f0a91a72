"""Whom promotion calls: the catalog, for what products are and cost. Answers are domain values."""

from collections.abc import Iterable, Mapping, Sequence

from cachetools import TTLCache

from services.chassis import errors, ids, money
from services.chassis.rpc import client, render
from services.promotion.domain import quotes
from souk.catalog.v1 import catalog_service_pb2, catalog_service_pb2_grpc, product_pb2

DESCRIPTOR = catalog_service_pb2.DESCRIPTOR.services_by_name["CatalogService"]
# SKUs whose traits are remembered.
REMEMBERED = 20_000
_TREE = "tree"


class Catalog:
    """The catalog. What products are is remembered for age_s seconds, because it hardly changes; prices are always asked for."""

    def __init__(self, peer: client.Peer, *, age_s: float) -> None:
        self._peer = peer
        self._stub = catalog_service_pb2_grpc.CatalogServiceStub(peer.channel)
        self._traits: TTLCache[str, quotes.Traits] = TTLCache(maxsize=REMEMBERED, ttl=age_s)
        self._parents: TTLCache[str, Mapping[str, str]] = TTLCache(maxsize=1, ttl=age_s)

    async def prices(self, skus: Iterable[str]) -> Mapping[str, money.Money]:
        """What one unit of each SKU costs; those that are not for sale are absent. Raises TransientError."""
        return {offer.sku: render.money_value(offer.price) for offer in await self._offers(list(skus))}

    async def traits(self, skus: Iterable[str]) -> Mapping[str, quotes.Traits]:
        """What scopes can ask of these SKUs, as it was at most age_s ago; unknown ones are absent. Raises TransientError."""
        wanted = list(skus)
        found = {sku: known for sku in wanted if (known := self._traits.get(sku))}
        unknown = [sku for sku in wanted if sku not in found]
        if unknown:
            fresh = await self._ask(unknown)
            self._traits.update(fresh)
            found |= fresh
        return found

    async def product_of(self, sku: str) -> str:
        """The id of the product that has this SKU. Raises SKU_UNKNOWN or TransientError."""
        for offer in await self._offers([sku]):
            return ids.canonical(offer.product_id)
        raise errors.precondition("SKU_UNKNOWN", "the SKU is not for sale", sku=sku)

    async def regular_prices(self, product_id: str) -> Mapping[str, money.Money]:
        """What each SKU of a product costs without promotions. Raises PRODUCT_NOT_FOUND or TransientError."""
        request = catalog_service_pb2.GetProductRequest(id=product_id)
        product = await self._peer.call(self._stub.GetProduct, request)
        return {
            variant.sku: render.money_value(
                variant.regular_price if variant.HasField("regular_price") else variant.price
            )
            for variant in product.variants
        }

    async def _ask(self, skus: list[str]) -> dict[str, quotes.Traits]:
        offers = await self._offers(skus)
        parents = await self._tree({offer.category for offer in offers if offer.category})
        return {
            offer.sku: quotes.Traits(offer.product_id, _above(offer.category, parents), offer.vendor_id)
            for offer in offers
        }

    async def _offers(self, skus: Sequence[str]) -> list[product_pb2.Offer]:
        request = catalog_service_pb2.BatchGetOffersRequest(skus=skus)
        answer = await self._peer.call(self._stub.BatchGetOffers, request)
        return list(answer.offers)

    async def _tree(self, categories: Iterable[str]) -> Mapping[str, str]:
        """The parent of each category. One that is newer than what is remembered is asked for."""
        known = self._parents.get(_TREE)
        if known is None or not known.keys() >= set(categories):
            answer = await self._peer.call(self._stub.ListCategories, catalog_service_pb2.ListCategoriesRequest())
            known = self._parents[_TREE] = {category.slug: category.parent for category in answer.categories}
        return known


def _above(slug: str, parents: Mapping[str, str]) -> frozenset[str]:
    """A category and all above it."""
    found: set[str] = set()
    while slug and slug not in found:
        found.add(slug)
        slug = parents.get(slug, "")
    return frozenset(found)

"""What can be done with products.

A product, its variants, the claim of its request and the event that tells of it are one transaction. If the process dies
before the commit nothing happened and the caller repeats with the same request id; if it dies after it, the repetition
finds the product and the relay of whoever starts next publishes the event.

Reads come from caches, at most `cache.Kind.local_s` old in a process that did not write; lists come from the database.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.catalog import domain, store
from services.chassis import cache, clock, database, errors, idempotency, ids, pages

SERVICE = "catalog"
# All categories are one value.
_ALL = "all"


class Stock(Protocol):
    """Where stock is kept."""

    async def set(self, counted: domain.Counted) -> domain.StockLevel:
        """Say how many lie in a warehouse. Raises WAREHOUSE_UNKNOWN, STOCK_BELOW_RESERVED or TransientError."""


@dataclass(frozen=True, slots=True)
class Caches:
    """What is remembered of the database: products by id, offers by SKU, and the list of categories."""

    products: cache.Cache[domain.Product]
    offers: cache.Cache[domain.Offer]
    categories: cache.Cache[tuple[domain.Category, ...]]


def caches(shared: cache.Shared, *, shared_s: int) -> Caches:
    """The catalog's caches in this Redis; values stay in it for so many seconds."""
    return Caches(
        cache.Cache(shared, cache.Kind("catalog:product", store.pack_product, store.unpack_product, shared_s)),
        cache.Cache(shared, cache.Kind("catalog:offer", store.pack_offer, store.unpack_offer, shared_s)),
        cache.Cache(shared, cache.Kind("catalog:categories", store.pack_categories, store.unpack_categories, shared_s)),
    )


class Catalog:
    """The use cases of products and categories."""

    def __init__(self, db: database.Database, stock: Stock, remembered: Caches, *, now: clock.Clock) -> None:
        self._db = db
        self._stock = stock
        self._caches = remembered
        self._now = now

    async def create(self, draft: domain.Draft) -> domain.Product:
        """Make a product; a repeated request finds what its first made.

        Raises SKU_TAKEN, CATEGORY_UNKNOWN, MONEY_INVALID, REQUEST_INVALID or REQUEST_ID_REUSED.
        """
        product = self._new(draft)
        async with self._db.transaction() as transaction:
            made = await _claim(transaction, draft, product.id)
            if made == product.id:
                await _insert(transaction, draft, product)
                transaction.emit([domain.ProductChanged(product)])
        return product if made == product.id else await self.get(made)

    async def get(self, product_id: str) -> domain.Product:
        """A product. Raises PRODUCT_NOT_FOUND."""
        found = await self._caches.products.read([product_id], self._load_products)
        if product_id not in found:
            raise _not_found(product_id)
        return found[product_id]

    async def list(self, category: str, page: pages.Page) -> pages.Slice[domain.Product]:
        """Products, newest first; only those of a category when it is not empty."""
        return pages.cut(await store.page(self._db, category, page), page, lambda product: product.id)

    async def offers(self, skus: Iterable[str]) -> Sequence[domain.Offer]:
        """What these SKUs cost; those that are not for sale are absent."""
        found = await self._caches.offers.read(skus, self._load_offers)
        return list(found.values())

    async def categories(self) -> Sequence[domain.Category]:
        """All categories, by slug."""
        found = await self._caches.categories.read([_ALL], self._load_categories)
        return found[_ALL]

    async def put_category(self, category: domain.Category) -> domain.Category:
        """Make a category, or change its title.

        If the process dies after the commit and before the cache forgets, the old title is seen until the cache's time ends.
        """
        await store.put_category(self._db, category)
        await self._caches.categories.forget([_ALL])
        return category

    async def set_stock(self, counted: domain.Counted, *, owner_id: str | None) -> domain.StockLevel:
        """Say how many of a product's SKU lie in a warehouse. owner_id is whose it must be (None: anybody's).

        Nothing is written here: if the process dies the caller repeats, and saying it twice is saying it once.
        Raises PRODUCT_NOT_FOUND also when it is not this owner's, SKU_NOT_IN_PRODUCT, and what inventory raises.
        """
        product = await self.get(counted.product_id)
        if owner_id is not None and product.vendor_id != owner_id:
            raise _not_found(counted.product_id)
        sku = product.sku(counted.sku)
        return await self._stock.set(domain.Counted(product.id, sku, counted.warehouse, counted.on_hand, counted.actor))

    def _new(self, draft: domain.Draft) -> domain.Product:
        now = self._now()
        return domain.Product(
            id=ids.new_id(now),
            title=draft.title,
            description=draft.description,
            category=draft.category,
            vendor_id=draft.vendor_id,
            variants=domain.variants_of(draft.variants),
            create_time=now,
            update_time=now,
            version=1,
        )

    async def _load_products(self, product_ids: Sequence[str]) -> dict[str, domain.Product]:
        return await store.products(self._db, product_ids)

    async def _load_offers(self, skus: Sequence[str]) -> dict[str, domain.Offer]:
        return await store.offers(self._db, skus)

    async def _load_categories(self, _: Sequence[str]) -> dict[str, tuple[domain.Category, ...]]:
        return {_ALL: await store.categories(self._db)}


async def _claim(transaction: database.Transaction, draft: domain.Draft, product_id: str) -> str:
    """The id of the product that this request makes, or made before. Raises REQUEST_ID_REUSED."""
    if not draft.request_id:
        return product_id
    claim = idempotency.Claim(draft.actor, draft.request_id, draft.fingerprint, product_id)
    [answer] = await idempotency.claim(transaction, [claim])
    if isinstance(answer, errors.DomainError):
        raise answer
    return answer


async def _insert(transaction: database.Transaction, draft: domain.Draft, product: domain.Product) -> None:
    if not await store.known_categories(transaction, [product.category]):
        raise errors.precondition("CATEGORY_UNKNOWN", "there is no such category", category=product.category)
    taken = await store.insert_product(transaction, product)
    if taken:
        raise domain.sku_taken(draft, taken)


def _not_found(product_id: str) -> errors.DomainError:
    return errors.not_found("PRODUCT_NOT_FOUND", "there is no such product", product_id=product_id)

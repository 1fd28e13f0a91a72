"""What can be done with products.

A product, its variants, the claim of its request and the event that tells of it are one transaction. If the process dies
before the commit nothing happened and the caller repeats with the same request id; if it dies after it, the repetition
finds the product and the relay of whoever starts next publishes the event.

A change locks its product, compares the version and writes; sent again after its answer was lost, it finds what it made.

Reads come from caches, which forget a product right after the commit that changed it, and once more when the event of that
change comes back from Kafka: so they forget it also when the process died between the two. Lists come from the database.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.catalog import domain, store
from services.catalog.domain import timeline
from services.catalog.store import cached
from services.catalog.usecases import attribute_schemas as attribute_schema_usecases
from services.catalog.usecases import popularity, pricing
from services.chassis import cache, clock, database, errors, idempotency, ids, pages

SERVICE = "catalog"
# All categories are one value.
_ALL = "all"
_FORGOTTEN_AT_ONCE = 500


class Stock(Protocol):
    """Where stock is kept."""

    async def known(self, skus: Iterable[str]) -> set[str]:
        """Those of the SKUs that lie, or lay, in a warehouse. Raises TransientError."""

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
        cache.Cache(shared, cache.Packing("catalog:product", cached.pack_product, cached.unpack_product, shared_s)),
        cache.Cache(shared, cache.Packing("catalog:offer", cached.pack_offer, cached.unpack_offer, shared_s)),
        cache.Cache(
            shared, cache.Packing("catalog:categories", cached.pack_categories, cached.unpack_categories, shared_s)
        ),
    )


class Catalog:
    """The use cases of products and categories."""

    def __init__(self, db: database.Database, stock: Stock, remembered: Caches, *, now: clock.Clock) -> None:
        self._db = db
        self._stock = stock
        self._caches = remembered
        self._now = now
        self.popularity = popularity.Popularity(db, now=now)
        self.pricing = pricing.Pricing(db, self._forget)

    async def create(self, draft: domain.Draft) -> domain.Product:
        """Make a product; a repeated request finds what its first made.

        Raises SKU_TAKEN (also when a vendor asks for a SKU that the shop has stock of), CATEGORY_UNKNOWN,
        ATTRIBUTES_INVALID, MONEY_INVALID, REQUEST_INVALID or REQUEST_ID_REUSED.
        """
        product = self._new(draft)
        await self._check_new_skus(draft)
        async with self._db.transaction() as transaction:
            made = await idempotency.claim_one(transaction, _claim_of(draft, product.id))
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

    async def get_many(self, product_ids: Iterable[str], *, deleted_too: bool = False) -> Sequence[domain.Product]:
        """Products, in this order, each once; those that are not there are absent. Deleted ones are seldom asked for."""
        wanted = list(dict.fromkeys(product_ids))
        if deleted_too:
            kept = await store.products(self._db, wanted, deleted_too=True)
            return [kept[product_id] for product_id in wanted if product_id in kept]
        found = await self._caches.products.read(wanted, self._load_products)
        return [found[product_id] for product_id in wanted if product_id in found]

    async def list(self, wanted: domain.Filter, page: pages.Page) -> pages.Slice[domain.Product]:
        """Products that the filter lets through, newest first. Raises CATEGORY_NOT_FOUND."""
        slugs = domain.subtree(await self.categories(), wanted.category) if wanted.category else ()
        if wanted.category and not slugs:
            raise errors.not_found("CATEGORY_NOT_FOUND", "the category does not exist", category=wanted.category)
        return pages.cut(await store.page(self._db, wanted, slugs, page), page, lambda product: product.id)

    async def prices(self, product_id: str, sku: str, page: pages.Page) -> pages.Slice[timeline.Period]:
        """What a product's SKUs (empty: all of them) cost and when, newest first. Raises PRODUCT_NOT_FOUND."""
        await self.get(product_id)
        return await self.pricing.history(product_id, sku, page)

    async def read_after(self, product_id: str, most: int) -> Sequence[domain.Product]:
        """Products as the database has them now, oldest first, from behind this one (empty: from the first) on."""
        return await store.products_after(self._db, product_id, most)

    async def update(self, edit: domain.Edit) -> domain.Product:
        """Change a product; a repeated edit finds what its first made.

        Raises PRODUCT_NOT_FOUND also when it is not this owner's, VERSION_CHANGED, SKU_TAKEN, CATEGORY_UNKNOWN,
        ATTRIBUTES_INVALID, MONEY_INVALID or REQUEST_INVALID.
        """
        await self._check_new_skus(edit.content)
        async with self._db.transaction() as transaction:
            product = await held(transaction, edit.product_id, edit.owner_id)
            wanted = domain.revised(product, edit.content, self._now())
            if domain.is_repetition(product, edit, wanted):
                return product
            if product.version != edit.version:
                raise domain.version_changed(product)
            await attribute_schema_usecases.check(transaction, wanted.category, wanted.attributes)
            taken = await store.write_product(transaction, wanted)
            if taken:
                raise domain.sku_taken(edit.content, taken)
            wanted = await self.pricing.charged(transaction, wanted)
            transaction.emit([domain.ProductChanged(wanted)])
        await self._forget([product.id], _skus(product, wanted))
        return wanted

    async def delete(self, deletion: domain.Deletion) -> None:
        """Take a product out of the shop; one that was deleted before stays so.

        Raises PRODUCT_NOT_FOUND also when it is not this owner's, or VERSION_CHANGED.
        """
        async with self._db.transaction() as transaction:
            held = await store.lock_product(transaction, deletion.product_id)
            if held is None or deletion.owner_id not in (None, held.product.vendor_id):
                raise _not_found(deletion.product_id)
            if held.deleted:
                return
            if deletion.version not in (0, held.product.version):
                raise domain.version_changed(held.product)
            gone = domain.deleted(held.product, self._now())
            await store.delete_product(transaction, gone)
            transaction.emit([domain.ProductDeleted(gone)])
        await self._forget([gone.id], _skus(gone))

    async def set_featured(self, product_id: str, *, featured: bool) -> domain.Product:
        """Put a product into the shop's window, or take it out. Raises PRODUCT_NOT_FOUND."""
        async with self._db.transaction() as transaction:
            product = await held(transaction, product_id, None)
            if product.featured == featured:
                return product
            changed = domain.with_featured(product, self._now(), featured=featured)
            await store.write_product(transaction, changed)
            transaction.emit([domain.ProductChanged(changed)])
        await self._forget([product_id], [])
        return changed

    async def forget_changed(self, product_ids: Sequence[str]) -> None:
        """Forget products that events say were changed, and every SKU that they have or had.

        No transaction is open while Redis is waited for. Forgetting twice is forgetting once: it is repeated when the process
        dies before the events count as handled. Raises TransientError.
        """
        changed = list(dict.fromkeys(product_ids))
        await self._forget(changed, await store.all_skus(self._db, changed))

    async def offers(self, skus: Iterable[str]) -> Sequence[domain.Offer]:
        """What these SKUs cost; those that are not for sale are absent."""
        found = await self._caches.offers.read(skus, self._load_offers)
        return list(found.values())

    async def categories(self) -> Sequence[domain.Category]:
        """All categories, by slug."""
        found = await self._caches.categories.read([_ALL], self._load_categories)
        return found[_ALL]

    async def put_category(self, category: domain.Category) -> domain.Category:
        """Make a category, or change its title and parent.

        If the process dies after the commit and before the cache forgets, the old one is seen until the cache's time ends.
        Raises CATEGORY_PARENT_UNKNOWN, CATEGORY_CYCLE or CATEGORY_TOO_DEEP.
        """
        async with self._db.transaction() as transaction:
            domain.check_place(await store.lock_categories(transaction), category)
            await store.put_category(transaction, category)
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

    async def stocked(self, skus: Iterable[str]) -> set[str]:
        """Those of the SKUs that no product has or had, and that the shop has stock of. Raises TransientError."""
        wanted = list(skus)
        owned = await store.known_skus(self._db, wanted)
        return await self._stock.known(sku for sku in wanted if sku not in owned)

    async def forget(self, products: Sequence[domain.Product]) -> None:
        """Drop these products, which were changed, from all caches."""
        for first in range(0, len(products), _FORGOTTEN_AT_ONCE):
            some = products[first : first + _FORGOTTEN_AT_ONCE]
            await self._forget([product.id for product in some], _skus(*some))

    async def _check_new_skus(self, draft: domain.Draft) -> None:
        """Raise SKU_TAKEN when a vendor asks for SKUs that no product has, and that the shop has stock of.

        Whoever sells such a SKU would sell what is the shop's. A SKU that a product has or had is that product's, whatever
        its stock: whether it is the vendor's own is decided when it is written.
        """
        if not draft.vendor_id:
            return
        stocked = await self.stocked(item.sku for item in draft.variants)
        if stocked:
            raise domain.sku_taken(draft, sorted(stocked), "the shop has stock of this SKU")

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
            attributes=draft.attributes,
            images=draft.images,
            tax_class=draft.tax_class,
        )

    async def _forget(self, product_ids: Sequence[str], skus: Sequence[str]) -> None:
        await self._caches.products.forget(product_ids)
        if skus:
            await self._caches.offers.forget(skus)

    async def _load_products(self, product_ids: Sequence[str]) -> dict[str, domain.Product]:
        return await store.products(self._db, product_ids)

    async def _load_offers(self, skus: Sequence[str]) -> dict[str, domain.Offer]:
        return await store.offers(self._db, skus)

    async def _load_categories(self, _: Sequence[str]) -> dict[str, tuple[domain.Category, ...]]:
        return {_ALL: await store.categories(self._db)}


def _claim_of(draft: domain.Draft, product_id: str) -> idempotency.Claim:
    return idempotency.Claim(draft.actor, draft.request_id, draft.fingerprint, product_id)


async def _insert(transaction: database.Transaction, draft: domain.Draft, product: domain.Product) -> None:
    await attribute_schema_usecases.check(transaction, product.category, product.attributes)
    taken = await store.insert_product(transaction, product)
    if taken:
        raise domain.sku_taken(draft, taken)


async def held(transaction: database.Transaction, product_id: str, owner_id: str | None) -> domain.Product:
    """The product, locked. Raises PRODUCT_NOT_FOUND also when it is deleted or not this owner's."""
    held = await store.lock_product(transaction, product_id)
    if held is None or held.deleted or owner_id not in (None, held.product.vendor_id):
        raise _not_found(product_id)
    return held.product


def _skus(*products: domain.Product) -> list[str]:
    return list(dict.fromkeys(variant.sku for product in products for variant in product.variants))


def _not_found(product_id: str) -> errors.DomainError:
    return errors.not_found("PRODUCT_NOT_FOUND", "the product does not exist", product_id=product_id)

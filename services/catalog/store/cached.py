"""Products, offers and categories as bytes for the cache, and back."""

import dataclasses
import json
from collections.abc import Sequence
from datetime import datetime

from services.catalog import domain, store
from services.catalog.domain import timeline
from services.chassis import money


def pack_product(product: domain.Product) -> bytes:
    """A product for the cache, in which no deleted ones are."""
    plain = [*(getattr(product, name) for name in store.PRODUCT_COLUMNS[:-1]), store.gallery_rows(product)]
    variants = [
        (
            item.sku,
            item.title,
            item.price.currency,
            item.price.amount,
            timeline.pack(item.reduction),
            dataclasses.astuple(item.package),
        )
        for item in product.variants
    ]
    return json.dumps([*plain, product.popularity, None, variants], default=datetime.isoformat).encode()


def unpack_product(data: bytes) -> domain.Product:
    """A product of the cache. Raises ValueError or TypeError, or MONEY_INVALID for a currency that is not known here."""
    product_id, title, description, category, vendor_id, created, updated, *others = json.loads(data)
    times = datetime.fromisoformat(created), datetime.fromisoformat(updated)
    row = (product_id, title, description, category, vendor_id, *times, *others)
    product = store.product_of(row, timeline.unpack)
    for variant in product.variants:
        money.exponent(variant.price.currency)
    return product


def pack_offer(offer: domain.Offer) -> bytes:
    """An offer for the cache."""
    of_product = (offer.category, offer.vendor_id, offer.tax_class, dataclasses.astuple(offer.package))
    of_sku = (offer.sku, offer.product_id, offer.title, offer.price.currency, offer.price.amount)
    return json.dumps([*of_sku, *of_product]).encode()


def unpack_offer(data: bytes) -> domain.Offer:
    """An offer of the cache. Raises ValueError or TypeError, or MONEY_INVALID for a currency that is not known here."""
    sku, product_id, title, currency, price, category, vendor_id, tax_class, packed = json.loads(data)
    money.exponent(currency)
    price = money.Money(currency, price)
    return domain.Offer(sku, product_id, title, price, category, vendor_id, tax_class, domain.Package(*packed))


def pack_categories(known: Sequence[domain.Category]) -> bytes:
    """The list of categories for the cache."""
    return json.dumps([(category.slug, category.title, category.parent) for category in known]).encode()


def unpack_categories(data: bytes) -> tuple[domain.Category, ...]:
    """The list of categories of the cache. Raises ValueError or TypeError."""
    return tuple(domain.Category(*row) for row in json.loads(data))

"""Baskets with planted associations: what is bought together more often than by chance is known, for who wants to find it again.

Half of the products belong to bundles of four from four different shelves. A basket has often two or three products of a bundle,
and always some that are bought by Zipf's law, whatever else is in the basket. The same seed gives the same baskets.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from scripts.sample_data.shop import Category, Product, Shop, Variant

PRODUCTS = 240
SHELVES = 12
BUNDLE = 4
# Of so many baskets in a hundred a bundle is the reason.
BUNDLED = 60
# How unequal products are: the tenth is bought a sixth as often as the first.
ZIPF = 0.8
PLENTY = 1_000_000

Basket = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assortment:
    """A shop, the bundles of SKUs in it, and how often each SKU is bought by itself, added up in the shop's order."""

    shop: Shop
    bundles: tuple[Basket, ...]
    popularity: tuple[float, ...]

    @property
    def skus(self) -> tuple[str, ...]:
        """All SKUs, in the order of their popularity."""
        return tuple(product.variants[0].sku for product in self.shop.products)


def assortment(prefix: str, *, seed: int) -> Assortment:
    """A shop whose SKUs begin like this, and its bundles."""
    chance = random.Random(seed)  # noqa: S311 - the same shop in every run, no secret
    shelves = tuple(Category(f"{prefix.lower()}-{number}", f"Shelf {number}") for number in range(SHELVES))
    skus = [f"{prefix}-{number:03d}" for number in range(PRODUCTS)]
    shelved = [shelves[number % SHELVES] for number in range(PRODUCTS)]
    products = [_product(sku, shelf.slug) for sku, shelf in zip(skus, shelved, strict=True)]
    mixed = chance.sample(skus, PRODUCTS // 2)
    bundles = [tuple(mixed[start : start + BUNDLE]) for start in range(0, len(mixed), BUNDLE)]
    weights = tuple(accumulate(1 / rank**ZIPF for rank in range(1, PRODUCTS + 1)))
    return Assortment(Shop(shelves, tuple(products)), tuple(bundles), weights)


def baskets(sold: Assortment, count: int, *, seed: int) -> Iterator[Basket]:
    """So many baskets, each of at least two SKUs."""
    chance = random.Random(seed)  # noqa: S311 - the same baskets in every run, no secret
    bundle_weights = tuple(accumulate(1 / rank**ZIPF for rank in range(1, len(sold.bundles) + 1)))
    skus = sold.skus
    for _ in range(count):
        chosen: dict[str, None] = {}
        if chance.randrange(100) < BUNDLED:
            [bundle] = chance.choices(sold.bundles, cum_weights=bundle_weights)
            chosen = dict.fromkeys(chance.sample(bundle, chance.choice((2, 2, 3))))
        wanted = len(chosen) + chance.choice((1, 1, 2)) if chosen else chance.choice((2, 3))
        while len(chosen) < wanted:
            chosen[chance.choices(skus, cum_weights=sold.popularity)[0]] = None
        yield tuple(chosen)


def planted(bundles: Sequence[Basket]) -> set[frozenset[str]]:
    """The pairs that belong together."""
    return {frozenset((one, other)) for bundle in bundles for one in bundle for other in bundle if one < other}


def _product(sku: str, shelf: str) -> Product:
    return Product(f"Product {sku}", "Sold in baskets.", shelf, (Variant(sku, "", 999, {"east": PLENTY}),))

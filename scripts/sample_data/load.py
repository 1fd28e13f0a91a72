"""Brings the sample shop into a real one: asks what is there, makes what is missing, a few calls at a time."""

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from typing import Protocol

from scripts.sample_data.shop import Category, Product, Shop

CONCURRENCY = 16


@dataclass(frozen=True, slots=True)
class Shelved:
    """So many of a product's SKU in one warehouse."""

    product_id: str
    sku: str
    warehouse: str
    on_hand: int


class Catalog(Protocol):
    """How the shop is reached: by gRPC or over REST. What a method can't do, it raises as an error with one clear line."""

    async def categories(self) -> set[str]:
        """The slugs of all categories."""

    async def products(self) -> dict[str, str]:
        """The product's id of every SKU."""

    async def stocked(self) -> set[tuple[str, str]]:
        """SKU and warehouse of all stock."""

    async def put_category(self, category: Category) -> None:
        """Make the category."""

    async def create_product(self, product: Product) -> str:
        """Make the product and answer with its id; made before under the same request id, answer with that one's."""

    async def set_stock(self, shelved: Shelved) -> None:
        """Say how many there are."""


@dataclass(frozen=True, slots=True)
class Made:
    """How much was missing and is there now."""

    categories: int
    products: int
    levels: int

    def __add__(self, other: "Made") -> "Made":
        """What both made."""
        return Made(self.categories + other.categories, self.products + other.products, self.levels + other.levels)


async def load(catalog: Catalog, shop: Shop) -> Made:
    """Make what is missing. Nothing that is there changes."""
    shelves, products, stocked = await asyncio.gather(catalog.categories(), catalog.products(), catalog.stocked())
    new_shelves = [category for category in shop.categories if category.slug not in shelves]
    await _some_at_a_time(catalog.put_category(category) for category in new_shelves)
    new_products = [product for product in shop.products if product.variants[0].sku not in products]

    async def create(product: Product) -> None:
        product_id = await catalog.create_product(product)
        products.update({variant.sku: product_id for variant in product.variants})

    await _some_at_a_time(create(product) for product in new_products)
    levels = [shelved for shelved in _stock(shop, products) if (shelved.sku, shelved.warehouse) not in stocked]
    await _some_at_a_time(catalog.set_stock(shelved) for shelved in levels)
    return Made(len(new_shelves), len(new_products), len(levels))


def _stock(shop: Shop, products: dict[str, str]) -> Iterable[Shelved]:
    for product in shop.products:
        for variant in product.variants:
            for warehouse, on_hand in variant.stock.items():
                yield Shelved(products[variant.sku], variant.sku, warehouse, on_hand)


async def _some_at_a_time(calls: Iterable[Awaitable[None]]) -> None:
    """Run all, CONCURRENCY at once. The first failure ends it and is raised."""
    remaining = iter(calls)

    async def worker() -> None:
        for call in remaining:
            await call

    await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))

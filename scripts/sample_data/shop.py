"""The sample shop, worked out from `shop.yaml`: the same products, prices and stock in every run."""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CURRENCY = "USD"
FILE = Path(__file__).with_name("shop.yaml")


@dataclass(frozen=True, slots=True)
class Category:
    """A shelf of the shop."""

    slug: str
    title: str


@dataclass(frozen=True, slots=True)
class Variant:
    """A SKU: its price in cents, and how many lie in each warehouse."""

    sku: str
    title: str
    cents: int
    stock: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Product:
    """A product of the shop. `request_id` names its creation: the same in every run."""

    title: str
    description: str
    category: str
    variants: tuple[Variant, ...]

    @property
    def request_id(self) -> str:
        """Makes its creation safe to repeat."""
        return f"sample-{self.variants[0].sku.lower()}"


@dataclass(frozen=True, slots=True)
class Shop:
    """All of it."""

    categories: tuple[Category, ...]
    products: tuple[Product, ...]


@dataclass(frozen=True, slots=True)
class Vendor:
    """Somebody who sells in the shop: the name of their account, and what is theirs."""

    display_name: str
    products: tuple[Product, ...]


def vendor(file: Path = FILE) -> Vendor:
    """The vendor that the file describes. Their products lie on the shop's shelves."""
    content = yaml.safe_load(file.read_text())["vendor"]
    return Vendor(content["display_name"], tuple(_known(item) for item in content["products"]))


def read(file: Path = FILE) -> Shop:
    """The shop that the file describes."""
    content = yaml.safe_load(file.read_text())
    categories = tuple(Category(shelf["slug"], shelf["title"]) for shelf in content["categories"])
    made = [product for shelf in content["categories"] for product in _of_shelf(shelf)]
    return Shop(categories, (*(_known(item) for item in content["known"]), *made))


def _of_shelf(shelf: dict[str, Any]) -> Iterator[Product]:
    for thing in shelf["things"]:
        for style in shelf["styles"]:
            title = f"{style['name']} {thing['name']}"
            cents = thing["cents"] * style["percent"] // 100
            yield Product(
                title=title,
                description=f"{thing['says']} {style['says']}",
                category=shelf["slug"],
                variants=tuple(_variants(_code(title), cents, thing.get("sizes", {}))),
            )


def _variants(code: str, cents: int, sizes: dict[str, int]) -> Iterator[Variant]:
    for size, percent in (sizes or {"": 0}).items():
        sku = f"{code}-{size}" if size else code
        yield Variant(sku, size, _price(cents * (100 + percent) // 100), _stock(sku))


def _known(item: dict[str, Any]) -> Product:
    variants = tuple(Variant(v["sku"], v["title"], v["cents"], v["stock"]) for v in item["variants"])
    return Product(item["title"], item["says"], item["category"], variants)


def _code(title: str) -> str:
    return title.upper().replace("'", "").replace(" ", "-")


def _price(cents: int) -> int:
    """The nearest price that ends in 49 or 99 cents."""
    return max(49, round(cents / 50) * 50 - 1)


def _stock(sku: str) -> dict[str, int]:
    """Some hundreds, told by the SKU alone."""
    number = zlib.crc32(sku.encode())
    return {"east": 200 + number % 300, "west": 100 + number // 300 % 200}

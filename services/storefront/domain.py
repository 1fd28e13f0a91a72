"""The rules of pages: what they consist of, and what is said of a part that is missing. Pure.

What a page shows as it is (`shown`) is the message of the service that owns it: only `clients.py` and `messages.py` look into
it. The other fields are what the rules need of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from services.chassis import errors

MOST_RELATED = 8


class Reason(StrEnum):
    """Why a part is missing. The names are those of the contract."""

    UNAVAILABLE = "UNAVAILABLE"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Missing:
    """A part that is left out of a page."""

    part: str
    reason: Reason


def reason(error: Exception) -> Reason:
    """Why a part is missing, by what asking for it raised."""
    if isinstance(error, TimeoutError):
        return Reason.DEADLINE_EXCEEDED
    if isinstance(error, errors.TransientError):
        return Reason.UNAVAILABLE
    code = error.code if isinstance(error, errors.DomainError) else errors.Code.INTERNAL
    return Reason(code.name) if code.name in Reason.__members__ else Reason.FAILED


@dataclass(frozen=True, slots=True)
class Product:
    """A product, with its SKUs in the order of its variants."""

    category: str
    skus: Sequence[str]
    shown: Any

    def selected(self, sku: str) -> str:
        """The SKU, if the product has it, else its first."""
        return sku if sku in self.skus else self.skus[0]


@dataclass(frozen=True, slots=True)
class Category:
    """A category; parent is empty for a top-level one."""

    slug: str
    parent: str
    shown: Any


@dataclass(frozen=True, slots=True)
class Found:
    """A product that a search found."""

    product_id: str
    shown: Any


class Level(StrEnum):
    """How much of a SKU is in stock. The names are those of the contract."""

    AVAILABLE = "AVAILABLE"
    LOW = "LOW"
    OUT = "OUT"


def level(available: int, *, low: int) -> Level:
    """How much that is; up to `low` units are few."""
    if available <= 0:
        return Level.OUT
    return Level.LOW if available <= low else Level.AVAILABLE


@dataclass(frozen=True, slots=True)
class InStock:
    """How much of a SKU is in stock: how many units can be ordered, which pages show only if they are few."""

    sku: str
    level: Level
    available: int


def in_stock(skus: Iterable[str], available: Mapping[str, int], *, low: int) -> Sequence[InStock]:
    """How much of each SKU is in stock; none of those that inventory does not know."""
    counts = {sku: available.get(sku, 0) for sku in skus}
    return [InStock(sku, level(count, low=low), count) for sku, count in counts.items()]


def breadcrumb(slug: str, categories: Iterable[Category]) -> Sequence[Category]:
    """The category with all above it, the top-level one first, as far as they are known."""
    known = {category.slug: category for category in categories}
    found: dict[str, Category] = {}
    while slug in known and slug not in found:
        found[slug] = known[slug]
        slug = known[slug].parent
    return [*reversed(found.values())]


def related(product_id: str, found: Iterable[Found]) -> Sequence[Found]:
    """The products beside this one."""
    return [one for one in found if one.product_id != product_id][:MOST_RELATED]


@dataclass(frozen=True, slots=True)
class Home:
    """What the first page shows. A part that is None is missing."""

    featured: Sequence[Any] | None
    popular: Sequence[Found] | None
    categories: Sequence[Category] | None
    trending: Sequence[Any] | None
    missing: Sequence[Missing]


@dataclass(frozen=True, slots=True)
class ProductPage:
    """What a product's page shows. A part that is None is missing."""

    product: Product
    stock: Sequence[InStock] | None
    price: Any | None
    breadcrumb: Sequence[Category] | None
    related: Sequence[Found] | None
    bought_together: Sequence[Any] | None
    missing: Sequence[Missing]


@dataclass(frozen=True, slots=True)
class OrderPage:
    """What an order's page shows. A timeline or shipments of None are missing; a payment of None may not exist."""

    order: Any
    timeline: Sequence[Any] | None
    payment: Any | None
    shipments: Sequence[Any] | None
    missing: Sequence[Missing]

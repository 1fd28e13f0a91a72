"""What a product is: values, facts and rules, without any I/O."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.chassis import errors, money


@dataclass(frozen=True, slots=True)
class Category:
    """A shelf of the shop; `slug` is its id."""

    slug: str
    title: str


@dataclass(frozen=True, slots=True)
class Variant:
    """One thing that can be ordered, and what one of it costs."""

    sku: str
    title: str
    price: money.Money


@dataclass(frozen=True, slots=True)
class Product:
    """One page in the shop. vendor_id is who sells it: empty for the shop's own. version counts its changes, from 1."""

    id: str
    title: str
    description: str
    category: str
    vendor_id: str
    variants: tuple[Variant, ...]
    create_time: datetime
    update_time: datetime
    version: int

    def sku(self, wanted: str) -> str:
        """The SKU that is meant: the wanted one, or the only one when none is named. Raises SKU_NOT_IN_PRODUCT."""
        skus = [variant.sku for variant in self.variants]
        if wanted in skus:
            return wanted
        if not wanted and len(skus) == 1:
            return skus[0]
        said = "the product has no such SKU" if wanted else "the product has several SKUs: say which"
        violation = errors.Violation("sku", said, "SKU_NOT_IN_PRODUCT")
        raise errors.invalid("SKU_NOT_IN_PRODUCT", said, violation, product_id=self.id, sku=wanted)


@dataclass(frozen=True, slots=True)
class Asked:
    """A variant as somebody asks for it, its price in units and nanos, unchecked."""

    sku: str
    title: str
    currency: str
    units: int
    nanos: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A product as somebody asks for it. actor is who asks, with which request and its content's fingerprint."""

    title: str
    description: str
    category: str
    vendor_id: str
    variants: tuple[Asked, ...]
    actor: str
    request_id: str = ""
    fingerprint: bytes = b""


@dataclass(frozen=True, slots=True)
class Offer:
    """What an order needs to know of a SKU."""

    sku: str
    product_id: str
    title: str
    price: money.Money


@dataclass(frozen=True, slots=True)
class StockLevel:
    """How many of a SKU lie in a warehouse, and how many of them are promised to orders."""

    sku: str
    warehouse: str
    on_hand: int
    reserved: int
    available: int


@dataclass(frozen=True, slots=True)
class Counted:
    """What somebody says who counted: so many of a product's SKU lie in a warehouse. actor is who says so."""

    product_id: str
    sku: str
    warehouse: str
    on_hand: int
    actor: str


@dataclass(frozen=True, slots=True)
class ProductChanged:
    """A product was made or changed: the whole of it."""

    product: Product


def variants_of(asked: Sequence[Asked]) -> tuple[Variant, ...]:
    """The variants that are asked for.

    Raises, with every wrong field at once, MONEY_INVALID when a price is among them: it must be positive, in whole
    minor units of a known currency; REQUEST_INVALID when only SKUs are named twice.
    """
    violations: list[errors.Violation] = []
    variants: list[Variant] = []
    for number, item in enumerate(asked):
        try:
            variants.append(Variant(item.sku, item.title, _price(item)))
        except errors.DomainError as error:
            violations.append(errors.Violation(f"variants[{number}].price", error.message, error.reason))
    reason = "MONEY_INVALID" if violations else "REQUEST_INVALID"
    violations += _repeated([item.sku for item in asked])
    if violations:
        raise errors.invalid(reason, f"{len(violations)} field(s) of the request are not valid", *violations)
    return tuple(variants)


def sku_taken(draft: Draft, taken: Sequence[str]) -> errors.DomainError:
    """Other products have these SKUs."""
    violations = tuple(
        errors.Violation(f"variants[{number}].sku", "another product has this SKU", "SKU_TAKEN")
        for number, item in enumerate(draft.variants)
        if item.sku in taken
    )
    kind, skus = errors.Kind.ALREADY_EXISTS, ",".join(sorted(taken))
    return errors.DomainError(kind, "SKU_TAKEN", f"taken: {skus}", {"sku": skus}, violations)


def offer_title(product_title: str, variant_title: str) -> str:
    """What a line of an order is called."""
    return f"{product_title}, {variant_title}" if variant_title else product_title


def _price(item: Asked) -> money.Money:
    price = money.from_units(item.currency, item.units, item.nanos)
    if price.amount <= 0:
        raise errors.invalid("MONEY_INVALID", "a price is positive")
    return price


def _repeated(skus: Sequence[str]) -> Iterator[errors.Violation]:
    seen: set[str] = set()
    for number, sku in enumerate(skus):
        if sku in seen:
            yield errors.Violation(f"variants[{number}].sku", "the SKU is named twice", "SKU_DUPLICATE")
        seen.add(sku)

"""What a product is: values, facts and rules, without any I/O."""

import dataclasses
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.catalog.domain import timeline
from services.chassis import errors, money

# How deep a category may lie: one at the top is 1 deep.
DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Category:
    """A shelf of the shop; `slug` is its id, `parent` that of the shelf it is a part of (empty at the top)."""

    slug: str
    title: str
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Package:
    """One unit as it is packed: grams, and millimetres of each side; 0 where that is not known."""

    grams: int = 0
    length_mm: int = 0
    width_mm: int = 0
    height_mm: int = 0


UNKNOWN = Package()


@dataclass(frozen=True, slots=True)
class Variant:
    """One thing that can be ordered, and what one of it costs regularly. reduction is what a promotion makes of that."""

    sku: str
    title: str
    price: money.Money
    reduction: timeline.Reduction | None = None
    package: Package = UNKNOWN

    @property
    def charged(self) -> money.Money:
        """What one of it costs now."""
        return self.reduction.price if self.reduction else self.price


@dataclass(frozen=True, slots=True)
class Image:
    """An uploaded image as it is shown: where, of what type, how many bytes, and what it says to who does not see it."""

    id: str
    url: str
    content_type: str
    size: int
    alt_text: str


@dataclass(frozen=True, slots=True)
class Product:
    """One page in the shop. vendor_id is who sells it: empty for the shop's own. version counts its changes, from 1.

    popularity is how many units were ordered lately: it changes without the version. delete_time is None while it is for sale.
    """

    id: str
    title: str
    description: str
    category: str
    vendor_id: str
    variants: tuple[Variant, ...]
    create_time: datetime
    update_time: datetime
    version: int
    attributes: Mapping[str, str] = field(default_factory=dict)
    images: tuple[str, ...] = ()
    featured: bool = False
    tax_class: str = ""
    popularity: int = 0
    delete_time: datetime | None = None
    gallery: tuple[Image, ...] = ()

    def sku(self, wanted: str) -> str:
        """The SKU that is meant: the wanted one, or the only one when none is named. Raises SKU_NOT_IN_PRODUCT."""
        skus = [variant.sku for variant in self.variants]
        if wanted in skus:
            return wanted
        if not wanted and len(skus) == 1:
            return skus[0]
        said = "the product does not have this SKU" if wanted else "the product has several SKUs: name one"
        violation = errors.Violation("sku", said, "SKU_NOT_IN_PRODUCT")
        raise errors.invalid("SKU_NOT_IN_PRODUCT", said, violation, product_id=self.id, sku=wanted)


@dataclass(frozen=True, slots=True)
class Asked:
    """A variant as somebody asks for it, its price in units and nanos, unchecked; field is what named the price."""

    sku: str
    title: str
    currency: str
    units: int
    nanos: int
    field: str = "price"
    package: Package = UNKNOWN


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
    attributes: Mapping[str, str] = field(default_factory=dict)
    images: tuple[str, ...] = ()
    tax_class: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """What a product shall be, by somebody who read its `version`. owner_id is whose it must be (None: anybody's)."""

    product_id: str
    version: int
    content: Draft
    owner_id: str | None


@dataclass(frozen=True, slots=True)
class Deletion:
    """A product to take out of the shop; version is the one that was read, 0 for any. owner_id as in an `Edit`."""

    product_id: str
    version: int
    owner_id: str | None


@dataclass(frozen=True, slots=True)
class Prices:
    """From what to what something costs, in minor units of a currency, both included."""

    currency: str
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Filter:
    """Which products are meant: all of these must hold, and what is empty or None does not matter."""

    category: str = ""
    vendor_id: str = ""
    title_prefix: str = ""
    prices: Prices | None = None
    featured: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """What an order needs to know of a SKU. vendor_id is empty for the shop's own."""

    sku: str
    product_id: str
    title: str
    price: money.Money
    category: str
    vendor_id: str
    tax_class: str
    package: Package = UNKNOWN


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


@dataclass(frozen=True, slots=True)
class ProductDeleted:
    """A product was taken out of the shop: as it was last, with the version and time of its deletion."""

    product: Product


def revised(product: Product, content: Draft, now: datetime) -> Product:
    """The product with this content. Raises what `variants_of` does."""
    return dataclasses.replace(
        product,
        title=content.title,
        description=content.description,
        category=content.category,
        variants=_still_reduced(variants_of(content.variants), product),
        attributes=content.attributes,
        images=content.images,
        tax_class=content.tax_class,
        update_time=now,
        version=product.version + 1,
    )


def _still_reduced(variants: Sequence[Variant], product: Product) -> tuple[Variant, ...]:
    """The variants with the reductions that they have: an edit says regular prices alone."""
    reductions = {variant.sku: variant.reduction for variant in product.variants}
    return tuple(dataclasses.replace(variant, reduction=reductions.get(variant.sku)) for variant in variants)


def deleted(product: Product, now: datetime) -> Product:
    """The product as its deletion leaves it."""
    return dataclasses.replace(product, update_time=now, delete_time=now, version=product.version + 1)


def with_featured(product: Product, now: datetime, *, featured: bool) -> Product:
    """The product in the shop's window, or out of it."""
    return dataclasses.replace(product, featured=featured, update_time=now, version=product.version + 1)


def is_repetition(product: Product, edit: Edit, wanted: Product) -> bool:
    """Whether the product is what this edit made of it before: its answer was lost, and it came again."""
    same = dataclasses.replace(wanted, update_time=product.update_time, version=product.version) == product
    return same and product.version == edit.version + 1


def version_changed(product: Product) -> errors.DomainError:
    """Somebody changed the product after it was read."""
    said = "the product was changed by another request: read it again"
    metadata = {"product_id": product.id, "version": str(product.version)}
    return errors.DomainError(errors.Code.ABORTED, "VERSION_CHANGED", said, metadata)


def prices(low: money.Money | None, high: money.Money | None) -> Prices | None:
    """The range between two prices, each of which may be open. Raises PRICE_RANGE_INVALID."""
    given = [price for price in (low, high) if price]
    if not given:
        return None
    if len({price.currency for price in given}) > 1:
        raise _no_range("min_price and max_price must be in the same currency")
    found = Prices(given[0].currency, low.amount if low else 0, high.amount if high else 2**63 - 1)
    if found.low > found.high:
        raise _no_range("min_price must not be greater than max_price")
    return found


def _no_range(said: str) -> errors.DomainError:
    violation = errors.Violation("max_price", said, "PRICE_RANGE_INVALID")
    return errors.invalid("PRICE_RANGE_INVALID", said, violation)


def subtree(known: Sequence[Category], slug: str) -> tuple[str, ...]:
    """A category and all below it; nothing when there is no such category."""
    below: dict[str, list[str]] = {}
    for category in known:
        below.setdefault(category.parent, []).append(category.slug)
    found = [slug] if any(category.slug == slug for category in known) else []
    for above in found:
        found += below.get(above, [])
    return tuple(found)


def check_place(known: Sequence[Category], category: Category) -> None:
    """Raise unless a category may stand where it says, among those that are known (itself perhaps elsewhere).

    Raises CATEGORY_PARENT_UNKNOWN, CATEGORY_CYCLE or CATEGORY_TOO_DEEP.
    """
    if not category.parent:
        above: list[str] = []
    elif category.parent in {category.slug, *subtree(known, category.slug)}:
        raise errors.precondition("CATEGORY_CYCLE", "a category cannot be its own ancestor", category=category.slug)
    else:
        above = _upwards(known, category.parent)
        if not above:
            said = "the parent category does not exist"
            raise errors.precondition("CATEGORY_PARENT_UNKNOWN", said, category=category.parent)
    if len(above) + height(known, category.slug) > DEEPEST:
        said = f"categories can be nested at most {DEEPEST} levels deep"
        raise errors.precondition("CATEGORY_TOO_DEEP", said, category=category.slug)


def height(known: Sequence[Category], slug: str) -> int:
    """How many levels there are from a category down, itself included; 1 for one that is not there yet."""
    levels, level = 1, {slug}
    while level := {category.slug for category in known if category.parent in level}:
        levels += 1
    return levels


def _upwards(known: Sequence[Category], slug: str) -> list[str]:
    """A category and those above it, up to the top; nothing when there is no such category."""
    parents = {category.slug: category.parent for category in known}
    found: list[str] = []
    while slug in parents:
        found.append(slug)
        slug = parents[slug]
    return found


def variants_of(asked: Sequence[Asked]) -> tuple[Variant, ...]:
    """The variants that are asked for.

    Raises, with every wrong field at once, MONEY_INVALID when a price is among them: it must be positive, in whole
    minor units of a known currency; REQUEST_INVALID when only SKUs are named twice.
    """
    violations: list[errors.Violation] = []
    variants: list[Variant] = []
    for number, item in enumerate(asked):
        try:
            variants.append(Variant(item.sku, item.title, _price(item), package=item.package))
        except errors.DomainError as error:
            violations.append(errors.Violation(f"variants[{number}].{item.field}", error.message, error.reason))
    reason = "MONEY_INVALID" if violations else "REQUEST_INVALID"
    violations += _repeated([item.sku for item in asked])
    if violations:
        raise errors.invalid(reason, f"{len(violations)} field(s) of the request are invalid", *violations)
    return tuple(variants)


def composed(text: str) -> str:
    """A text that is searched by its beginning, in the form that is kept and compared: letters composed (NFC)."""
    return unicodedata.normalize("NFC", text)


def sku_taken(draft: Draft, taken: Sequence[str], said: str = "another product has this SKU") -> errors.DomainError:
    """Other products have these SKUs, or the shop has stock of them."""
    violations = tuple(
        errors.Violation(f"variants[{number}].sku", said, "SKU_TAKEN")
        for number, item in enumerate(draft.variants)
        if item.sku in taken
    )
    kind, skus = errors.Code.ALREADY_EXISTS, ",".join(sorted(taken))
    return errors.DomainError(kind, "SKU_TAKEN", f"other products have these SKUs: {skus}", {"sku": skus}, violations)


def offer_title(product_title: str, variant_title: str) -> str:
    """What a line of an order is called."""
    return f"{product_title}, {variant_title}" if variant_title else product_title


def check_price(price: money.Money) -> None:
    """Raise MONEY_INVALID unless something may cost this from now on: more than zero, of a currency of today."""
    money.check_current(price.currency)
    if price.amount <= 0:
        raise errors.invalid("MONEY_INVALID", "a price must be more than zero")


def _price(item: Asked) -> money.Money:
    price = money.from_units(item.currency, item.units, item.nanos)
    check_price(price)
    return price


def _repeated(skus: Sequence[str]) -> Iterator[errors.Violation]:
    seen: set[str] = set()
    for number, sku in enumerate(skus):
        if sku in seen:
            yield errors.Violation(f"variants[{number}].sku", "the SKU occurs twice", "SKU_DUPLICATE")
        seen.add(sku)

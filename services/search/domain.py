"""What is searched and how: products as the index has them, filters, facets, and where a page begins. Pure, without I/O."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from services.chassis import errors, ids, money
from services.search import words

# The most results that are counted, and that facets are made of.
MOST_COUNTED = 2_000
# The most results that are ranked by relevance: of more, the most popular are. One more than are counted, so that who ranks
# them counts them, too.
MOST_RANKED = MOST_COUNTED + 1
# Values that a facet shows at most, beside those that are selected.
MOST_VALUES = 20
MOST_SYNONYMS = 2_000
# Where ranges of prices end, in whole units of a currency with two decimal digits.
_PRICE_STEPS = (10, 25, 50, 100, 250, 500, 1000)
_CENTS = 2


class Sort(StrEnum):
    """The order of results. Results that are equal in it are sorted newest first."""

    RELEVANCE = "relevance"
    PRICE_ASCENDING = "price_ascending"
    PRICE_DESCENDING = "price_descending"
    NEWEST = "newest"
    POPULARITY = "popularity"

    @property
    def by_price(self) -> bool:
        """Whether prices are compared, which takes one currency."""
        return self in (Sort.PRICE_ASCENDING, Sort.PRICE_DESCENDING)


class State(StrEnum):
    """What an index is for. The words are those of SQL."""

    ACTIVE = "ACTIVE"
    BUILDING = "BUILDING"
    RETIRED = "RETIRED"


@dataclass(frozen=True, slots=True)
class Category:
    """A category of the catalog; parent is empty at the top."""

    slug: str
    title: str
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Variant:
    """One thing that can be ordered. earlier is what its price is compared with while it is reduced."""

    sku: str
    title: str
    price: money.Money
    earlier: money.Money | None = None


@dataclass(frozen=True, slots=True)
class Product:
    """A product as the catalog told of it; version orders what is told of the same product. A deleted one has no variants."""

    id: str
    version: int
    title: str = ""
    description: str = ""
    category: str = ""
    vendor_id: str = ""
    variants: tuple[Variant, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    image: str = ""
    deleted: bool = False
    popularity: int = 0

    @property
    def skus(self) -> list[str]:
        """Its SKUs."""
        return [variant.sku for variant in self.variants]


@dataclass(frozen=True, slots=True)
class Level:
    """How many of a SKU are available in a warehouse."""

    sku: str
    warehouse: str
    available: int


@dataclass(frozen=True, slots=True)
class Prices:
    """From what to what something costs, in minor units of a currency, both included."""

    currency: str
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Filters:
    """Which products are meant: all must hold, and what is empty does not matter. attributes: of each name one value."""

    categories: tuple[str, ...] = ()
    vendor_ids: tuple[str, ...] = ()
    prices: Prices | None = None
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    in_stock: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A search. currency is that of the facet of prices and of sorting by price."""

    text: str
    filters: Filters
    sort: Sort
    currency: str
    with_facets: bool = False


@dataclass(frozen=True, slots=True)
class Cursor:
    """After which result a page begins: by its key in the order of the results, and its product."""

    key: int
    product_id: str

    def __str__(self) -> str:
        return f"{self.key}:{self.product_id}"


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of a field in which the text was found, with marks around what matched (see `words.fragments`)."""

    name: str
    marked: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A product that was found. key is its place in the order of the results, as a `Cursor` has it."""

    product_id: str
    version: int
    title: str
    category: str
    vendor_id: str
    image: str
    price_from: money.Money
    price_to: money.Money
    in_stock: bool
    attributes: Mapping[str, str]
    excerpts: tuple[Excerpt, ...] = ()
    earlier: money.Money | None = None
    key: int = 0


@dataclass(frozen=True, slots=True)
class Count:
    """So many results have this value of a facet."""

    facet: str
    value: str
    results: int


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value of a facet; prices are its range when it is one of prices (high of the last range: None)."""

    value: str
    results: int
    selected: bool
    low: money.Money | None = None
    high: money.Money | None = None


@dataclass(frozen=True, slots=True)
class Facet:
    """Values by which results can be narrowed down."""

    name: str
    values: tuple[FacetValue, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A page of results. after is the cursor of the next page, empty on the last.

    proofs are what the engine needs to see later whether it would still find this page; none if it cannot see that.
    """

    hits: tuple[Hit, ...]
    after: str
    total: int
    facets: tuple[Facet, ...] = ()
    searched_for: str = ""
    did_you_mean: str = ""
    proofs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A completion: of a product, or of a category when product_id is empty."""

    text: str
    category: str
    product_id: str = ""


@dataclass(frozen=True, slots=True)
class SynonymSet:
    """Terms that mean the same, as an administrator keeps them."""

    id: str
    terms: tuple[str, ...]
    update_time: datetime


@dataclass(frozen=True, slots=True)
class IndexState:
    """The index that is searched, and how far the one is that is being built."""

    version: int
    products: int
    building: bool
    products_read: int
    since: datetime


def cursor(text: str) -> Cursor:
    """The cursor in a page token. Raises ValueError for what is none."""
    key, _, product_id = text.partition(":")
    ids.check(product_id)
    return Cursor(int(key), product_id)


def subtrees(known: Sequence[Category], slugs: Iterable[str]) -> tuple[str, ...]:
    """These categories and all below them, each once. Raises CATEGORY_NOT_FOUND."""
    below: dict[str, list[str]] = {}
    for category in known:
        below.setdefault(category.parent, []).append(category.slug)
    found: dict[str, None] = {}
    waiting = list(slugs)
    there = {category.slug for category in known}
    for slug in waiting:
        if slug not in there:
            raise errors.not_found("CATEGORY_NOT_FOUND", "the category does not exist", category=slug)
    while waiting:
        slug = waiting.pop()
        if slug not in found:
            found[slug] = None
            waiting += below.get(slug, [])
    return tuple(sorted(found))


def prices(low: money.Money | None, high: money.Money | None) -> Prices | None:
    """The range between two prices, each of which may be open. Raises PRICE_RANGE_INVALID."""
    given = [price for price in (low, high) if price]
    if not given:
        return None
    if len({price.currency for price in given}) > 1:
        raise _no_range("max_price", "min_price and max_price must be in the same currency")
    found = Prices(given[0].currency, low.amount if low else 0, high.amount if high else 2**63 - 1)
    if found.low > found.high:
        raise _no_range("max_price", "min_price must not be greater than max_price")
    return found


def currency(asked: str, range_asked: Prices | None, usual: str) -> str:
    """The currency in which prices are compared. Raises PRICE_RANGE_INVALID or MONEY_INVALID."""
    if not asked:
        return range_asked.currency if range_asked else usual
    if range_asked and range_asked.currency != asked:
        raise _no_range("currency", "currency must be that of min_price and max_price")
    money.exponent(asked)
    return asked


def _no_range(name: str, said: str) -> errors.DomainError:
    return errors.invalid("PRICE_RANGE_INVALID", said, errors.Violation(name, said, "PRICE_RANGE_INVALID"))


def attributes(asked: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The values that are asked for, by attribute: of `name:value`, the value may have colons of its own."""
    found: dict[str, tuple[str, ...]] = {}
    for item in asked:
        name, _, value = item.partition(":")
        found[name] = tuple(dict.fromkeys((*found.get(name, ()), value)))
    return found


def price_ranges(wanted: str) -> tuple[Prices, ...]:
    """The ranges of prices that a facet counts: without a gap, the last one open."""
    digits = money.exponent(wanted)
    # A yen has no cents and is worth about as much as one: steps are the same amounts in minor units.
    factor = 10 ** max(digits, _CENTS)
    edges = [0, *(step * factor for step in _PRICE_STEPS)]
    closed = [Prices(wanted, low, high - 1) for low, high in pairwise(edges)]
    return (*closed, Prices(wanted, edges[-1], 2**63 - 1))


def facets(counts: Iterable[Count], query: Query) -> tuple[Facet, ...]:
    """The facets of these counts: the most frequent values, and those that are selected even if nothing has them."""
    by_facet: dict[str, dict[str, int]] = {name: dict.fromkeys(chosen, 0) for name, chosen in selected(query).items()}
    for count in counts:
        by_facet.setdefault(count.facet, {})[count.value] = count.results
    shown = [
        _price_facet(found, query) if name == "price" else _facet(name, found, query)
        for name, found in by_facet.items()
    ]
    return tuple(sorted((facet for facet in shown if facet.values), key=lambda facet: facet.name))


def selected(query: Query) -> dict[str, tuple[str, ...]]:
    """The values that a query selects, by facet."""
    filters = query.filters
    chosen = {
        "category": filters.categories,
        "vendor": filters.vendor_ids,
        "in_stock": ("true",) if filters.in_stock else (),
        **{f"attributes.{name}": values for name, values in filters.attributes.items()},
    }
    return {name: values for name, values in chosen.items() if values}


def _facet(name: str, found: Mapping[str, int], query: Query) -> Facet:
    chosen = selected(query).get(name, ())
    ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    shown = [item for number, item in enumerate(ranked) if number < MOST_VALUES or item[0] in chosen]
    return Facet(name, tuple(FacetValue(value, results, value in chosen) for value, results in shown))


def _price_facet(found: Mapping[str, int], query: Query) -> Facet:
    ranges = price_ranges(query.currency)
    values = [
        _price_value(ranges[number], found[str(number)], query)
        for number in range(len(ranges))
        if found.get(str(number))
    ]
    return Facet("price", tuple(values))


def _price_value(span: Prices, results: int, query: Query) -> FacetValue:
    high = None if span.high == 2**63 - 1 else money.Money(span.currency, span.high)
    return FacetValue("", results, query.filters.prices == span, money.Money(span.currency, span.low), high)


def newest(products: Iterable[Product]) -> list[Product]:
    """Of each product the newest version."""
    found: dict[str, Product] = {}
    for product in products:
        if product.id not in found or found[product.id].version <= product.version:
            found[product.id] = product
    return list(found.values())


def last(levels: Iterable[Level]) -> list[Level]:
    """Of each SKU and warehouse what was told last."""
    return list({(level.sku, level.warehouse): level for level in levels}.values())


def completing(known: Sequence[Category], typed: Sequence[str]) -> list[Suggestion]:
    """Categories whose title has all of these words, the last one perhaps unfinished; the shortest first."""
    *whole, last_word = typed
    found = []
    for category in known:
        said = words.words_of(category.title)
        if set(whole) <= set(said) and any(word.startswith(last_word) for word in said):
            found.append(Suggestion(category.title, category.slug))
    return sorted(found, key=lambda suggestion: (len(suggestion.text), suggestion.text))

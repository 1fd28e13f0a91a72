"""The rules of recommendation: what orders count for, what goes together, what trends, and who is shown what.

How much something weighs (the statistics) is `weights.py`. What orders count for is a sum: it is the same in whatever order they
are told, which makes late and repeated orders harmless, and a count that is made anew the same as one that grew.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import combinations

from services.chassis import money
from services.recommendation import weights

# Counts are kept by period, and forgotten with it: what was bought together years ago says little.
PERIOD = timedelta(days=28)
PERIODS_KEPT = 7
# So many products of an order count, the first ones: an order of a hundred says little of any two, and has 4,950 pairs.
MOST_COUNTED = 20
# Products that were bought together fewer times, or by an association that chance makes once in a hundred (chi-squared with one
# degree of freedom), are not said to go together.
FEWEST_TOGETHER = 2
LEAST_RATIO = 6.63

MOST_SHOWN = 50
USUALLY_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Variant:
    """A SKU and its price."""

    sku: str
    price: money.Money


@dataclass(frozen=True, slots=True)
class Product:
    """A product as the catalog tells of it. Of a deleted one only id, version and SKUs are known."""

    id: str
    version: int
    skus: tuple[str, ...]
    title: str = ""
    category: str = ""
    image: str = ""
    price: money.Money | None = None
    featured: bool = False
    create_time: datetime = weights.EPOCH
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Level:
    """How many units of a SKU can be ordered from a warehouse."""

    sku: str
    warehouse: str
    available: int


@dataclass(frozen=True, slots=True)
class Basket:
    """A confirmed order: whose, when, and its SKUs in its order."""

    order_id: str
    user_id: str
    time: datetime
    skus: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bought:
    """Products that were in one order, each once, by the numbers that we give them."""

    order_id: str
    time: datetime
    products: tuple[int, ...]


@dataclass(slots=True)
class Tally:
    """In how many orders a product was, and the heat of them all."""

    orders: int = 0
    heat: float = -math.inf


@dataclass(slots=True)
class Counts:
    """What orders count for, by period: orders, those with a product, and those with two products (the smaller number first)."""

    orders: dict[int, int] = field(default_factory=dict)
    items: dict[tuple[int, int], Tally] = field(default_factory=dict)
    pairs: dict[tuple[int, int, int], int] = field(default_factory=dict)


class Reason(StrEnum):
    """Why a product is recommended. The names are those of the contract."""

    BOUGHT_TOGETHER = "BOUGHT_TOGETHER"
    TRENDING = "TRENDING"
    FEATURED = "FEATURED"
    NEW = "NEW"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A product that may be recommended, and why. because_of is what it is bought together with, 0 for other reasons."""

    product: int
    reason: Reason
    because_of: int = 0


@dataclass(frozen=True, slots=True)
class Card:
    """A product that can be ordered now, as it is shown."""

    product: int
    id: str
    title: str
    category: str
    image: str
    price: money.Money


@dataclass(frozen=True, slots=True)
class Recommended:
    """A product that is recommended. because_of is the id of what it is bought together with, or empty."""

    card: Card
    reason: Reason
    because_of: str


@dataclass(frozen=True, slots=True)
class Together:
    """How often a product was bought with another one: in how many orders both were, and each of them."""

    product: int
    other: int
    both: int
    product_orders: int
    other_orders: int


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A product that goes with another one, and how strongly."""

    product: int
    ratio: float


@dataclass(frozen=True, slots=True)
class Purchase:
    """A product that a customer bought, and when last."""

    product: int
    time: datetime


@dataclass(frozen=True, slots=True)
class ModelState:
    """What the model is made of, and whether it is being made anew, since when; orders that are not counted yet are waiting."""

    building: bool
    products: int
    orders: int
    waiting: int
    recounted: int
    since: datetime


def period(moment: datetime) -> int:
    """The number of the period that a moment is in."""
    return (moment - weights.EPOCH) // PERIOD


def periods(now: datetime) -> list[int]:
    """The periods that count now, the newest first."""
    newest = period(now)
    return [newest - age for age in range(PERIODS_KEPT)]


def begun(number: int) -> datetime:
    """When a period began."""
    return weights.EPOCH + number * PERIOD


def counted(orders: Iterable[Bought]) -> Counts:
    """What these orders count for. The sum is the same in whatever order and however cut they are counted."""
    counts = Counts()
    for order in orders:
        number, warmth = period(order.time), weights.heat(order.time)
        products = sorted(dict.fromkeys(order.products[:MOST_COUNTED]))
        counts.orders[number] = counts.orders.get(number, 0) + 1
        for product in products:
            tally = counts.items.setdefault((number, product), Tally())
            tally.orders += 1
            tally.heat = weights.hotter(tally.heat, warmth)
        for low, high in combinations(products, 2):
            pair = (number, low, high)
            counts.pairs[pair] = counts.pairs.get(pair, 0) + 1
    return counts


def resolved(basket: Basket, numbers: Mapping[str, int]) -> Bought | None:
    """The order by the numbers of its products; None while one of its SKUs is not known."""
    found = [numbers.get(sku) for sku in basket.skus]
    products = [number for number in found if number is not None]
    if len(products) < len(found):
        return None
    return Bought(basket.order_id, basket.time, tuple(dict.fromkeys(products)))


def neighbours(seen: Iterable[Together], orders: int, *, most: int) -> list[Neighbour]:
    """The products that go with one product, the strongest first; equal ones by their number."""
    found = [Neighbour(each.other, _ratio(each, orders)) for each in seen if each.both >= FEWEST_TOGETHER]
    strong = [each for each in found if each.ratio >= LEAST_RATIO]
    return sorted(strong, key=lambda each: (-each.ratio, each.product))[:most]


def _ratio(seen: Together, orders: int) -> float:
    # What was counted between the reads of its parts may be missing in some: no cell of the table is less than nothing.
    one, other = max(seen.product_orders, seen.both), max(seen.other_orders, seen.both)
    return weights.ratio(seen.both, one, other, max(orders, one + other - seen.both))


def liked(purchases: Iterable[Purchase], beside: Mapping[int, Sequence[Neighbour]], now: datetime) -> list[Candidate]:
    """What goes with what somebody bought, the best first.

    The root of a ratio is a number of standard deviations, so roots add up over purchases; later ones weigh more.
    """
    scores: dict[int, float] = {}
    strongest: dict[int, tuple[float, int]] = {}
    for purchase in purchases:
        weight = weights.faded(now - purchase.time)
        for each in beside.get(purchase.product, ()):
            score = weight * math.sqrt(each.ratio)
            scores[each.product] = scores.get(each.product, 0.0) + score
            strongest[each.product] = max(strongest.get(each.product, (0.0, 0)), (score, purchase.product))
    ranked = sorted(scores, key=lambda product: (-scores[product], product))
    return [Candidate(product, Reason.BOUGHT_TOGETHER, strongest[product][1]) for product in ranked]


def related(product: int, found: Iterable[Neighbour]) -> list[Candidate]:
    """What goes with a product, as candidates."""
    return [Candidate(each.product, Reason.BOUGHT_TOGETHER, product) for each in found]


def trending(heats: Iterable[tuple[int, float]]) -> list[int]:
    """Products by their heat of all periods together, the hottest first."""
    sums: dict[int, float] = {}
    for product, warmth in heats:
        sums[product] = weights.hotter(sums[product], warmth) if product in sums else warmth
    return sorted(sums, key=lambda product: (-sums[product], product))


def in_category_first(candidates: Sequence[Candidate], cards: Mapping[int, Card], category: str) -> list[Candidate]:
    """The same candidates, those of this category first."""
    return sorted(candidates, key=lambda each: each.product not in cards or cards[each.product].category != category)


def shown(limit: int) -> int:
    """How many products are shown when a caller asks for so many; 0 leaves it to us."""
    return min(limit or USUALLY_SHOWN, MOST_SHOWN)


def arranged(
    candidates: Iterable[Candidate], cards: Mapping[int, Card], *, without: Collection[int], most: int, share: float
) -> list[Candidate]:
    """Up to `most` candidates, the best first, each product once and none of `without`, of those that have a card.

    One category takes no more than its share of them (at least one place), unless nothing else is left.
    """
    places = max(1, int(most * share))
    taken: dict[str, int] = {}
    chosen: dict[int, Candidate] = {}
    beyond: dict[int, Candidate] = {}
    for each in candidates:
        if each.product in without or each.product not in cards or each.product in chosen:
            continue
        category = cards[each.product].category
        if taken.get(category, 0) < places:
            taken[category] = taken.get(category, 0) + 1
            chosen[each.product] = each
        else:
            beyond.setdefault(each.product, each)
        if len(chosen) == most:
            break
    return [*chosen.values(), *beyond.values()][:most]


def lowest(variants: Iterable[Variant]) -> money.Money | None:
    """The price of the cheapest variant, among those in the currency of the first; None without variants."""
    prices = [variant.price for variant in variants]
    same = [price for price in prices if price.currency == prices[0].currency]
    return min(same, key=lambda price: price.amount, default=None)


def newest(products: Iterable[Product]) -> list[Product]:
    """Of each product the newest version that was told, by id."""
    latest: dict[str, Product] = {}
    for product in products:
        if product.id not in latest or product.version > latest[product.id].version:
            latest[product.id] = product
    return [latest[product_id] for product_id in sorted(latest)]


def last(levels: Iterable[Level]) -> list[Level]:
    """Of each SKU and warehouse the level that was told last, in their order."""
    latest = {(level.sku, level.warehouse): level for level in levels}
    return [latest[place] for place in sorted(latest)]

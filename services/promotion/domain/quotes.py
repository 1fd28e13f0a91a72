"""What items cost with promotions: which apply, how they stack, and what each takes off from each line.

Promotions that combine are applied in the order of their priority, each to what the ones before it left. Of an exclusive
promotion and all others together the customer gets what takes off more. Nothing depends on the order of the input, no
line falls below zero, and the lines' discounts add up to those of their promotions exactly.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.chassis import errors, money
from services.promotion.domain import promotions
from services.promotion.domain.promotions import Promotion, Refusal


@dataclass(frozen=True, slots=True)
class Traits:
    """What a scope can ask of a SKU. categories holds those above its own, too."""

    product_id: str = ""
    categories: frozenset[str] = frozenset()
    vendor_id: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """So many of a SKU at a price, and what a scope can ask of it."""

    sku: str
    quantity: int
    unit_price: money.Money
    traits: Traits = Traits()

    @property
    def price(self) -> int:
        """What all of them cost, in minor units."""
        return self.unit_price.amount * self.quantity


@dataclass(frozen=True, slots=True)
class Basket:
    """What is quoted: items with different SKUs in one currency, and what their shipping costs (None: not known)."""

    items: tuple[Item, ...]
    shipping: money.Money | None = None
    first_order: bool = False

    @property
    def currency(self) -> str:
        """The currency of all of it."""
        return self.items[0].unit_price.currency


@dataclass(frozen=True, slots=True)
class Candidate:
    """A promotion that may apply: the code it was asked for by (empty: automatic), and how often it was used.

    code_left is how many orders can still use the code; None: as many as like.
    """

    promotion: Promotion
    code: str = ""
    code_left: int | None = None
    customer_uses: int = 0


@dataclass(frozen=True, slots=True)
class Applied:
    """A promotion that was applied, and what it takes off in minor units: by SKU, and from the shipping."""

    promotion: Promotion
    code: str
    lines: Mapping[str, int]
    shipping: int = 0

    @property
    def total(self) -> int:
        """What it takes off in all."""
        return sum(self.lines.values()) + self.shipping


@dataclass(frozen=True, slots=True)
class Quote:
    """What a basket costs: the promotions that were applied, in order, and why codes were not."""

    basket: Basket
    applied: tuple[Applied, ...]
    refused: Mapping[str, Refusal]

    def off(self, sku: str) -> int:
        """What is taken off from a line, in minor units."""
        return sum(applied.lines.get(sku, 0) for applied in self.applied)

    @property
    def items(self) -> money.Money:
        """What all items cost before discounts."""
        return money.Money(self.basket.currency, sum(item.price for item in self.basket.items))

    @property
    def items_discount(self) -> money.Money:
        """What is taken off from all items."""
        return money.Money(self.basket.currency, sum(sum(applied.lines.values()) for applied in self.applied))

    @property
    def total(self) -> money.Money:
        """What the customer pays for items and shipping."""
        shipping = self.basket.shipping.amount if self.basket.shipping else 0
        off = sum(applied.total for applied in self.applied)
        return money.Money(self.basket.currency, self.items.amount + shipping - off)


@dataclass(slots=True)
class _Left:
    """What promotions have left of each line and of the shipping, in minor units."""

    lines: dict[str, int]
    shipping: int
    applied: list[Applied] = field(default_factory=list)

    @property
    def off(self) -> int:
        return sum(applied.total for applied in self.applied)


def basket(items: Iterable[Item], shipping: money.Money | None = None, *, first_order: bool = False) -> Basket:
    """What is quoted. Raises SKU_DUPLICATE, CURRENCY_MIXED, AMOUNT_INVALID or MONEY_INVALID for what cannot be."""
    by_sku = sorted(items, key=lambda item: item.sku)
    for one, other in itertools.pairwise(by_sku):
        if one.sku == other.sku:
            raise errors.invalid("SKU_DUPLICATE", "each SKU can be in the items once", sku=one.sku)
    sent = [item.unit_price for item in by_sku] + ([shipping] if shipping else [])
    if any(amount.amount < 0 for amount in sent):
        raise errors.invalid("AMOUNT_INVALID", "prices cannot be below zero")
    money.total([item.unit_price * item.quantity for item in by_sku] + ([shipping] if shipping else []))
    return Basket(tuple(by_sku), shipping, first_order)


def of_customer(candidate: Candidate, uses: int) -> Candidate:
    """The candidate for a customer with so many orders that use it."""
    return replace(candidate, customer_uses=uses) if uses else candidate


def quote(asked: Basket, candidates: Sequence[Candidate], now: datetime, entered: Iterable[str] = ()) -> Quote:
    """What the basket costs with the best of these promotions.

    refused has each code that does not apply, also those that were entered and are no candidate's.
    """
    known = {candidate.code for candidate in candidates}
    refused = {code: Refusal.CODE_UNKNOWN for code in entered if code not in known}
    valid: dict[str, Candidate] = {}
    for candidate in sorted(candidates, key=_rank):
        refusal = refusal_of(candidate, asked, now)
        if refusal is None and candidate.promotion.id in valid:
            refusal = Refusal.PROMOTION_REPEATED
        if refusal:
            refused[candidate.code] = refusal
        else:
            valid[candidate.promotion.id] = candidate
    best = max(_stacks(asked, list(valid.values())), key=lambda left: left.off)
    used = {applied.promotion.id for applied in best.applied}
    for candidate in valid.values():
        if candidate.promotion.id not in used:
            alone = _applied(asked, [candidate]).off
            refused[candidate.code] = Refusal.NOT_COMBINABLE if alone else _nothing_off(candidate, asked)
    refused.pop("", None)
    return Quote(asked, tuple(best.applied), refused)


def _nothing_off(candidate: Candidate, asked: Basket) -> Refusal:
    """Why a promotion that is valid for the basket takes nothing off, not even alone."""
    of_shipping = isinstance(candidate.promotion.terms.kind, promotions.FreeShipping)
    return Refusal.SHIPPING_UNKNOWN if of_shipping and asked.shipping is None else Refusal.OUT_OF_SCOPE


def _rank(candidate: Candidate) -> tuple[int, str, str]:
    return -candidate.promotion.terms.priority, candidate.promotion.id, candidate.code


def refusal_of(candidate: Candidate, asked: Basket, now: datetime) -> Refusal | None:
    """Why a promotion does not apply to a basket; None when it does."""
    return candidate.promotion.closed(now) or _refusal_by_uses(candidate, asked) or _refusal_by_items(candidate, asked)


def _refusal_by_uses(candidate: Candidate, asked: Basket) -> Refusal | None:
    terms = candidate.promotion.terms
    if candidate.code_left is not None and candidate.code_left <= 0:
        return Refusal.CODE_USED
    if terms.most_uses and candidate.promotion.uses >= terms.most_uses:
        return Refusal.LIMIT_REACHED
    if terms.first_order_only and not asked.first_order:
        return Refusal.NOT_FIRST_ORDER
    if terms.most_per_customer and candidate.customer_uses >= terms.most_per_customer:
        return Refusal.CUSTOMER_LIMIT_REACHED
    return None


def _refusal_by_items(candidate: Candidate, asked: Basket) -> Refusal | None:
    terms = candidate.promotion.terms
    if terms.currency not in ("", asked.currency):
        return Refusal.CURRENCY_DIFFERENT
    items = in_scope(terms.scope, asked.items)
    if not items:
        return Refusal.OUT_OF_SCOPE
    minimums = [terms.minimum_spend.amount] if terms.minimum_spend else []
    if isinstance(terms.kind, promotions.Tiered):
        minimums.append(min(tier.minimum.amount for tier in terms.kind.tiers))
    spent = sum(item.price for item in items)
    return Refusal.BELOW_MINIMUM_SPEND if any(spent < least for least in minimums) else None


def in_scope(scope: promotions.Scope, items: Iterable[Item]) -> list[Item]:
    """Those of the items that a promotion is for."""
    return [
        item
        for item in items
        if (not scope.product_ids or item.traits.product_id in scope.product_ids)
        and (not scope.categories or not scope.categories.isdisjoint(item.traits.categories))
        and (not scope.vendor_ids or item.traits.vendor_id in scope.vendor_ids)
    ]


def _stacks(asked: Basket, valid: Sequence[Candidate]) -> list[_Left]:
    """What is left by all that combine, and by each exclusive promotion alone. Of equal ones the first is taken."""
    combining = [candidate for candidate in valid if not candidate.promotion.terms.exclusive]
    alone = [[candidate] for candidate in valid if candidate.promotion.terms.exclusive]
    return [_applied(asked, stack) for stack in [combining, *alone]]


def _applied(asked: Basket, stack: Sequence[Candidate]) -> _Left:
    """What these promotions leave, one after the other. Those that take off nothing are not applied."""
    left = _Left({item.sku: item.price for item in asked.items}, asked.shipping.amount if asked.shipping else 0)
    for candidate in stack:
        terms = candidate.promotion.terms
        items = in_scope(terms.scope, asked.items)
        shipping = left.shipping if items and isinstance(terms.kind, promotions.FreeShipping) else 0
        lines = {sku: off for sku, off in _off(terms.kind, items, left.lines).items() if off}
        if not lines and not shipping:
            continue
        left.shipping -= shipping
        for sku, off in lines.items():
            left.lines[sku] -= off
        left.applied.append(Applied(candidate.promotion, candidate.code, lines, shipping))
    return left


def _off(kind: promotions.Kind, items: Sequence[Item], left: Mapping[str, int]) -> dict[str, int]:
    """What a promotion takes off from each of the items in its scope, of which so much is left."""
    whole = sum(left[item.sku] for item in items)
    match kind:
        case promotions.Percentage(basis_points):
            return _split(_share(whole, basis_points), items, left)
        case promotions.FixedAmount(amount):
            return _split(min(amount.amount, whole), items, left)
        case promotions.Tiered(tiers):
            spent = sum(item.price for item in items)
            reached = [tier for tier in tiers if tier.minimum.amount <= spent]
            tier = max(reached, key=lambda tier: tier.minimum.amount)
            off = min(tier.amount.amount, whole) if tier.amount else _share(whole, tier.basis_points)
            return _split(off, items, left)
        case promotions.BuyXGetY():
            return _cheapest_off(kind, items, left)
        case promotions.FreeShipping():
            return {}


def _cheapest_off(kind: promotions.BuyXGetY, items: Sequence[Item], left: Mapping[str, int]) -> dict[str, int]:
    times = sum(item.quantity for item in items) // (kind.buy + kind.get)
    units = min(times, kind.most_times or times) * kind.get
    off = {}
    for item in sorted(items, key=lambda item: (item.unit_price.amount, item.sku)):
        taken = min(units, item.quantity)
        units -= taken
        off[item.sku] = _rounded(left[item.sku] * taken * kind.basis_points, item.quantity * promotions.WHOLE)
    return off


def _share(whole: int, basis_points: int) -> int:
    return _rounded(whole * basis_points, promotions.WHOLE)


def _rounded(numerator: int, denominator: int) -> int:
    """The quotient to the nearest unit, a half up."""
    return (2 * numerator + denominator) // (2 * denominator)


def _split(off: int, items: Sequence[Item], left: Mapping[str, int]) -> dict[str, int]:
    """So much, by largest remainder in proportion to what is left of each: no part is more than what it is a part of."""
    if not off:
        return {}
    parts = money.split(money.Money(items[0].unit_price.currency, off), [left[item.sku] for item in items])
    return {item.sku: part.amount for item, part in zip(items, parts, strict=True)}

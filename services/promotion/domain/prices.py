"""Promotional prices: what products cost for a while. Promotion keeps the schedule, the catalog charges by it.

Windows may overlap, for example a sale of the season and a day's price in it: the catalog charges the lowest.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from services.chassis import errors, money
from services.promotion.domain import promotions

# What each SKU of a product costs without promotions.
Regular = Mapping[str, money.Money]


@dataclass(frozen=True, slots=True)
class Terms:
    """What an administrator says of a promotional price."""

    price: money.Money
    title: str
    window: promotions.Window


@dataclass(frozen=True, slots=True)
class PromotionalPrice:
    """A lower price of a SKU, or of all SKUs of a product (sku is empty). version is 2 once it was ended by hand."""

    id: str
    product_id: str
    sku: str
    terms: Terms
    start_time: datetime
    end_time: datetime | None
    create_time: datetime
    version: int = 1


@dataclass(frozen=True, slots=True)
class Draft:
    """A promotional price to be made: of the SKU, or of the product when sku is empty. request_id may be empty."""

    product_id: str
    sku: str
    terms: Terms
    actor: str
    request_id: str = ""
    fingerprint: bytes = b""


@dataclass(frozen=True, slots=True)
class PromotionalPriceScheduled:
    """A promotional price was created."""

    price: PromotionalPrice


@dataclass(frozen=True, slots=True)
class PromotionalPriceWithdrawn:
    """A promotional price was ended by hand; it has the end that it has now."""

    price: PromotionalPrice


def of_product(draft: Draft, product_id: str) -> Draft:
    """The draft with the product that has its SKU."""
    return replace(draft, product_id=product_id)


def new(price_id: str, draft: Draft, *, shop_zone: str, now: datetime) -> PromotionalPrice:
    """The promotional price that is asked for. Raises AMOUNT_INVALID, WINDOW_INVALID or TIME_ZONE_UNKNOWN."""
    terms = draft.terms
    money.check_current(terms.price.currency)
    if terms.price.amount <= 0:
        raise _wrong("AMOUNT_INVALID", "price", "the price must be more than zero")
    start, end = promotions.moments(terms.window, shop_zone, field="")
    if end and end <= now:
        raise _wrong("WINDOW_INVALID", "end_local", "the end must be in the future")
    return PromotionalPrice(price_id, draft.product_id, draft.sku, terms, start or now, end, create_time=now)


def check_reduces(price: PromotionalPrice, regular: Regular) -> None:
    """Raise CURRENCY_MIXED or PRICE_NOT_REDUCED unless some SKU that is meant costs more now, in the same currency."""
    meant = [cost for sku, cost in regular.items() if price.sku in ("", sku)]
    comparable = [cost for cost in meant if cost.currency == price.terms.price.currency]
    if not comparable:
        raise _wrong("CURRENCY_MIXED", "price", "the product is not sold in this currency")
    if price.terms.price.amount >= max(cost.amount for cost in comparable):
        raise _wrong("PRICE_NOT_REDUCED", "price", "the price is not lower than the regular price")


def withdrawn(price: PromotionalPrice, now: datetime) -> PromotionalPrice:
    """The promotional price at an end. One that has ended stays as it is."""
    if price.end_time and price.end_time <= now:
        return price
    return replace(price, end_time=now, version=price.version + 1)


def _wrong(reason: str, field: str, said: str) -> errors.DomainError:
    return errors.invalid(reason, said, errors.Violation(field, said, reason))

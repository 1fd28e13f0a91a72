"""Promotions, items and baskets for the tests of the rules."""

from datetime import UTC, datetime

from services.chassis import money
from services.promotion.domain import promotions, quotes

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


def usd(amount: int) -> money.Money:
    return money.Money("USD", amount)


def terms(kind: promotions.Kind, **others: object) -> promotions.Terms:
    return promotions.Terms("Sale", kind, **{"automatic": True, **others})  # type: ignore[arg-type]  # any of its fields


def promotion(kind: promotions.Kind, promotion_id: str = "p", **others: object) -> promotions.Promotion:
    return promotions.Promotion(promotion_id, terms(kind, **others), None, None, NOW, NOW)


def candidate(kind: promotions.Kind, promotion_id: str = "p", **others: object) -> quotes.Candidate:
    return quotes.Candidate(promotion(kind, promotion_id, **others))


def by_code(code: str, kind: promotions.Kind, **others: object) -> quotes.Candidate:
    return quotes.Candidate(promotion(kind, f"of-{code}", automatic=False, **others), code)


def item(sku: str, price: int, quantity: int = 1, **traits: object) -> quotes.Item:
    return quotes.Item(sku, quantity, usd(price), quotes.Traits(**traits))  # type: ignore[arg-type]  # any of its fields


def quoted(items: list[quotes.Item], *candidates: quotes.Candidate, shipping: int = 0) -> quotes.Quote:
    asked = quotes.basket(items, usd(shipping) if shipping else None)
    return quotes.quote(asked, candidates, NOW)

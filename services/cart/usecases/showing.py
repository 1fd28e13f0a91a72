"""What a cart is shown with: what the shop says of it now. Whoever does not answer is left out."""

import asyncio
import logging
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from services.cart import domain
from services.chassis import errors

_LOG = logging.getLogger(__name__)

Answer = TypeVar("Answer")


class Catalog(Protocol):
    """Who knows what is for sale."""

    async def offers(self, skus: Iterable[str]) -> Mapping[str, domain.Offer]:
        """What is for sale of these SKUs. Raises TransientError or DomainError without an answer."""


class Inventory(Protocol):
    """Who knows what is in stock."""

    async def available(self, skus: Iterable[str]) -> Mapping[str, int]:
        """How many units can be ordered of these SKUs. Raises TransientError or DomainError without an answer."""


class Pricing(Protocol):
    """Who knows what an order would cost."""

    async def quote(self, question: domain.Question) -> domain.Quote:
        """What the cart would cost as an order. Raises TransientError or DomainError without an answer."""


class Shelves:
    """What the shop says of carts now. Whoever does not answer is left out, with a line in the log."""

    def __init__(self, catalog: Catalog, inventory: Inventory, pricing: Pricing) -> None:
        self._catalog = catalog
        self._inventory = inventory
        self._pricing = pricing

    async def offers(self, skus: Sequence[str]) -> domain.Offers:
        """What is for sale of these SKUs; None without an answer."""
        return await _answered(self._catalog.offers(skus)) if skus else {}

    async def show(self, cart: domain.Cart, place: domain.Place, destination: domain.Destination) -> domain.Shown:
        """The cart with current prices, stock and totals, as far as they can be had."""
        skus = sorted({line.sku for line in (*cart.lines, *cart.saved)})
        codes = tuple(coupon.code for coupon in cart.coupons)
        question = domain.Question(cart.lines, codes, "" if place.is_guest else place.id, destination)
        offers, stock, quote = await asyncio.gather(self.offers(skus), self._available(skus), self._quote(question))
        return domain.Shown(cart, offers, stock, quote)

    async def _available(self, skus: Sequence[str]) -> domain.Stock:
        return await _answered(self._inventory.available(skus)) if skus else {}

    async def _quote(self, question: domain.Question) -> domain.Quote | None:
        return await _answered(self._pricing.quote(question)) if question.lines else domain.NOTHING


async def _answered(asked: Awaitable[Answer]) -> Answer | None:
    try:
        return await asked
    except (errors.TransientError, errors.DomainError) as error:
        _LOG.warning("a cart is shown in part", extra={"cause": str(error)})
        return None

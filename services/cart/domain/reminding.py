"""The rules of carts that are left: when one counts as abandoned, and what is told of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.cart.domain.ordering import checkout_of
from services.cart.domain.values import Cart, Offer
from services.chassis import ids, money


@dataclass(frozen=True, slots=True)
class AbandonedLine:
    """A line of a cart that was left, and what the catalog says of it now."""

    offer: Offer
    quantity: int

    @property
    def total(self) -> money.Money:
        """What it costs, before discounts."""
        return self.offer.price * self.quantity


@dataclass(frozen=True, slots=True)
class CartAbandoned:
    """A user's cart was left, with these lines in it. id is that of this time, and the same whenever it is told again."""

    id: str
    user_id: str
    lines: tuple[AbandonedLine, ...]
    touched: datetime

    @property
    def total(self) -> money.Money | None:
        """What the lines cost together; None in several currencies."""
        currencies = {line.total.currency for line in self.lines}
        return money.total([line.total for line in self.lines]) if len(currencies) == 1 else None


def look_again(cart: Cart | None, after: timedelta) -> datetime | None:
    """From when on the cart counts as abandoned unless somebody touches it.

    None for one that will not: it is gone or empty, or its version was ordered.
    """
    if cart is None or cart.touched is None or not cart.lines:
        return None
    known = checkout_of(cart, cart.version)
    return None if known and known.order else cart.touched + after


def abandoned(cart: Cart, user_id: str, offers: Mapping[str, Offer]) -> CartAbandoned | None:
    """What is told of a cart that was left; None when nothing in it is for sale any more."""
    lines = tuple(AbandonedLine(offers[line.sku], line.quantity) for line in cart.lines if line.sku in offers)
    if not lines or cart.touched is None:
        return None
    return CartAbandoned(ids.dated(cart.touched, cart.origin), user_id, lines, cart.touched)

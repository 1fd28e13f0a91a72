"""The rules of re-ordering: what an order had, put into a cart again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.cart.domain.lines import MOST_LINES, line_of, with_quantity
from services.cart.domain.values import Cart, Offer
from services.chassis import errors


class Obstacle(StrEnum):
    """Why a line of an order could not be put into a cart again. The names are those of the contract."""

    NOT_SOLD = "NOT_SOLD"
    CART_FULL = "CART_FULL"


@dataclass(frozen=True, slots=True)
class PastLine:
    """One SKU of an order, with its title when it was ordered."""

    sku: str
    title: str
    quantity: int


@dataclass(frozen=True, slots=True)
class PastOrder:
    """An order that was placed: whose it is, and one line for each SKU."""

    id: str
    user_id: str
    lines: tuple[PastLine, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A line of an order that is not in the cart as the order had it, and why."""

    line: PastLine
    obstacle: Obstacle


def require_own(order: PastOrder, user_id: str) -> None:
    """Raise ORDER_NOT_FOUND unless the order is this user's: an administrator sees those of others, but buys for nobody."""
    if order.user_id != user_id:
        raise errors.not_found("ORDER_NOT_FOUND", "the order does not exist", order_id=order.id)


def reordered(cart: Cart, order: PastOrder, offers: Mapping[str, Offer], *, now: datetime) -> Cart:
    """The cart with at least what the order had, as far as it is sold and the cart has room: once, however often."""
    for line in order.lines:
        have = _quantities(cart)
        fits = line.sku in have or len(have) < MOST_LINES
        if line.sku in offers and fits and have.get(line.sku, 0) < line.quantity:
            cart = with_quantity(cart, line_of(line.sku, line.quantity, offers, now=now))
    return cart


def left_out(cart: Cart, order: PastOrder, offers: Mapping[str, Offer]) -> tuple[LeftOut, ...]:
    """What of the order is not in this cart, which was `reordered`, in the order of the order's lines."""
    have = _quantities(cart)
    return tuple(
        LeftOut(line, Obstacle.CART_FULL if line.sku in offers else Obstacle.NOT_SOLD)
        for line in order.lines
        if line.sku not in offers or have.get(line.sku, 0) < line.quantity
    )


def _quantities(cart: Cart) -> Mapping[str, int]:
    return {line.sku: line.quantity for line in cart.lines}

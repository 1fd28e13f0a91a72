"""The rules of ordering a cart: its checkout, and what confirmed and cancelled orders do to it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from services.cart.domain.lines import having_applied, require_version
from services.cart.domain.values import Cancelled, Cart, Checkout, Coupon, Line, Order, Ordered, Terms
from services.chassis import errors, ids

# Checkouts that a cart remembers, so that repeating one gives the order that it made.
CHECKOUTS = 5
# A checkout without an answer is repeated that long at most: well within the time that orders remember request ids.
REPEATABLE = timedelta(days=1)
# By so much, at most, do the clocks of the processes differ that add lines and make orders.
CLOCKS_DIFFER = timedelta(seconds=1)


def checkout_of(cart: Cart, version: int) -> Checkout | None:
    """The checkout of this version, if it is remembered."""
    return next((checkout for checkout in cart.checkouts if checkout.version == version), None)


def checking_out(cart: Cart, version: int, *, now: datetime) -> Cart:
    """The cart with a checkout of this version, once. Raises CART_CHANGED, CART_EMPTY.

    The request id follows from the cart and its version: also a Redis that lost the checkout asks for the same order.
    """
    known = checkout_of(cart, version)
    if known and (known.order or version == cart.version or now - known.time < REPEATABLE):
        return cart
    require_version(cart, version)
    if not cart.lines:
        raise errors.precondition("CART_EMPTY", "there is nothing in the cart")
    begun = Checkout(version, ids.named(cart.origin, f"checkout:{version}"), cart.lines, now, coupons=cart.coupons)
    return replace(cart, checkouts=(*cart.checkouts, begun)[-CHECKOUTS:])


def checked_out(cart: Cart, version: int, order: Order, terms: Terms) -> Cart:
    """The cart that remembers what came of a checkout."""
    return replace(
        cart,
        checkouts=tuple(
            replace(known, order=order, fingerprint=terms.fingerprint) if known.version == version else known
            for known in cart.checkouts
        ),
    )


def reopened(cart: Cart, cancelled: Cancelled) -> Cart:
    """The next version of the cart if this one was ordered, by the order that was cancelled as far as that is known."""
    known = checkout_of(cart, cart.version)
    if known and (known.order is None or known.order.id == cancelled.order_id):
        return replace(cart, version=cart.version + 1)
    return cart


def ordered_otherwise(order_id: str = "") -> errors.DomainError:
    """The version was ordered with other details: as this order, if it is known."""
    known = {"order_id": order_id} if order_id else {}
    return errors.precondition("CART_CHECKED_OUT", "this version of the cart was ordered with other details", **known)


def without_ordered(cart: Cart, order: Ordered) -> Cart:
    """The cart without what this order took, and the codes that it used, once: what was added beyond it stays.

    What was put in after the order was placed is not what was ordered. So an order that took nothing need not be
    remembered: if it is heard again, it takes nothing that was put in meanwhile.
    """
    if order.order_id in cart.applied:
        return cart
    was_there = _there_when_placed(cart, order)
    left = tuple(
        replace(line, quantity=line.quantity - order.units.get(line.sku, 0)) if was_there(line) else line
        for line in cart.lines
    )
    kept = tuple(coupon for coupon in cart.coupons if coupon.code not in order.codes or not was_there(coupon))
    if (left, kept) == (cart.lines, cart.coupons):
        return cart
    lines = tuple(line for line in left if line.quantity > 0)
    return having_applied(replace(cart, lines=lines, coupons=kept), order.order_id)


def _there_when_placed(cart: Cart, order: Ordered) -> Callable[[Line | Coupon], bool]:
    """Whether something was in the cart when the order was placed: its checkout says so, or else the clocks."""
    begun = next((checkout for checkout in cart.checkouts if _made(checkout, order)), None)
    if begun:
        there = {_identity(line) for line in begun.lines} | {_identity(coupon) for coupon in begun.coupons}
        return lambda item: _identity(item) in there
    if order.placed is None:
        return lambda _: True
    latest = order.placed + CLOCKS_DIFFER
    return lambda item: item.added <= latest


def _identity(item: Line | Coupon) -> tuple[str, str, datetime]:
    """What tells a line or code from one of the same name that was put in at another time."""
    return ("line", item.sku, item.added) if isinstance(item, Line) else ("coupon", item.code, item.added)


def _made(checkout: Checkout, order: Ordered) -> bool:
    """Whether the checkout made this order. Before the answer is written down, it is known by what was ordered."""
    if checkout.order:
        return checkout.order.id == order.order_id
    return {line.sku: line.quantity for line in checkout.lines} == order.units

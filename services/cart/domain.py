"""The rules of a cart: pure functions from a cart to the cart after a change."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from services.chassis import errors, ids, money

MOST_LINES = 100
MOST_UNITS = 999
# Checkouts that a cart remembers, so that repeating one gives the order that it made.
CHECKOUTS = 5
# A checkout without an answer is repeated that long at most: well within the time that orders remember request ids.
REPEATABLE = timedelta(days=1)
# Orders and guests' carts that a cart remembers, so that what is repeated is not applied twice.
REMEMBERED = 50


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cart is kept: a user's by the user's id, a guest's by its own."""

    kind: str
    id: str

    @property
    def is_guest(self) -> bool:
        """Whether it is the place of a guest's cart."""
        return self.kind == "guest"


def of_user(user_id: str) -> Place:
    """The place of a user's cart."""
    return Place("user", user_id)


def of_guest(cart_id: str) -> Place:
    """The place of a guest's cart."""
    return Place("guest", cart_id)


@dataclass(frozen=True, slots=True)
class Ordered:
    """What a confirmed order took, by SKU."""

    order_id: str
    user_id: str
    units: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Offer:
    """What the catalog says of a SKU that is for sale."""

    sku: str
    product_id: str
    title: str
    price: money.Money


# By SKU: what is for sale, and how many units can be ordered. None when the service that knows is unavailable.
Offers = Mapping[str, Offer] | None
Stock = Mapping[str, int] | None


@dataclass(frozen=True, slots=True)
class Line:
    """One SKU of a cart, when it was added first, and its price when its quantity was last written, if it was known."""

    sku: str
    quantity: int
    added: datetime
    price: money.Money | None = None


Lines = tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Cancelled:
    """An order of a user that was cancelled."""

    order_id: str
    user_id: str


@dataclass(frozen=True, slots=True)
class Address:
    """A shipping address. country is ISO 3166-1 alpha-2."""

    recipient: str
    line1: str
    line2: str
    city: str
    region: str
    postal_code: str
    country: str


@dataclass(frozen=True, slots=True)
class Terms:
    """How a cart is ordered. fingerprint tells requests with other details apart."""

    address: Address
    payment_method: str
    expected_total: money.Money | None
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Order:
    """The order that a checkout made."""

    id: str
    total: money.Money


@dataclass(frozen=True, slots=True)
class Checkout:
    """That a version of a cart is being ordered, by which request of the order service, and what came of it.

    It is written before the order is asked for. order and fingerprint are known once it has answered.
    """

    version: int
    request_id: str
    lines: Lines
    time: datetime
    order: Order | None = None
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Cart:
    """Lines in the order they were added. version counts the changes; 0 is a cart that was never written.

    saved are lines for later, which no order takes. applied names the orders and guests' carts that have changed it,
    the latest last. merging_into is the user into whose cart this guest's cart is being merged: from then on only that
    merge may use it. origin is a UUID that it was given when it was first written. revision counts the writes: also of
    what is no change to who uses the cart.
    """

    lines: Lines = ()
    version: int = 0
    saved: Lines = ()
    applied: tuple[str, ...] = ()
    merging_into: str = ""
    origin: str = ""
    checkouts: tuple[Checkout, ...] = ()
    revision: int = 0


EMPTY = Cart()


class Change(StrEnum):
    """What is no longer as it was when a line was put in. The names are those of the contract."""

    PRICE_CHANGED = "PRICE_CHANGED"
    NOT_SOLD = "NOT_SOLD"
    FEWER_IN_STOCK = "FEWER_IN_STOCK"


@dataclass(frozen=True, slots=True)
class Shown:
    """A cart as it is shown: with what the catalog and inventory say now."""

    cart: Cart
    offers: Offers
    stock: Stock

    @property
    def total(self) -> money.Money | None:
        """What the lines that are sold cost together; None if that is not known, or in several currencies."""
        prices = [offer.price * line.quantity for line in self.cart.lines if (offer := self.offer(line))]
        return money.total(prices) if len({price.currency for price in prices}) == 1 else None

    def offer(self, line: Line) -> Offer | None:
        """What the line's SKU costs, if that is known."""
        return self.offers.get(line.sku) if self.offers else None

    def available(self, line: Line) -> int | None:
        """How many units of the line's SKU can be ordered, if that is known."""
        return None if self.stock is None else self.stock.get(line.sku, 0)

    def changes(self, line: Line) -> list[Change]:
        """What has changed since the line was put in, as far as it is known."""
        offer, available = self.offer(line), self.available(line)
        price_changed = offer and line.price and offer.price != line.price
        told = {
            Change.PRICE_CHANGED: price_changed,
            Change.NOT_SOLD: self.offers is not None and offer is None,
            Change.FEWER_IN_STOCK: available is not None and available < line.quantity,
        }
        return [change for change, happened in told.items() if happened]


def line_of(sku: str, units: int, offers: Offers, *, now: datetime) -> Line:
    """A new line with the current price. Raises SKU_UNKNOWN when the catalog knows that it is not for sale."""
    offer = offers.get(sku) if offers is not None else None
    if offers is not None and offer is None:
        said = f"{sku} is not for sale"
        raise errors.invalid("SKU_UNKNOWN", said, errors.Violation("sku", said, "SKU_UNKNOWN"), sku=sku)
    return Line(sku, units, now, offer.price if offer else None)


def line_to_set(cart: Cart, sku: str, units: int, offers: Offers, *, now: datetime) -> Line:
    """The line with which a quantity is set: one that the cart has may be changed also when it is no longer sold."""
    known = offers is not None and sku in offers
    if units and (known or not _quantity(cart.lines, sku)):
        return line_of(sku, units, offers, now=now)
    return Line(sku, units, now)


def added(cart: Cart, line: Line) -> Cart:
    """The cart with these units more. Raises CART_FULL, CART_QUANTITY_TOO_LARGE."""
    return _bounded(replace(cart, lines=_with_units(cart.lines, line)))


def with_quantity(cart: Cart, line: Line) -> Cart:
    """The cart with exactly this quantity of the SKU; 0 removes it. Raises CART_FULL."""
    if not line.quantity:
        return replace(cart, lines=_without(cart.lines, line.sku))
    return _bounded(replace(cart, lines=_with_line(cart.lines, line)))


def saved_for_later(cart: Cart, sku: str) -> Cart:
    """The cart with this line among those for later, if it is not there already.

    Raises CART_LINE_NOT_FOUND, SAVED_FULL or CART_QUANTITY_TOO_LARGE.
    """
    lines, saved = _moved(sku, cart.lines, cart.saved)
    return _bounded(replace(cart, lines=lines, saved=saved))


def restored(cart: Cart, sku: str) -> Cart:
    """The cart with a line that was saved for later among its lines again, if it is not there already.

    Raises CART_LINE_NOT_FOUND, CART_FULL or CART_QUANTITY_TOO_LARGE.
    """
    saved, lines = _moved(sku, cart.saved, cart.lines)
    return _bounded(replace(cart, lines=lines, saved=saved))


def without_saved(cart: Cart, sku: str) -> Cart:
    """The cart without what was saved of this SKU for later, if anything was."""
    return replace(cart, saved=_without(cart.saved, sku))


def merged(cart: Cart, guest: Cart, name: str) -> Cart:
    """The user's cart with all lines of the guest's cart of this name, once. Raises CART_FULL, SAVED_FULL."""
    if name in cart.applied:
        return cart
    lines, saved = _merged(cart.lines, guest.lines), _merged(cart.saved, guest.saved)
    return _having_applied(_bounded(replace(cart, lines=lines, saved=saved)), name)


def without_ordered(cart: Cart, order: Ordered) -> Cart:
    """The cart without what this order took, once: what was added beyond it stays."""
    if order.order_id in cart.applied:
        return cart
    left = tuple(replace(line, quantity=line.quantity - order.units.get(line.sku, 0)) for line in cart.lines)
    return _having_applied(replace(cart, lines=tuple(line for line in left if line.quantity > 0)), order.order_id)


def counted(before: Cart, after: Cart) -> Cart:
    """The cart after a change, as the next version if what is in it differs."""
    differs = (before.lines, before.saved) != (after.lines, after.saved)
    return replace(after, version=before.version + 1) if differs else after


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
    begun = Checkout(version, ids.named(cart.origin, f"checkout:{version}"), cart.lines, now)
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


def require_version(cart: Cart, expected: int) -> None:
    """Raise CART_CHANGED unless this is the version that the caller has seen; 0 accepts any."""
    if expected and expected != cart.version:
        raise ChangedError(cart)


class ChangedError(errors.DomainError):
    """CART_CHANGED: somebody else changed the cart first. It has the cart as it is now, and its version as metadata."""

    def __init__(self, cart: Cart) -> None:
        said = "the cart has changed: look at it and repeat"
        super().__init__(errors.Code.ABORTED, "CART_CHANGED", said, {"version": str(cart.version)})
        self.cart = cart


def no_cart() -> errors.DomainError:
    """There is no such cart, or not for this caller to see."""
    return errors.not_found("CART_NOT_FOUND", "there is no such cart")


def _quantity(lines: Lines, sku: str) -> int:
    return next((line.quantity for line in lines if line.sku == sku), 0)


def _without(lines: Lines, sku: str) -> Lines:
    return tuple(line for line in lines if line.sku != sku)


def _with_line(lines: Lines, line: Line) -> Lines:
    """The lines with this quantity, and price if it is known, of its SKU."""
    if not _quantity(lines, line.sku):
        return (*lines, line)
    return tuple(
        replace(have, quantity=line.quantity, price=line.price or have.price) if have.sku == line.sku else have
        for have in lines
    )


def _with_units(lines: Lines, line: Line) -> Lines:
    """The lines with these units more. Raises CART_QUANTITY_TOO_LARGE."""
    units = _quantity(lines, line.sku) + line.quantity
    if units > MOST_UNITS:
        said = f"a line has at most {MOST_UNITS} units of a SKU"
        raise errors.precondition("CART_QUANTITY_TOO_LARGE", said, sku=line.sku, limit=str(MOST_UNITS))
    return _with_line(lines, replace(line, quantity=units))


def _moved(sku: str, source: Lines, target: Lines) -> tuple[Lines, Lines]:
    line = next((line for line in source if line.sku == sku), None)
    if line:
        return _without(source, sku), _with_units(target, line)
    if not _quantity(target, sku):
        raise errors.not_found("CART_LINE_NOT_FOUND", "there is no such line to move", sku=sku)
    return source, target


def _merged(own: Lines, others: Lines) -> Lines:
    for line in others:
        units = min(_quantity(own, line.sku) + line.quantity, MOST_UNITS)
        own = _with_line(own, replace(line, quantity=units))
    return own


def _having_applied(cart: Cart, name: str) -> Cart:
    return replace(cart, applied=(*cart.applied, name)[-REMEMBERED:])


def _bounded(cart: Cart) -> Cart:
    if len(cart.lines) > MOST_LINES:
        raise errors.precondition("CART_FULL", f"a cart has at most {MOST_LINES} lines", limit=str(MOST_LINES))
    if len(cart.saved) > MOST_LINES:
        said = f"at most {MOST_LINES} lines are saved for later"
        raise errors.precondition("SAVED_FULL", said, limit=str(MOST_LINES))
    return cart

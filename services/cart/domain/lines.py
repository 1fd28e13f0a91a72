"""The rules of what is in a cart: functions from a cart to the cart after a change."""

from dataclasses import replace
from datetime import datetime

from services.cart.domain import coupons
from services.cart.domain.values import Cart, Line, Lines, Offers
from services.chassis import errors

MOST_LINES = 100
MOST_UNITS = 999
# Orders and guests' carts that a cart remembers, so that what is repeated is not applied twice.
REMEMBERED = 50


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


def merged(cart: Cart, guest: Cart, name: str, *, expected: int = 0) -> Cart:
    """The user's cart with all that is in the guest's cart of this name, once.

    Raises CART_FULL, SAVED_FULL or COUPONS_FULL, and CART_CHANGED unless this is the expected version of the user's.
    """
    if name in cart.applied:
        return cart
    require_version(cart, expected)
    lines, saved = _merged(cart.lines, guest.lines), _merged(cart.saved, guest.saved)
    codes = coupons.bounded(coupons.joined(cart.coupons, guest.coupons))
    return having_applied(_bounded(replace(cart, lines=lines, saved=saved, coupons=codes)), name)


def counted(before: Cart, after: Cart) -> Cart:
    """The cart after a change, as the next version if what is in it differs."""
    differs = (before.lines, before.saved, before.coupons) != (after.lines, after.saved, after.coupons)
    return replace(after, version=before.version + 1) if differs else after


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


def having_applied(cart: Cart, name: str) -> Cart:
    """The cart that remembers what has changed it."""
    return replace(cart, applied=(*cart.applied, name)[-REMEMBERED:])


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


def _bounded(cart: Cart) -> Cart:
    if len(cart.lines) > MOST_LINES:
        raise errors.precondition("CART_FULL", f"a cart has at most {MOST_LINES} lines", limit=str(MOST_LINES))
    if len(cart.saved) > MOST_LINES:
        said = f"at most {MOST_LINES} lines are saved for later"
        raise errors.precondition("SAVED_FULL", said, limit=str(MOST_LINES))
    return cart

"""The rules of coupon codes that a cart keeps. Whether they apply is for promotion to say: here they are only written down."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from services.cart.domain.values import Cart, Checkout, Coupon, Coupons, Terms
from services.chassis import errors

# As many as an order takes.
MOST_COUPONS = 10


def written(code: str) -> str:
    """A code as it is kept and compared, however it was entered: as promotion does."""
    return code.strip().upper()


def with_coupon(cart: Cart, code: str, *, now: datetime) -> Cart:
    """The cart that keeps this code, once. Raises COUPONS_FULL."""
    return replace(cart, coupons=bounded(joined(cart.coupons, (Coupon(written(code), now),))))


def without_coupon(cart: Cart, code: str) -> Cart:
    """The cart without this code, if it was there."""
    return replace(cart, coupons=tuple(coupon for coupon in cart.coupons if coupon.code != written(code)))


def joined(own: Coupons, others: Coupons) -> Coupons:
    """The codes of both, each once: first those of the first, in their order."""
    known = {coupon.code for coupon in own}
    return (*own, *(coupon for coupon in others if coupon.code not in known))


def bounded(coupons: Coupons) -> Coupons:
    """The same. Raises COUPONS_FULL when there are too many."""
    if len(coupons) > MOST_COUPONS:
        raise _too_many()
    return coupons


def codes_to_use(checkout: Checkout, terms: Terms) -> Sequence[tuple[str, str]]:
    """The codes that an order of this checkout uses, each with the field that a refusal names. Raises COUPONS_FULL.

    First those that were entered with the checkout, as they were entered, then the others that the cart kept.
    """
    entered = [(code, f"coupon_codes[{number}]") for number, code in enumerate(terms.coupon_codes)]
    known = {written(code) for code in terms.coupon_codes}
    kept = [(coupon.code, f"coupons[{number}]") for number, coupon in enumerate(checkout.coupons)]
    codes = [*entered, *((code, field) for code, field in kept if code not in known)]
    if len(codes) > MOST_COUPONS:
        raise _too_many()
    return codes


def _too_many() -> errors.DomainError:
    said = f"a cart, and an order, has at most {MOST_COUPONS} coupon codes"
    return errors.precondition("COUPONS_FULL", said, limit=str(MOST_COUPONS))

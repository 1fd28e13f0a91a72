"""What a cart consists of: values without rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.chassis import money


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
class Coupon:
    """A coupon code that a cart keeps, as promotion writes it, and when it was put in."""

    code: str
    added: datetime


Coupons = tuple[Coupon, ...]


@dataclass(frozen=True, slots=True)
class Ordered:
    """What a confirmed order took, by SKU, the coupon codes that it used, and when it was placed if that is known."""

    order_id: str
    user_id: str
    units: Mapping[str, int]
    placed: datetime | None = None
    codes: frozenset[str] = frozenset()


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
    """How a cart is ordered. fingerprint tells requests with other details apart. An empty service_level is the usual one."""

    address: Address
    payment_method: str
    expected_total: money.Money | None
    fingerprint: str
    coupon_codes: tuple[str, ...] = ()
    service_level: str = ""
    saved_payment_method: str = ""


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
    coupons: Coupons = ()


@dataclass(frozen=True, slots=True)
class Cart:
    """Lines in the order they were added. version counts the changes; 0 is a cart that was never written.

    saved are lines for later, which no order takes. applied names the orders and guests' carts that have changed it,
    the latest last. merging_into is the user into whose cart this guest's cart is being merged: from then on only that
    merge may use it. origin is a UUID that it was given when it was first written. revision counts the writes: also of
    what is no change to who uses the cart. touched is when its user last changed it, if that is known.
    """

    lines: Lines = ()
    version: int = 0
    saved: Lines = ()
    applied: tuple[str, ...] = ()
    merging_into: str = ""
    origin: str = ""
    checkouts: tuple[Checkout, ...] = ()
    revision: int = 0
    coupons: Coupons = ()
    touched: datetime | None = None


EMPTY = Cart()

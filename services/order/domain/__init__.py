"""Orders as values and domain events, without any I/O. Their state transitions are the table in `saga/definitions.py`.

What an order costs is decided in `totals.py`, by the tables in `rates.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services import tariff
from services.chassis import errors, money


class Status(StrEnum):
    """The status of an order. The names are those of the contract and of SQL."""

    PENDING = "PENDING"
    RESERVED = "RESERVED"
    CONFIRMED = "CONFIRMED"
    FULFILLING = "FULFILLING"
    SHIPPED = "SHIPPED"
    DELIVERED = "DELIVERED"
    CANCELLING = "CANCELLING"
    CANCELLED = "CANCELLED"


class Step(StrEnum):
    """The step of an order's saga: what it waits for."""

    STOCK = "STOCK"
    PAYMENT = "PAYMENT"
    SETTLEMENT = "SETTLEMENT"
    DELIVERY = "DELIVERY"
    COMPENSATION = "COMPENSATION"
    DONE = "DONE"


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
class Item:
    """A SKU and the quantity that a customer orders of it."""

    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Offer:
    """A SKU's title and price in the catalog, how it is taxed, who sells it (empty: the shop), and how it is packed."""

    sku: str
    title: str
    price: money.Money
    tax_class: str = ""
    vendor_id: str = ""
    package: tariff.Package = tariff.UNKNOWN


@dataclass(frozen=True, slots=True)
class Charges:
    """What changes the price of a line, in minor units of its currency: its discount, and its shares of shipping and taxes.

    tax_rate is in millionths.
    """

    discount: int = 0
    shipping: int = 0
    tax: int = 0
    tax_rate: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One SKU of an order, with title, price, charges and vendor (empty: the shop itself) as they were when it was ordered."""

    sku: str
    title: str
    quantity: int
    unit_price: money.Money
    charges: Charges = Charges()
    vendor_id: str = ""

    @property
    def total(self) -> money.Money:
        """The price of the whole line, before discounts, shipping and taxes."""
        return self.unit_price * self.quantity

    def payable(self, *, taxes_included: bool) -> money.Money:
        """What the customer pays for it in all. The sum over an order's lines is its total."""
        charges = self.charges
        taxes = 0 if taxes_included else charges.tax
        return self.in_currency(self.total.amount - charges.discount + charges.shipping + taxes)

    def in_currency(self, amount: int) -> money.Money:
        """An amount of the line's currency."""
        return money.Money(self.unit_price.currency, amount)


@dataclass(frozen=True, slots=True)
class Totals:
    """What an order costs, by what for: items - discounts + shipping = total, and taxes on top unless they are included."""

    items: money.Money
    discounts: money.Money
    shipping: money.Money
    taxes: money.Money
    taxes_included: bool
    total: money.Money


@dataclass(frozen=True, slots=True)
class Discount:
    """What a promotion takes off, in minor units: by SKU, and from the shipping.

    claims is the version of the promotion that the order must redeem; 0 for one that needs no redemption.
    """

    promotion_id: str
    title: str
    code: str
    lines: Mapping[str, int]
    shipping: int = 0
    claims: int = 0

    @property
    def amount(self) -> int:
        """What it takes off in all."""
        return sum(self.lines.values()) + self.shipping


@dataclass(frozen=True, slots=True)
class Coupon:
    """What became of a coupon code, as it was entered. refusal says why it does not apply; empty if it does."""

    code: str
    refusal: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """How lines are sent: how fast, and of each how a unit is packed and how many there are."""

    service_level: str = tariff.STANDARD
    packages: tuple[tuple[tariff.Package, int], ...] = ()


AS_USUAL = Sent()


@dataclass(frozen=True, slots=True)
class Parcel:
    """Lines that are to be shipped, where to and how. price is that of their items: a discount makes no shipping dearer."""

    address: Address
    lines: tuple[Line, ...]
    price: money.Money
    sent: Sent = AS_USUAL


@dataclass(frozen=True, slots=True)
class Quote:
    """What an order would cost: its lines with their charges, and their sums."""

    lines: tuple[Line, ...]
    totals: Totals
    discounts: tuple[Discount, ...] = ()
    coupons: tuple[Coupon, ...] = ()


@dataclass(frozen=True, slots=True)
class Shortage:
    """A SKU with less stock than an order asked for."""

    sku: str
    requested: int
    available: int


@dataclass(frozen=True, slots=True)
class Basket:
    """What somebody wants, where and how fast it shall be shipped, and the coupon codes they entered."""

    user_id: str
    items: tuple[Item, ...]
    address: Address
    coupon_codes: tuple[str, ...] = ()
    service_level: str = tariff.STANDARD


@dataclass(frozen=True, slots=True)
class Draft:
    """An order as requested, before prices are known.

    request_id is empty when the caller will not repeat the call. expected_total is what the customer agreed to pay, if the
    caller said so. saved_method names a payment method that the customer saved, whose token payment_method becomes; unpayable
    is why it cannot be used.
    """

    basket: Basket
    payment_method: str
    request_id: str
    fingerprint: bytes
    expected_total: money.Money | None = None
    saved_method: str = ""
    unpayable: errors.DomainError | None = None

    @property
    def user_id(self) -> str:
        """Whose order it is."""
        return self.basket.user_id


@dataclass(frozen=True, slots=True)
class Order:
    """An accepted order. It never changes. taxes_included says whether its prices contain the taxes."""

    id: str
    user_id: str
    lines: tuple[Line, ...]
    total: money.Money
    address: Address
    payment_method: str
    create_time: datetime
    taxes_included: bool = False
    discounts: tuple[Discount, ...] = ()
    service_level: str = tariff.STANDARD

    @property
    def redemptions(self) -> tuple[Discount, ...]:
        """The discounts that must be redeemed before anything is paid."""
        return tuple(discount for discount in self.discounts if discount.claims)

    @property
    def totals(self) -> Totals:
        """What it costs, by what for."""
        return totals_of(self.lines, taxes_included=self.taxes_included)


@dataclass(frozen=True, slots=True)
class Saga:
    """The durable process that takes an order from acceptance to its end. version counts its changes, from 1.

    awaiting names the services that have not answered yet in this step, and what is awaited of its parcels. deadline is None
    when nothing is awaited.
    """

    id: str
    order_id: str
    definition_version: int
    status: Status
    step: Step
    awaiting: frozenset[str]
    version: int
    update_time: datetime
    deadline: datetime | None = None
    attempts: int = 0
    stuck: bool = False
    payment_id: str = ""
    cancel_reason: str = ""
    shortages: tuple[Shortage, ...] = ()

    @property
    def settled(self) -> bool:
        """Whether the saga has ended."""
        return self.step is Step.DONE


@dataclass(frozen=True, slots=True)
class Placed:
    """An order with its saga."""

    order: Order
    saga: Saga


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One event in an order's history. sequence is the saga's version after it."""

    order_id: str
    sequence: int
    status: Status
    event: str
    reason: str
    actor: str
    time: datetime


@dataclass(frozen=True, slots=True)
class OrderPlaced:
    """An order was accepted: inventory reserves its lines."""

    order: Order
    version: int


@dataclass(frozen=True, slots=True)
class PaymentRequested:
    """An order's stock is reserved and its payment is due."""

    order: Order
    version: int
    time: datetime


@dataclass(frozen=True, slots=True)
class OrderConfirmed:
    """The pivot: the stock is reserved and the payment authorised."""

    order: Order
    version: int
    time: datetime


@dataclass(frozen=True, slots=True)
class ShipmentsStopRequested:
    """A confirmed order is to be cancelled, if nothing of it has left."""

    order: Order
    version: int


@dataclass(frozen=True, slots=True)
class OrderCancelled:
    """An order was cancelled: every service that holds something for it releases it."""

    order: Order
    version: int
    reason: str
    repeat: int


@dataclass(frozen=True, slots=True)
class OrderCancellationCompleted:
    """Compensation of a cancelled order is complete."""

    order: Order
    version: int
    reason: str


Fact = (
    OrderPlaced
    | PaymentRequested
    | OrderConfirmed
    | ShipmentsStopRequested
    | OrderCancelled
    | OrderCancellationCompleted
)


def totals_of(lines: Sequence[Line], *, taxes_included: bool) -> Totals:
    """The sums of these lines, of which there is at least one."""
    as_money = lines[0].in_currency
    return Totals(
        items=as_money(sum(line.unit_price.amount * line.quantity for line in lines)),
        discounts=as_money(sum(line.charges.discount for line in lines)),
        shipping=as_money(sum(line.charges.shipping for line in lines)),
        taxes=as_money(sum(line.charges.tax for line in lines)),
        taxes_included=taxes_included,
        total=as_money(sum(line.payable(taxes_included=taxes_included).amount for line in lines)),
    )

"""Orders as values and domain events, without any I/O. Their state transitions are the table in `saga.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.chassis import errors, money

# Keeps sums far from what a provider or an SQL bigint can hold: ten million of most currencies.
MOST_TOTAL = 10**9


class Status(StrEnum):
    """The status of an order. The names are those of the contract and of SQL."""

    PENDING = "PENDING"
    RESERVED = "RESERVED"
    CONFIRMED = "CONFIRMED"
    CANCELLING = "CANCELLING"
    CANCELLED = "CANCELLED"


class Step(StrEnum):
    """The step of an order's saga: what it waits for."""

    STOCK = "STOCK"
    PAYMENT = "PAYMENT"
    SETTLEMENT = "SETTLEMENT"
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
    """A SKU's title and current price in the catalog."""

    sku: str
    title: str
    price: money.Money


@dataclass(frozen=True, slots=True)
class Line:
    """One SKU of an order, with title and price as they were when it was ordered."""

    sku: str
    title: str
    quantity: int
    unit_price: money.Money

    @property
    def total(self) -> money.Money:
        """The price of the whole line."""
        return self.unit_price * self.quantity


@dataclass(frozen=True, slots=True)
class Shortage:
    """A SKU with less stock than an order asked for."""

    sku: str
    requested: int
    available: int


@dataclass(frozen=True, slots=True)
class Draft:
    """An order as requested, before prices are known.

    request_id is empty when the caller will not repeat the call. expected_total is what the customer agreed to pay, if the
    caller said so.
    """

    user_id: str
    items: tuple[Item, ...]
    address: Address
    payment_method: str
    request_id: str
    fingerprint: bytes
    expected_total: money.Money | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """An accepted order. It never changes."""

    id: str
    user_id: str
    lines: tuple[Line, ...]
    total: money.Money
    address: Address
    payment_method: str
    create_time: datetime


@dataclass(frozen=True, slots=True)
class Saga:
    """The durable process that takes an order from acceptance to its end. version counts its changes, from 1.

    awaiting names the services that have not answered yet in this step. deadline is None when nothing is awaited.
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


Fact = OrderPlaced | PaymentRequested | OrderConfirmed | OrderCancelled | OrderCancellationCompleted


def lines_of(items: Sequence[Item], offers: Mapping[str, Offer]) -> tuple[Line, ...]:
    """The lines of an order at the catalog's prices, by SKU.

    Raises SKU_DUPLICATE and SKU_UNKNOWN, naming every wrong item at once.
    """
    seen: set[str] = set()
    wrong: list[errors.Violation] = []
    for number, item in enumerate(items):
        field = f"items[{number}].sku"
        if item.sku in seen:
            wrong.append(errors.Violation(field, f"{item.sku} appears more than once in the order", "SKU_DUPLICATE"))
        elif item.sku not in offers:
            wrong.append(errors.Violation(field, f"{item.sku} is not for sale", "SKU_UNKNOWN"))
        seen.add(item.sku)
    if wrong:
        raise errors.invalid(wrong[0].reason, "some of the items cannot be ordered", *wrong)
    ordered = sorted(items, key=lambda item: item.sku)
    return tuple(Line(i.sku, offers[i.sku].title, i.quantity, offers[i.sku].price) for i in ordered)


def total_of(lines: Sequence[Line]) -> money.Money:
    """What an order costs. Raises CURRENCY_MIXED or ORDER_TOTAL_TOO_LARGE."""
    currency = lines[0].unit_price.currency
    for line in lines:
        if line.unit_price.currency != currency:
            said = f"all items must have the same currency, not {currency} and {line.unit_price.currency}"
            raise errors.invalid("CURRENCY_MIXED", said)
    # Summed as numbers: what no Money can hold is too large for an order, too.
    amount = sum(line.unit_price.amount * line.quantity for line in lines)
    if amount > MOST_TOTAL:
        limit = money.Money(currency, MOST_TOTAL)
        said = f"the total of the order exceeds the maximum of {limit}"
        raise errors.invalid("ORDER_TOTAL_TOO_LARGE", said, limit=limit.decimal, currency=currency)
    return money.Money(currency, amount)


def check_expected(expected: money.Money | None, total: money.Money) -> None:
    """Raise ORDER_TOTAL_CHANGED, with both amounts, when the order costs something else than the customer agreed to pay."""
    if expected is None or expected == total:
        return
    raise errors.DomainError(
        errors.Code.ABORTED,
        "ORDER_TOTAL_CHANGED",
        f"the total of the order is {total}, not the expected {expected}",
        {
            "total": total.decimal,
            "currency": total.currency,
            "expected_total": expected.decimal,
            "expected_currency": expected.currency,
        },
    )

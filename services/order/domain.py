"""What an order is: values and facts, without any I/O. How it moves is `saga.py`'s one table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.chassis import errors, money

# Keeps sums far from what a provider or an SQL bigint can hold: ten million of most currencies.
MOST_TOTAL = 10**9


class Status(StrEnum):
    """Where an order is on its way. The words are those of the contract and of SQL."""

    PENDING = "PENDING"
    RESERVED = "RESERVED"
    CONFIRMED = "CONFIRMED"
    CANCELLING = "CANCELLING"
    CANCELLED = "CANCELLED"


class Step(StrEnum):
    """What an order's saga waits for."""

    STOCK = "STOCK"
    PAYMENT = "PAYMENT"
    SETTLEMENT = "SETTLEMENT"
    COMPENSATION = "COMPENSATION"
    DONE = "DONE"


@dataclass(frozen=True, slots=True)
class Address:
    """Where goods go. country is ISO 3166-1 alpha-2."""

    recipient: str
    line1: str
    line2: str
    city: str
    region: str
    postal_code: str
    country: str


@dataclass(frozen=True, slots=True)
class Item:
    """What a customer asks for: so many of a SKU."""

    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Offer:
    """What the catalog says of a SKU: its title and its price now."""

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
        """What the line costs."""
        return self.unit_price * self.quantity


@dataclass(frozen=True, slots=True)
class Shortage:
    """A SKU of which fewer were left than an order asked for."""

    sku: str
    requested: int
    available: int


@dataclass(frozen=True, slots=True)
class Draft:
    """An order as it is asked for, before prices.

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
    """What was bought. None of this changes after it is accepted."""

    id: str
    user_id: str
    lines: tuple[Line, ...]
    total: money.Money
    address: Address
    payment_method: str
    create_time: datetime


@dataclass(frozen=True, slots=True)
class Saga:
    """Where an order is: the durable process that carries it to an end. version counts its changes, from 1.

    awaiting names the services that still have to answer in this step. deadline is None when nothing is awaited.
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
        """Whether it ended: nothing is awaited any more."""
        return self.step is Step.DONE


@dataclass(frozen=True, slots=True)
class Placed:
    """An order and where it is."""

    order: Order
    saga: Saga


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One step of an order's history. sequence is the saga's version after it."""

    order_id: str
    sequence: int
    status: Status
    event: str
    reason: str
    actor: str
    time: datetime


@dataclass(frozen=True, slots=True)
class OrderPlaced:
    """An order was accepted: inventory holds its lines."""

    order: Order
    version: int


@dataclass(frozen=True, slots=True)
class PaymentRequested:
    """An order's stock is held and its money is wanted."""

    order: Order
    version: int
    time: datetime


@dataclass(frozen=True, slots=True)
class OrderConfirmed:
    """The pivot: stock and money are certain."""

    order: Order
    version: int
    time: datetime


@dataclass(frozen=True, slots=True)
class OrderCancelled:
    """An order will not happen: whoever holds something for it gives it back."""

    order: Order
    version: int
    reason: str
    repeat: int


@dataclass(frozen=True, slots=True)
class OrderCancellationCompleted:
    """Everything that was held or paid for a cancelled order was given back."""

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
            wrong.append(errors.Violation(field, f"{item.sku} is in the order twice", "SKU_DUPLICATE"))
        elif item.sku not in offers:
            wrong.append(errors.Violation(field, f"{item.sku} is not for sale", "SKU_UNKNOWN"))
        seen.add(item.sku)
    if wrong:
        raise errors.invalid(wrong[0].reason, "some items cannot be ordered", *wrong)
    ordered = sorted(items, key=lambda item: item.sku)
    return tuple(Line(i.sku, offers[i.sku].title, i.quantity, offers[i.sku].price) for i in ordered)


def total_of(lines: Sequence[Line]) -> money.Money:
    """What an order costs. Raises CURRENCY_MIXED or ORDER_TOTAL_TOO_LARGE."""
    currency = lines[0].unit_price.currency
    for line in lines:
        if line.unit_price.currency != currency:
            raise errors.invalid("CURRENCY_MIXED", f"{currency} and {line.unit_price.currency} do not add up")
    # Summed as numbers: what no Money can hold is too large for an order, too.
    amount = sum(line.unit_price.amount * line.quantity for line in lines)
    if amount > MOST_TOTAL:
        limit = money.Money(currency, MOST_TOTAL)
        said = f"the order costs more than an order may: {limit}"
        raise errors.invalid("ORDER_TOTAL_TOO_LARGE", said, limit=limit.decimal, currency=currency)
    return money.Money(currency, amount)


def check_expected(expected: money.Money | None, total: money.Money) -> None:
    """Raise ORDER_TOTAL_CHANGED, with both amounts, when the order costs something else than the customer agreed to pay."""
    if expected is None or expected == total:
        return
    raise errors.DomainError(
        errors.Kind.ABORTED,
        "ORDER_TOTAL_CHANGED",
        f"the order costs {total}, not {expected}",
        {
            "total": total.decimal,
            "currency": total.currency,
            "expected_total": expected.decimal,
            "expected_currency": expected.currency,
        },
    )

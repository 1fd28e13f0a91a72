"""What a message to a customer is, and what becomes of it: values and rules, without any I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.chassis import money


class State(StrEnum):
    """Where a message is. The words are those of the contract and of SQL."""

    QUEUED = "QUEUED"
    SENT = "SENT"
    FAILED = "FAILED"


class Template(StrEnum):
    """What a message is about: the names of the files in `templates/`."""

    WELCOME = "welcome"
    ORDER_CONFIRMED = "order_confirmed"
    ORDER_CANCELLED = "order_cancelled"
    PAYMENT_REFUNDED = "payment_refunded"
    PAYMENT_PARTLY_REFUNDED = "payment_partly_refunded"
    # In the words of whoever runs the shop.
    MESSAGE = "message"


class Outcome(StrEnum):
    """What came of trying to send."""

    SENT = "sent"
    # The server will never take it: no such mailbox, no such address.
    REFUSED = "refused"
    # Not now: the server says so, or fell silent while it was being told.
    DEFERRED = "deferred"
    # There was no server to tell: that is not the message's fault, and no attempt.
    AWAY = "away"


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to write to. version counts the changes of the account, from 1 for the registration."""

    user_id: str
    email: str
    display_name: str
    version: int = 1


@dataclass(frozen=True, slots=True)
class Letter:
    """A wish to tell a user something. occasion_id is the order, the user or the refund it is about: told once per template."""

    user_id: str
    template: Template
    occasion_id: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """What an administrator wants to tell a user. request_id is empty when the caller will not repeat the call."""

    user_id: str
    subject: str
    text: str
    actor: str
    request_id: str = ""
    fingerprint: bytes = b""


@dataclass(frozen=True, slots=True)
class Notification:
    """A message as it is stored. details is what its template needs beside the contact's name."""

    id: str
    user_id: str
    template: Template
    occasion_id: str
    subject: str
    details: Mapping[str, Any]
    create_time: datetime
    state: State = State.QUEUED
    reason: str = ""
    send_time: datetime | None = None

    @property
    def order_id(self) -> str:
        """The order it is about; empty when it is about none."""
        return str(self.details.get("order_id", ""))


@dataclass(frozen=True, slots=True)
class Result:
    """What came of trying to send one message, and why, as a reason code or the server's words."""

    outcome: Outcome
    reason: str = ""


# Why an order was cancelled, in words that end the sentence "It was cancelled because ...".
CANCELLED_BECAUSE: Mapping[str, str] = {
    "STOCK_SHORT": "something you ordered is out of stock",
    "STOCK_LOST": "something you ordered is out of stock",
    "STOCK_TIMEOUT": "we could not find out in time whether everything is in stock",
    "HOLD_EXPIRED": "we could not keep your items reserved for long enough",
    "PAYMENT_DECLINED": "your payment was declined",
    "PAYMENT_TIMEOUT": "your payment could not be confirmed in time",
    "CAPTURE_REFUSED": "your bank did not hand over the payment",
    "CANCEL_REQUESTED": "you asked us to",
}
CANCELLED_ANYHOW = "we could not complete it"


def cancelled_because(reason: str) -> str:
    """A cancellation's reason code in words."""
    return CANCELLED_BECAUSE.get(reason, CANCELLED_ANYHOW)


def in_words(amount: money.Money) -> str:
    """An amount for a person to read: `1234.50 USD`, `700 JPY`."""
    digits = money.exponent(amount.currency)
    whole, minor = divmod(abs(amount.amount), 10**digits)
    sign = "-" if amount.amount < 0 else ""
    fraction = f".{minor:0{digits}d}" if digits else ""
    return f"{sign}{whole}{fraction} {amount.currency}"


def becomes(result: Result, *, attempt: int, most_attempts: int) -> State:
    """What a message becomes after its `attempt`th try, counted from 1."""
    match result.outcome:
        case Outcome.SENT:
            return State.SENT
        case Outcome.REFUSED:
            return State.FAILED
        case Outcome.DEFERRED if attempt >= most_attempts:
            return State.FAILED
        case _:
            return State.QUEUED

"""What a message to a customer is, who wants it where, and what becomes of it: values and rules, without any I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.chassis import errors, money


class State(StrEnum):
    """Where a message is. The words are those of the contract and of SQL."""

    QUEUED = "QUEUED"
    SENT = "SENT"
    FAILED = "FAILED"


class Channel(StrEnum):
    """How a message is sent. The words are those of the contract and of SQL."""

    EMAIL = "EMAIL"
    SMS = "SMS"
    PUSH = "PUSH"


class Language(StrEnum):
    """A language that messages are written in: the names of the catalogues in `locale/`, and English, which needs none."""

    EN = "en"
    DE = "de"


class Kind(StrEnum):
    """What sort of message it is: people choose channels by kind. The words are those of the contract and of SQL."""

    ACCOUNT = "ACCOUNT"
    ORDER = "ORDER"
    PAYMENT = "PAYMENT"
    MARKETING = "MARKETING"
    STOCK = "STOCK"


class Template(StrEnum):
    """What a message is about: the names of the files in `templates/`."""

    WELCOME = "welcome"
    ORDER_CONFIRMED = "order_confirmed"
    ORDER_CANCELLED = "order_cancelled"
    PAYMENT_REFUNDED = "payment_refunded"
    PAYMENT_PARTLY_REFUNDED = "payment_partly_refunded"
    SHIPMENT_SENT = "shipment_sent"
    SHIPMENT_DELIVERED = "shipment_delivered"
    SHIPMENT_NOT_DELIVERED = "shipment_not_delivered"
    SHIPMENT_UNDELIVERABLE = "shipment_undeliverable"
    PAYMENT_ACTION_REQUIRED = "payment_action_required"
    RETURN_REQUESTED = "return_requested"
    RETURN_APPROVED = "return_approved"
    RETURN_REJECTED = "return_rejected"
    RETURN_RECEIVED = "return_received"
    RETURN_INSPECTED = "return_inspected"
    CART_REMINDER = "cart_reminder"
    LOW_STOCK = "low_stock"
    # In the words of whoever runs the shop.
    MESSAGE = "message"

    @property
    def kind(self) -> Kind:
        """What sort of message it makes; an administrator says it of each."""
        return KINDS[self]


KINDS: Mapping[Template, Kind] = {
    Template.WELCOME: Kind.ACCOUNT,
    Template.ORDER_CONFIRMED: Kind.ORDER,
    Template.ORDER_CANCELLED: Kind.ORDER,
    Template.PAYMENT_REFUNDED: Kind.PAYMENT,
    Template.PAYMENT_PARTLY_REFUNDED: Kind.PAYMENT,
    Template.SHIPMENT_SENT: Kind.ORDER,
    Template.SHIPMENT_DELIVERED: Kind.ORDER,
    Template.SHIPMENT_NOT_DELIVERED: Kind.ORDER,
    Template.SHIPMENT_UNDELIVERABLE: Kind.ORDER,
    Template.PAYMENT_ACTION_REQUIRED: Kind.PAYMENT,
    Template.RETURN_REQUESTED: Kind.ORDER,
    Template.RETURN_APPROVED: Kind.ORDER,
    Template.RETURN_REJECTED: Kind.ORDER,
    Template.RETURN_RECEIVED: Kind.ORDER,
    Template.RETURN_INSPECTED: Kind.ORDER,
    Template.CART_REMINDER: Kind.MARKETING,
    Template.LOW_STOCK: Kind.STOCK,
    Template.MESSAGE: Kind.ACCOUNT,
}
# The messages with `lines` of products, whose titles or SKUs people chose.
LISTING = frozenset({
    Template.ORDER_CONFIRMED, Template.SHIPMENT_SENT, Template.RETURN_APPROVED, Template.CART_REMINDER, Template.LOW_STOCK,
})  # fmt: skip
# What somebody gets who chose nothing. Marketing is for those who ask for it.
USUAL: Mapping[Kind, frozenset[Channel]] = {
    Kind.ACCOUNT: frozenset({Channel.EMAIL}),
    Kind.ORDER: frozenset({Channel.EMAIL}),
    Kind.PAYMENT: frozenset({Channel.EMAIL}),
    Kind.MARKETING: frozenset(),
    Kind.STOCK: frozenset({Channel.EMAIL}),
}


class Outcome(StrEnum):
    """What came of trying to send."""

    SENT = "sent"
    # It will never be taken: no such mailbox, number or device, or its owner wants nothing.
    REFUSED = "refused"
    # Not now: the server says so, or fell silent while it was being told.
    DEFERRED = "deferred"
    # There was no server to tell: that is not the message's fault, and no attempt.
    AWAY = "away"


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to write to, and where; a phone number or push endpoint that is not known is empty.

    version counts the changes of the account, from 1 for the registration. email_verified: somebody has proved to read mail at
    the address. Until then it may be a stranger's, and no text that a person chose is sent there.
    """

    user_id: str
    email: str
    display_name: str
    version: int = 1
    phone_number: str = ""
    push_endpoint: str = ""
    email_verified: bool = False

    def address(self, channel: Channel) -> str:
        """Where messages of this channel go; empty when nowhere."""
        return {Channel.EMAIL: self.email, Channel.SMS: self.phone_number, Channel.PUSH: self.push_endpoint}[channel]


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a person wants to be told where. choices has the kinds that the person chose for; the others are as usual."""

    user_id: str
    choices: Mapping[Kind, frozenset[Channel]] = field(default_factory=dict)
    phone_number: str = ""
    push_endpoint: str = ""
    language: Language = Language.EN

    def channels(self, kind: Kind) -> list[Channel]:
        """The channels for a kind of message, in their usual order."""
        chosen = self.choices.get(kind, USUAL[kind])
        return [channel for channel in Channel if channel in chosen]


@dataclass(frozen=True, slots=True)
class PreferencesChange:
    """What somebody wants to be different. What is None stays, and so do kinds that are not named."""

    choices: Mapping[Kind, frozenset[Channel]] = field(default_factory=dict)
    phone_number: str | None = None
    push_endpoint: str | None = None
    language: Language | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A wish to tell a user something. occasion_id is what it is about (an order, a user, a refund): told once per template."""

    user_id: str
    template: Template
    occasion_id: str
    details: Mapping[str, Any] = field(default_factory=dict)
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class LowStock:
    """A SKU of which less than its threshold was left when it was told."""

    sku: str
    available: int
    threshold: int


@dataclass(frozen=True, slots=True)
class Message:
    """What an administrator, or a service, wants to tell a user. request_id is empty when the caller will not repeat the call.

    Without channels it goes over those that the user chose for its kind. early: the user's contact may arrive later. email is
    where mail goes instead of the contact's address, unless it is empty.
    """

    user_id: str
    subject: str
    text: str
    actor: str
    request_id: str = ""
    fingerprint: bytes = b""
    kind: Kind = Kind.ACCOUNT
    channels: Sequence[Channel] = ()
    sensitive: bool = False
    early: bool = False
    email: str = ""


@dataclass(frozen=True, slots=True)
class Notification:
    """A message as it is stored. details is what its template needs beside the contact's name.

    Those of a sensitive one are erased once it is sent or given up.
    """

    id: str
    user_id: str
    template: Template
    occasion_id: str
    subject: str
    details: Mapping[str, Any]
    create_time: datetime
    channel: Channel = Channel.EMAIL
    state: State = State.QUEUED
    reason: str = ""
    send_time: datetime | None = None
    sensitive: bool = False

    @property
    def order_id(self) -> str:
        """The order it is about; empty when it is about none."""
        return str(self.details.get("order_id", ""))

    @property
    def language(self) -> Language:
        """What it is written in."""
        return Language(self.details.get("language", Language.EN))

    @property
    def kind(self) -> Kind:
        """What sort of message it is."""
        return Kind(self.details.get("kind", self.template.kind))

    def recipient(self, contact: Contact) -> Contact:
        """Who gets it: the contact, or nobody known at the address that the message names itself."""
        email = str(self.details.get("to", ""))
        return replace(contact, email=email, email_verified=False) if email else contact


@dataclass(frozen=True, slots=True)
class Result:
    """What came of trying to send one message, and why, as a reason code or the server's words."""

    outcome: Outcome
    reason: str = ""


# The details of messages that are amounts, as `in_words` writes them.
AMOUNTS = frozenset({"amount", "refunded", "total"})


def said(text: str) -> str:
    """The text. The call marks it for the catalogues: what it ends up in is written in other languages too."""
    return text


# Why an order was cancelled, in words that end the sentence "It was cancelled because ...".
CANCELLED_BECAUSE: Mapping[str, str] = {
    "STOCK_SHORT": said("something you ordered is out of stock"),
    "STOCK_LOST": said("something you ordered is out of stock"),
    "COUPON_REFUSED": said("a coupon of yours was used up before your order could use it"),
    "COUPON_TIMEOUT": said("we could not redeem your coupon in time"),
    "STOCK_TIMEOUT": said("we could not check in time whether everything is in stock"),
    "HOLD_EXPIRED": said("we could not keep your items reserved for long enough"),
    "PAYMENT_DECLINED": said("your payment was declined"),
    "PAYMENT_TIMEOUT": said("your payment could not be confirmed in time"),
    "CONFIRMATION_TIMEOUT": said("you did not confirm the payment in time"),
    "CAPTURE_REFUSED": said("your bank refused the payment"),
    "CANCEL_REQUESTED": said("you asked us to"),
}
CANCELLED_ANYHOW = said("we could not complete it")


def cancelled_because(reason: str) -> str:
    """A cancellation's reason code in words."""
    return CANCELLED_BECAUSE.get(reason, CANCELLED_ANYHOW)


# Why a parcel does not arrive, in words that end the sentence "It does not reach you: ...".
UNDELIVERABLE_BECAUSE: Mapping[str, str] = {
    "LABEL_REFUSED": said("the carrier did not take it"),
    "RETURNED": said("the carrier brought it back to us"),
    "LOST": said("the carrier lost it"),
    "DAMAGED": said("it was damaged on its way"),
}
UNDELIVERABLE_ANYHOW = said("the carrier could not bring it")


def undeliverable_because(cause: str) -> str:
    """The cause of a parcel that does not arrive in words."""
    return UNDELIVERABLE_BECAUSE.get(cause, UNDELIVERABLE_ANYHOW)


def in_words(amount: money.Money) -> str:
    """An amount among the details of a message: `1234.50 USD`, `700 JPY`. Each language writes it in its own way."""
    return str(amount)


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


def changed(preferences: Preferences, change: PreferencesChange) -> Preferences:
    """Preferences after a change. Raises CHANNEL_REQUIRED or CHANNEL_WITHOUT_ADDRESS."""
    new = Preferences(
        preferences.user_id,
        {**preferences.choices, **change.choices},
        preferences.phone_number if change.phone_number is None else change.phone_number,
        preferences.push_endpoint if change.push_endpoint is None else change.push_endpoint,
        change.language or preferences.language,
    )
    if Channel.EMAIL not in new.channels(Kind.ACCOUNT):
        wrong = errors.Violation("choices", "ACCOUNT must include EMAIL: mail about the account cannot be switched off")
        raise errors.invalid("CHANNEL_REQUIRED", "mail about the account cannot be switched off", wrong)
    chosen = {channel for kind in Kind for channel in new.channels(kind)}
    addresses = (("phone_number", Channel.SMS, new.phone_number), ("push_endpoint", Channel.PUSH, new.push_endpoint))
    missing = [
        errors.Violation(name, f"is required because {channel} is among the chosen channels")
        for name, channel, address in addresses
        if channel in chosen and not address
    ]
    if missing:
        raise errors.invalid("CHANNEL_WITHOUT_ADDRESS", "a chosen channel has no phone number or device", *missing)
    return new


def without_mail(preferences: Preferences, kind: Kind) -> Preferences:
    """Preferences of somebody who wants no more mail of a kind; over other channels it comes as before."""
    left = frozenset(preferences.channels(kind)) - {Channel.EMAIL}
    return replace(preferences, choices={**preferences.choices, kind: left})


def channels_of(message: Message, preferences: Preferences) -> list[Channel]:
    """The channels that an administrator's message goes over. Raises CHANNEL_NOT_CHOSEN where the user wants none."""
    chosen = preferences.channels(message.kind)
    unwanted = [channel for channel in message.channels if channel not in chosen]
    if unwanted or not chosen:
        over = ", ".join(unwanted) or "any channel"
        raise errors.precondition(
            "CHANNEL_NOT_CHOSEN",
            f"the user does not receive {message.kind} messages over {over}",
            kind=message.kind,
            channels=over,
        )
    return [channel for channel in chosen if channel in message.channels] or chosen

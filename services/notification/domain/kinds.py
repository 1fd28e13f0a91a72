"""What sorts of messages there are: over which channel, in which language, of which kind, from which template."""

from collections.abc import Mapping
from enum import StrEnum


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
    RETURN_LABELLED = "return_labelled"
    SECURITY_CHANGED = "security_changed"
    VENDOR_APPROVED = "vendor_approved"
    VENDOR_REJECTED = "vendor_rejected"
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
    Template.RETURN_LABELLED: Kind.ORDER,
    Template.SECURITY_CHANGED: Kind.ACCOUNT,
    Template.VENDOR_APPROVED: Kind.ACCOUNT,
    Template.VENDOR_REJECTED: Kind.ACCOUNT,
    Template.CART_REMINDER: Kind.MARKETING,
    Template.LOW_STOCK: Kind.STOCK,
    Template.MESSAGE: Kind.ACCOUNT,
}
# The messages with `lines` of products, whose titles or SKUs people chose.
LISTING = frozenset({
    Template.ORDER_CONFIRMED, Template.SHIPMENT_SENT, Template.RETURN_APPROVED, Template.RETURN_LABELLED,
    Template.CART_REMINDER, Template.LOW_STOCK,
})  # fmt: skip
# The kinds that can wait: nobody is woken by an offer, a reminder or a digest.
PATIENT = frozenset({Kind.MARKETING, Kind.STOCK})
# What somebody gets who chose nothing. Marketing is for those who ask for it.
USUAL: Mapping[Kind, frozenset[Channel]] = {
    Kind.ACCOUNT: frozenset({Channel.EMAIL}),
    Kind.ORDER: frozenset({Channel.EMAIL}),
    Kind.PAYMENT: frozenset({Channel.EMAIL}),
    Kind.MARKETING: frozenset(),
    Kind.STOCK: frozenset({Channel.EMAIL}),
}

"""The saga's definitions: what can happen to an order, what may follow, and the one table of each version.

A rule maps the current status and a reply to the next status, the event to publish and the services that must reply to it.
`services/order/saga/__init__.py` plays them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from services.order.domain import Status, Step

DEFINITION_VERSION = 4

INVENTORY = "inventory"
PAYMENT = "payment"
PROMOTION = "promotion"
NOBODY: frozenset[str] = frozenset()
STOCK_ONLY = frozenset({INVENTORY})
MONEY_ONLY = frozenset({PAYMENT})
BOTH = frozenset({INVENTORY, PAYMENT})
COUPONS_ONLY = frozenset({PROMOTION})
CLAIMED = frozenset({INVENTORY, PROMOTION})
ALL = frozenset({INVENTORY, PAYMENT, PROMOTION})
# What an order waits for of its parcels: that all are opened, that the carrier has them, that their recipient has them.
SHIPPING = "shipping"
HANDOVER = "handover"
DELIVERY = "delivery"
PARCELS = frozenset({SHIPPING, HANDOVER, DELIVERY})
# What it waits for beside that when it is to be cancelled: whether shipping could stop them. By why it is to be.
STOP = "stop"
STOP_UNPAID = "stop_unpaid"
STOPS = frozenset({STOP, STOP_UNPAID})
# What it waits for beside its payment while its customer has to confirm that with their bank.
CUSTOMER = "customer"
CONFIRMATION = frozenset({CUSTOMER})


class Reply(StrEnum):
    """What can happen to an order, by the name that its history shows."""

    STOCK_RESERVED = "StockReserved"
    STOCK_REJECTED = "StockRejected"
    STOCK_RELEASED = "StockReleased"
    STOCK_COMMITTED = "StockCommitted"
    COUPONS_REDEEMED = "CouponsRedeemed"
    COUPONS_REFUSED = "CouponsRefused"
    COUPONS_RELEASED = "CouponsReleased"
    PAYMENT_ACTION_REQUIRED = "PaymentActionRequired"
    PAYMENT_AUTHORIZED = "PaymentAuthorized"
    PAYMENT_DECLINED = "PaymentDeclined"
    PAYMENT_CAPTURED = "PaymentCaptured"
    PAYMENT_CAPTURE_REFUSED = "PaymentCaptureRefused"
    PAYMENT_VOIDED = "PaymentVoided"
    PAYMENT_REFUNDED = "PaymentRefunded"
    SHIPMENTS_CREATED = "ShipmentsCreated"
    SHIPMENT_HANDED_OVER = "ShipmentHandedOver"
    SHIPMENTS_HANDED_OVER = "ShipmentsHandedOver"
    SHIPMENT_DELIVERED = "ShipmentDelivered"
    SHIPMENTS_DELIVERED = "ShipmentsDelivered"
    SHIPMENT_DELIVERY_FAILED = "ShipmentDeliveryFailed"
    SHIPMENT_UNDELIVERABLE = "ShipmentUndeliverable"
    SHIPMENTS_STOPPED = "ShipmentsStopped"
    STOP_REFUSED = "StopRefused"
    DEADLINE_PASSED = "DeadlinePassed"
    CANCEL_REQUESTED = "CancelRequested"
    RESUMED = "Resumed"


class Tell(StrEnum):
    """The events that an order publishes."""

    PAYMENT_REQUESTED = "PaymentRequested"
    CONFIRMED = "OrderConfirmed"
    STOP_REQUESTED = "ShipmentsStopRequested"
    CANCELLED = "OrderCancelled"
    CANCELLATION_COMPLETED = "OrderCancellationCompleted"


@dataclass(frozen=True, slots=True)
class Rule:
    """A transition. reason says why an order is cancelled, if the reply does not.

    then follows at once, in its place, for an order that concerns none of the services it awaits.
    """

    becomes: Status
    step: Step
    awaits: frozenset[str]
    tells: Tell | None = None
    reason: str = ""
    then: "Rule | None" = None


@dataclass(frozen=True, slots=True)
class Answered:
    """An awaited service answered. After the last answer, `then` follows."""

    by: str
    then: Rule


@dataclass(frozen=True, slots=True)
class Refused:
    """An awaited service definitely refused: `then` follows. A service that has already answered cannot take it back."""

    by: str
    then: Rule


@dataclass(frozen=True, slots=True)
class Whether:
    """Whether `by` is still awaited: `then` follows if it is, and otherwise `others`."""

    by: str
    then: Rule
    others: Rule


@dataclass(frozen=True, slots=True)
class Repeat:
    """A timeout: publish the event again for those that have not answered, and wait longer."""

    tells: Tell


@dataclass(frozen=True, slots=True)
class Reached:
    """These are not awaited any more, and the status follows from what is left."""

    tokens: frozenset[str]


@dataclass(frozen=True, slots=True)
class Asked:
    """Shipping is asked to stop, and its answer awaited as `token`. With `by`: only if that has not answered yet."""

    token: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Joined:
    """`token` is awaited as well, as long as `by` has not answered: the time to wait begins anew."""

    token: str
    by: str


@dataclass(frozen=True, slots=True)
class Noted:
    """It stands in the history, and nothing follows."""


SETTLED = Rule(Status.CONFIRMED, Step.DONE, NOBODY)
GIVEN_BACK = Rule(Status.CANCELLED, Step.DONE, NOBODY, Tell.CANCELLATION_COMPLETED)
CONFIRMED = Rule(Status.CONFIRMED, Step.SETTLEMENT, BOTH, Tell.CONFIRMED)


def _cancel(awaits: frozenset[str], reason: str) -> Rule:
    nothing_held = replace(GIVEN_BACK, reason=reason)
    return Rule(Status.CANCELLING, Step.COMPENSATION, awaits, Tell.CANCELLED, reason, nothing_held)


Found = Rule | Answered | Refused | Whether | Repeat | Reached | Asked | Joined | Noted
Table = Mapping[tuple[Status, Reply], Found]

FIRST: Table = {
    # Stock is asked for.
    (Status.PENDING, Reply.STOCK_RESERVED): Rule(Status.RESERVED, Step.PAYMENT, MONEY_ONLY, Tell.PAYMENT_REQUESTED),
    (Status.PENDING, Reply.STOCK_REJECTED): replace(GIVEN_BACK, reason="STOCK_SHORT"),
    (Status.PENDING, Reply.DEADLINE_PASSED): _cancel(STOCK_ONLY, "STOCK_TIMEOUT"),
    (Status.PENDING, Reply.CANCEL_REQUESTED): _cancel(STOCK_ONLY, "CANCEL_REQUESTED"),
    # Stock is held, money is asked for.
    (Status.RESERVED, Reply.PAYMENT_AUTHORIZED): CONFIRMED,
    (Status.RESERVED, Reply.PAYMENT_DECLINED): _cancel(STOCK_ONLY, "PAYMENT_DECLINED"),
    (Status.RESERVED, Reply.STOCK_RELEASED): _cancel(MONEY_ONLY, "HOLD_EXPIRED"),
    (Status.RESERVED, Reply.DEADLINE_PASSED): _cancel(BOTH, "PAYMENT_TIMEOUT"),
    (Status.RESERVED, Reply.CANCEL_REQUESTED): _cancel(BOTH, "CANCEL_REQUESTED"),
    # The pivot is behind: money is taken, stock leaves the shelf, and both are asked again until they say so.
    (Status.CONFIRMED, Reply.STOCK_COMMITTED): Answered(INVENTORY, SETTLED),
    (Status.CONFIRMED, Reply.PAYMENT_CAPTURED): Answered(PAYMENT, SETTLED),
    (Status.CONFIRMED, Reply.DEADLINE_PASSED): Repeat(Tell.CONFIRMED),
    # Only a definite refusal still stops it: the money was not handed over, or the hold had ended and nothing is left.
    (Status.CONFIRMED, Reply.PAYMENT_CAPTURE_REFUSED): Refused(PAYMENT, _cancel(BOTH, "CAPTURE_REFUSED")),
    (Status.CONFIRMED, Reply.STOCK_REJECTED): Refused(INVENTORY, _cancel(MONEY_ONLY, "STOCK_LOST")),
    (Status.CONFIRMED, Reply.CANCEL_REQUESTED): _cancel(BOTH, "CANCEL_REQUESTED"),
    # What was held or taken is given back, and asked for again until it is.
    (Status.CANCELLING, Reply.STOCK_RELEASED): Answered(INVENTORY, GIVEN_BACK),
    (Status.CANCELLING, Reply.PAYMENT_VOIDED): Answered(PAYMENT, GIVEN_BACK),
    (Status.CANCELLING, Reply.PAYMENT_REFUNDED): Answered(PAYMENT, GIVEN_BACK),
    (Status.CANCELLING, Reply.DEADLINE_PASSED): Repeat(Tell.CANCELLED),
}


def _before(confirmed: Rule) -> Table:
    """What leads to the pivot, with coupons, which are redeemed in parallel with the stock.

    An order without them does not concern promotion, and one that costs nothing does not concern payment: what is awaited of
    them is passed over.
    """
    pay = Rule(Status.RESERVED, Step.PAYMENT, MONEY_ONLY, Tell.PAYMENT_REQUESTED, then=confirmed)
    return {
        # Stock is asked for, and the coupons.
        (Status.PENDING, Reply.STOCK_RESERVED): Answered(INVENTORY, pay),
        (Status.PENDING, Reply.COUPONS_REDEEMED): Answered(PROMOTION, pay),
        (Status.PENDING, Reply.STOCK_REJECTED): _cancel(COUPONS_ONLY, "STOCK_SHORT"),
        (Status.PENDING, Reply.COUPONS_REFUSED): Refused(PROMOTION, _cancel(STOCK_ONLY, "COUPON_REFUSED")),
        (Status.PENDING, Reply.DEADLINE_PASSED): Whether(
            INVENTORY, _cancel(CLAIMED, "STOCK_TIMEOUT"), _cancel(CLAIMED, "COUPON_TIMEOUT")
        ),
        (Status.PENDING, Reply.CANCEL_REQUESTED): _cancel(CLAIMED, "CANCEL_REQUESTED"),
        # Stock is held and the coupons are redeemed, money is asked for.
        (Status.RESERVED, Reply.PAYMENT_AUTHORIZED): confirmed,
        (Status.RESERVED, Reply.PAYMENT_DECLINED): _cancel(CLAIMED, "PAYMENT_DECLINED"),
        (Status.RESERVED, Reply.STOCK_RELEASED): _cancel(frozenset({PAYMENT, PROMOTION}), "HOLD_EXPIRED"),
        (Status.RESERVED, Reply.DEADLINE_PASSED): _cancel(ALL, "PAYMENT_TIMEOUT"),
        (Status.RESERVED, Reply.CANCEL_REQUESTED): _cancel(ALL, "CANCEL_REQUESTED"),
    }


GIVING_BACK: Table = {
    # What was held, redeemed or taken is given back, and asked for again until it is.
    (Status.CANCELLING, Reply.STOCK_RELEASED): Answered(INVENTORY, GIVEN_BACK),
    (Status.CANCELLING, Reply.COUPONS_RELEASED): Answered(PROMOTION, GIVEN_BACK),
    (Status.CANCELLING, Reply.PAYMENT_VOIDED): Answered(PAYMENT, GIVEN_BACK),
    (Status.CANCELLING, Reply.PAYMENT_REFUNDED): Answered(PAYMENT, GIVEN_BACK),
    (Status.CANCELLING, Reply.DEADLINE_PASSED): Repeat(Tell.CANCELLED),
}
SECOND: Table = {
    **_before(CONFIRMED),
    # The pivot is behind: as in the first definition. Promotion commits the redemption because of OrderConfirmed, and is not
    # awaited: nothing of the order depends on it any more.
    (Status.CONFIRMED, Reply.STOCK_COMMITTED): Answered(INVENTORY, SETTLED),
    (Status.CONFIRMED, Reply.PAYMENT_CAPTURED): Answered(PAYMENT, SETTLED),
    (Status.CONFIRMED, Reply.DEADLINE_PASSED): Repeat(Tell.CONFIRMED),
    (Status.CONFIRMED, Reply.PAYMENT_CAPTURE_REFUSED): Refused(PAYMENT, _cancel(ALL, "CAPTURE_REFUSED")),
    (Status.CONFIRMED, Reply.STOCK_REJECTED): Refused(
        INVENTORY, _cancel(frozenset({PAYMENT, PROMOTION}), "STOCK_LOST")
    ),
    (Status.CONFIRMED, Reply.CANCEL_REQUESTED): _cancel(ALL, "CANCEL_REQUESTED"),
    **GIVING_BACK,
}

# Behind the pivot, by what is still awaited: the first row of which something is left says where the order is.
PROGRESS = (
    (frozenset({INVENTORY, PAYMENT, SHIPPING}), Status.CONFIRMED, Step.SETTLEMENT),
    (frozenset({HANDOVER}), Status.FULFILLING, Step.DELIVERY),
    (frozenset({DELIVERY}), Status.SHIPPED, Step.DELIVERY),
)
SENT = replace(CONFIRMED, awaits=BOTH | PARCELS)
STOPPED = Whether(STOP_UNPAID, _cancel(ALL, "CAPTURE_REFUSED"), _cancel(ALL, "CANCEL_REQUESTED"))
# What may come in any status in which parcels are opened or on their way.
_ON_THE_WAY: dict[Reply, Found] = {
    Reply.STOCK_COMMITTED: Reached(STOCK_ONLY),
    Reply.PAYMENT_CAPTURED: Reached(MONEY_ONLY),
    Reply.SHIPMENTS_CREATED: Reached(frozenset({SHIPPING})),
    Reply.SHIPMENTS_HANDED_OVER: Reached(frozenset({SHIPPING, HANDOVER})),
    Reply.SHIPMENTS_DELIVERED: Reached(PARCELS),
    Reply.SHIPMENT_HANDED_OVER: Noted(),
    Reply.SHIPMENT_DELIVERED: Noted(),
    Reply.SHIPMENT_DELIVERY_FAILED: Noted(),
    Reply.SHIPMENT_UNDELIVERABLE: Noted(),
    Reply.SHIPMENTS_STOPPED: STOPPED,
    Reply.STOP_REFUSED: Reached(STOPS),
    Reply.DEADLINE_PASSED: Repeat(Tell.CONFIRMED),
}
# Only a definite refusal still stops it, of who has not answered: if nothing has left.
_REFUSALS: dict[Reply, Found] = {
    Reply.PAYMENT_CAPTURE_REFUSED: Asked(STOP_UNPAID, by=PAYMENT),
    Reply.STOCK_REJECTED: Refused(INVENTORY, _cancel(frozenset({PAYMENT, PROMOTION}), "STOCK_LOST")),
}
THIRD: Table = {
    **_before(SENT),
    **{
        (status, reply): found
        for status in (Status.CONFIRMED, Status.FULFILLING, Status.SHIPPED)
        for reply, found in (_ON_THE_WAY | _REFUSALS).items()
    },
    **{(Status.DELIVERED, reply): found for reply, found in _REFUSALS.items()},
    # Or its customer.
    (Status.CONFIRMED, Reply.CANCEL_REQUESTED): Asked(STOP),
    (Status.FULFILLING, Reply.CANCEL_REQUESTED): Asked(STOP),
    **GIVING_BACK,
}

FOURTH: Table = {
    **THIRD,
    # The customer has to confirm the payment with their bank: that may take longer than a bank's own answer.
    (Status.RESERVED, Reply.PAYMENT_ACTION_REQUIRED): Joined(CUSTOMER, by=PAYMENT),
    (Status.RESERVED, Reply.DEADLINE_PASSED): Whether(
        CUSTOMER, _cancel(ALL, "CONFIRMATION_TIMEOUT"), _cancel(ALL, "PAYMENT_TIMEOUT")
    ),
}

DEFINITIONS: Mapping[int, Table] = {1: FIRST, 2: SECOND, 3: THIRD, 4: FOURTH}

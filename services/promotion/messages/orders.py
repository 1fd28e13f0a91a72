"""What orders say, and how they are answered."""

from services.chassis import ids
from services.chassis.rpc import render
from services.promotion.domain import codes, redemptions
from souk.order.v1 import order_events_pb2
from souk.promotion.v1 import promotion_events_pb2, promotion_pb2


def wish(message: order_events_pb2.OrderPlaced) -> redemptions.Wish | None:
    """None for an order that was promised nothing: it does not concern promotion."""
    if not message.redemptions:
        return None
    return redemptions.Wish(
        ids.canonical(message.order_id),
        ids.canonical(message.user_id),
        render.moment(message.create_time),
        tuple(promised(item) for item in message.redemptions),
    )


def promised(item: order_events_pb2.OrderPlaced.Redemption) -> redemptions.Promised:
    discount = render.money_value(item.discount)
    return redemptions.Promised(
        ids.canonical(item.promotion_id), item.promotion_version, codes.written(item.code), discount
    )


def confirmation(message: order_events_pb2.OrderConfirmed) -> redemptions.Confirmation | None:
    return redemptions.Confirmation(ids.canonical(message.order_id)) if message.redeems else None


def cancellation(message: order_events_pb2.OrderCancelled) -> redemptions.Cancellation | None:
    return redemptions.Cancellation(ids.canonical(message.order_id)) if message.redeems else None


def of_redeemed(fact: redemptions.CouponsRedeemed) -> promotion_events_pb2.CouponsRedeemed:
    return promotion_events_pb2.CouponsRedeemed(order_id=fact.order_id)


def of_refused(fact: redemptions.CouponsRefused) -> promotion_events_pb2.CouponsRefused:
    refused = [
        promotion_events_pb2.CouponsRefused.Refused(
            promotion_id=item.promotion_id, code=item.code, reason=promotion_pb2.Refusal.Value(item.reason)
        )
        for item in fact.refused
    ]
    return promotion_events_pb2.CouponsRefused(order_id=fact.order_id, refused=refused)


def of_released(fact: redemptions.CouponsReleased) -> promotion_events_pb2.CouponsReleased:
    return promotion_events_pb2.CouponsReleased(order_id=fact.order_id)

"""What promotion hears and says: two tables. Next stop of what is heard: `usecases/redeeming.py`."""

from services.chassis.events import reader
from services.chassis.outbox import outbox
from services.promotion import messages, usecases
from services.promotion.domain import prices, redemptions
from souk.order.v1 import order_events_pb2

TOPIC = "promotions"
CONSUMED = ("orders",)


PUBLISHED: outbox.Publications = {
    redemptions.CouponsRedeemed: outbox.Publication(TOPIC, lambda fact: fact.order_id, messages.of_redeemed),
    redemptions.CouponsRefused: outbox.Publication(TOPIC, lambda fact: fact.order_id, messages.of_refused),
    redemptions.CouponsReleased: outbox.Publication(TOPIC, lambda fact: fact.order_id, messages.of_released),
    prices.PromotionalPriceScheduled: outbox.Publication(
        TOPIC, lambda fact: fact.price.product_id, messages.of_scheduled, sequence=lambda fact: fact.price.version
    ),
    prices.PromotionalPriceWithdrawn: outbox.Publication(
        TOPIC, lambda fact: fact.price.product_id, messages.of_withdrawn, sequence=lambda fact: fact.price.version
    ),
}


def subscribers(promotions: usecases.Promotions) -> reader.Subscribers:
    """Who handles what promotion consumes: one use case for all of it, so that a wave's rows are locked at once."""
    hear = promotions.redeeming.hear
    return {
        order_events_pb2.OrderPlaced: reader.Subscriber(messages.wish, hear),
        order_events_pb2.OrderConfirmed: reader.Subscriber(messages.confirmation, hear),
        order_events_pb2.OrderCancelled: reader.Subscriber(messages.cancellation, hear),
    }

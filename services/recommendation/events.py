"""What recommendation hears: orders, products, their stock, erased accounts. It says nothing. Next: `usecases/learning.py`."""

from services.chassis import erasure
from services.chassis.events import reader
from services.chassis.outbox import outbox
from services.recommendation import messages
from services.recommendation.usecases import learning
from souk.catalog.v1 import catalog_events_pb2
from souk.inventory.v1 import inventory_events_pb2
from souk.order.v1 import order_events_pb2
from souk.user.v1 import user_events_pb2

CONSUMED = ("orders", "catalog", "inventory", "users")
PUBLISHED: outbox.Publications = {}


def subscribers(learner: learning.Learning) -> reader.Subscribers:
    """Who handles what recommendation consumes: one use case for what is counted, so that a wave's rows are locked at once."""
    return {
        order_events_pb2.OrderConfirmed: reader.Subscriber(messages.basket, learner.hear),
        catalog_events_pb2.ProductChanged: reader.Subscriber(messages.changed, learner.hear),
        catalog_events_pb2.ProductDeleted: reader.Subscriber(messages.deleted, learner.hear),
        inventory_events_pb2.StockLevelChanged: reader.Subscriber(messages.level_changed, learner.hear),
        user_events_pb2.UserErased: reader.Subscriber(erasure.erased_user, learner.forget),
    }

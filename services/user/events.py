"""What the user service says; it hears nothing. Next stop: `services/chassis/relay.py`."""

from services.chassis import outbox
from services.chassis.rpc import render
from services.user import domain
from souk.user.v1 import user_events_pb2

TOPIC = "users"


def _registered(fact: domain.UserRegistered) -> user_events_pb2.UserRegistered:
    user = fact.user
    return user_events_pb2.UserRegistered(
        user_id=user.id,
        email=user.email,
        display_name=user.display_name,
        create_time=render.timestamp(user.create_time),
    )


PUBLISHED: outbox.Publications = {
    # An account does not change yet: this is its first and only version.
    domain.UserRegistered: outbox.Publication(TOPIC, lambda fact: fact.user.id, _registered, sequence=lambda _: 1)
}

"""What the user service says; it hears nothing. Next stop: `services/chassis/outbox/relay.py`."""

from services.chassis.outbox import outbox
from services.chassis.rpc import render
from services.user import domain
from souk.user.v1 import user_events_pb2, user_pb2

TOPIC = "users"


def _registered(fact: domain.UserRegistered) -> user_events_pb2.UserRegistered:
    user = fact.user
    return user_events_pb2.UserRegistered(
        user_id=user.id,
        email=user.email,
        display_name=user.display_name,
        create_time=render.timestamp(user.create_time),
    )


def _changed(fact: domain.UserChanged) -> user_events_pb2.UserChanged:
    user = fact.user
    return user_events_pb2.UserChanged(
        user_id=user.id,
        email=user.email,
        display_name=user.display_name,
        roles=[user_pb2.User.Role.Value(role) for role in user.roles],
        version=user.version,
    )


PUBLISHED: outbox.Publications = {
    domain.UserRegistered: outbox.Publication(
        TOPIC, lambda fact: fact.user.id, _registered, sequence=lambda fact: fact.user.version
    ),
    domain.UserChanged: outbox.Publication(
        TOPIC, lambda fact: fact.user.id, _changed, sequence=lambda fact: fact.user.version
    ),
}

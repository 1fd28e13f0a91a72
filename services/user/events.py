"""What the user service says; it hears nothing. Next stop: `services/chassis/outbox/relay.py`."""

from services.chassis.outbox import outbox
from services.user import domain, messages
from services.user.domain import security, vendors

TOPIC = "users"


PUBLISHED: outbox.Publications = {
    domain.UserRegistered: outbox.Publication(
        TOPIC, lambda fact: fact.user.id, messages.of_user_registered, sequence=lambda fact: fact.user.version
    ),
    domain.UserChanged: outbox.Publication(
        TOPIC, lambda fact: fact.user.id, messages.of_user_changed, sequence=lambda fact: fact.user.version
    ),
    domain.UserErased: outbox.Publication(
        TOPIC, lambda fact: fact.user_id, messages.of_user_erased, sequence=lambda fact: fact.version
    ),
    security.SecurityChanged: outbox.Publication(TOPIC, lambda fact: fact.user_id, messages.of_security_changed),
    vendors.VendorApplicationDecided: outbox.Publication(
        TOPIC, lambda fact: fact.application.user_id, messages.of_application_decided
    ),
}

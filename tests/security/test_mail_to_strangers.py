"""Anybody can register a stranger's address: what the stranger then gets is in the shop's words alone."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf import message

from services.chassis import clock, database, erasure
from services.chassis.money import Money
from services.chassis.outbox import outbox
from services.chassis.rpc import render
from services.notification import digests, domain, events, usecases, words
from services.notification.domain import Channel
from souk.order.v1 import order_events_pb2
from souk.user.v1 import user_events_pb2
from tests.integration.notification.post_office import Shelves

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
LURE = "WIN A PHONE https://evil.example/x"
PRICE = render.money_message(Money("USD", 4200))
TEMPLATES = words.Templates()
# Nothing is handled here, hence the database is never connected to.
_NOWHERE = database.Database("postgresql://nobody@localhost/none", outbox.Outbox({}, clock.utc_now, lambda: None))
_NOTIFICATIONS = usecases.Notifications(_NOWHERE, TEMPLATES, now=clock.utc_now, wakes={})
_VENDORS = digests.Digests(_NOWHERE, _NOTIFICATIONS, Shelves({}), every_s=0.0, now=clock.utc_now)
HEARD = events.subscribers(_NOTIFICATIONS, _VENDORS, erasure.Erasure(_NOWHERE, []))


def luring(event: type[message.Message]) -> Any:
    """An event with the lure in every text that it can hold, and in every text of what it holds."""
    made: Any = event()
    _lure(made)
    return made


def _lure(made: Any) -> None:
    for field in made.DESCRIPTOR.fields:
        if field.message_type and field.message_type.full_name == "google.type.Money":
            getattr(made, field.name).CopyFrom(PRICE)
        elif field.message_type and field.message_type.GetOptions().map_entry:
            getattr(made, field.name)[LURE] = LURE
        elif field.message_type and field.is_repeated:
            _lure(getattr(made, field.name).add())
        elif field.name.endswith("_id"):
            setattr(made, field.name, str(uuid.uuid4()))
        elif field.type == field.TYPE_STRING and field.is_repeated:
            getattr(made, field.name).append(LURE)
        elif field.type == field.TYPE_STRING:
            setattr(made, field.name, LURE)


def letters(event: type[message.Message]) -> list[domain.Letter]:
    """What is written because of an event."""
    parsed = HEARD[event].parse(luring(event))
    if event is user_events_pb2.UserErased:
        return []
    if isinstance(parsed, domain.Contact):
        return [domain.Letter(parsed.user_id, domain.Template.WELCOME, parsed.user_id)]
    if isinstance(parsed, domain.LowStock):
        return digests.letters([parsed], {parsed.sku: str(uuid.uuid4())}, NOW)
    return [parsed]


def said(letter: domain.Letter, channel: Channel, *, verified: bool) -> str:
    """A letter's subject and text, to somebody whose name is the lure."""
    contact = domain.Contact(letter.user_id, "stranger@example.com", LURE, email_verified=verified)
    subject, some_id = TEMPLATES.subject(letter), str(uuid.uuid4())
    queued = domain.Notification(
        some_id, letter.user_id, letter.template, letter.occasion_id, subject, letter.details, NOW, channel
    )
    return f"{subject}\n{TEMPLATES.body(queued, contact)}"


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("event", HEARD, ids=lambda event: event.__name__)
def test_a_stranger_reads_nothing_that_a_caller_chose(event: type[message.Message], channel: Channel) -> None:
    for letter in letters(event):
        text = said(letter, channel, verified=False)
        assert "evil.example" not in text
        assert "PHONE" not in text


def test_the_lure_reaches_those_who_proved_to_read_mail_at_the_address() -> None:
    [welcome] = letters(user_events_pb2.UserRegistered)
    [confirmed] = letters(order_events_pb2.OrderConfirmed)
    assert f"Hello {LURE}," in said(welcome, Channel.EMAIL, verified=True)
    assert f"x {LURE}: $42.00" in said(confirmed, Channel.EMAIL, verified=True)
    assert "evil.example" not in said(confirmed, Channel.SMS, verified=True)


def test_nobody_is_taken_for_verified_without_being_told() -> None:
    registered = user_events_pb2.UserRegistered(user_id=str(uuid.uuid4()), email="a@b.c", display_name=LURE)
    contact = HEARD[user_events_pb2.UserRegistered].parse(registered)
    assert not contact.email_verified

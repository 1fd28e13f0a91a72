"""What becomes of parcels is told, each step of each parcel once, in the language of whoever waits for it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.chassis.rpc import render
from services.notification import domain, usecases
from services.notification.domain import Language
from souk.shipping.v1 import shipment_pb2, shipping_events_pb2
from tests.integration.notification.post_office import PostOffice, confirmed, new_id, registered
from tests.support import mails

RETURNED = shipping_events_pb2.ShipmentUndeliverable.RETURNED
URL = "https://track.kestrel.example/KE123456789"


def steps(order: str, user: str) -> list[Any]:
    """All that can become of a parcel, in turn."""
    parcel = {"order_id": order, "shipment_id": new_id(), "user_id": user}
    lines = [shipment_pb2.Shipment.Line(sku="POT", quantity=2)]
    tracked = {"tracking_number": "KE123456789", "tracking_url": URL}
    day = render.timestamp(datetime(2026, 11, 29, 12, 0, tzinfo=UTC))
    return [
        shipping_events_pb2.ShipmentHandedOver(**parcel, **tracked, lines=lines, carrier="Kestrel", complete=True),
        shipping_events_pb2.ShipmentDeliveryFailed(**parcel, **tracked),
        shipping_events_pb2.ShipmentUndeliverable(**parcel, lines=lines, cause=RETURNED),
        shipping_events_pb2.ShipmentDelivered(**parcel, lines=lines, deliver_time=day, complete=True),
    ]


async def test_every_step_of_a_parcel_is_told_once(office: PostOffice) -> None:
    user, order = new_id(), new_id()
    await office.hear(registered(user, f"{user}@example.com"))
    for event in steps(order, user):
        await office.hear(event)
        await office.hear(event)
    await office.reach(user, *["SENT"] * 5)
    texts = {str(mail["Subject"]): mails.text(mail) for mail in office.mails(f"{user}@example.com")}
    sent = texts[f"Your order {order} is on its way"]
    assert "  2 x POT\n" in sent
    assert "Kestrel brings it. Its number is KE123456789.\n" in sent
    assert f"Follow your parcel: {URL}\n" in sent
    assert URL in texts[f"A parcel of your order {order} could not be delivered yet"]
    assert "the carrier brought it back to us." in texts[f"A parcel of your order {order} does not reach you"]
    assert "On November 29, 2026 the last parcel" in texts[f"Your order {order} was delivered"]


async def test_who_reads_german_is_written_to_in_german(office: PostOffice) -> None:
    user, order = new_id(), new_id()
    await office.hear(registered(user, f"{user}@example.com"))
    await usecases.Preferences(office.db).update(user, domain.PreferencesChange(language=Language.DE))
    await office.hear(confirmed(order, user))
    for event in steps(order, user):
        await office.hear(event)
    await office.reach(user, *["SENT"] * 6)
    texts = {str(mail["Subject"]): mails.text(mail) for mail in office.mails(f"{user}@example.com")}
    assert "  2 x Teapot: 42,00 $\n" in texts[f"Ihre Bestellung {order} ist bestätigt"]
    assert "Paket verfolgen: https://" in texts[f"Ihre Bestellung {order} ist unterwegs"]
    assert "Am 29. November 2026 wurde das letzte Paket" in texts[f"Ihre Bestellung {order} wurde zugestellt"]


@pytest.mark.parametrize("said", ["javascript:alert(1)", "https://a b", "WIN https://evil.example", 'https://x/"><b>'])
async def test_a_carrier_says_nothing_that_is_not_of_its_form(office: PostOffice, said: str) -> None:
    user, order = new_id(), new_id()
    await office.hear(registered(user, f"{user}@example.com"))
    [event, *_] = steps(order, user)
    event.tracking_url = event.carrier = event.tracking_number = said
    await office.hear(event)
    await office.reach(user, "SENT", "SENT")
    [mail] = [mail for mail in office.mails(f"{user}@example.com") if order in mail["Subject"]]
    for text in (mails.text(mail), mails.html(mail)):
        assert "evil" not in text
        assert "alert" not in text
        assert "<b>" not in text

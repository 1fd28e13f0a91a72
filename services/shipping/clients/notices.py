"""Reads what the carrier tells of by itself: webhooks, signed with a secret of its own.

Of an event only its type and the parcel matter: what happened to it is what the carrier says when it is asked. EasyPost's events:
https://docs.easypost.com/docs/events; the shop has to be sent `tracker.updated`. It signs no time, so that an event may be sent
again by whoever saw it: which makes the carrier be asked once more, and nothing else.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from services.chassis import clock, signatures, webhooks
from services.shipping.domain import parcels
from services.shipping.settings import CarrierKind, Settings

_SCANNED = "scan."
_TRACKED = "tracker."

Hear = Callable[[parcels.Scanned], Awaitable[None]]


def door(settings: Settings, hear: Hear, *, now: clock.Clock) -> webhooks.Door[parcels.Scanned]:
    """Where the webhooks come in of the carrier that the settings name."""
    kind, secrets = settings.carrier, settings.webhook_secrets
    sender = webhooks.Sender(str(kind), "webhook-signature", secrets)
    if kind is CarrierKind.EASYPOST:
        sender = webhooks.Sender(str(kind), "x-hmac-signature", secrets, signatures.verify_body)
    return webhooks.Door(sender, READS[kind], hear, now=now)


def scanned(event: Any) -> parcels.Scanned:
    """The parcel that the simulator scanned; none for what is of no concern. Raises LookupError or the like for no event."""
    about = event["data"]["object"]
    mine = str(event["type"]).startswith(_SCANNED)
    return parcels.Scanned(webhooks.own_id(about["reference"])) if mine else parcels.Scanned()


def tracked(event: Any) -> parcels.Scanned:
    """The label whose tracker EasyPost updated; none for what is of no concern. Raises like `scanned`."""
    about = event["result"]
    mine = str(event["description"]).startswith(_TRACKED)
    return parcels.Scanned(label=str(about["shipment_id"] or "")[:64]) if mine else parcels.Scanned()


READS: Mapping[CarrierKind, Callable[[Any], parcels.Scanned]] = {
    CarrierKind.SIMULATOR: scanned,
    CarrierKind.EASYPOST: tracked,
}

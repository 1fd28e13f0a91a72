"""Reads what the carrier tells of by itself: webhooks, signed with a secret of its own. Here: the simulator's kind.

Of an event only its type and the parcel matter: what happened to it is what the carrier says when it is asked.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from services.chassis import clock, webhooks
from services.shipping.settings import Settings

NAME, HEADER = "simulator", "webhook-signature"
_SCANNED = "scan."


def door(settings: Settings, hear: Callable[[str], Awaitable[None]], *, now: clock.Clock) -> webhooks.Door[str]:
    """Where the carrier's webhooks come in."""
    return webhooks.Door(webhooks.Sender(NAME, HEADER, settings.webhook_secrets), scanned, hear, now=now)


def scanned(event: Any) -> str:
    """The id of the parcel that was scanned; empty for what is of no concern. Raises LookupError or the like for no event."""
    about = event["data"]["object"]
    return webhooks.own_id(about["reference"]) if str(event["type"]).startswith(_SCANNED) else ""

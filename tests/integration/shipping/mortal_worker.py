"""A worker of labels that kills itself at one line."""

import asyncio
import os

from services.chassis import clock, credentials
from services.shipping import clients, events
from services.shipping.settings import Settings
from services.shipping.usecases import labelling
from tests.support import mortal_effects

LEASE_S = 1.5


async def _work() -> None:
    url = credentials.Credential(os.environ["OUTSIDE_URL"])
    carrier = clients.Carrier(Settings(carrier_url=url, carrier_timeout_s=LEASE_S / 3, breaker_reset_s=0.5))
    await carrier.start()
    terms = labelling.Terms(LEASE_S, track_s=1.0)
    labels = labelling.Labelling(carrier, now=clock.utc_now, terms=terms, wake=lambda: None)
    await mortal_effects.work(labels, events.PUBLISHED)


if __name__ == "__main__":
    asyncio.run(_work())

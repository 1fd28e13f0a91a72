"""A worker of labels that kills itself at one line."""

import asyncio
import os

from services.chassis import clock, credentials
from services.shipping import clients, events
from services.shipping.settings import CarrierKind, Settings
from services.shipping.usecases import labelling
from tests.support import easypost, mortal_effects

LEASE_S = 1.5


async def _work() -> None:
    carrier = clients.Carrier(_settings(os.environ["OUTSIDE_URL"]))
    await carrier.start()
    terms = labelling.Terms(LEASE_S, track_s=1.0)
    labels = labelling.Labelling(carrier, now=clock.utc_now, terms=terms, wake=lambda: None)
    await mortal_effects.work(labels, events.PUBLISHED)


def _settings(url: str) -> Settings:
    return Settings(
        carrier=CarrierKind(os.environ.get("SHIPPING_CARRIER", CarrierKind.SIMULATOR)),
        carrier_url=credentials.of(url),
        easypost_api_key=credentials.of(easypost.KEY),
        easypost_api_base=url,
        easypost_senders=easypost.SENDERS,
        carrier_timeout_s=LEASE_S / 3,
        breaker_reset_s=0.5,
    )


if __name__ == "__main__":
    asyncio.run(_work())

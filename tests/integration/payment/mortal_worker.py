"""A worker of payments that kills itself at one line."""

import asyncio
import os

from services.chassis import clock
from services.payment import clients, events
from services.payment.settings import Settings
from services.payment.usecases.charging import Charging
from tests.support import mortal_effects

LEASE_S = 0.6


async def _work() -> None:
    url = os.environ["OUTSIDE_URL"]
    provider = clients.Provider(Settings(provider_url=url, provider_timeout_s=LEASE_S / 3, breaker_reset_s=0.5))
    await provider.start()
    charging = Charging(provider, now=clock.utc_now, lease_s=LEASE_S)
    await mortal_effects.work(charging, events.PUBLISHED)


if __name__ == "__main__":
    asyncio.run(_work())

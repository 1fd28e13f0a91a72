"""Tells of scans as the carrier's clock comes to them, while somebody wants to be told (`hooks`). What was before is not told."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from aiohttp import web

from scripts.simulators import hooks
from scripts.simulators.carrier.depot import Depot

LOOK_S = 0.05


class Scanner:
    """Looks at all parcels on their way again and again. Costs nothing while nobody wants to be told."""

    def __init__(self, depot: Depot, sender: hooks.Sender) -> None:
        self._depot = depot
        self._sender = sender
        self._told: dict[str, int] = {}

    def add_to(self, app: web.Application) -> None:
        """Run as long as this application does."""
        app.cleanup_ctx.append(self._running)

    async def _running(self, _: web.Application) -> AsyncIterator[None]:
        looking = asyncio.get_running_loop().create_task(self._look())
        yield
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking

    async def _look(self) -> None:
        while True:
            if not self._sender.wanted.is_set():
                await self._sender.wanted.wait()
                self._told = {label: len(scans) for label, _, scans in self._depot.travelling({})}
            for label, reference, scans in self._depot.travelling(self._told):
                for scan in scans[self._told.get(label, 0) :]:
                    self._sender.tell(f"scan.{scan['code']}", {"label": label, "reference": reference, **scan})
                self._told[label] = len(scans)
            await asyncio.sleep(LOOK_S)

"""The provider's books against ours: a run pages through both, and writes down what they disagree about.

What is on its way differs for a moment, so a finding counts when a later run sees it again; one that a later run does not see is
gone. If the process dies in a run, the next run begins anew: nothing was forgotten, and nothing counts twice.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Protocol

from services.chassis import clock, database, metrics
from services.payment.domain import reconciling
from services.payment.store import findings
from services.payment.usecases import SERVICE

_PAGE = 500
MOST_LISTED = 200
# Money that moves later than this is told of by webhooks, if at all.
WINDOW = timedelta(days=3)


class Statements(Protocol):
    """What the provider has."""

    def statement(self, since: datetime) -> AsyncIterator[list[reconciling.Charge]]:
        """All charges that were made since then, a page at a time. Raises TransientError when the provider is away."""


class Reconciling:
    """Compares the charges of a window of time. every_s is how often a run is made."""

    def __init__(
        self,
        db: database.Database,
        provider: Statements,
        *,
        now: clock.Clock,
        every_s: float,
        window: timedelta = WINDOW,
    ) -> None:
        self._db = db
        self._provider = provider
        self._now = now
        self._window = window
        self._lasting = timedelta(seconds=every_s / 2)

    async def run(self) -> int:
        """Compare once: 0, as there is never more to do at once. Raises TransientError when the provider is away."""
        begun = self._now()
        seen: set[str] = set()
        # Ours are compared from a little later, so that one that was charged at the window's edge is not missed.
        async for charges in self._provider.statement(begun - self._window):
            seen.update(charge.reference for charge in charges)
            await self._note(reconciling.compare(charges, await findings.books(self._db, charges)))
        after = ""
        while page := await findings.charged(self._db, after, since=begun - self._window * 0.9, most=_PAGE):
            after = page[-1].provider_reference
            await self._note(reconciling.missing(page, seen))
        async with self._db.transaction() as transaction:
            await findings.close(transaction, begun)
        if lasting := await self.listed():
            metrics.ALARMS.labels(SERVICE, "books_differ").inc(len(lasting))
        return 0

    async def listed(self) -> list[findings.Seen]:
        """What the books disagree about, as far as it lasted; the oldest first."""
        return await findings.listed(self._db, lasting=self._lasting, most=MOST_LISTED)

    async def _note(self, found: list[reconciling.Finding]) -> None:
        if found:
            async with self._db.transaction() as transaction:
                await findings.save(transaction, found, self._now())

"""Following parcels: the carrier is told of those it was handed over, and asked where they are, many at a time.

A parcel is due again after a while whatever comes of it, so a process that dies in between only asks later; where the carrier
gave no answer that is after seconds, since a webhook may have told of news. Scans are numbered, and what was seen is passed
over: being asked twice, or by two processes, changes nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from services.chassis import clock, database, errors
from services.shipping import store
from services.shipping.domain import parcels
from services.shipping.store import claims
from services.shipping.usecases import telling

# Parcels that are asked about in one call.
AT_ONCE = 200
# Seconds after which parcels are asked about again when the carrier gave no answer.
AGAIN_S = 5.0


class Followed(Protocol):
    """Who knows where parcels are."""

    async def announce(self, references: Sequence[str]) -> None:
        """Tell the carrier that it was handed these labels' parcels; again is as good as once. Raises TransientError."""

    async def scans(self, references: Sequence[str]) -> Mapping[str, Sequence[parcels.Scan]]:
        """What the carrier says of the ways of these labels' parcels so far, by label. Raises TransientError."""


class Tracking:
    """Follows parcels on their way. track_s is after how many seconds one is asked about again."""

    def __init__(self, db: database.Database, carrier: Followed, *, now: clock.Clock, track_s: float) -> None:
        self._db = db
        self._carrier = carrier
        self._now = now
        self._track_s = track_s

    async def follow(self) -> int:
        """Ask once about parcels that are due: how many there were. Raises TransientError."""
        async with self._db.transaction() as transaction:
            due = await claims.claim_ways(transaction, most=AT_ONCE, every_s=self._track_s)
        if not due:
            return 0
        try:
            said = await self._asked(due)
        except errors.TransientError:
            async with self._db.transaction() as transaction:
                await claims.return_ways(transaction, [parcel.id for parcel in due], again_s=AGAIN_S)
            raise
        news = [parcel for parcel in due if _is_news(parcel, said.get(parcel.label.reference, ()))]
        if news:
            await self._settle(news, said)
        return len(due)

    async def _asked(self, due: Sequence[parcels.Parcel]) -> Mapping[str, Sequence[parcels.Scan]]:
        new = [parcel.label.reference for parcel in due if parcel.state is parcels.State.HANDED_OVER]
        if new:
            await self._carrier.announce(new)
        return await self._carrier.scans([parcel.label.reference for parcel in due])

    async def _settle(self, news: Sequence[parcels.Parcel], said: Mapping[str, Sequence[parcels.Scan]]) -> None:
        now = self._now()
        ids = {parcel.id for parcel in news}
        async with self._db.transaction() as transaction:
            by_order = await store.lock(transaction, sorted({parcel.order_id for parcel in news}))
            locked = [parcel for found in by_order.values() for parcel in found if parcel.id in ids]
            tracked = [parcels.tracked(parcel, said.get(parcel.label.reference, ()), now) for parcel in locked]
            moved = [advance for advance in tracked if advance]
            await store.save(transaction, moved, track_s=self._track_s)
            transaction.emit(telling.told(moved, by_order))


def _is_news(parcel: parcels.Parcel, scans: Sequence[parcels.Scan]) -> bool:
    return any(scan.number > parcel.scans for scan in scans)

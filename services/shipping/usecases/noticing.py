"""What follows from what the carrier tells of by itself: it is asked sooner, and nothing else.

No webhook moves a parcel, so it does not matter whether one comes twice, late, in another order or not at all, and none is
written down. If the process dies before the parcel is due, the carrier sends the event again; after that, whoever works finds
the parcel due.
"""

from collections.abc import Callable

from services.chassis import database
from services.shipping.domain import parcels
from services.shipping.store import claims


class Noticing:
    """Hears of scans. `wake` tells the follower that there are parcels to ask about."""

    def __init__(self, db: database.Database, *, wake: Callable[[], None]) -> None:
        self._db = db
        self._wake = wake

    async def hear(self, scanned: parcels.Scanned) -> None:
        """Have the carrier asked about this parcel now if it is on its way. Others, and those that are not ours, do nothing."""
        async with self._db.transaction() as transaction:
            parcel_id = scanned.parcel_id
            if scanned.label:
                parcel_id = await claims.named(transaction, scanned.label)
            if parcel_id and await claims.hasten(transaction, parcel_id):
                transaction.after_commit(self._wake)

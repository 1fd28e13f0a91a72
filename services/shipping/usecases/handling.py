"""What people do: a warehouse picks, packs and hands over; customers and administrators look."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.chassis import clock, database, errors
from services.shipping import store
from services.shipping.domain import deliveries, parcels
from services.shipping.usecases import telling


@dataclass(frozen=True, slots=True)
class Shown:
    """A parcel with its history, oldest first."""

    parcel: parcels.Parcel
    history: Sequence[parcels.Entry]


@dataclass(frozen=True, slots=True)
class Hands:
    """Who does something with a parcel, and whose it must be: a vendor's all of whose lines are theirs (None: anybody's)."""

    actor: str
    vendor_id: str | None = None


class Handling:
    """The use cases of people. `wake` tells the follower that parcels were handed over."""

    def __init__(self, db: database.Database, *, now: clock.Clock, track_s: float, wake: Callable[[], None]) -> None:
        self._db = db
        self._now = now
        self._track_s = track_s
        self._wake = wake

    async def do(self, parcel_id: str, done: parcels.Input, hands: Hands) -> Shown:
        """Note what somebody did with a parcel; again is as good as once.

        Raises SHIPMENT_NOT_FOUND or SHIPMENT_STATUS_WRONG.
        """
        found = await self._find(parcel_id, owner_id=None)
        if hands.vendor_id is not None and hands.vendor_id != found.vendor_id:
            raise _not_found(parcel_id)
        order_id = found.order_id
        async with self._db.transaction() as transaction:
            by_order = await store.lock(transaction, [order_id])
            parcel = next(parcel for parcel in by_order[order_id] if parcel.id == parcel_id)
            moved = parcels.handled(parcel, done, hands.actor, self._now())
            if moved:
                await store.save(transaction, [moved], track_s=self._track_s)
                transaction.emit(telling.told([moved], by_order))
                transaction.after_commit(self._wake)
        return await self.get(parcel_id, owner_id=None)

    async def get(self, parcel_id: str, *, owner_id: str | None) -> Shown:
        """One parcel. owner_id is whose it must be: its customer's or vendor's (None: anybody's). Raises SHIPMENT_NOT_FOUND."""
        [shown] = await self._with_histories([await self._find(parcel_id, owner_id=owner_id)])
        return shown

    async def of_order(self, order_id: str, *, owner_id: str | None) -> list[Shown]:
        """The parcels of an order, by warehouse: those of which this owner is the customer or the vendor."""
        found = deliveries.sent(await store.of_order(self._db, order_id))
        return await self._with_histories([one for one in found if _is_of(one, owner_id)])

    async def of_return(self, return_id: str, *, owner_id: str | None) -> list[Shown]:
        """The parcels that bring a return back, by warehouse: those of which this owner is the customer or the vendor."""
        found = await store.of_return(self._db, return_id)
        return await self._with_histories([one for one in found if _is_of(one, owner_id)])

    async def _find(self, parcel_id: str, *, owner_id: str | None) -> parcels.Parcel:
        parcel = await store.find(self._db, parcel_id)
        if parcel is None or not _is_of(parcel, owner_id):
            raise _not_found(parcel_id)
        return parcel

    async def _with_histories(self, found: Sequence[parcels.Parcel]) -> list[Shown]:
        histories = await store.histories(self._db, [parcel.id for parcel in found])
        # What happened between the two reads is left to the next question.
        return [
            Shown(parcel, [entry for entry in histories.get(parcel.id, ()) if entry.sequence <= parcel.version])
            for parcel in found
        ]


def _is_of(parcel: parcels.Parcel, owner_id: str | None) -> bool:
    return owner_id is None or owner_id in (parcel.user_id, parcel.vendor_id)


def _not_found(parcel_id: str) -> errors.DomainError:
    return errors.not_found("SHIPMENT_NOT_FOUND", "the shipment does not exist", shipment_id=parcel_id)

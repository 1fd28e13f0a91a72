"""What the workers claim of `parcels`: labels to be bought or voided, by lease, and parcels whose way is to be asked about.

When the carrier is asked next is compared with and set by the database's clock, so that no process's clock can be wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from services.chassis import database, postponed
from services.shipping import store
from services.shipping.domain import parcels


@dataclass(frozen=True, slots=True)
class Claimed:
    """A parcel about whose label this process may ask the carrier until its lease expires. attempt counts from 1 for each call.

    age_s is how many seconds ago the parcel was created, by the order's clock. traceparent is the trace of what created it.
    """

    parcel: parcels.Parcel
    attempt: int
    epoch: int
    age_s: float = 0.0
    traceparent: str = ""


_SHOWN = ", ".join(f"p.{column.name}" for column in store.SHOWN)
_LABEL = ", ".join(f"'{state}'" for state in parcels.VERBS)
_WAY = ", ".join(f"'{state}'" for state in sorted(parcels.FOLLOWED))
# A common table expression that locks is evaluated once: as a subquery it might be evaluated again, and lock more rows.
_CLAIM = database.Statement(f"""
WITH due AS (
  SELECT id FROM parcels WHERE state IN ({_LABEL}) AND next_try_at <= statement_timestamp()
  ORDER BY next_try_at LIMIT %(most)s FOR UPDATE SKIP LOCKED)
UPDATE parcels AS p SET attempts = p.attempts + 1, epoch = p.epoch + 1,
  next_try_at = clock_timestamp() + make_interval(secs => %(lease)s)
FROM due WHERE p.id = due.id
RETURNING {_SHOWN}, p.attempts, p.epoch, extract(epoch FROM clock_timestamp() - p.create_time)::float8, p.traceparent
""")  # noqa: S608 - all parts are constants of this service
# Due again after a while whatever comes of it, so that nothing is written about a parcel of which there is no news.
_CLAIM_WAYS = database.Statement(f"""
WITH due AS (
  SELECT id FROM parcels WHERE state IN ({_WAY}) AND next_try_at <= statement_timestamp()
  ORDER BY next_try_at LIMIT %(most)s FOR UPDATE SKIP LOCKED)
UPDATE parcels AS p SET next_try_at = clock_timestamp() + make_interval(secs => %(every)s)
FROM due WHERE p.id = due.id
RETURNING {_SHOWN}
""")  # noqa: S608 - as above
_RETURN_WAYS = database.Statement(f"""
UPDATE parcels SET next_try_at = least(next_try_at, clock_timestamp() + make_interval(secs => %(again)s))
WHERE state IN ({_WAY}) AND id IN (SELECT id FROM parcels WHERE id = ANY(%(ids)s::uuid[]) ORDER BY order_id, id FOR UPDATE)
""")  # noqa: S608 - as above
_OURS = database.Statement("""
SELECT p.id FROM parcels AS p JOIN unnest(%(id)s::uuid[], %(epoch)s::bigint[]) AS g(id, epoch)
  ON p.id = g.id AND p.epoch = g.epoch
""")
_POSTPONE = postponed.statement("parcels")
_NAMED = database.Statement("SELECT id FROM parcels WHERE reference = %(label)s AND reference <> '' LIMIT 1")
_HASTEN = postponed.hastening("parcels", only=f"state IN ({_WAY})")


async def claim(transaction: database.Transaction, *, most: int, lease_s: float) -> list[Claimed]:
    """Lease up to so many parcels whose labels are due and that no other process holds. The attempt is counted here."""
    rows = await transaction.run(_CLAIM, {"most": most, "lease": lease_s})
    return [Claimed(store.parcel_of(row), *row[-4:]) for row in rows]


async def ours(transaction: database.Transaction, claims: Sequence[Claimed]) -> set[str]:
    """Those of the claimed parcels that no other worker claimed since. All parcels of their orders are locked by `store.lock`."""
    keys = {"id": [claim.parcel.id for claim in claims], "epoch": [claim.epoch for claim in claims]}
    return {row[0] for row in await transaction.run(_OURS, keys)}


async def postpone(transaction: database.Transaction, items: Sequence[postponed.Postponed]) -> None:
    """Make claimed parcels due again later, where they are still ours."""
    await postponed.write(transaction, _POSTPONE, items)


async def claim_ways(transaction: database.Transaction, *, most: int, every_s: float) -> list[parcels.Parcel]:
    """Up to so many parcels that travel and are due to be asked about, which they are again after every_s seconds."""
    rows = await transaction.run(_CLAIM_WAYS, {"most": most, "every": every_s})
    return [store.parcel_of(row) for row in rows]


async def return_ways(transaction: database.Transaction, parcel_ids: Sequence[str], *, again_s: float) -> None:
    """Make parcels about which the carrier gave no answer due again after again_s seconds, if they are not due sooner."""
    await transaction.run(_RETURN_WAYS, {"ids": list(parcel_ids), "again": again_s})


async def hasten(transaction: database.Transaction, parcel_id: str) -> bool:
    """Make a parcel that travels due now. False when it is due anyway, does not travel, or is not ours.

    One that is being asked about this moment is asked about again: what was just answered may be of before.
    """
    return await postponed.hasten(transaction, _HASTEN, parcel_id)


async def named(transaction: database.Transaction, label: str) -> str:
    """The parcel with this label, by the carrier's name for it; empty when it is not ours."""
    rows = await transaction.run(_NAMED, {"label": label})
    return str(rows[0][0]) if rows else ""

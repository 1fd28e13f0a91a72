"""Leases: several processes share a fixed number of shards, each owned by one of them at a time, by the database's clock.

An owner renews at a third of the lease. One that dies is replaced when its lease expires; one that only seemed dead is
fenced off by the epoch, which grows with every new owner. Each process takes its fair share: shards over live members.
"""

import math
from collections.abc import Mapping

from sqlalchemy import bindparam
from sqlalchemy.types import Text

from services.chassis import database, schema

# A member is a lease too, named after its owner: so that everyone can count who is alive. One statement for what each renewal
# does, because an idle process does little else. It does not see its own insert: the others are counted, and one more.
_RENEW = database.Statement("""
WITH member AS (
  INSERT INTO leases (name, owner, epoch, expires_at)
  VALUES (%(kind)s || ':member:' || %(owner)s, %(owner)s, 0, clock_timestamp() + make_interval(secs => %(lease)s))
  ON CONFLICT (name) DO UPDATE SET expires_at = excluded.expires_at),
renewed AS (
  UPDATE leases SET expires_at = clock_timestamp() + make_interval(secs => %(lease)s)
  WHERE owner = %(owner)s AND name = ANY(%(names)s)
  RETURNING name, epoch)
SELECT others.members + 1, renewed.name, renewed.epoch FROM (
  SELECT count(*) AS members FROM leases
  WHERE name LIKE %(kind)s || ':member:%%' AND owner <> %(owner)s AND expires_at > statement_timestamp()) AS others
LEFT JOIN renewed ON true
""")
_MAKE = database.Statement("""
INSERT INTO leases (name, owner, epoch, expires_at)
SELECT %(kind)s || ':' || shard, '', 0, '-infinity' FROM generate_series(0, %(shards)s - 1) AS shard
ON CONFLICT (name) DO NOTHING
""")
_TAKE = database.Statement("""
UPDATE leases SET owner = %(owner)s, epoch = epoch + 1, expires_at = clock_timestamp() + make_interval(secs => %(lease)s)
WHERE name IN (
  SELECT name FROM leases WHERE name = ANY(%(names)s) AND expires_at <= statement_timestamp()
  ORDER BY name LIMIT %(wanted)s FOR UPDATE SKIP LOCKED)
RETURNING name, epoch
""")
_RELEASE = database.Statement(
    schema.LEASES.update()
    .where(schema.LEASES.c.owner == bindparam("me", type_=Text), schema.LEASES.c.name == bindparam("gone", type_=Text))
    .values(expires_at="-infinity")
)


class Shards:
    """The shards of one kind of work that this process owns. Not shared between tasks."""

    def __init__(self, db: database.Database, kind: str, *, count: int, owner: str, lease_s: float = 5.0) -> None:
        self._db = db
        self._kind = kind
        self._names = {f"{kind}:{shard}": shard for shard in range(count)}
        self._owner = owner
        self.lease_s = lease_s
        self._held: dict[str, int] = {}
        self._members = 0

    @property
    def alone(self) -> bool:
        """Whether no other process had a share when this one last looked."""
        return self._members == 1

    @property
    def held(self) -> Mapping[int, int]:
        """The shards owned now, and the epoch of each."""
        return {self._names[name]: epoch for name, epoch in self._held.items()}

    async def join(self) -> None:
        """Make the shards' rows if this is the first process ever. Raises TransientError."""
        await self._db.read(_MAKE, {"kind": self._kind, "shards": len(self._names)})

    async def renew(self) -> None:
        """Renew what is owned, give back what is above the fair share, take what is free. Raises TransientError."""
        mine = {"owner": self._owner, "lease": self.lease_s}
        rows = await self._db.read(_RENEW, {"kind": self._kind, "names": list(self._held), **mine})
        self._held = {name: epoch for _, name, epoch in rows if name}
        self._members = rows[0][0]
        share = math.ceil(len(self._names) / self._members)
        for name in sorted(self._held)[share:]:
            await self._release(name)
        if len(self._held) < share:
            wanted = {"names": list(self._names), "wanted": share - len(self._held), **mine}
            self._held |= dict(await self._db.read(_TAKE, wanted))

    async def leave(self) -> None:
        """Give everything back, so that another process need not wait for the lease to end. Raises TransientError."""
        for name in [*self._held, f"{self._kind}:member:{self._owner}"]:
            await self._release(name)

    async def _release(self, name: str) -> None:
        await self._db.read(_RELEASE, {"me": self._owner, "gone": name})
        self._held.pop(name, None)

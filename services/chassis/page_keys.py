"""The keys that sign page tokens: rows of the service's own database, which all of its processes share.

They protect nothing that the database does not hold itself, so they need no secret of their own to be handed out, mounted and
rotated by hand. A new key signs from the moment it is made; those before it verify for a week longer.
"""

import secrets
import time
from dataclasses import dataclass, field

from services.chassis import database

SECRET_BYTES = 32
# A process looks for a newer key so often, and for one that it does not know at most so often. Seconds.
LOOK_S = 3600.0
UNKNOWN_S = 1.0

_LOAD = database.Statement("SELECT id, secret FROM page_keys ORDER BY id")
# Two processes that make one at the same moment make two: both verify, and the later one signs.
_MAKE = database.Statement("""
INSERT INTO page_keys (secret) SELECT %(secret)s
WHERE NOT EXISTS (SELECT FROM page_keys WHERE create_time > clock_timestamp() - interval '30 days')
""")
_FORGET = database.Statement("""
DELETE FROM page_keys WHERE create_time < clock_timestamp() - interval '37 days' RETURNING 1
""")


@dataclass(frozen=True, slots=True)
class Key:
    """A key and its name."""

    id: int
    secret: bytes = field(repr=False)


async def rotate(db: database.Database) -> int:
    """Make a new key when the newest is 30 days old, and forget those of 37: how many. Raises TransientError."""
    await db.read(_MAKE, {"secret": secrets.token_bytes(SECRET_BYTES)})
    return len(await db.read(_FORGET))


class Keys:
    """The keys of a service's database, as one of its processes knows them."""

    def __init__(self, db: database.Database) -> None:
        self._db = db
        self._known: dict[int, Key] = {}
        self._looked = 0.0

    async def newest(self) -> Key:
        """The key that signs. The first process of a new database makes it. Raises TransientError."""
        if not self._known or time.monotonic() - self._looked > LOOK_S:
            await self._look()
        if not self._known:
            await rotate(self._db)
            await self._look()
        return self._known[max(self._known)]

    async def named(self, key_id: int) -> Key | None:
        """The key of this name, or None when there is none. Raises TransientError."""
        if key_id not in self._known and time.monotonic() - self._looked > UNKNOWN_S:
            await self._look()
        return self._known.get(key_id)

    async def _look(self) -> None:
        self._looked = time.monotonic()
        self._known = {row[0]: Key(row[0], bytes(row[1])) for row in await self._db.read(_LOAD)}

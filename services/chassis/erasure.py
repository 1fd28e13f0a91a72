"""Erasure: what names a person leaves a service's database after their account was erased.

A service that hears of erased accounts notes their ids (`erased_users`), exactly once like every event, and a loop runs the
service's own statements for them. Some of it may have to stay for a while: an order on its way needs its address. So each id
is looked at again, after a minute at first and then ever more rarely, but at least once a day: what had to stay, or came to
this service later than the erasure, is erased then. A look is one transaction, so a process that dies in it erased nothing.
"""

from collections.abc import Sequence
from typing import Any

from services.chassis import database, loops

# Nobody waits for it.
PACE = loops.Pace(5.0, 60.0)
USERS_AT_ONCE = 200

_NOTE = database.Statement("""
INSERT INTO erased_users (user_id) SELECT DISTINCT u FROM unnest(%(users)s::uuid[]) AS g(u) ORDER BY u
ON CONFLICT DO NOTHING
""")
_CLAIM = database.Statement("""
UPDATE erased_users AS e SET looks = e.looks + 1,
  next_look_at = clock_timestamp() + make_interval(secs => least(60 * 2.0 ^ least(e.looks, 20), 86400))
FROM (SELECT user_id FROM erased_users WHERE next_look_at <= statement_timestamp()
  ORDER BY next_look_at LIMIT %(most)s FOR UPDATE SKIP LOCKED) AS due
WHERE e.user_id = due.user_id
RETURNING e.user_id
""")


def erased_user(message: Any) -> str:
    """For a service's table of events: the user in a message that says whose account was erased."""
    return str(message.user_id)


class Erasure:
    """Erases by these statements, whose parameter `users` is a list of ids: what may be erased, and nothing twice.

    A part of the service's process.
    """

    def __init__(self, db: database.Database, statements: Sequence[database.Statement]) -> None:
        self._db = db
        self._statements = statements
        self._loop = loops.Loop("erasure", self.work, PACE)

    async def start(self) -> None:
        """Begin to look at whoever is due."""
        await self._loop.start()

    async def stop(self) -> None:
        """Finish the look under way and end."""
        await self._loop.stop()

    async def hear(self, transaction: database.Transaction, user_ids: Sequence[str]) -> None:
        """The accounts of these users were erased."""
        await transaction.run(_NOTE, {"users": list(user_ids)})
        transaction.after_commit(self._loop.wake)

    async def work(self) -> int:
        """Look at those who are due: how many there were. Raises TransientError."""
        async with self._db.transaction() as transaction:
            due = [user_id for (user_id,) in await transaction.run(_CLAIM, {"most": USERS_AT_ONCE})]
            for statement in self._statements if due else ():
                await transaction.run(statement, {"users": due})
        return len(due)

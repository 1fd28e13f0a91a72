"""Sign-ins that fail are counted, and wait when there were too many: see `domain/throttling.py`.

A try is counted, and committed, before its password is hashed: however many guess at once, no more get through than may. It is
taken back in the transaction in which the right password opens a sign-in, or is asked for a second factor. If the process dies
in between, or the caller gives up, it stays counted as one that failed.
"""

import logging
from collections.abc import Sequence

from services.chassis import clock, database
from services.user import domain
from services.user.domain import throttling as rules
from services.user.domain.throttling import Whose
from services.user.store import throttling as rows

_LOG = logging.getLogger(__name__)

# Where a try is counted.
Counted = dict[bytes, Whose]


class Throttle:
    """Counts tries to sign in."""

    def __init__(self, db: database.Database, *, now: clock.Clock) -> None:
        self._db = db
        self._now = now

    async def count(self, account: str, origin: domain.Origin, *, known: bool) -> Counted:
        """Count a try to sign in to an account, by its address of e-mail. Raises SIGN_IN_THROTTLED, and counts nothing then."""
        keys = rules.keys(account, origin.network, known=known)
        async with self._db.transaction() as transaction:
            before = await rows.lock(transaction, keys, self._now())
            # By the clock of after the wait for those who count at the same moment.
            now = self._now()
            refusal = rules.refusal(before, now)
            if refusal is not None:
                raise refusal
            after = [rules.tried(failures, now) for failures in before]
            await rows.write(transaction, after)
        _tell([failures for failures in after if failures.next_try_time > now])
        return keys

    async def take_back(self, transaction: database.Transaction, counted: Counted) -> None:
        """The password was right. Of a known network nothing is counted then; of others as much as before this try."""
        if Whose.KNOWN in counted.values():
            await rows.forget(transaction, list(counted))
        else:
            await rows.take_back(transaction, list(counted), self._now())

    async def forget(self, transaction: database.Transaction, account: str) -> None:
        """Its owner has proved to read the mail of this account: what strangers did is in nobody's way."""
        await rows.forget(transaction, list(rules.keys(account, "", known=False)))


def _tell(waiting: Sequence[rules.Failures]) -> None:
    """Say what has to wait from now on, without saying whose it is."""
    for failures in waiting:
        _LOG.warning("sign-ins have to wait", extra={"counted": failures.whose, "failures": failures.failures})

"""The timer of sagas: what waited too long is compensated or asked again, whichever process it began in."""

import logging
from collections.abc import Sequence

from services.chassis import database, errors, metrics
from services.order import saga, store
from services.order.store import timers
from services.order.usecases import advancing

_LOG = logging.getLogger(__name__)


TIMER = "timer"
# Overdue sagas that the timer handles in one transaction.
OVERDUE_AT_ONCE = 200
# How long a saga waits that the timer could not handle, so that it does not stand in front of the others, in seconds.
FAILED_WAIT_S = 60.0
# A timer looks at least once a second, whichever process it is in. After so many seconds without one nobody was there.
AWAY_S = 10.0


class Timer:
    """Acts on deadlines that passed."""

    def __init__(self, db: database.Database, orders: advancing.Advancing, *, waits: saga.Waits) -> None:
        self._db = db
        self._orders = orders
        self._waits = waits

    async def expire(self) -> int:
        """Act on sagas whose deadline passed: how many there were. Raises TransientError."""
        await self._catch_up()
        overdue: list[str] = []
        try:
            async with self._db.transaction() as transaction:
                overdue = await timers.lock_overdue(transaction, OVERDUE_AT_ONCE)
                await self._deadline_passed(transaction, overdue)
        except errors.TransientError:
            raise
        except Exception:  # noqa: BLE001 - logged, and found out below which saga it belongs to
            # Whatever it is, it belongs to one of the sagas: that one alone fails, and is tried again.
            _LOG.exception("overdue sagas failed together", extra={"orders": len(overdue)})
            for order_id in overdue:
                await self._expire_alone(order_id)
        return len(overdue)

    async def _expire_alone(self, order_id: str) -> None:
        try:
            async with self._db.transaction() as transaction:
                await self._deadline_passed(transaction, await timers.lock_if_overdue(transaction, order_id))
        except errors.TransientError:
            raise
        except Exception:  # noqa: BLE001 - logged and counted; the others of the batch must go on
            metrics.ALARMS.labels(store.SERVICE, "timer_failed").inc()
            _LOG.exception("overdue saga failed", extra={"order_id": order_id})
            async with self._db.transaction() as transaction:
                await timers.postpone_overdue(transaction, order_id, wait_s=FAILED_WAIT_S)

    async def _deadline_passed(self, transaction: database.Transaction, overdue: Sequence[str]) -> None:
        if overdue:
            events = [saga.Event(order_id, saga.Reply.DEADLINE_PASSED, TIMER) for order_id in overdue]
            await self._orders.advance(transaction, events)

    async def _catch_up(self) -> None:
        """Put deadlines off when nobody looked at them for a while: the replies of that time have still to be heard.

        Whoever looks at deadlines listens to replies. If all were away, or this database was put back to an earlier moment,
        the answers lie in the topics, and an order that was confirmed long ago would be cancelled for being late.
        """
        async with self._db.transaction() as transaction:
            seen_at, away_s = await timers.look(transaction)
            if away_s <= AWAY_S:
                return
            waiting = await timers.put_off(transaction, seen_at, least_s=self._waits.catch_up_s)
        extra = {"away_s": round(away_s), "orders": waiting}
        _LOG.warning("nobody looked at deadlines for a while: they are put off", extra=extra)

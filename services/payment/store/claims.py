"""What the worker claims of `payments`, by lease: those about which the provider is to be asked.

When the provider is asked next is compared with and set by the database's clock, so that no process's clock can be wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Double, Integer, Interval, and_, bindparam, case, extract, func, or_, select

from services.chassis import database, postponed
from services.payment import domain
from services.payment.store import PAYMENTS, SHOWN, payment_of


@dataclass(frozen=True, slots=True)
class Claimed:
    """A payment that this process may ask the provider about until its lease expires. attempt counts from 1 for each call.

    age_s is how many seconds ago the first attempt was made, or may have been made. traceparent is the trace of the call
    that asked for it: the answer's events carry it.
    """

    payment: domain.Payment
    attempt: int
    epoch: int
    age_s: float = 0.0
    traceparent: str = ""

    @property
    def key(self) -> tuple[str, int]:
        """What this claim is known by: the payment, and the epoch that the claim began."""
        return (self.payment.id, self.epoch)


_P = PAYMENTS.c
# A common table expression that locks is evaluated once: as a subquery it might be evaluated again, and lock more rows.
_DUE = (
    select(_P.id)
    .where(_P.next_try_at <= func.statement_timestamp())
    .order_by(_P.next_try_at)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(skip_locked=True)
    .cte("due")
)
_FIRST_TRY = func.clock_timestamp()
# An authorisation may have been asked for since the order wanted it, by a worker that a restored database knows nothing of.
_AUTHORIZING = [_P.state == state.value for state, verb in domain.VERBS.items() if verb is domain.Verb.AUTHORIZE]
_ASKED_BEFORE = or_(_P.attempts > 0, *_AUTHORIZING)
_CLAIM = database.Statement(
    PAYMENTS.update()
    .where(_P.id == _DUE.c.id)
    .values(
        attempts=_P.attempts + 1,
        epoch=_P.epoch + 1,
        next_try_at=func.clock_timestamp() + bindparam("lease", type_=Interval),
        first_try_at=case((_ASKED_BEFORE, func.coalesce(_P.first_try_at, _FIRST_TRY)), else_=_FIRST_TRY),
    )
    .returning(
        *SHOWN,
        _P.attempts,
        _P.epoch,
        extract("epoch", func.clock_timestamp() - _P.first_try_at).cast(Double),
        _P.traceparent,
    )
)
_CLAIMED = database.given(PAYMENTS, "id", "epoch")
_LOCK_CLAIMED = database.Statement(
    select(*SHOWN, _P.attempts, _P.epoch)
    .join(_CLAIMED, and_(_P.id == _CLAIMED.c.id, _P.epoch == _CLAIMED.c.epoch))
    .order_by(_P.order_id)
    .with_for_update(of=PAYMENTS)
)
_POSTPONE = postponed.statement("payments")


async def claim(transaction: database.Transaction, *, most: int, lease_s: float) -> list[Claimed]:
    """Lease up to so many payments that are due and that no other process holds. The attempt is counted here."""
    rows = await transaction.run(_CLAIM, {"most": most, "lease": timedelta(seconds=lease_s)})
    return [Claimed(payment_of(row), *row[-4:]) for row in rows]


async def lock_claimed(
    transaction: database.Transaction, claims: Sequence[Claimed]
) -> dict[tuple[str, int], domain.Payment]:
    """Those of the claimed payments that are still ours, by their claims' keys, as they are now, locked."""
    if not claims:
        return {}
    keys = {"id": [claim.payment.id for claim in claims], "epoch": [claim.epoch for claim in claims]}
    return {(row[0], row[-1]): payment_of(row) for row in await transaction.run(_LOCK_CLAIMED, keys)}


async def postpone(transaction: database.Transaction, items: Sequence[postponed.Postponed]) -> None:
    """Make claimed payments due again later, where they are still ours."""
    await postponed.write(transaction, _POSTPONE, items)

"""What can be done with payments: three things that orders say, two that people ask for, reading.

None of it calls the provider: what is to be asked there is written down, and `charging.py` asks. `returning.py`: the refunds of
returns.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from services.chassis import clock, database, errors, idempotency, ids, money
from services.payment import domain, names, store
from services.payment.domain import moves

SERVICE = "payment"

# Payments that the provider has to be asked about, those whose customers have to confirm, and those about which it could not
# be asked at once.
QUEUES = database.Statement("""
SELECT 'provider', count(*), extract(epoch FROM clock_timestamp() - min(update_time))
FROM payments WHERE next_try_at IS NOT NULL AND state <> 'ACTION_REQUIRED'
UNION ALL
SELECT 'customers', count(*), extract(epoch FROM clock_timestamp() - min(update_time))
FROM payments WHERE next_try_at IS NOT NULL AND state = 'ACTION_REQUIRED'
UNION ALL
SELECT 'provider_unknown', count(*), extract(epoch FROM clock_timestamp() - min(update_time))
FROM payments WHERE next_try_at IS NOT NULL AND attempts > 1 AND state <> 'ACTION_REQUIRED'
UNION ALL
SELECT 'return_refunds', count(*), extract(epoch FROM clock_timestamp() - min(create_time))
FROM return_refunds WHERE state <> 'SETTLED'
""")

# What orders say, and what that is to a payment.
Said = domain.Request | domain.Confirmation | domain.Cancellation
_INPUTS: Mapping[type, domain.Input] = {
    domain.Confirmation: domain.Input.CONFIRMED,
    domain.Cancellation: domain.Input.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A customer's choice of how to pay an order. request_id is empty when the caller will not repeat the call."""

    order_id: str
    user_id: str
    payment_method: str
    request_id: str = ""
    fingerprint: bytes = b""


@dataclass(frozen=True, slots=True)
class Wish:
    """A wish to give money back: so much, or all that is left when amount is None. actor is who wants it, and reason why.

    payment_id may be the order's. request_id is empty when the caller will not repeat the call.
    """

    payment_id: str
    amount: money.Money | None
    reason: str
    actor: str
    request_id: str = ""
    fingerprint: bytes = b""


class Payments:
    """The use cases of payments. `wake` tells the worker that there are calls to make."""

    def __init__(self, db: database.Database, *, now: clock.Clock, wake: Callable[[], None]) -> None:
        self._db = db
        self._now = now
        self._wake = wake

    async def request(self, transaction: database.Transaction, requests: Sequence[domain.Request]) -> None:
        """Ask for money. An order that has a payment, or was cancelled before, keeps what it has."""
        await self.hear(transaction, requests)

    async def confirm(self, transaction: database.Transaction, order_ids: Sequence[str]) -> None:
        """Take the money of these orders. What was answered before is answered again."""
        await self.hear(transaction, [domain.Confirmation(order_id) for order_id in order_ids])

    async def cancel(self, transaction: database.Transaction, cancelled: Sequence[domain.Cancellation]) -> None:
        """Give back the money of these orders, or see to it that none is ever asked for. What was answered is repeated."""
        await self.hear(transaction, cancelled)

    async def hear(self, transaction: database.Transaction, said: Sequence[Said]) -> None:
        """Do what orders ask for, at most one thing each.

        New payments are inserted first and the others locked after that, each once and in the order of the orders' ids,
        whatever is asked for: one lock for each kind of wish would let two batches wait for each other. The payment of an
        order that asks again is locked too, though nothing changes: every order of a batch is in its first wave, so that
        wave locks all that the later ones change.
        """
        now = self._now()
        begun = [moves.begin(r, names.payment_id(r.order_id), now) for r in said if isinstance(r, domain.Request)]
        nothing = [
            moves.never(c, names.payment_id(c.order_id), now) for c in said if isinstance(c, domain.Cancellation)
        ]
        added = sorted([*begun, *nothing], key=lambda payment: payment.order_id)
        new = await store.add(transaction, added) if added else set()
        transaction.emit(domain.PaymentVoided(payment) for payment in nothing if payment.order_id in new)
        inputs = {item.order_id: _INPUTS[type(item)] for item in said if type(item) in _INPUTS}
        locked = await store.lock(transaction, [item.order_id for item in said if item.order_id not in new])
        await self._advance(transaction, [payment for payment in locked if payment.order_id in inputs], inputs)

    async def choose(self, choice: Choice) -> domain.Payment:
        """Pay an order that waits for a payment method by this one; a repeated request finds what its first did.

        Raises PAYMENT_NOT_FOUND also when it is not this user's, PAYMENT_METHOD_NOT_AWAITED or REQUEST_ID_REUSED.
        """
        async with self._db.transaction() as transaction:
            payment = await self._lock_one(transaction, choice.order_id)
            if payment is None or not payment.existed or payment.user_id != choice.user_id:
                raise _not_found(choice.order_id)
            claim = idempotency.Claim(choice.user_id, choice.request_id, choice.fingerprint, ids.new_id(self._now()))
            if await idempotency.made_before(transaction, claim):
                return payment
            return await self._move(transaction, moves.choose(payment, choice.payment_method, self._now()))

    async def refund(self, wish: Wish) -> domain.Payment:
        """Begin to give money back; a repeated request finds what its first did, a restored database gives back as before.

        Raises PAYMENT_NOT_FOUND, REFUND_NOT_POSSIBLE, REFUND_AMOUNT_WRONG, CURRENCY_MIXED or REQUEST_ID_REUSED.
        """
        found = await self.get(wish.payment_id, owner_id=None)
        now = self._now()
        claimed_id = ids.new_id(now)
        async with self._db.transaction() as transaction:
            payment = await self._lock_one(transaction, found.order_id)
            if payment is None:
                raise _not_found(wish.payment_id)
            claim = idempotency.Claim(wish.actor, wish.request_id, wish.fingerprint, claimed_id)
            if await idempotency.made_before(transaction, claim):
                return payment
            refund_id = names.refund_id(payment.id, wish.actor, wish.request_id or claimed_id)
            advance = moves.give_back(payment, wish.amount, refund_id, now)
            if not await store.add_refund(transaction, advance.payment, actor=wish.actor, reason=wish.reason):
                # The same request, so much later that its claim is not kept any more.
                return payment
            return await self._move(transaction, advance)

    async def get(self, some_id: str, *, owner_id: str | None) -> domain.Payment:
        """The payment with this id or of this order. Raises PAYMENT_NOT_FOUND also when it is not this owner's."""
        payment = await store.find(self._db, some_id)
        if payment is None or not payment.existed or (owner_id is not None and payment.user_id != owner_id):
            raise _not_found(some_id)
        return payment

    async def _lock_one(self, transaction: database.Transaction, order_id: str) -> domain.Payment | None:
        locked = await store.lock(transaction, [order_id])
        return locked[0] if locked else None

    async def _move(self, transaction: database.Transaction, advance: moves.Advance) -> domain.Payment:
        await store.save(transaction, [advance])
        transaction.emit(advance.facts)
        transaction.after_commit(self._wake)
        return advance.payment

    async def _advance(
        self,
        transaction: database.Transaction,
        payments: Sequence[domain.Payment],
        inputs: Mapping[str, domain.Input],
    ) -> None:
        now = self._now()
        moved = [moves.advance(payment, domain.Answer(inputs[payment.order_id]), now) for payment in payments]
        advances = [advance for advance in moved if advance]
        await store.save(transaction, advances)
        transaction.emit(fact for advance in advances for fact in advance.facts)
        transaction.after_commit(self._wake)


def _not_found(some_id: str) -> errors.DomainError:
    return errors.not_found("PAYMENT_NOT_FOUND", "the payment does not exist", id=some_id)

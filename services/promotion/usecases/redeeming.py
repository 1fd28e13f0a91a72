"""Which orders use promotions. What orders ask for comes as batches: lock, decide in memory, write once.

It runs in the consumer's transaction, together with the claim of its events and the answers it emits. If the process dies
before the commit nothing happened and the batch comes again; after it the relay publishes the answers. What comes again is
answered again and changes nothing.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from services.chassis import database
from services.promotion import store
from services.promotion.domain import redemptions
from services.promotion.domain.promotions import Refusal
from services.promotion.domain.redemptions import Status, Use, Wish

# What orders say.
Said = redemptions.Wish | redemptions.Confirmation | redemptions.Cancellation


class Redeeming:
    """The use case of what orders say."""

    async def hear(self, transaction: database.Transaction, said: Sequence[Said]) -> None:
        """Do what orders ask for, at most one thing each.

        All rows are locked first, once and in one order (redemptions by order, promotions by id, codes), whatever the orders
        ask for: a hot promotion costs one row update per batch, and two batches wait for each other instead of deadlocking.
        Of an order that is placed again they are locked too, though nothing changes: every order of a batch is in its first
        wave, so that wave locks all that the later ones change.
        """
        wishes = [item for item in said if isinstance(item, redemptions.Wish)]
        confirmed = [item.order_id for item in said if isinstance(item, redemptions.Confirmation)]
        cancelled = [item.order_id for item in said if isinstance(item, redemptions.Cancellation)]
        known = await store.lock_uses(transaction, [item.order_id for item in said])
        fresh = [wish for wish in wishes if wish.order_id not in known]
        counts = await _locked(transaction, fresh, known)
        if fresh:
            await _claim(transaction, fresh, counts)
        transaction.emit(
            answer for wish in wishes if wish.order_id in known for answer in _repeated(known[wish.order_id])
        )
        if confirmed:
            await store.commit_uses(transaction, confirmed)
        if cancelled:
            await _release(transaction, cancelled)


async def _locked(
    transaction: database.Transaction, fresh: Sequence[Wish], known: Mapping[str, Sequence[Use]]
) -> redemptions.Counts:
    """What is known of all promotions and codes that these orders ask for or use, locked."""
    asked = [(item.promotion_id, item.code) for wish in fresh for item in wish.promised]
    used = [(use.promotion_id, use.code) for uses in known.values() for use in uses if use.status != Status.REFUSED]
    promotions = await store.lock_promotions(transaction, {promotion_id for promotion_id, _ in [*asked, *used]})
    codes = await store.lock_codes(transaction, {code for _, code in [*asked, *used] if code})
    limited = {one.id for one in promotions.values() if one.terms.most_per_customer}
    pairs = {(item.promotion_id, wish.user_id) for wish in fresh for item in wish.promised}
    by_customer = await store.count_uses(transaction, [pair for pair in sorted(pairs) if pair[0] in limited])
    return redemptions.Counts(promotions, codes, by_customer)


async def _claim(transaction: database.Transaction, fresh: Sequence[Wish], counts: redemptions.Counts) -> None:
    refused = redemptions.claim(fresh, counts)
    uses = [use for wish in fresh for use in redemptions.uses_of(wish, refused.get(wish.order_id, ()))]
    await store.insert_uses(transaction, uses)
    await _count(transaction, [use for use in uses if use.status == Status.CLAIMED], by=1)
    transaction.emit(
        redemptions.CouponsRefused(wish.order_id, refused[wish.order_id])
        if wish.order_id in refused
        else redemptions.CouponsRedeemed(wish.order_id)
        for wish in fresh
    )


async def _release(transaction: database.Transaction, order_ids: Sequence[str]) -> None:
    """Give back what cancelled orders use. Always answers, also when it was nothing."""
    await _count(transaction, await store.release_uses(transaction, order_ids), by=-1)
    transaction.emit(redemptions.CouponsReleased(order_id) for order_id in order_ids)


async def _count(transaction: database.Transaction, uses: Sequence[Use], *, by: int) -> None:
    """Add to, or take from, the counts of what is used. The rows are locked."""
    if uses:
        await store.change_promotions(transaction, _times(by, (use.promotion_id for use in uses)))
        await store.change_codes(transaction, _times(by, (use.code for use in uses if use.code)))


def _times(by: int, keys: Iterable[str]) -> dict[str, int]:
    return {key: by * count for key, count in sorted(Counter(keys).items())}


def _repeated(uses: Sequence[Use]) -> list[object]:
    """The answer that an order got before; none for one that was cancelled since."""
    order_id, status = uses[0].order_id, uses[0].status
    if status == Status.REFUSED:
        why = [redemptions.Refused(use.promotion_id, use.code, Refusal(use.refusal)) for use in uses if use.refusal]
        return [redemptions.CouponsRefused(order_id, tuple(why))]
    return [] if status == Status.RELEASED else [redemptions.CouponsRedeemed(order_id)]

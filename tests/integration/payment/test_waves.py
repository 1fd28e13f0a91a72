"""Events of one order in several waves of a batch: the first wave locks what the later ones change."""

import asyncio

from services.chassis import database, money
from services.payment import domain, store
from tests.integration.payment.till import Till, new_id, requested
from tests.support import locks


async def test_what_a_later_wave_changes_is_locked_by_the_first_also_for_an_order_that_asks_again(
    db: database.Database, idle_till: Till
) -> None:
    first, second = sorted([new_id(), new_id()])
    await idle_till.say(requested(first), requested(second))
    again = domain.Request(first, new_id(), money.Money("EUR", 1000), "card_approved", None)

    async def a_worker_settles() -> None:
        async with db.transaction() as transaction:
            await store.lock(transaction, [first, second])

    async with db.transaction() as transaction:
        await idle_till.payments.hear(transaction, [again, domain.Confirmation(second)])
        other = asyncio.create_task(a_worker_settles())
        await locks.somebody_waits(db)
        # It must wait for the first too: had it locked that, each would wait for the other from here on.
        await idle_till.payments.hear(transaction, [domain.Confirmation(first)])
    await other

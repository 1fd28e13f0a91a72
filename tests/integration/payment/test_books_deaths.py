"""`kill -9` at each commit of what payment writes beside the order path: webhooks, refunds of returns, reconciliation.

The provider repeats an event whose sender had no answer, and a loop begins anew: each case does the same, and counts.
"""

import pytest

from services.chassis import clock, database
from services.payment import clients
from services.payment.domain import State, payouts
from services.payment.domain.reconciling import Kind
from services.payment.usecases import reconciling
from tests.integration.payment import mortal_books
from tests.integration.payment import till as tills
from tests.integration.payment.test_payouts import paid, report
from tests.integration.payment.test_reconciling import BREAK, MEND, charge
from tests.integration.payment.test_returns import given, inspected
from tests.integration.payment.test_webhooks import BALANCES, HEARD, PAYMENT
from tests.integration.payment.till import PRICE, Till, cancelled, new_id
from tests.support import mortal

BORNE = 1000
WAITS = database.Statement("UPDATE return_refunds SET next_try_at = clock_timestamp() WHERE id = %(id)s")


async def _balances(till: Till, order: str) -> dict[str, int]:
    return {row[0]: int(row[1]) for row in await till.db.read(BALANCES, {"order": order})}


@pytest.mark.parametrize("at", mortal.POINTS)
@pytest.mark.parametrize(
    ("told", "account"), [(["OPEN"], "disputed"), (["LOST"], "dispute_losses"), (["OPEN", "LOST"], "dispute_losses")]
)
async def test_a_dispute_is_booked_and_charged_to_its_vendor_once_through_a_death(
    till: Till, database_url: str, told: list[str], account: str, at: str
) -> None:
    vendor, event_id = new_id(), f"evt_{new_id()}"
    order = await paid(till, {vendor: BORNE})
    [[_, reference, _]] = await till.db.read(PAYMENT, {"order": order})
    *before, last = told
    for state in before:
        await mortal_books.hearing(till.db).receive(mortal_books.disputed(f"evt_{new_id()}", reference, state))

    words = {"EVENT_ID": event_id, "REFERENCE": reference, "STATE": last}
    mortal.dies(mortal_books.MODULE, database_url, at=at, DOES="dispute", **words)
    assert await till.db.read(HEARD, {"id": event_id}) == [(int(at == mortal.COMMITTED),)]
    await mortal_books.hearing(till.db).receive(mortal_books.disputed(event_id, reference, last))

    assert await _balances(till, order) == {account: PRICE.amount, "order_revenue": -PRICE.amount}
    assert await report(till, vendor) == [payouts.Payout(vendor, "USD", BORNE, 0, BORNE, 1, 0, 1)]


@pytest.mark.parametrize("at", mortal.POINTS)
async def test_a_refund_that_failed_late_is_taken_out_of_the_books_once_through_a_death(
    till: Till, database_url: str, at: str
) -> None:
    vendor, event_id = new_id(), f"evt_{new_id()}"
    order = await paid(till, {vendor: BORNE})
    await till.say(cancelled(order))
    await till.reaches(order, State.REFUNDED)
    [[_, reference, _]] = await till.db.read(PAYMENT, {"order": order})

    words = {"EVENT_ID": event_id, "REFERENCE": reference, "CALL": "refund"}
    mortal.dies(mortal_books.MODULE, database_url, at=at, DOES="refund", **words)
    assert bool(await _balances(till, order)) == (at == mortal.COMMITTED)
    await mortal_books.hearing(till.db).receive(mortal_books.failed(event_id, reference, "refund"))

    assert await _balances(till, order) == {"provider_receivable": PRICE.amount, "order_revenue": -PRICE.amount}
    [payout] = await report(till, vendor)
    assert (payout.captured, payout.refunded, payout.payable) == (BORNE, 0, BORNE)


@pytest.mark.parametrize("at", mortal.POINTS)
async def test_the_refund_of_a_return_is_begun_once_through_a_death(till: Till, database_url: str, at: str) -> None:
    order = await paid(till, {})
    back = inspected(order, 700)
    await till.say(back)
    await till.db.read(WAITS, {"id": back.return_id})

    mortal.dies(mortal_books.MODULE, database_url, at=at, DOES="begin")

    assert await given(till, back.return_id) == 700
    assert (await till.told(order)).count("ReturnRefundSettled") == 1
    assert await till.testimony(order) == ["authorized", "captured", "refunded"]


@pytest.mark.parametrize("at", mortal.POINTS)
@pytest.mark.parametrize("die_in", [1, 2], ids=["what-was-found", "what-is-gone"])
async def test_reconciliation_that_dies_forgets_no_finding_and_the_next_run_has_each_once(
    till: Till, database_url: str, provider_url: str, die_in: int, at: str
) -> None:
    stays, comes, goes = new_id(), new_id(), await paid(till, {})
    await charge(till, stays)
    await till.db.read(BREAK[Kind.CURRENCY_DIFFERS], {"order": goes})
    provider = clients.Provider(tills.settings(provider_url, timeout_s=5.0))
    await provider.start()
    compared = reconciling.Reconciling(till.db, provider, now=clock.utc_now, every_s=0)
    await compared.run()
    await till.db.read(MEND, {"order": goes})
    await charge(till, comes)

    words = {"OUTSIDE_URL": provider_url, "DIE_IN": str(die_in)}
    mortal.dies(mortal_books.MODULE, database_url, at=at, DOES="reconcile", **words)

    assert stays in await _found(compared)
    await compared.run()
    found = await _found(compared)
    assert [found.count(order) for order in (stays, comes, goes)] == [1, 1, 0]
    await provider.stop()


async def _found(compared: reconciling.Reconciling) -> list[str]:
    return [item.finding.order_id for item in await compared.listed()]

"""What belongs to vendors: told by orders, borne in refunds, and reported from the ledger to the cent."""

from datetime import timedelta

from scripts.operate.audit.books import INVARIANTS
from services.chassis import clock, database, pages
from services.chassis.money import Money
from services.chassis.rpc import page_tokens, render
from services.payment.domain import State, notices, payouts
from services.payment.usecases import reporting, webhooks
from souk.order.v1 import order_events_pb2, return_events_pb2
from tests.integration.payment.test_returns import given, inspected
from tests.integration.payment.till import PRICE, Till, cancelled, confirmed, new_id, requested

LEDGER = database.Statement("""
SELECT sum(amount) FROM ledger_entries WHERE account = 'provider_receivable' AND time >= %(start)s
""")


async def paid(till: Till, vendors: dict[str, int]) -> str:
    order = new_id()
    wish = requested(order)
    for vendor, amount in vendors.items():
        part = render.money_message(Money(PRICE.currency, amount))
        wish.shares.append(order_events_pb2.PaymentRequested.Share(vendor_id=vendor, amount=part))
    await till.say(wish)
    await till.reaches(order, State.AUTHORIZED)
    await till.say(confirmed(order))
    await till.reaches(order, State.CAPTURED)
    return order


async def report(till: Till, vendor: str = "", *, size: int = 100, owner: str | None = None) -> list[payouts.Payout]:
    now = clock.utc_now()
    reports = reporting.Reports(till.db, page_tokens.PageTokens(till.db))
    wanted = payouts.wanted(now - timedelta(days=1), now + timedelta(minutes=1), PRICE.currency, vendor)
    found: list[payouts.Payout] = []
    after = ""
    while True:
        page = await reports.payouts(wanted, pages.Page(size, after), owner_id=owner)
        found += page.rows
        after = page.next_after
        if not after:
            return found


async def test_a_vendor_bears_the_return_of_its_own_line_alone(till: Till) -> None:
    one, other = new_id(), new_id()
    order = await paid(till, {one: 2000, other: 1000})
    back = inspected(order, 700)
    part = render.money_message(Money(PRICE.currency, 600))
    back.shares.append(return_events_pb2.ReturnInspected.Share(vendor_id=one, amount=part))
    await till.say(back)
    assert await given(till, back.return_id) == 700

    assert await report(till, one) == [payouts.Payout(one, "USD", 2000, 600, 0, 1, 1, 0)]
    assert await report(till, owner=other) == [payouts.Payout(other, "USD", 1000, 0, 0, 1, 0, 0)]


async def test_a_cancellation_takes_everybodys_share_back(till: Till) -> None:
    vendor = new_id()
    order = await paid(till, {vendor: 2000})
    await till.say(cancelled(order))
    await till.reaches(order, State.REFUNDED)

    [payout] = await report(till, vendor)
    assert (payout.captured, payout.refunded, payout.payable) == (2000, 2000, 0)


async def test_a_dispute_that_is_lost_is_charged_to_the_vendors_whose_money_was_left(till: Till) -> None:
    one, other = new_id(), new_id()
    order = await paid(till, {one: 2000, other: 1000})
    back = inspected(order, 2000)
    part = render.money_message(Money(PRICE.currency, 2000))
    back.shares.append(return_events_pb2.ReturnInspected.Share(vendor_id=one, amount=part))
    await till.say(back)
    assert await given(till, back.return_id) == 2000

    await _lost(till, order, PRICE.amount - 2000)

    assert await report(till, one) == [payouts.Payout(one, "USD", 2000, 2000, 0, 1, 1, 0)]
    [charged] = await report(till, other)
    assert (charged.captured, charged.refunded, charged.disputed, charged.payable) == (1000, 0, 1000, 0)
    assert (charged.captures, charged.disputes) == (1, 1)


async def _lost(till: Till, order: str, amount: int) -> None:
    """The customer's bank wants so much back, and gets it."""
    reference = (await till.payments.get(order, owner_id=None)).provider_reference
    heard = webhooks.Webhooks(till.db, now=clock.utc_now, wake=lambda: None)
    for state in (notices.DisputeState.OPEN, notices.DisputeState.LOST):
        told = notices.Dispute(f"dp_{reference}", state, amount, "fraudulent")
        await heard.receive(
            notices.Notice("simulator", f"evt_{new_id()}", "dispute", clock.utc_now(), reference, news=told)
        )


async def test_the_pages_of_the_report_add_up_to_the_ledger(till: Till) -> None:
    for _ in range(3):
        await paid(till, {new_id(): 1234})
    found = await report(till, size=2)

    [[kept]] = await till.db.read(LEDGER, {"start": clock.utc_now() - timedelta(days=1)})
    assert sum(payout.payable for payout in found) == kept
    assert found[0].vendor_id == ""
    assert found == await report(till)
    # Nor does the auditor find anything in the books of all these tests.
    for rule in INVARIANTS["payment"]:
        assert await till.db.read(database.Statement(rule)) == []

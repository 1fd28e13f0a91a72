"""Orders with coupons: what they cost by line, and how their saga goes. Orders of an earlier definition end by theirs."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import errors
from services.chassis.money import Money
from services.order import domain, saga
from services.order.domain import Status, rates, totals
from services.order.saga import Reply

NOW = datetime(2026, 1, 1, tzinfo=UTC)
COUPON = domain.Discount("p1", "Welcome", "WELCOME", {"TEA": 100}, claims=3)
AUTOMATIC = domain.Discount("p2", "Spring", "", {"TEA": 50})
PLAIN = domain.Order(
    id="01900000-0000-7000-8000-000000000001",
    user_id="01900000-0000-7000-8000-0000000000aa",
    lines=(domain.Line("TEA", "Tea", 2, Money("USD", 500)),),
    total=Money("USD", 1000),
    address=domain.Address("", "1 Road", "", "Town", "", "", "GB"),
    payment_method="card_approved",
    create_time=NOW,
)
WITH_COUPON = replace(PLAIN, total=Money("USD", 850), discounts=(COUPON, AUTOMATIC))
FREE = replace(PLAIN, total=Money("USD", 0), discounts=(replace(COUPON, lines={"TEA": 1000}),))
HELD = (Reply.STOCK_RESERVED, Reply.COUPONS_REDEEMED)


def begun(order: domain.Order) -> domain.Placed:
    return saga.begin(order, "01900000-0000-7000-8000-0000000000bb").placed


def play(placed: domain.Placed, *replies: Reply) -> tuple[domain.Saga, list[str]]:
    """Give the replies one after the other: the saga then, and the names of all facts it told."""
    told: list[str] = []
    for reply in replies:
        moved = saga.advance(placed, saga.Event(PLAIN.id, reply, "test"), NOW)
        if moved:
            placed = replace(placed, saga=moved.saga)
            told += [type(fact).__name__ for fact in moved.facts]
    return placed.saga, told


@pytest.mark.parametrize("replies", [HELD, HELD[::-1]])
def test_stock_and_coupons_are_asked_for_in_one_step_and_answer_in_either_order(replies: tuple[Reply, ...]) -> None:
    placed = begun(WITH_COUPON)
    assert placed.saga.awaiting == {"inventory", "promotion"}
    halfway, told = play(placed, replies[0])
    assert (halfway.status, len(halfway.awaiting), told) == (Status.PENDING, 1, [])
    reserved, told = play(placed, *replies)
    assert (reserved.status, reserved.awaiting, told) == (Status.RESERVED, frozenset({"payment"}), ["PaymentRequested"])


def test_an_order_whose_discounts_need_no_redemption_does_not_concern_promotion() -> None:
    placed = begun(replace(PLAIN, discounts=(AUTOMATIC,)))
    assert placed.saga.awaiting == {"inventory"}
    assert play(placed, Reply.COUPONS_REFUSED)[0] == placed.saga


@pytest.mark.parametrize(
    ("replies", "reason", "awaiting"),
    [
        ([Reply.COUPONS_REFUSED], "COUPON_REFUSED", {"inventory"}),
        ([Reply.STOCK_RESERVED, Reply.COUPONS_REFUSED], "COUPON_REFUSED", {"inventory"}),
        ([Reply.STOCK_REJECTED], "STOCK_SHORT", {"promotion"}),
        ([Reply.COUPONS_REDEEMED, Reply.STOCK_REJECTED], "STOCK_SHORT", {"promotion"}),
        ([Reply.DEADLINE_PASSED], "STOCK_TIMEOUT", {"inventory", "promotion"}),
        ([Reply.COUPONS_REDEEMED, Reply.DEADLINE_PASSED], "STOCK_TIMEOUT", {"inventory", "promotion"}),
        ([Reply.STOCK_RESERVED, Reply.DEADLINE_PASSED], "COUPON_TIMEOUT", {"inventory", "promotion"}),
        ([*HELD, Reply.PAYMENT_DECLINED], "PAYMENT_DECLINED", {"inventory", "promotion"}),
        ([*HELD, Reply.STOCK_RELEASED], "HOLD_EXPIRED", {"payment", "promotion"}),
        ([*HELD, Reply.CANCEL_REQUESTED], "CANCEL_REQUESTED", {"inventory", "payment", "promotion"}),
        (
            [*HELD, Reply.PAYMENT_AUTHORIZED, Reply.CANCEL_REQUESTED, Reply.SHIPMENTS_STOPPED],
            "CANCEL_REQUESTED",
            {"inventory", "payment", "promotion"},
        ),
    ],
)
def test_whoever_may_hold_something_is_asked_to_release_it(
    replies: list[Reply], reason: str, awaiting: set[str]
) -> None:
    cancelling, told = play(begun(WITH_COUPON), *replies)
    assert (cancelling.status, cancelling.cancel_reason, set(cancelling.awaiting)) == (
        Status.CANCELLING,
        reason,
        awaiting,
    )
    assert told[-1] == "OrderCancelled"
    answers = {"inventory": Reply.STOCK_RELEASED, "promotion": Reply.COUPONS_RELEASED, "payment": Reply.PAYMENT_VOIDED}
    released, told = play(replace(begun(WITH_COUPON), saga=cancelling), *(answers[who] for who in awaiting))
    assert (released.status, told) == (Status.CANCELLED, ["OrderCancellationCompleted"])


def test_coupons_that_are_refused_after_they_were_redeemed_change_nothing_and_are_alarmed() -> None:
    placed = begun(WITH_COUPON)
    redeemed = replace(placed, saga=play(placed, Reply.COUPONS_REDEEMED)[0])
    refusal = saga.Event(PLAIN.id, Reply.COUPONS_REFUSED, "promotion")
    assert saga.advance(redeemed, refusal, NOW) is None
    assert saga.contradicts(redeemed, refusal)


def test_an_order_that_costs_nothing_is_confirmed_without_a_payment() -> None:
    confirmed, told = play(begun(FREE), *HELD)
    assert (confirmed.status, confirmed.awaiting, told) == (
        Status.CONFIRMED,
        frozenset({"inventory", "shipping", "handover", "delivery"}),
        ["OrderConfirmed"],
    )
    assert play(begun(FREE), *HELD, Reply.STOCK_COMMITTED, Reply.SHIPMENTS_DELIVERED)[0].settled
    stopped = (Reply.CANCEL_REQUESTED, Reply.SHIPMENTS_STOPPED)
    cancelled, _ = play(begun(FREE), *HELD, *stopped, Reply.STOCK_RELEASED, Reply.COUPONS_RELEASED)
    assert cancelled.status is Status.CANCELLED


@given(st.lists(st.sampled_from(Reply), max_size=20))
def test_an_order_of_the_first_definition_ends_as_one_without_coupons_by_the_second(replies: list[Reply]) -> None:
    placed = begun(PLAIN)
    first, second = (replace(placed, saga=replace(placed.saga, definition_version=version)) for version in (1, 2))
    before, told_before = play(first, *replies)
    after, told_after = play(second, *replies)
    assert (before, told_before) == (replace(after, definition_version=1), told_after)


def test_a_saga_of_a_newer_definition_is_for_a_newer_process() -> None:
    placed = begun(PLAIN)
    newer = replace(placed, saga=replace(placed.saga, definition_version=saga.DEFINITION_VERSION + 1))
    with pytest.raises(errors.TransientError, match="follows definition 5, this release knows 4"):
        saga.advance(newer, saga.Event(PLAIN.id, Reply.STOCK_RESERVED, "inventory"), NOW)


def test_codes_that_do_not_apply_are_all_named_with_their_reasons() -> None:
    coupons = [
        domain.Coupon("ONE", "ENDED", "It has ended."),
        domain.Coupon("TWO"),
        domain.Coupon("SIX", "CODE_USED", "Used."),
    ]
    with pytest.raises(errors.DomainError, match="COUPON_REFUSED") as raised:
        totals.check_coupons(coupons)
    assert [(wrong.field, wrong.reason) for wrong in raised.value.violations] == [
        ("coupon_codes[0]", "ENDED"),
        ("coupon_codes[2]", "CODE_USED"),
    ]
    totals.check_coupons(coupons[1:2])


def _line(number: int, price: int) -> domain.Line:
    return domain.Line(f"SKU-{number}", "", 1, Money("USD", price))


@st.composite
def orders(draw: st.DrawFn) -> totals.Shipped:
    """Lines with promotions that take off at most what each costs, and at most the shipping."""
    lines = [_line(number, draw(st.integers(1, 9999))) for number in range(draw(st.integers(1, 6)))]
    shipping = draw(st.integers(0, 3000))
    first = {line.sku: draw(st.integers(0, line.total.amount)) for line in lines}
    second = {line.sku: draw(st.integers(0, line.total.amount - first[line.sku])) for line in lines}
    off = draw(st.integers(0, shipping))
    parcel = totals.parcel(PLAIN.address, tuple(lines))
    discounts = (domain.Discount("p1", "", "A", first, shipping=off, claims=1), domain.Discount("p2", "", "", second))
    return totals.Shipped(parcel, Money("USD", shipping), discounts)


@given(orders(), st.integers(0, 300_000), st.booleans())
def test_what_lines_cost_adds_up_and_no_line_falls_below_zero(
    order: totals.Shipped,
    rate: int,
    included: bool,  # noqa: FBT001 - Hypothesis gives it by position
) -> None:
    table = rates.TaxRates(f'{{"GB": {{"standard": "{rates.per_cent(rate)}"}}}}')
    offers = {line.sku: domain.Offer(line.sku, "", line.unit_price) for line in order.parcel.lines}
    found = totals.quote(order, totals.Taxes(table, included=included), offers)
    assert found.totals.discounts.amount == sum(discount.amount for discount in order.discounts)
    assert found.totals.total.amount == sum(line.payable(taxes_included=included).amount for line in found.lines)
    assert all(line.payable(taxes_included=included).amount >= 0 for line in found.lines)
    if order.shipping and order.discounts[0].shipping == order.shipping.amount:
        taken = {line.sku: sum(part.lines.get(line.sku, 0) for part in order.discounts) for line in found.lines}
        for line in found.lines:
            assert line.charges.discount == taken[line.sku] + line.charges.shipping, "its share of the shipping is free"


def test_a_promotion_that_takes_off_more_than_there_is_is_not_believed() -> None:
    parcel = totals.parcel(PLAIN.address, PLAIN.lines)
    order = totals.Shipped(parcel, Money("USD", 0), (domain.Discount("p1", "", "A", {"TEA": 1001}, claims=1),))
    offers = {"TEA": domain.Offer("TEA", "", Money("USD", 500))}
    with pytest.raises(ValueError, match="more than a line costs"):
        totals.quote(order, totals.Taxes(rates.TaxRates("{}"), included=False), offers)

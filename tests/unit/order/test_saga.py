"""The saga as a script: in this status, on this reply, the order becomes that and tells this."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import settings
from services.chassis.money import Money
from services.inventory import settings as inventory_settings
from services.order import domain, saga
from services.order import settings as order_settings
from services.order.domain import Status, Step
from services.order.saga import Reply

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ORDER = domain.Order(
    id="01900000-0000-7000-8000-000000000001",
    user_id="01900000-0000-7000-8000-0000000000aa",
    lines=(domain.Line("TEA", "Tea", 2, Money("USD", 500)),),
    total=Money("USD", 1000),
    address=domain.Address("", "1 Road", "", "Town", "", "", "GB"),
    payment_method="card_approved",
    create_time=NOW,
)
WAITS = saga.Waits(stock_s=120, payment_s=300, settlement_s=60, compensation_s=15, confirmation_s=400)


def begun() -> domain.Placed:
    return saga.begin(ORDER, "01900000-0000-7000-8000-0000000000bb").placed


def play(placed: domain.Placed, *replies: Reply) -> tuple[domain.Placed, list[str]]:
    """Give the replies one after the other: the order then, and the names of all facts it told."""
    told: list[str] = []
    for reply in replies:
        moved = saga.advance(placed, saga.Event(ORDER.id, reply, "test"), NOW)
        if moved:
            placed = domain.Placed(placed.order, moved.saga)
            told += [type(fact).__name__ for fact in moved.facts]
    return placed, told


HAPPY = (Reply.STOCK_RESERVED, Reply.PAYMENT_AUTHORIZED, Reply.STOCK_COMMITTED, Reply.PAYMENT_CAPTURED)
PARCELS = (Reply.SHIPMENTS_CREATED, Reply.SHIPMENTS_HANDED_OVER, Reply.SHIPMENTS_DELIVERED)
GIVEN_UP = (Reply.CANCEL_REQUESTED, Reply.SHIPMENTS_STOPPED)


def test_a_new_order_waits_for_stock_and_tells_inventory() -> None:
    begun = saga.begin(ORDER, "s")
    assert begun.fact == domain.OrderPlaced(ORDER, 1)
    assert begun.placed.saga.awaiting == {"inventory"}
    assert begun.entry.sequence == 1


def test_a_good_order_is_confirmed_fulfilled_shipped_and_delivered() -> None:
    placed, told = play(begun(), *HAPPY)
    assert (placed.saga.status, placed.saga.step) == (Status.CONFIRMED, Step.SETTLEMENT)
    seen = []
    for reply in PARCELS:
        placed, more = play(placed, reply)
        seen.append((placed.saga.status, placed.saga.step))
        assert not more
    assert seen == [
        (Status.FULFILLING, Step.DELIVERY),
        (Status.SHIPPED, Step.DELIVERY),
        (Status.DELIVERED, Step.DONE),
    ]
    assert told == ["PaymentRequested", "OrderConfirmed"]
    assert WAITS.after(placed.saga) is None


@given(st.permutations([*HAPPY[2:], *PARCELS]))
def test_what_follows_the_pivot_may_come_in_any_order(replies: list[Reply]) -> None:
    placed, _ = play(begun(), *HAPPY[:2], *replies)
    assert (placed.saga.status, placed.saga.settled) == (Status.DELIVERED, True)


def test_an_order_is_not_fulfilled_before_it_is_paid_whatever_its_parcels_do() -> None:
    placed, _ = play(begun(), *HAPPY[:3], Reply.SHIPMENTS_HANDED_OVER)
    assert (placed.saga.status, placed.saga.awaiting) == (Status.CONFIRMED, frozenset({"payment", "delivery"}))
    assert play(placed, Reply.PAYMENT_CAPTURED)[0].saga.status is Status.SHIPPED


def test_what_happens_to_single_parcels_stands_in_the_history_and_changes_nothing_else() -> None:
    placed, _ = play(begun(), *HAPPY, PARCELS[0])
    for reply in (Reply.SHIPMENT_HANDED_OVER, Reply.SHIPMENT_DELIVERED, Reply.SHIPMENT_UNDELIVERABLE):
        moved = saga.advance(placed, saga.Event(ORDER.id, reply, "shipping", reason="LOST"), NOW)
        assert moved
        assert (moved.entry.event, moved.entry.reason) == (reply, "LOST")
        assert replace(moved.saga, version=placed.saga.version) == placed.saga


@pytest.mark.parametrize("behind", [HAPPY[:2], HAPPY, (*HAPPY, Reply.SHIPMENTS_CREATED)])
def test_a_confirmed_order_is_cancelled_when_shipping_could_stop_it(behind: tuple[Reply, ...]) -> None:
    asking, told = play(begun(), *behind, Reply.CANCEL_REQUESTED)
    assert told[-1] == "ShipmentsStopRequested"
    assert "stop" in asking.saga.awaiting
    assert WAITS.after(asking.saga) == WAITS.compensation_s
    cancelling, told = play(asking, Reply.SHIPMENTS_STOPPED)
    assert (cancelling.saga.status, cancelling.saga.cancel_reason) == (Status.CANCELLING, "CANCEL_REQUESTED")
    assert told == ["OrderCancelled"]


def test_an_order_of_which_something_has_left_goes_on_and_says_why() -> None:
    asking, _ = play(begun(), *HAPPY, PARCELS[0], Reply.CANCEL_REQUESTED)
    refused = saga.Event(ORDER.id, Reply.STOP_REFUSED, "shipping", reason="HANDED_OVER")
    moved = saga.advance(asking, refused, NOW)
    assert moved
    assert (moved.saga.status, moved.entry.reason, moved.saga.cancel_reason) == (Status.FULFILLING, "HANDED_OVER", "")
    assert play(replace(asking, saga=moved.saga), *PARCELS[1:])[0].saga.status is Status.DELIVERED


def test_shipping_is_asked_again_until_it_says_whether_it_could_stop() -> None:
    asking, _ = play(begun(), *HAPPY, PARCELS[0], Reply.CANCEL_REQUESTED)
    again, told = play(asking, Reply.DEADLINE_PASSED, Reply.CANCEL_REQUESTED)
    assert told == ["ShipmentsStopRequested"]
    assert WAITS.after(again.saga) == 2 * WAITS.compensation_s


def test_nobody_cancels_what_was_not_asked_to_be_stopped() -> None:
    placed, _ = play(begun(), *HAPPY)
    assert saga.advance(placed, saga.Event(ORDER.id, Reply.SHIPMENTS_STOPPED, "shipping"), NOW) is None


def test_an_order_on_its_way_asks_again_after_a_day_and_never_gives_up_itself() -> None:
    placed, _ = play(begun(), *HAPPY, *PARCELS[:2])
    assert WAITS.after(placed.saga) == 86_400
    assert play(placed, Reply.DEADLINE_PASSED)[1] == ["OrderConfirmed"]


def test_definition_two_ends_when_both_have_answered() -> None:
    old = replace(begun(), saga=replace(begun().saga, definition_version=2))
    placed, told = play(old, *HAPPY)
    assert (placed.saga.status, placed.saga.step) == (Status.CONFIRMED, Step.DONE)
    assert play(placed, Reply.CANCEL_REQUESTED)[1] == ["OrderCancelled"]
    assert told == ["PaymentRequested", "OrderConfirmed"]


ASKED = (Reply.STOCK_RESERVED, Reply.PAYMENT_ACTION_REQUIRED)


def test_an_order_waits_longer_for_its_customer_and_goes_on_when_the_payment_is_confirmed() -> None:
    asking = saga.advance(play(begun(), ASKED[0])[0], saga.Event(ORDER.id, ASKED[1], "payment", payment_id="p1"), NOW)
    assert asking
    assert (asking.saga.status, asking.saga.awaiting) == (Status.RESERVED, frozenset({"payment", "customer"}))
    assert (asking.saga.payment_id, asking.entry.event, asking.facts) == ("p1", "PaymentActionRequired", ())
    assert WAITS.after(asking.saga) == WAITS.confirmation_s
    waiting = domain.Placed(ORDER, asking.saga)
    assert saga.advance(waiting, saga.Event(ORDER.id, Reply.PAYMENT_ACTION_REQUIRED, "payment"), NOW) is None
    confirmed, told = play(waiting, Reply.PAYMENT_AUTHORIZED)
    assert (confirmed.saga.status, told) == (Status.CONFIRMED, ["OrderConfirmed"])
    assert "customer" not in confirmed.saga.awaiting


@pytest.mark.parametrize(
    ("reply", "reason", "awaiting"),
    [
        (Reply.DEADLINE_PASSED, "CONFIRMATION_TIMEOUT", {"inventory", "payment"}),
        (Reply.CANCEL_REQUESTED, "CANCEL_REQUESTED", {"inventory", "payment"}),
        (Reply.PAYMENT_DECLINED, "PAYMENT_DECLINED", {"inventory"}),
        (Reply.STOCK_RELEASED, "HOLD_EXPIRED", {"payment"}),
    ],
)
def test_an_order_whose_customer_does_not_confirm_is_compensated(reply: Reply, reason: str, awaiting: set[str]) -> None:
    cancelling, told = play(begun(), *ASKED, reply)
    assert (cancelling.saga.status, cancelling.saga.cancel_reason) == (Status.CANCELLING, reason)
    assert cancelling.saga.awaiting == awaiting
    assert told == ["PaymentRequested", "OrderCancelled"]


@pytest.mark.parametrize("version", [1, 2, 3])
def test_an_order_of_before_does_not_wait_for_its_customer_but_goes_on_when_the_payment_is_confirmed(
    version: int,
) -> None:
    old = replace(begun(), saga=replace(begun().saga, definition_version=version))
    asked, told = play(old, *ASKED)
    assert (asked, told) == play(old, Reply.STOCK_RESERVED)
    assert play(asked, Reply.DEADLINE_PASSED)[0].saga.cancel_reason == "PAYMENT_TIMEOUT"
    assert play(asked, Reply.PAYMENT_AUTHORIZED)[0].saga.status is Status.CONFIRMED


@pytest.mark.parametrize(
    ("replies", "status", "reason", "told"),
    [
        ([Reply.STOCK_REJECTED], Status.CANCELLED, "STOCK_SHORT", ["OrderCancellationCompleted"]),
        ([Reply.DEADLINE_PASSED], Status.CANCELLING, "STOCK_TIMEOUT", ["OrderCancelled"]),
        ([Reply.CANCEL_REQUESTED], Status.CANCELLING, "CANCEL_REQUESTED", ["OrderCancelled"]),
        (
            [Reply.STOCK_RESERVED, Reply.PAYMENT_DECLINED],
            Status.CANCELLING,
            "PAYMENT_DECLINED",
            ["PaymentRequested", "OrderCancelled"],
        ),
        (
            [Reply.STOCK_RESERVED, Reply.DEADLINE_PASSED],
            Status.CANCELLING,
            "PAYMENT_TIMEOUT",
            ["PaymentRequested", "OrderCancelled"],
        ),
        (
            [Reply.STOCK_RESERVED, Reply.STOCK_RELEASED],
            Status.CANCELLING,
            "HOLD_EXPIRED",
            ["PaymentRequested", "OrderCancelled"],
        ),
        (
            [Reply.STOCK_RESERVED, Reply.CANCEL_REQUESTED],
            Status.CANCELLING,
            "CANCEL_REQUESTED",
            ["PaymentRequested", "OrderCancelled"],
        ),
        (
            [*HAPPY[:2], Reply.PAYMENT_CAPTURE_REFUSED, Reply.SHIPMENTS_STOPPED],
            Status.CANCELLING,
            "CAPTURE_REFUSED",
            ["PaymentRequested", "OrderConfirmed", "ShipmentsStopRequested", "OrderCancelled"],
        ),
        (
            [*HAPPY[:2], Reply.STOCK_REJECTED],
            Status.CANCELLING,
            "STOCK_LOST",
            ["PaymentRequested", "OrderConfirmed", "OrderCancelled"],
        ),
        (
            [*HAPPY, Reply.CANCEL_REQUESTED, Reply.SHIPMENTS_STOPPED],
            Status.CANCELLING,
            "CANCEL_REQUESTED",
            ["PaymentRequested", "OrderConfirmed", "ShipmentsStopRequested", "OrderCancelled"],
        ),
    ],
)
def test_every_failure_is_compensated(replies: list[Reply], status: Status, reason: str, told: list[str]) -> None:
    placed, facts = play(begun(), *replies)
    assert (placed.saga.status, placed.saga.cancel_reason) == (status, reason)
    assert facts == told


@pytest.mark.parametrize("money", [Reply.PAYMENT_VOIDED, Reply.PAYMENT_REFUNDED])
def test_an_order_is_cancelled_only_when_stock_and_money_were_given_back(money: Reply) -> None:
    placed, _ = play(begun(), *HAPPY, Reply.CANCEL_REQUESTED, Reply.SHIPMENTS_STOPPED, money)
    assert placed.saga.status is Status.CANCELLING
    placed, told = play(placed, Reply.STOCK_RELEASED)
    assert placed.saga.status is Status.CANCELLED
    assert told == ["OrderCancellationCompleted"]


def test_a_declined_payment_leaves_only_the_stock_to_be_given_back() -> None:
    placed, _ = play(begun(), Reply.STOCK_RESERVED, Reply.PAYMENT_DECLINED)
    assert placed.saga.awaiting == {"inventory"}
    assert play(placed, Reply.STOCK_RELEASED)[0].saga.status is Status.CANCELLED


def test_a_payment_authorised_after_the_order_was_cancelled_changes_nothing() -> None:
    placed, _ = play(begun(), Reply.STOCK_RESERVED, Reply.DEADLINE_PASSED)
    assert saga.advance(placed, saga.Event(ORDER.id, Reply.PAYMENT_AUTHORIZED, "payment"), NOW) is None


def test_an_answer_that_was_given_before_is_not_counted_twice() -> None:
    placed, _ = play(begun(), *HAPPY[:3])
    assert saga.advance(placed, saga.Event(ORDER.id, Reply.STOCK_COMMITTED, "inventory"), NOW) is None


@pytest.mark.parametrize("refusal", [Reply.STOCK_REJECTED, Reply.PAYMENT_CAPTURE_REFUSED])
def test_who_has_answered_cannot_take_it_back(refusal: Reply) -> None:
    placed, _ = play(begun(), *HAPPY)
    event = saga.Event(ORDER.id, refusal, "test")
    assert saga.advance(placed, event, NOW) is None
    assert saga.contradicts(placed, event)
    # While it is awaited it is an answer, and after the order was given up it is late.
    for other in (play(begun(), *HAPPY[:2])[0], play(placed, *GIVEN_UP)[0], begun()):
        assert not saga.contradicts(other, event)


def test_after_the_pivot_a_deadline_asks_again_and_never_cancels() -> None:
    placed, told = play(begun(), *HAPPY[:2], *[Reply.DEADLINE_PASSED] * 5)
    assert placed.saga.status is Status.CONFIRMED
    assert told[2:] == ["OrderConfirmed"] * 5


def test_the_wait_for_a_missing_answer_doubles_and_then_calls_an_operator() -> None:
    placed, _ = play(begun(), Reply.CANCEL_REQUESTED)
    assert WAITS.after(placed.saga) == 15
    assert WAITS.after(play(placed, Reply.DEADLINE_PASSED)[0].saga) == 30
    stuck, told = play(placed, *[Reply.DEADLINE_PASSED] * saga.MOST_ATTEMPTS)
    assert told == ["OrderCancelled"] * saga.MOST_ATTEMPTS
    assert stuck.saga.stuck
    assert WAITS.after(stuck.saga) is None


def test_an_operator_can_push_a_stuck_saga_on() -> None:
    stuck, _ = play(begun(), Reply.CANCEL_REQUESTED, *[Reply.DEADLINE_PASSED] * saga.MOST_ATTEMPTS)
    resumed, _ = play(stuck, Reply.RESUMED)
    assert not resumed.saga.stuck
    assert WAITS.after(resumed.saga) == 15
    assert saga.advance(resumed, saga.Event(ORDER.id, Reply.RESUMED, "user:x"), NOW) is None


def test_stock_payment_and_confirmation_together_wait_less_than_the_hold() -> None:
    waits = settings.read(order_settings.Settings, {})
    hold = settings.read(inventory_settings.Settings, {})
    asked = waits.stock_deadline_s + waits.payment_deadline_s + waits.confirmation_deadline_s
    assert asked < hold.hold_s


@given(st.lists(st.sampled_from(Reply), max_size=30))
def test_whatever_comes_in_whatever_order_the_rules_hold(replies: list[Reply]) -> None:
    placed = begun()
    for reply in replies:
        moved = saga.advance(placed, saga.Event(ORDER.id, reply, "test"), NOW)
        if moved is None:
            continue
        assert moved.saga.version == placed.saga.version + 1 == moved.entry.sequence
        assert placed.saga.status is not Status.CANCELLED, "nothing follows a cancelled order"
        assert (moved.saga.status, placed.saga.status) != (Status.CONFIRMED, Status.CANCELLING), "no way back"
        assert moved.saga.settled == (not moved.saga.awaiting), "it ended exactly when nobody has to answer"
        if moved.saga.status is Status.CANCELLED:
            assert moved.saga.cancel_reason
        placed = replace(placed, saga=moved.saga)

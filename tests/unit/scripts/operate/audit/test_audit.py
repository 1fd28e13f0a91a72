"""The auditor, on the services' real, migrated databases with books that a test has written, and beside a real provider."""

import pytest

from scripts.operate.audit import __main__ as audit
from scripts.operate.audit.books import INVARIANTS, Books
from services.chassis import clock, ids
from tests.unit.scripts.operate.audit.written import SALE, TOTAL, Shop


def test_books_that_agree_have_no_problems(shop: Shop) -> None:
    confirmed, cancelled, given_back = shop.order(), shop.order("CANCELLED"), shop.order("CANCELLED")
    shop.order("CANCELLED")
    shop.paid(confirmed)
    shop.delivered(confirmed)
    shop.paid(cancelled, captured=0, state="VOIDED")
    shop.paid(given_back, refunded=TOTAL, state="REFUNDED")
    shop.delivered(given_back, status="RELEASED")

    report = audit.audit(shop.books, again_s=0)

    assert (report.orders, report.problems) == (4, [])
    assert report.remarks == ["not compared with the provider: it tells no totals"]


def test_what_an_administrator_gave_back_of_a_confirmed_order_is_no_disagreement(shop: Shop) -> None:
    order = shop.order()
    shop.paid(order, refunded=300)
    shop.wanted_back(order, 300)
    shop.delivered(order)
    assert shop.problems() == []


def test_what_nobody_wanted_back_of_a_confirmed_order_is_found(shop: Shop) -> None:
    order = shop.order()
    shop.paid(order, refunded=300)
    shop.delivered(order)
    assert shop.problems() == [f"order {order} (CONFIRMED): 300 USD were given back, of which 0 were asked for"]


def test_a_confirmed_order_that_was_not_paid_or_not_delivered_is_found(shop: Shop) -> None:
    unpaid, kept = shop.order(), shop.order()
    shop.delivered(unpaid)
    shop.paid(kept)
    assert shop.problems() == [
        f"order {unpaid} (CONFIRMED): 0  were taken, due are 700 USD",
        f"order {kept} (CONFIRMED): stock committed is {{}}, due is {{'MUG': 2}}",
        f"order {kept} (CONFIRMED): stock that left the shelf is {{}}, due is {{'MUG': 2}}",
    ]


def test_money_and_stock_of_a_cancelled_order_are_found(shop: Shop) -> None:
    order = shop.order("CANCELLED")
    shop.paid(order)
    shop.delivered(order)
    assert [problem.removeprefix(f"order {order} (CANCELLED): ") for problem in shop.problems()] == [
        "700 USD of its money are kept",
        "its payment is CAPTURED",
        "stock committed is {'MUG': 2}, due is {}",
        "stock that left the shelf is {'MUG': 2}, due is {}",
    ]


def test_an_order_whose_coupon_is_used_for_good_has_no_problems(shop: Shop) -> None:
    order, cancelled = shop.order(off=200), shop.order("CANCELLED", off=200)
    shop.paid(order, captured=500)
    shop.delivered(order)
    shop.uses_coupon(order, 200)
    assert cancelled != order
    assert shop.problems() == []


def test_an_order_that_costs_nothing_needs_no_payment(shop: Shop) -> None:
    order = shop.order(off=TOTAL)
    shop.delivered(order)
    shop.uses_coupon(order, TOTAL)
    assert shop.problems() == []


def test_coupons_that_were_not_used_or_not_given_back_are_found(shop: Shop) -> None:
    kept, claimed, unused = shop.order("CANCELLED", off=200), shop.order(off=200), shop.order(off=200)
    for order in (claimed, unused):
        shop.paid(order, captured=500)
        shop.delivered(order)
    shop.uses_coupon(kept, 200)
    shop.uses_coupon(claimed, 200, "CLAIMED")
    assert shop.problems() == [
        f"order {kept} (CANCELLED): coupons used are {{'{SALE}': 200}}, due are {{}}",
        f"order {claimed} (CONFIRMED): coupons are still claimed: {{'{SALE}': 200}}",
        f"order {claimed} (CONFIRMED): coupons used are {{}}, due are {{'{SALE}': 200}}",
        f"order {unused} (CONFIRMED): coupons used are {{}}, due are {{'{SALE}': 200}}",
    ]


def test_discounts_that_are_not_those_of_the_lines_are_found(shop: Shop) -> None:
    order = shop.order("CANCELLED", off=200)
    shop.write("order", "UPDATE orders SET discounts = NULL")
    assert shop.problems() == [f"order {order} (CANCELLED): its lines are discounted by 200, its promotions take off 0"]


def test_a_promotion_that_is_used_more_often_than_it_counts_is_found(shop: Shop) -> None:
    order = shop.order(off=200)
    shop.paid(order, captured=500)
    shop.delivered(order)
    shop.uses_coupon(order, 200)
    shop.write("promotion", "UPDATE promotions SET uses = 0")
    assert shop.problems() == [f"promotion {SALE}: 0 uses, 1 redemptions"]


def test_an_order_that_came_to_rest_just_now_is_left_alone(shop: Shop) -> None:
    shop.order(age_s=0)
    report = audit.audit(shop.books, again_s=0)
    assert (report.orders, report.problems) == (0, [])


def test_what_one_database_must_hold_by_itself_is_found(shop: Shop) -> None:
    order, stranger = shop.order("CANCELLED", history=2), ids.new_id(clock.utc_now())
    shop.paid(stranger)
    shop.write("payment", "UPDATE payments SET refunded = 100")
    shop.write("inventory", "UPDATE stock SET on_hand = 9, reserved = 1")
    payment = shop.books._ask("payment", "SELECT id::text FROM payments")[0][0]
    assert shop.problems() == [
        f"order {order} (CANCELLED): its history has gaps: ((1, 'CANCELLED'), (2, 'CANCELLED')), version 1",
        f"money was taken for order {stranger}, which is not there",
        "stock of MUG in east: reserved 1, held 0",
        "stock of MUG in east: on hand 9, moved 10",
        f"payment {payment}: captured 700, refunded 100, ledger 700",
        f"order {order}: version 1, history of 2 up to 2",
    ]


def test_stock_that_is_gone_though_its_history_is_there_is_found(shop: Shop) -> None:
    shop.write("inventory", "DELETE FROM stock")
    assert shop.problems() == ["stock of MUG in east: on hand 0, moved 10"]


def test_goods_on_their_way_that_did_not_move_as_they_should_are_found(shop: Shop) -> None:
    sent, came, back = (ids.new_id(clock.utc_now()) for _ in range(3))
    for supply, kind, state in (
        (sent, "TRANSFER", "UNDER_WAY"),
        (came, "RESTOCK", "ARRIVED"),
        (back, "TRANSFER", "RETURNED_TO_SOURCE"),
    ):
        made = "INSERT INTO supplies VALUES (%s, %s, 'east', 'west', %s, NULL, '', 'x', now(), now())"
        shop.write("inventory", made, supply, kind, state)
        shop.write("inventory", "INSERT INTO supply_lines VALUES (%s, 'MUG', 3, %s)", supply, 3 * (kind == "RESTOCK"))
    assert shop.problems() == [
        f"transfer {sent} of MUG: moved 0, due -3",
        f"restock {came} of MUG: moved 0, due 3",
    ]


def test_a_count_whose_difference_did_not_move_is_found(shop: Shop) -> None:
    count = ids.new_id(clock.utc_now())
    shop.write("inventory", "INSERT INTO counts VALUES (%s, 'east', '', 'x', now(), now())", count)
    for sku, applied in (("CUP", False), ("MUG", True)):
        shop.write("inventory", "INSERT INTO count_lines VALUES (%s, %s, 10, 8, %s)", count, sku, applied)
    assert shop.problems() == [f"count {count} of MUG: moved 0, due -2"]


def test_what_waits_for_a_person_is_found(shop: Shop) -> None:
    order = shop.order("CANCELLED", stuck=True)
    assert shop.problems() == [f"order {order} waits for a person: its saga is stuck"]


def test_a_charge_that_only_the_provider_knows_of_is_found(shop: Shop, provider: str) -> None:
    order = shop.order()
    shop.paid(order)
    shop.delivered(order)
    shop = Shop(Books(shop.books.urls, provider))
    shop.charge(TOTAL)
    assert shop.problems() == []
    shop.charge(TOTAL)
    assert shop.problems() == ["the provider took {'USD': 1400}, the payments say {'USD': 700}"]


def test_all_orders_are_looked_at_whatever_their_number(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.operate.audit.books.AT_ONCE", 2)
    for _ in range(5):
        shop.order("CANCELLED")
    assert audit.audit(shop.books, again_s=0).orders == 5


def test_the_command_says_what_it_found_and_ends_with_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PAYMENT_PROVIDER_URL", raising=False)
    for service, url in shop.books.urls.items():
        monkeypatch.setenv(f"{service.upper()}_DATABASE_URL", url)
    shop.order("CANCELLED")
    assert audit.main([]) == 0
    assert "1 orders at rest were looked at: orders, money and stock agree" in capsys.readouterr().out
    shop.order()
    assert audit.main([]) == 1
    assert "3 disagreement(s)" in capsys.readouterr().out
    monkeypatch.delenv("ORDER_DATABASE_URL")
    assert audit.main([]) == 2


def test_the_command_reads_what_a_stacks_environment_names() -> None:
    named = {f"{service.upper()}_DATABASE_URL": f"postgresql://host/{service}" for service in INVARIANTS}
    assert audit.books_of(named) == Books({service: f"postgresql://host/{service}" for service in INVARIANTS})
    assert audit.books_of({**named, "PAYMENT_PROVIDER_URL": "http://provider"}).provider_url == "http://provider"

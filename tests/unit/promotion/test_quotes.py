"""What items cost with promotions."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.chassis import errors, money
from services.promotion.domain import promotions, quotes
from services.promotion.domain.promotions import Refusal
from tests.unit.promotion.makers import NOW, by_code, candidate, item, promotion, quoted, usd

TEN_PERCENT = promotions.Percentage(1000)


def test_a_percentage_is_taken_off_once_rounded_and_split_by_largest_remainder() -> None:
    found = quoted([item("A", 333), item("B", 333), item("C", 333)], candidate(TEN_PERCENT))
    # 99.9 is 100: two lines give 33, the first one the unit that is left.
    assert [found.off(sku) for sku in "ABC"] == [34, 33, 33]
    assert found.total == usd(899)


def test_an_amount_is_never_more_than_the_items_in_scope_cost() -> None:
    scope = promotions.Scope(vendor_ids=frozenset({"v"}))
    ten = by_code("TEN", promotions.FixedAmount(usd(1000)), scope=scope)
    found = quoted([item("A", 300, vendor_id="v"), item("B", 500)], ten)
    assert (found.off("A"), found.off("B"), found.total) == (300, 0, usd(500))


def test_the_highest_tier_that_is_reached_applies_alone() -> None:
    tiers = promotions.Tiered(
        (promotions.Tier(usd(1000), 500), promotions.Tier(usd(5000), 1000), promotions.Tier(usd(2000), amount=usd(300)))
    )
    offs = [quoted([item("A", price)], candidate(tiers)).off("A") for price in (999, 1000, 2000, 4999, 5000)]
    assert offs == [0, 50, 300, 300, 500]


def test_of_every_three_units_the_cheapest_is_free() -> None:
    two_and_one = promotions.BuyXGetY(2, 1, promotions.WHOLE)
    found = quoted([item("A", 1000, 4), item("B", 300, 1), item("C", 500, 1)], candidate(two_and_one))
    assert [found.off(sku) for sku in "ABC"] == [0, 300, 500]
    once = quoted([item("A", 1000, 6)], candidate(replace(two_and_one, most_times=1)))
    assert once.off("A") == 1000
    assert quoted([item("A", 1000, 2)], candidate(two_and_one)).off("A") == 0


def test_free_shipping_takes_off_the_shipping_and_nothing_else() -> None:
    found = quoted([item("A", 1000)], candidate(promotions.FreeShipping()), shipping=499)
    assert (found.off("A"), found.applied[0].shipping, found.total) == (0, 499, usd(1000))


def test_free_shipping_is_for_orders_with_an_item_in_scope() -> None:
    scoped = by_code("SHIP", promotions.FreeShipping(), scope=promotions.Scope(categories=frozenset({"books"})))
    found = quoted([item("A", 1000)], scoped, shipping=499)
    assert (found.total, found.refused) == (usd(1499), {"SHIP": Refusal.OUT_OF_SCOPE})


def test_free_shipping_says_that_the_shipping_is_not_known_yet() -> None:
    found = quoted([item("A", 1000)], by_code("SHIP", promotions.FreeShipping()))
    assert (found.total, found.refused) == (usd(1000), {"SHIP": Refusal.SHIPPING_UNKNOWN})
    free = quotes.basket([item("A", 1000)], usd(0))
    assert quotes.quote(free, [by_code("SHIP", promotions.FreeShipping())], NOW).refused == {
        "SHIP": Refusal.OUT_OF_SCOPE
    }


def test_a_scope_asks_for_all_of_its_lists_and_includes_the_categories_below() -> None:
    scope = promotions.Scope(frozenset({"p1", "p2"}), frozenset({"music"}), frozenset({"v"}))
    inside = item("A", 100, product_id="p1", categories=frozenset({"vinyl", "music"}), vendor_id="v")
    assert quotes.in_scope(scope, [inside]) == [inside]
    for other in (replace(inside.traits, product_id="p3"), replace(inside.traits, categories=frozenset({"books"}))):
        assert quotes.in_scope(scope, [replace(inside, traits=other)]) == []
    assert quotes.in_scope(promotions.Scope(), [inside]) == [inside]


def test_promotions_that_combine_are_applied_by_priority_each_to_what_is_left() -> None:
    amount = candidate(promotions.FixedAmount(usd(200)), "a", priority=1)
    percent = candidate(TEN_PERCENT, "b", priority=2)
    assert quoted([item("A", 1000)], amount, percent).off("A") == 100 + 200
    later = candidate(TEN_PERCENT, "b", priority=0)
    assert quoted([item("A", 1000)], amount, later).off("A") == 200 + 80


def test_of_an_exclusive_promotion_and_the_others_together_the_customer_gets_what_takes_off_more() -> None:
    half = by_code("HALF", promotions.Percentage(5000), exclusive=True, priority=9)
    rest = [candidate(TEN_PERCENT, "a"), candidate(promotions.FixedAmount(usd(100)), "b")]
    found = quoted([item("A", 1000)], *rest, half)
    assert (found.total, [applied.code for applied in found.applied]) == (usd(500), ["HALF"])
    little = by_code("LITTLE", promotions.Percentage(100), exclusive=True, priority=9)
    found = quoted([item("A", 1000)], *rest, little)
    assert (found.total, found.refused) == (usd(800), {"LITTLE": Refusal.NOT_COMBINABLE})


def test_two_codes_of_one_promotion_count_once() -> None:
    one = by_code("ONE", TEN_PERCENT)
    found = quoted([item("A", 1000)], replace(one, code="TWO"), one)
    assert (found.off("A"), found.refused) == (100, {"TWO": Refusal.PROMOTION_REPEATED})


def test_the_second_code_of_a_promotion_is_applied_when_the_first_one_cannot_be() -> None:
    used = replace(by_code("A-USED", TEN_PERCENT), code_left=0)
    found = quoted([item("A", 1000)], used, replace(used, code="B-NEW", code_left=1))
    assert ([applied.code for applied in found.applied], found.refused) == (["B-NEW"], {"A-USED": Refusal.CODE_USED})


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"minimum_spend": usd(1001)}, Refusal.BELOW_MINIMUM_SPEND),
        ({"minimum_spend": money.Money("EUR", 1)}, Refusal.CURRENCY_DIFFERENT),
        ({"first_order_only": True}, Refusal.NOT_FIRST_ORDER),
        ({"scope": promotions.Scope(product_ids=frozenset({"x"}))}, Refusal.OUT_OF_SCOPE),
    ],
)
def test_a_code_that_does_not_apply_says_why(change: dict[str, object], why: Refusal) -> None:
    found = quoted([item("A", 1000)], by_code("CODE", TEN_PERCENT, **change))
    assert (found.applied, found.refused, found.total) == ((), {"CODE": why}, usd(1000))


def test_limits_that_are_reached_are_told_apart() -> None:
    full = replace(promotion(TEN_PERCENT, automatic=False, most_uses=5), uses=5)
    mine = promotion(TEN_PERCENT, "q", automatic=False, most_uses_per_customer=2)
    once = promotion(TEN_PERCENT, "r", automatic=False)
    found = quoted(
        [item("A", 1000)],
        quotes.Candidate(full, "FULL"),
        quotes.Candidate(mine, "MINE", customer_uses=2),
        quotes.Candidate(once, "ONCE", code_left=0),
    )
    assert found.refused == {
        "FULL": Refusal.LIMIT_REACHED,
        "MINE": Refusal.CUSTOMER_LIMIT_REACHED,
        "ONCE": Refusal.CODE_USED,
    }


def test_a_promotion_applies_from_its_start_until_right_before_its_end() -> None:
    sale = replace(promotion(TEN_PERCENT), start_time=NOW, end_time=NOW + timedelta(hours=1))
    second = timedelta(seconds=1)
    assert sale.closed(NOW - second) is Refusal.NOT_STARTED
    assert sale.closed(NOW) is None
    assert sale.closed(NOW + timedelta(hours=1) - second) is None
    assert sale.closed(NOW + timedelta(hours=1)) is Refusal.ENDED


def test_a_basket_that_makes_no_sense_is_refused() -> None:
    euros = quotes.Item("B", 1, money.Money("EUR", 100))
    for items, shipping, reason in (
        ([item("A", 100), item("A", 100)], None, "SKU_DUPLICATE"),
        ([item("A", 100), euros], None, "CURRENCY_MIXED"),
        ([item("A", 100)], money.Money("EUR", 100), "CURRENCY_MIXED"),
        ([item("A", -100)], None, "AMOUNT_INVALID"),
        ([item("A", 100)], usd(-1), "AMOUNT_INVALID"),
        ([item("A", money.LIMIT, 2)], None, "MONEY_INVALID"),
    ):
        with pytest.raises(errors.DomainError) as refused:
            quotes.basket(items, shipping)
        assert refused.value.reason == reason

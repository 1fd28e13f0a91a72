"""What an order may hold, and what it costs."""

import pytest

from services.chassis import errors
from services.chassis.money import Money
from services.order import domain

OFFERS = {
    "TEA": domain.Offer("TEA", "Tea", Money("USD", 500)),
    "POT": domain.Offer("POT", "Pot", Money("USD", 1999)),
    "EUR": domain.Offer("EUR", "Imported", Money("EUR", 100)),
    "GOLD": domain.Offer("GOLD", "Gold", Money("USD", 900_000_000)),
}


def test_lines_have_the_catalogs_prices_and_are_in_order_of_sku() -> None:
    lines = domain.lines_of([domain.Item("TEA", 3), domain.Item("POT", 1)], OFFERS)
    assert [(line.sku, line.total.amount) for line in lines] == [("POT", 1999), ("TEA", 1500)]
    assert domain.total_of(lines) == Money("USD", 3499)


def test_every_wrong_item_is_named_at_once() -> None:
    items = [domain.Item("NONE", 1), domain.Item("TEA", 1), domain.Item("TEA", 2)]
    with pytest.raises(errors.DomainError) as raised:
        domain.lines_of(items, OFFERS)
    named = [(violation.field, violation.reason) for violation in raised.value.violations]
    assert named == [("items[0].sku", "SKU_UNKNOWN"), ("items[2].sku", "SKU_DUPLICATE")]


@pytest.mark.parametrize(
    ("skus", "reason"), [(["TEA", "EUR"], "CURRENCY_MIXED"), (["GOLD", "POT"], "ORDER_TOTAL_TOO_LARGE")]
)
def test_an_order_has_one_currency_and_a_limit(skus: list[str], reason: str) -> None:
    lines = domain.lines_of([domain.Item(sku, 2) for sku in skus], OFFERS)
    with pytest.raises(errors.DomainError) as raised:
        domain.total_of(lines)
    assert raised.value.reason == reason


@pytest.mark.parametrize("quantity", [2, 999, 10**9])
def test_an_order_of_more_than_the_limit_says_what_the_limit_is(quantity: int) -> None:
    dearest = {"MINE": domain.Offer("MINE", "Mine", Money("USD", 10**13))}
    lines = domain.lines_of([domain.Item("MINE", quantity)], dearest)
    with pytest.raises(errors.DomainError) as raised:
        domain.total_of(lines)
    assert (raised.value.reason, raised.value.code) == ("ORDER_TOTAL_TOO_LARGE", errors.Code.INVALID_ARGUMENT)
    assert raised.value.metadata == {"limit": "10000000.00", "currency": "USD"}
    assert "10000000.00 USD" in raised.value.message


def test_an_order_of_exactly_the_limit_is_accepted() -> None:
    offers = {"ALL": domain.Offer("ALL", "All", Money("USD", domain.MOST_TOTAL))}
    assert domain.total_of(domain.lines_of([domain.Item("ALL", 1)], offers)) == Money("USD", domain.MOST_TOTAL)


@pytest.mark.parametrize("expected", [None, Money("USD", 3499)])
def test_an_order_may_cost_what_was_agreed_or_what_nobody_asked_about(expected: Money | None) -> None:
    domain.check_expected(expected, Money("USD", 3499))


@pytest.mark.parametrize("expected", [Money("USD", 3498), Money("USD", 3500), Money("EUR", 3499), Money("USD", 0)])
def test_an_order_that_costs_something_else_than_was_agreed_says_both(expected: Money) -> None:
    with pytest.raises(errors.DomainError) as raised:
        domain.check_expected(expected, Money("USD", 3499))
    assert (raised.value.reason, raised.value.code) == ("ORDER_TOTAL_CHANGED", errors.Code.ABORTED)
    assert raised.value.metadata == {
        "total": "34.99",
        "currency": "USD",
        "expected_total": expected.decimal,
        "expected_currency": expected.currency,
    }

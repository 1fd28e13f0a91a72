"""The rules of re-ordering: what an order had is put into a cart again, once, as far as it can be had."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.cart import domain
from services.chassis import errors, money

NOW = datetime(2026, 11, 29, tzinfo=UTC)
BEFORE = NOW - timedelta(days=1)
PRICE = money.Money("USD", 500)
quantities = some.dictionaries(some.sampled_from("abcdefgh"), some.integers(1, domain.MOST_UNITS))


def cart_of(units: dict[str, int]) -> domain.Cart:
    return domain.Cart(tuple(domain.Line(sku, quantity, BEFORE) for sku, quantity in units.items()), version=1)


def order_of(units: dict[str, int]) -> domain.PastOrder:
    lines = tuple(domain.PastLine(sku, sku.title(), quantity) for sku, quantity in units.items())
    return domain.PastOrder("order", "ann", lines)


def sold(*skus: str) -> dict[str, domain.Offer]:
    return {sku: domain.Offer(sku, "product", sku.title(), PRICE) for sku in skus}


def units_of(cart: domain.Cart) -> dict[str, int]:
    return {line.sku: line.quantity for line in cart.lines}


def obstacles(cart: domain.Cart, order: domain.PastOrder, offers: dict[str, domain.Offer]) -> dict[str, str]:
    return {left.line.sku: left.obstacle for left in domain.left_out(cart, order, offers)}


@given(quantities, quantities, some.frozensets(some.sampled_from("abcdefgh")))
def test_the_cart_has_at_least_what_was_ordered_and_is_sold_and_a_repetition_changes_nothing(
    own: dict[str, int], ordered: dict[str, int], for_sale: frozenset[str]
) -> None:
    cart, order, offers = cart_of(own), order_of(ordered), sold(*for_sale)
    again = domain.reordered(cart, order, offers, now=NOW)
    assert units_of(again) == own | {
        sku: max(own.get(sku, 0), units) for sku, units in ordered.items() if sku in for_sale
    }
    assert obstacles(again, order, offers) == dict.fromkeys(ordered.keys() - for_sale, "NOT_SOLD")
    later = domain.reordered(again, order, offers, now=NOW + timedelta(hours=1))
    assert domain.counted(again, later) == again


def test_what_is_put_in_has_the_price_of_now_and_what_was_enough_is_not_touched() -> None:
    again = domain.reordered(cart_of({"tea": 3}), order_of({"tea": 2, "cup": 1}), sold("tea", "cup"), now=NOW)
    assert again.lines == (domain.Line("tea", 3, BEFORE), domain.Line("cup", 1, NOW, PRICE))


def test_a_full_cart_takes_more_of_what_it_has_and_names_what_it_has_no_room_for() -> None:
    own = {str(number): 1 for number in range(domain.MOST_LINES - 1)}
    order, offers = order_of({"tea": 2, "gone": 1, "cup": 1, "0": 5}), sold("tea", "cup", "0")
    again = domain.reordered(cart_of(own), order, offers, now=NOW)
    assert units_of(again) == own | {"tea": 2, "0": 5}
    assert list(domain.left_out(again, order, offers)) == [
        domain.LeftOut(domain.PastLine("gone", "Gone", 1), domain.Obstacle.NOT_SOLD),
        domain.LeftOut(domain.PastLine("cup", "Cup", 1), domain.Obstacle.CART_FULL),
    ]


def test_what_was_saved_for_later_stays_there() -> None:
    cart = domain.saved_for_later(cart_of({"tea": 3}), "tea")
    again = domain.reordered(cart, order_of({"tea": 2}), sold("tea"), now=NOW)
    assert (units_of(again), again.saved) == ({"tea": 2}, cart.saved)


def test_an_order_of_another_looks_as_if_it_were_not_there() -> None:
    domain.require_own(order_of({"tea": 1}), "ann")
    with pytest.raises(errors.DomainError) as refused:
        domain.require_own(order_of({"tea": 1}), "bob")
    assert (refused.value.code, refused.value.reason) == (errors.Code.NOT_FOUND, "ORDER_NOT_FOUND")

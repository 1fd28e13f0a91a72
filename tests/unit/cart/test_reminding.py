"""When a cart counts as abandoned, and what is told of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.cart import domain
from services.chassis import ids, money

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TEA, CUP = domain.Line("tea", 2, NOW), domain.Line("cup", 1, NOW)
CART = domain.Cart((TEA, CUP), version=3, origin=ids.new_id(NOW), touched=NOW)
TERMS = domain.Terms(domain.Address("", "", "", "", "", "", ""), "", None, "a")


def offers(**prices: money.Money) -> dict[str, domain.Offer]:
    return {sku: domain.Offer(sku, "product", sku.title(), price) for sku, price in prices.items()}


def ordered(cart: domain.Cart) -> domain.Cart:
    begun = domain.checking_out(cart, cart.version, now=NOW)
    return domain.checked_out(begun, cart.version, domain.Order("order", money.Money("USD", 1)), TERMS)


def test_a_cart_is_looked_at_when_it_was_left_for_long_enough() -> None:
    assert domain.look_again(CART, DAY) == NOW + DAY
    assert domain.look_again(domain.checking_out(CART, 3, now=NOW), DAY) == NOW + DAY, "its order was refused"


@pytest.mark.parametrize(
    "cart",
    [None, domain.EMPTY, replace(CART, lines=(), saved=(TEA,)), replace(CART, touched=None), ordered(CART)],
    ids=["gone", "never written", "only saved for later", "of before", "ordered"],
)
def test_nobody_is_reminded_of_a_cart_that_is_not_there_or_was_ordered(cart: domain.Cart | None) -> None:
    assert domain.look_again(cart, DAY) is None


def test_a_cart_whose_order_was_cancelled_counts_again() -> None:
    assert domain.look_again(domain.reopened(ordered(CART), domain.Cancelled("order", "user")), DAY) == NOW + DAY


def test_what_is_told_has_the_current_prices_of_what_is_for_sale() -> None:
    told = domain.abandoned(CART, "user", offers(tea=money.Money("USD", 450)))
    assert told is not None
    assert ([(line.offer.title, line.quantity, line.total.amount) for line in told.lines], told.total) == (
        [("Tea", 2, 900)],
        money.Money("USD", 900),
    )
    assert domain.abandoned(CART, "user", {}) is None
    mixed = domain.abandoned(CART, "user", offers(tea=money.Money("USD", 1), cup=money.Money("EUR", 1)))
    assert mixed is not None
    assert mixed.total is None


def test_an_abandonment_has_one_id_however_often_it_is_told_and_the_next_has_another() -> None:
    first, again = (domain.abandoned(CART, "user", offers(tea=money.Money("USD", price))) for price in (450, 500))
    later = domain.abandoned(replace(CART, touched=NOW + DAY), "user", offers(tea=money.Money("USD", 450)))
    others = domain.abandoned(replace(CART, origin=ids.new_id(NOW)), "user", offers(tea=money.Money("USD", 450)))
    assert first is not None
    assert again is not None
    assert first.id == again.id
    assert len({told.id for told in (first, later, others) if told}) == 3
    assert ids.moment(first.id) == NOW

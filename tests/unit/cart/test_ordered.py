"""Which lines of a cart an order took: those that were there when it was placed, once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.cart import domain
from services.chassis import ids, money

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
LATER, LONG_BEFORE = NOW + timedelta(minutes=5), NOW - timedelta(hours=1)
TEA = domain.Ordered("order", "user", {"tea": 2}, placed=NOW)
TERMS = domain.Terms(domain.Address("", "", "", "", "", "", ""), "", None, "a")


def cart_of(*lines: domain.Line) -> domain.Cart:
    return domain.Cart(lines, version=1, origin=ids.new_id(NOW))


def left(cart: domain.Cart, order: domain.Ordered) -> dict[str, int]:
    return {line.sku: line.quantity for line in domain.without_ordered(cart, order).lines}


def checked_out(cart: domain.Cart, order_id: str) -> domain.Cart:
    begun = domain.checking_out(cart, cart.version, now=NOW)
    return domain.checked_out(begun, cart.version, domain.Order(order_id, money.Money("USD", 1)), TERMS)


def test_an_order_that_takes_nothing_changes_nothing() -> None:
    cart = cart_of(domain.Line("cup", 1, LONG_BEFORE))
    assert domain.without_ordered(cart, TEA) == cart
    assert domain.without_ordered(domain.EMPTY, TEA) == domain.EMPTY


def test_an_order_that_is_heard_again_takes_nothing_that_was_put_in_after_it_was_placed() -> None:
    assert left(domain.EMPTY, TEA) == {}
    assert left(cart_of(domain.Line("tea", 3, LATER)), TEA) == {"tea": 3}
    assert left(cart_of(domain.Line("tea", 3, LONG_BEFORE)), TEA) == {"tea": 1}


def test_clocks_that_differ_a_little_keep_no_ordered_line_in_the_cart() -> None:
    assert left(cart_of(domain.Line("tea", 2, NOW + timedelta(milliseconds=300))), TEA) == {}


def test_a_line_that_was_checked_out_leaves_the_cart_whatever_the_clocks_say() -> None:
    cart = checked_out(cart_of(domain.Line("tea", 2, LATER)), "order")
    assert left(cart, TEA) == {}


def test_an_order_confirmed_before_its_checkout_is_answered_is_known_by_what_was_ordered() -> None:
    cart = cart_of(domain.Line("tea", 2, LATER))
    assert left(domain.checking_out(cart, 1, now=LATER), TEA) == {}


def test_a_line_that_was_put_in_again_after_the_checkout_stays() -> None:
    cart = checked_out(cart_of(domain.Line("tea", 2, LONG_BEFORE)), "order")
    assert left(replace(cart, lines=(domain.Line("tea", 2, NOW),)), TEA) == {"tea": 2}
    assert left(replace(cart, lines=(domain.Line("tea", 5, LONG_BEFORE),)), TEA) == {"tea": 3}

"""Coupon codes that a cart keeps: written once, bounded, merged, ordered with, and taken out by the order that used them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.cart import domain
from services.chassis import errors, ids, money

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
CART = domain.Cart((domain.Line("tea", 1, NOW),), version=1, origin=ids.new_id(NOW))
TERMS = domain.Terms(domain.Address("", "", "", "", "", "", ""), "", None, "a")
codes = some.lists(some.sampled_from("ABCDEFGHIJKLMNO"), unique=True, max_size=domain.MOST_COUPONS)


def keeping(*entered: str, cart: domain.Cart = CART, now: datetime = NOW) -> domain.Cart:
    for code in entered:
        cart = domain.with_coupon(cart, code, now=now)
    return cart


def kept(cart: domain.Cart) -> list[str]:
    return [coupon.code for coupon in cart.coupons]


def ordered(cart: domain.Cart, *used: str) -> domain.Cart:
    """The cart after an order of its line, placed now, that used these codes."""
    return domain.without_ordered(cart, domain.Ordered("order", "user", {"tea": 1}, NOW, frozenset(used)))


def test_a_code_is_kept_once_however_it_is_written_and_makes_a_new_version_once() -> None:
    cart = keeping("ten", " TEN ", "Ship")
    assert kept(cart) == ["TEN", "SHIP"]
    assert domain.counted(CART, cart).version == 2
    assert keeping("ten", cart=cart, now=LATER) == cart
    assert kept(domain.without_coupon(cart, "tEn")) == ["SHIP"]
    assert domain.without_coupon(cart, "none") == cart


def test_as_many_codes_are_kept_as_an_order_takes() -> None:
    full = keeping(*map(str, range(domain.MOST_COUPONS)))
    with pytest.raises(errors.DomainError) as refused:
        keeping("more", cart=full)
    assert (refused.value.reason, refused.value.metadata) == ("COUPONS_FULL", {"limit": "10"})
    assert keeping("0", cart=full) == full


@given(codes, codes)
def test_a_merge_keeps_the_codes_of_both_carts_or_says_that_they_are_too_many(own: list[str], guest: list[str]) -> None:
    both = list(dict.fromkeys(own + guest))
    if len(both) > domain.MOST_COUPONS:
        with pytest.raises(errors.DomainError, match="COUPONS_FULL"):
            domain.merged(keeping(*own), keeping(*guest), "guest")
        return
    merged = domain.merged(keeping(*own), keeping(*guest), "guest")
    assert kept(merged) == both
    assert domain.merged(merged, keeping(*guest), "guest") == merged


def test_an_order_uses_what_was_entered_and_what_was_kept_each_once() -> None:
    checkout = domain.checkout_of(domain.checking_out(keeping("TEN", "SHIP"), 1, now=NOW), 1)
    assert checkout is not None
    entered = replace(TERMS, coupon_codes=("new", "ship"))
    assert domain.codes_to_use(checkout, entered) == [
        ("new", "coupon_codes[0]"),
        ("ship", "coupon_codes[1]"),
        ("TEN", "coupons[0]"),
    ]
    with pytest.raises(errors.DomainError, match="COUPONS_FULL"):
        domain.codes_to_use(checkout, replace(TERMS, coupon_codes=tuple(map(str, range(9)))))


def test_codes_that_are_kept_after_a_checkout_began_are_not_part_of_it() -> None:
    begun = domain.checking_out(keeping("TEN"), 1, now=NOW)
    checkout = domain.checkout_of(keeping("LATE", cart=begun), 1)
    assert checkout is not None
    assert [code for code, _ in domain.codes_to_use(checkout, TERMS)] == ["TEN"]


def test_an_order_takes_out_the_codes_that_it_used_once_and_no_others() -> None:
    left = ordered(keeping("TEN", "SHIP"), "TEN")
    assert (kept(left), left.lines) == (["SHIP"], ())
    again = keeping("TEN", cart=left, now=NOW)
    assert ordered(again, "TEN") == again


def test_a_code_that_was_put_in_again_after_the_order_was_placed_stays() -> None:
    assert kept(ordered(keeping("TEN", now=LATER), "TEN")) == ["TEN"]
    begun = domain.checking_out(keeping("TEN"), 1, now=NOW)
    cart = domain.checked_out(begun, 1, domain.Order("order", money.Money("USD", 1)), TERMS)
    anew = keeping("TEN", cart=domain.without_coupon(cart, "TEN"), now=NOW + timedelta(milliseconds=1))
    assert kept(ordered(anew, "TEN")) == ["TEN"]


def test_an_order_takes_a_code_out_of_a_cart_that_has_none_of_its_lines() -> None:
    assert kept(ordered(replace(keeping("TEN"), lines=()), "TEN")) == []

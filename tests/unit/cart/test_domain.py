"""The rules of a cart."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.cart import domain
from services.chassis import errors

NOW = datetime(2026, 11, 28, tzinfo=UTC)
quantities = some.dictionaries(some.sampled_from("abcdefgh"), some.integers(1, domain.MOST_UNITS))


def cart_of(units: dict[str, int]) -> domain.Cart:
    return domain.Cart(tuple(domain.Line(sku, quantity, NOW) for sku, quantity in units.items()), version=1)


def units_of(cart: domain.Cart) -> dict[str, int]:
    return {line.sku: line.quantity for line in cart.lines}


def test_adding_a_sku_twice_makes_one_line_of_both() -> None:
    tea = domain.Line("tea", 2, NOW)
    assert units_of(domain.added(domain.added(domain.EMPTY, tea), tea)) == {"tea": 4}


def test_a_quantity_of_nothing_removes_the_line_and_keeps_the_others() -> None:
    cart = cart_of({"tea": 1, "cup": 2})
    assert units_of(domain.with_quantity(cart, domain.Line("tea", 0, NOW))) == {"cup": 2}
    assert domain.with_quantity(cart, domain.Line("none", 0, NOW)) == cart


def test_limits_of_lines_and_units_are_reached_but_not_exceeded() -> None:
    full = cart_of({str(number): domain.MOST_UNITS for number in range(domain.MOST_LINES)})
    with pytest.raises(errors.DomainError) as refused:
        domain.added(full, domain.Line("more", 1, NOW))
    assert (refused.value.reason, refused.value.metadata["limit"]) == ("CART_FULL", "100")
    with pytest.raises(errors.DomainError) as refused:
        domain.added(full, domain.Line("0", 1, NOW))
    assert (refused.value.reason, refused.value.metadata["limit"]) == ("CART_QUANTITY_TOO_LARGE", "999")


@given(quantities, quantities)
def test_a_merge_loses_no_sku_adds_up_to_the_limit_and_happens_once(own: dict[str, int], guest: dict[str, int]) -> None:
    merged = domain.merged(cart_of(own), cart_of(guest), "guest")
    assert units_of(merged) == {
        sku: min(own.get(sku, 0) + guest.get(sku, 0), domain.MOST_UNITS) for sku in own.keys() | guest.keys()
    }
    assert domain.merged(merged, cart_of(guest), "guest") == merged


def test_a_merge_that_does_not_fit_is_refused_rather_than_cut() -> None:
    full = cart_of({str(number): 1 for number in range(domain.MOST_LINES)})
    with pytest.raises(errors.DomainError, match="CART_FULL"):
        domain.merged(full, cart_of({"tea": 1}), "guest")


def test_a_merge_keeps_what_both_saved_for_later() -> None:
    own, guest = (domain.saved_for_later(cart_of({"tea": units, "cup": 1}), "tea") for units in (2, 3))
    both = domain.merged(own, guest, "guest")
    assert (units_of(both), {line.sku: line.quantity for line in both.saved}) == ({"cup": 2}, {"tea": 5})


@given(quantities, quantities)
def test_an_order_takes_exactly_what_was_ordered_and_once(own: dict[str, int], ordered: dict[str, int]) -> None:
    order = domain.Ordered("order", "user", ordered)
    left = domain.without_ordered(cart_of(own), order)
    assert units_of(left) == {
        sku: units - ordered.get(sku, 0) for sku, units in own.items() if units > ordered.get(sku, 0)
    }
    assert domain.without_ordered(left, order) == left


def test_what_was_applied_is_remembered_for_a_bounded_number() -> None:
    cart = cart_of({"tea": domain.REMEMBERED + 2})
    for number in range(domain.REMEMBERED + 1):
        cart = domain.without_ordered(cart, domain.Ordered(str(number), "user", {"tea": 1}))
    assert cart.applied == tuple(str(number) for number in range(1, domain.REMEMBERED + 1))


def test_a_version_that_is_not_current_is_refused_with_the_current_one() -> None:
    cart = replace(cart_of({"tea": 1}), version=7)
    domain.require_version(cart, 0)
    domain.require_version(cart, 7)
    with pytest.raises(errors.DomainError) as refused:
        domain.require_version(cart, 6)
    assert (refused.value.code, refused.value.metadata) == (errors.Code.ABORTED, {"version": "7"})

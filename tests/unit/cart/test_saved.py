"""Lines that are saved for later, and come back."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.cart import domain
from services.chassis import errors, money

NOW = datetime(2026, 11, 28, tzinfo=UTC)
TEA = domain.Line("tea", 2, NOW, money.Money("USD", 500))
CART = domain.Cart((TEA, domain.Line("cup", 1, NOW)), version=1)


def many(count: int) -> tuple[domain.Line, ...]:
    return tuple(domain.Line(str(number), 1, NOW) for number in range(count))


def refusal(error: pytest.ExceptionInfo[errors.DomainError]) -> tuple[str, str]:
    return error.value.reason, error.value.metadata.get("limit", "")


def test_a_line_is_saved_and_comes_back_as_it_was() -> None:
    saved = domain.saved_for_later(CART, "tea")
    assert (saved.lines, saved.saved) == (CART.lines[1:], (TEA,))
    back = domain.restored(saved, "tea")
    assert (set(back.lines), back.saved) == (set(CART.lines), ())


def test_a_repeated_move_changes_nothing() -> None:
    saved = domain.saved_for_later(CART, "tea")
    assert domain.saved_for_later(saved, "tea") == saved
    back = domain.restored(saved, "tea")
    assert domain.restored(back, "tea") == back


def test_what_is_nowhere_cannot_be_moved() -> None:
    for move in (domain.saved_for_later, domain.restored):
        with pytest.raises(errors.DomainError, match="CART_LINE_NOT_FOUND"):
            move(CART, "none")


@given(some.integers(1, domain.MOST_UNITS), some.integers(1, domain.MOST_UNITS))
def test_a_move_loses_no_unit_or_is_refused(here: int, there: int) -> None:
    cart = domain.Cart((domain.Line("tea", here, NOW),), saved=(domain.Line("tea", there, NOW),))
    for move in (domain.saved_for_later, domain.restored):
        if here + there > domain.MOST_UNITS:
            with pytest.raises(errors.DomainError) as refused:
                move(cart, "tea")
            assert refusal(refused) == ("CART_QUANTITY_TOO_LARGE", "999")
        else:
            moved = move(cart, "tea")
            assert sorted(line.quantity for line in (*moved.lines, *moved.saved)) == [here + there]


def test_limits_of_both_lists_are_reached_but_not_exceeded() -> None:
    full = domain.Cart((TEA, *many(domain.MOST_LINES - 1)), saved=many(domain.MOST_LINES - 1))
    saved = domain.saved_for_later(full, "tea")
    assert (len(saved.lines), len(saved.saved)) == (99, 100)
    with pytest.raises(errors.DomainError) as refused:
        domain.saved_for_later(domain.Cart((TEA,), saved=many(domain.MOST_LINES)), "tea")
    assert refusal(refused) == ("SAVED_FULL", "100")
    with pytest.raises(errors.DomainError) as refused:
        domain.restored(domain.Cart(many(domain.MOST_LINES), saved=(TEA,)), "tea")
    assert refusal(refused) == ("CART_FULL", "100")


def test_no_order_takes_what_is_saved() -> None:
    saved = domain.saved_for_later(CART, "tea")
    left = domain.without_ordered(saved, domain.Ordered("order", "user", {"tea": 2, "cup": 1}))
    assert (left.lines, left.saved) == ((), (TEA,))


def test_what_is_saved_is_not_in_the_total() -> None:
    offers = {"tea": domain.Offer("tea", "product", "Tea", money.Money("USD", 500))}
    assert domain.Shown(domain.saved_for_later(CART, "tea"), offers, None, None).total is None


def test_what_is_saved_can_be_forgotten() -> None:
    saved = domain.saved_for_later(CART, "tea")
    assert domain.without_saved(saved, "tea").saved == ()
    assert domain.without_saved(saved, "cup") == saved

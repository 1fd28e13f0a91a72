"""What holds of every quote, whatever the items and promotions."""

import random

from hypothesis import given
from hypothesis import strategies as st

from services.promotion.domain import promotions, quotes
from tests.unit.promotion.makers import NOW, item, promotion, usd

SHARES = st.integers(1, promotions.WHOLE)
AMOUNTS = st.integers(1, 20_000).map(usd)
KINDS = st.one_of(
    st.builds(promotions.Percentage, SHARES),
    st.builds(promotions.FixedAmount, AMOUNTS),
    st.just(promotions.FreeShipping()),
    st.builds(promotions.BuyXGetY, st.integers(1, 4), st.integers(1, 4), SHARES, st.integers(0, 2)),
    st.lists(st.builds(promotions.Tier, AMOUNTS, SHARES, st.none() | AMOUNTS), min_size=1, max_size=3).map(
        lambda tiers: promotions.Tiered(tuple(tiers))
    ),
)
SCOPES = st.frozensets(st.sampled_from("xyz"), max_size=2).map(lambda vendors: promotions.Scope(vendor_ids=vendors))
ITEMS = st.lists(
    st.builds(
        item,
        st.sampled_from([f"SKU-{number}" for number in range(12)]),
        st.integers(0, 9_999),
        st.integers(1, 20),
        vendor_id=st.sampled_from("xyz"),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda one: one.sku,
)


@st.composite
def candidates(draw: st.DrawFn) -> list[quotes.Candidate]:
    """Some promotions: automatic ones and such with codes, exclusive ones and such that combine."""
    found = []
    for number in range(draw(st.integers(0, 5))):
        automatic = draw(st.booleans())
        made = promotion(
            draw(KINDS),
            f"p{number}",
            automatic=automatic,
            scope=draw(SCOPES),
            exclusive=draw(st.booleans()),
            priority=draw(st.integers(0, 2)),
        )
        found.append(quotes.Candidate(made, "" if automatic else f"CODE-{number}"))
    return found


BASKETS = st.builds(quotes.basket, ITEMS, st.none() | st.integers(0, 2_000).map(usd))


@given(BASKETS, candidates())
def test_no_line_and_no_total_falls_below_zero_however_promotions_stack(
    asked: quotes.Basket, some: list[quotes.Candidate]
) -> None:
    found = quotes.quote(asked, some, NOW)
    assert all(0 <= found.off(one.sku) <= one.price for one in asked.items)
    shipping = asked.shipping.amount if asked.shipping else 0
    assert 0 <= sum(applied.shipping for applied in found.applied) <= shipping
    assert found.total.amount >= 0


@given(BASKETS, candidates())
def test_the_discounts_of_the_lines_add_up_and_every_line_returned_gives_back_exactly_what_was_paid(
    asked: quotes.Basket, some: list[quotes.Candidate]
) -> None:
    found = quotes.quote(asked, some, NOW)
    given_back = [one.price - found.off(one.sku) for one in asked.items]
    shipping = asked.shipping.amount if asked.shipping else 0
    kept = shipping - sum(applied.shipping for applied in found.applied)
    assert sum(given_back) + kept == found.total.amount
    assert sum(given_back) == found.items.amount - found.items_discount.amount


@given(BASKETS, candidates(), st.randoms())
def test_the_order_of_items_and_promotions_does_not_matter(
    asked: quotes.Basket, some: list[quotes.Candidate], chance: random.Random
) -> None:
    items, others = list(asked.items), list(some)
    chance.shuffle(items)
    chance.shuffle(others)
    again = quotes.basket(items, asked.shipping)
    assert quotes.quote(again, others, NOW) == quotes.quote(asked, some, NOW)


@given(BASKETS, candidates())
def test_a_code_is_applied_or_refused_with_a_reason(asked: quotes.Basket, some: list[quotes.Candidate]) -> None:
    found = quotes.quote(asked, some, NOW)
    applied = {one.code for one in found.applied if one.code}
    assert applied.isdisjoint(found.refused)
    assert applied | set(found.refused) == {one.code for one in some if one.code}


@given(BASKETS, candidates())
def test_no_exclusive_promotion_is_combined_and_none_alone_would_have_taken_off_more(
    asked: quotes.Basket, some: list[quotes.Candidate]
) -> None:
    found = quotes.quote(asked, some, NOW)
    if any(applied.promotion.terms.exclusive for applied in found.applied):
        assert len(found.applied) == 1
    for one in some:
        alone = quotes.quote(asked, [one], NOW)
        if one.promotion.terms.exclusive:
            assert alone.total >= found.total

"""The rules of recommendation: counting is a sum, the log-likelihood ratio is Dunning's, and arranging is fair."""

import dataclasses
import math
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import money
from services.recommendation import domain, weights
from services.recommendation.domain import (
    Basket,
    Bought,
    Candidate,
    Card,
    Counts,
    Neighbour,
    Purchase,
    Reason,
    Together,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
AN_HOUR = timedelta(hours=1)
MOMENTS = st.datetimes(datetime(2026, 6, 1), datetime(2026, 11, 20)).map(lambda moment: moment.replace(tzinfo=UTC))  # noqa: DTZ001 - made aware here
ORDERS = st.lists(
    st.builds(
        Bought,
        order_id=st.uuids().map(str),
        time=MOMENTS,
        products=st.lists(st.integers(1, 9), min_size=1, max_size=6, unique=True).map(tuple),
    ),
    max_size=30,
)


def together(both: int, one: int, other: int) -> Together:
    return Together(1, 2, both, one, other)


def cards(**categories: str) -> dict[int, Card]:
    """A card for each product: p1="tea" is the product 1 in the category tea."""
    made = {}
    for name, category in categories.items():
        number = int(name[1:])
        made[number] = Card(number, f"id-{number}", name, category, "", money.Money("EUR", 100))
    return made


def trends(*products: int) -> list[Candidate]:
    return [Candidate(product, Reason.TRENDING) for product in products]


def rounded(counts: Counts) -> tuple[object, ...]:
    items = {key: (tally.orders, round(tally.heat, 9)) for key, tally in counts.items.items()}
    return counts.orders, items, counts.pairs


def added(one: Counts, other: Counts) -> Counts:
    """What a database has when it adds one to the other."""
    whole = Counts(
        dict(Counter(one.orders) + Counter(other.orders)), {}, dict(Counter(one.pairs) + Counter(other.pairs))
    )
    for key in one.items.keys() | other.items.keys():
        parts = [part.items[key] for part in (one, other) if key in part.items]
        warmth = parts[0].heat if len(parts) == 1 else weights.hotter(parts[0].heat, parts[1].heat)
        whole.items[key] = domain.Tally(sum(part.orders for part in parts), warmth)
    return whole


def test_a_pair_seen_once_does_not_go_together_and_a_strong_one_comes_first() -> None:
    seen = [
        Together(1, 2, both=1, product_orders=20, other_orders=1),
        Together(1, 3, both=15, product_orders=20, other_orders=900),
        Together(1, 4, both=10, product_orders=20, other_orders=12),
    ]
    assert [each.product for each in domain.neighbours(seen, 1000, most=9)] == [4]
    assert domain.neighbours(seen, 1000, most=0) == []


def test_counts_that_were_read_while_orders_came_in_make_no_error() -> None:
    [found] = domain.neighbours([together(both=5, one=4, other=3)], 50, most=9)
    assert math.isfinite(found.ratio)
    assert domain.neighbours([together(both=5, one=4, other=3)], 2, most=9) == []


@given(ORDERS, st.randoms(use_true_random=False), st.integers(0, 30))
def test_counting_gives_the_same_sum_in_any_order_and_however_it_is_cut(
    orders: list[Bought], chance: random.Random, cut: int
) -> None:
    mixed = list(orders)
    chance.shuffle(mixed)
    whole = added(domain.counted(mixed[:cut]), domain.counted(mixed[cut:]))
    assert rounded(whole) == rounded(domain.counted(orders))


@given(ORDERS)
def test_no_pair_is_in_more_orders_than_either_product_nor_a_product_than_there_are(orders: list[Bought]) -> None:
    counts = domain.counted(orders)
    for (number, low, high), both in counts.pairs.items():
        assert low < high
        assert both <= min(counts.items[number, low].orders, counts.items[number, high].orders)
    assert all(tally.orders <= counts.orders[number] for (number, _), tally in counts.items.items())
    assert sum(counts.orders.values()) == len(orders)


def test_an_order_of_very_many_products_counts_for_its_first_ones() -> None:
    counts = domain.counted([Bought("o", NOW, tuple(range(1, 101)))])
    assert len(counts.items) == domain.MOST_COUNTED
    assert len(counts.pairs) == domain.MOST_COUNTED * (domain.MOST_COUNTED - 1) // 2


def test_an_order_is_counted_when_all_of_its_skus_are_known() -> None:
    basket = Basket("o", "u", NOW, ("A", "B", "C"))
    assert domain.resolved(basket, {"A": 7, "B": 3}) is None
    assert domain.resolved(basket, {"A": 7, "B": 3, "C": 7}) == Bought("o", NOW, (7, 3))


def test_orders_of_today_outweigh_more_orders_of_last_week() -> None:
    today = [Bought(f"t{n}", NOW, (1,)) for n in range(3)]
    earlier = [Bought(f"e{n}", NOW - timedelta(days=7), (2,)) for n in range(30)]
    long_ago = [Bought(f"l{n}", NOW - 40 * weights.HALF_LIFE, (3,)) for n in range(100)]
    counts = domain.counted([*long_ago, *earlier, *today])
    heats = [(product, tally.heat) for (_, product), tally in counts.items.items()]
    assert domain.trending(heats) == [1, 2, 3]
    # Eight orders weigh as much as one that is three half-lives younger.
    old = domain.counted(Bought(f"o{n}", NOW - 3 * weights.HALF_LIFE, (1,)) for n in range(8))
    assert next(iter(old.items.values())).heat == pytest.approx(weights.heat(NOW))


def test_the_heat_of_a_product_is_that_of_all_its_periods() -> None:
    assert domain.trending([(1, 5.0), (2, 5.5), (1, 5.0)]) == [1, 2]


def test_what_counts_is_about_half_a_year() -> None:
    kept = domain.periods(NOW)
    assert (len(kept), kept[0], kept[-1]) == (domain.PERIODS_KEPT, domain.period(NOW), domain.period(NOW) - 6)
    assert domain.period(NOW - domain.PERIOD) == domain.period(NOW) - 1


def test_what_goes_with_recent_purchases_is_liked_more() -> None:
    bought = [Purchase(1, NOW - AN_HOUR), Purchase(2, NOW - timedelta(days=90))]
    beside = {1: [Neighbour(10, 100.0)], 2: [Neighbour(20, 100.0), Neighbour(10, 1.0)]}
    found = domain.liked(bought, beside, NOW)
    assert [(each.product, each.because_of) for each in found] == [(10, 1), (20, 2)]


def test_what_goes_with_several_purchases_is_liked_more_than_what_goes_with_one() -> None:
    bought = [Purchase(1, NOW), Purchase(2, NOW)]
    beside = {1: [Neighbour(10, 100.0), Neighbour(11, 50.0)], 2: [Neighbour(11, 50.0)]}
    assert [each.product for each in domain.liked(bought, beside, NOW)] == [11, 10]
    assert domain.liked(bought, {}, NOW) == domain.liked([], beside, NOW) == []


def test_nothing_without_a_card_nothing_excluded_and_nothing_twice() -> None:
    shelf = cards(p1="a", p2="b", p3="c")
    found = domain.arranged(trends(1, 9, 2, 1, 3), shelf, without={2}, most=10, share=1.0)
    assert [each.product for each in found] == [1, 3]


def test_a_category_takes_its_share_while_there_is_anything_else() -> None:
    shelf = cards(p1="tea", p2="tea", p3="tea", p4="mugs", p5="pots")
    ordered = trends(1, 2, 3, 4, 5)
    assert [each.product for each in domain.arranged(ordered, shelf, without=(), most=4, share=0.5)] == [1, 2, 4, 5]
    assert [each.product for each in domain.arranged(ordered, shelf, without=(), most=5, share=0.4)] == [1, 2, 4, 5, 3]
    assert [each.product for each in domain.arranged(ordered, shelf, without=(), most=2, share=0.1)] == [1, 4]


@given(st.lists(st.integers(1, 12), max_size=40), st.integers(1, 15), st.sampled_from([0.2, 0.4, 1.0]))
def test_an_arrangement_is_as_long_as_it_can_be_and_no_longer(products: list[int], most: int, share: float) -> None:
    shelf = cards(**{f"p{n}": f"c{n % 3}" for n in range(1, 11)})
    found = [each.product for each in domain.arranged(trends(*products), shelf, without={3}, most=most, share=share)]
    possible = {product for product in products if product in shelf and product != 3}
    assert len(found) == len(set(found)) == min(most, len(possible))
    assert set(found) <= possible


def test_what_trends_in_a_category_can_come_first() -> None:
    shelf = cards(p1="tea", p2="mugs", p3="tea")
    assert [each.product for each in domain.in_category_first(trends(2, 1, 4, 3), shelf, "tea")] == [1, 3, 2, 4]


def test_of_what_was_told_the_newest_product_and_the_last_level_count() -> None:
    old = domain.Product("p", 1, ("A",))
    new = dataclasses.replace(old, version=2)
    assert domain.newest([new, old]) == [new]
    first, second = domain.Level("A", "east", 1), domain.Level("A", "east", 0)
    assert domain.last([first, second]) == [second]


def test_the_price_that_is_shown_is_that_of_the_cheapest_variant() -> None:
    prices = [money.Money("EUR", 300), money.Money("USD", 1), money.Money("EUR", 200)]
    assert domain.lowest(domain.Variant("A", price) for price in prices) == money.Money("EUR", 200)
    assert domain.lowest([]) is None


def test_how_many_are_shown() -> None:
    assert [domain.shown(limit) for limit in (0, 5, 500)] == [12, 5, 50]

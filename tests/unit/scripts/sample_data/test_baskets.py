"""Baskets with planted associations: the same in every run, and what was planted can be found in them."""

from collections import Counter
from itertools import combinations

from scripts.sample_data import baskets

SOLD = baskets.assortment("T", seed=1)
SOME = list(baskets.baskets(SOLD, 4_000, seed=2))


def test_the_same_seed_gives_the_same_baskets_and_another_one_others() -> None:
    assert list(baskets.baskets(baskets.assortment("T", seed=1), 4_000, seed=2)) == SOME
    assert list(baskets.baskets(SOLD, 4_000, seed=3)) != SOME


def test_a_basket_has_at_least_two_products_of_the_shop_each_once() -> None:
    assert len(set(SOLD.skus)) == baskets.PRODUCTS
    for basket in SOME:
        assert 2 <= len(basket) == len(set(basket))
        assert set(basket) <= set(SOLD.skus)


def test_the_pairs_that_are_planted_are_together_far_more_often_than_chance_has_it() -> None:
    single = Counter(sku for basket in SOME for sku in basket)
    pairs = Counter(frozenset(pair) for basket in SOME for pair in combinations(basket, 2))
    lifts = {pair: pairs[pair] * len(SOME) / (single[one] * single[other]) for pair in pairs for one, other in [pair]}
    planted = baskets.planted(SOLD.bundles)
    assert len(planted) == len(SOLD.bundles) * 6
    of_planted = sorted(lifts.get(pair, 0.0) for pair in planted)
    others = sorted(lift for pair, lift in lifts.items() if pair not in planted and pairs[pair] >= 10)
    assert of_planted[len(of_planted) // 2] > 5 * others[len(others) // 2]


def test_some_products_are_bought_far_more_often_than_others() -> None:
    single = Counter(sku for basket in SOME for sku in basket)
    assert single[SOLD.skus[0]] > 5 * single[SOLD.skus[-1]]

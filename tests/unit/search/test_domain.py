"""Filters, facets, cursors, and what of several things told counts."""

import itertools

import pytest

from services.chassis import errors, ids, money
from services.chassis.clock import utc_now
from services.search import domain
from services.search.domain import Category, Count, Filters, Prices, Query, Sort

SHELVES = [Category("home", "Home"), Category("chairs", "Chairs", "home"), Category("stools", "Stools", "chairs")]


def query(**filters: object) -> Query:
    return Query("", Filters(**filters), Sort.RELEVANCE, "EUR", with_facets=True)  # type: ignore[arg-type]


def eur(amount: int) -> money.Money:
    return money.Money("EUR", amount)


def test_a_category_stands_for_all_below_it() -> None:
    assert domain.subtrees(SHELVES, ["chairs"]) == ("chairs", "stools")
    assert domain.subtrees(SHELVES, ["home", "stools"]) == ("chairs", "home", "stools")


def test_an_unknown_category_is_refused_by_name() -> None:
    with pytest.raises(errors.DomainError) as refused:
        domain.subtrees(SHELVES, ["home", "cellar"])
    assert (refused.value.reason, refused.value.metadata) == ("CATEGORY_NOT_FOUND", {"category": "cellar"})


def test_a_range_of_prices_may_be_open_at_either_end() -> None:
    assert domain.prices(None, None) is None
    assert domain.prices(eur(100), None) == Prices("EUR", 100, 2**63 - 1)
    assert domain.prices(None, eur(100)) == Prices("EUR", 0, 100)


@pytest.mark.parametrize(("low", "high"), [(eur(2), eur(1)), (eur(1), money.Money("USD", 2))])
def test_a_range_that_is_none_is_refused(low: money.Money, high: money.Money) -> None:
    with pytest.raises(errors.DomainError, match="PRICE_RANGE_INVALID"):
        domain.prices(low, high)


def test_the_currency_is_the_one_asked_for_or_that_of_the_range_or_the_shops() -> None:
    span = Prices("USD", 0, 1)
    assert domain.currency("", None, "EUR") == "EUR"
    assert domain.currency("", span, "EUR") == domain.currency("USD", span, "EUR") == "USD"
    with pytest.raises(errors.DomainError, match="PRICE_RANGE_INVALID"):
        domain.currency("JPY", span, "EUR")
    with pytest.raises(errors.DomainError, match="MONEY_INVALID"):
        domain.currency("ABC", None, "EUR")


def test_attributes_are_gathered_by_name() -> None:
    asked = ["color:red", "size:4:3", "color:blue", "color:red"]
    assert domain.attributes(asked) == {"color": ("red", "blue"), "size": ("4:3",)}


def test_ranges_of_prices_have_no_gaps_and_suit_the_currency() -> None:
    ranges = domain.price_ranges("EUR")
    assert (ranges[0].low, ranges[0].high, ranges[-1].high) == (0, 999, 2**63 - 1)
    assert all(below.high + 1 == above.low for below, above in itertools.pairwise(ranges))
    assert domain.price_ranges("JPY")[0].high == 999
    assert domain.price_ranges("KWD")[0].high == 9999


def test_a_facet_shows_the_most_frequent_values_and_those_that_are_selected() -> None:
    counts = [Count("attributes.color", f"c{number:02}", 100 - number) for number in range(30)]
    asked = query(attributes={"color": ("c29", "none")})
    [facet] = domain.facets(counts, asked)
    assert facet.name == "attributes.color"
    assert [value.value for value in facet.values[:2]] == ["c00", "c01"]
    assert len(facet.values) == domain.MOST_VALUES + 2
    assert [(value.value, value.results) for value in facet.values if value.selected] == [("c29", 71), ("none", 0)]


def test_the_facet_of_prices_is_in_ascending_order_and_knows_its_selection() -> None:
    counts = [Count("price", "7", 1), Count("price", "0", 2)]
    asked = query(prices=Prices("EUR", 0, 999))
    [facet] = domain.facets(counts, asked)
    [cheap, dear] = facet.values
    assert (cheap.low, cheap.high, cheap.results, cheap.selected) == (eur(0), eur(999), 2, True)
    assert (dear.low, dear.high, dear.selected) == (eur(100_000), None, False)


def test_a_cursor_is_read_as_it_was_written_and_nothing_else_is() -> None:
    place = domain.Cursor(-5, ids.new_id(utc_now()))
    assert domain.cursor(str(place)) == place
    for wrong in ("", "5", "x:" + place.product_id, "5:none"):
        with pytest.raises(ValueError):
            domain.cursor(wrong)


def test_of_what_is_told_of_a_product_the_newest_counts_and_of_a_level_the_last() -> None:
    old, new = domain.Product("p", 1), domain.Product("p", 2)
    assert domain.newest([new, old]) == [new]
    levels = [domain.Level("S", "east", 1), domain.Level("S", "west", 2), domain.Level("S", "east", 3)]
    assert domain.last(levels) == [domain.Level("S", "east", 3), domain.Level("S", "west", 2)]


def test_categories_are_completed_by_their_words() -> None:
    shelves = [*SHELVES, Category("garden", "Garden Chairs")]
    assert [found.text for found in domain.completing(shelves, ("cha",))] == ["Chairs", "Garden Chairs"]
    assert [found.category for found in domain.completing(shelves, ("garden", "ch"))] == ["garden"]
    assert domain.completing(shelves, ("gard", "chairs")) == []

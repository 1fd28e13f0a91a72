"""What OpenSearch is asked, without one: cursors keep their order, and texts of callers stay texts."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.chassis import pages
from services.search import domain, words
from services.search.domain import Filters, Query, Sort
from services.search.opensearch_engine import index, queries

ID = "01a225ee-b1c7-7ac5-b469-e2854ef3b81f"
CHAIR = words.parsed("chair")


def query(sort: Sort = Sort.RELEVANCE, **filters: Any) -> Query:
    return Query("chair", Filters(**filters), sort, "EUR", with_facets=True)


def key(score: float) -> int:
    return domain.cursor(queries.cursor(query(), CHAIR, {"sort": [score, ID]})).key


@given(st.floats(min_value=0, width=32), st.floats(min_value=0, width=32))
def test_cursors_of_scores_are_in_the_order_of_the_scores(one: float, other: float) -> None:
    assert (key(one) < key(other)) == (one < other)


@given(st.floats(min_value=0, width=32, allow_infinity=False))
def test_a_page_begins_behind_exactly_the_score_of_its_cursor(score: float) -> None:
    after = queries.cursor(query(), CHAIR, {"sort": [score, ID]})
    assert queries.search(query(), CHAIR, pages.Page(20, after))["search_after"] == [score, ID]


def test_a_facet_leaves_out_its_own_selection_and_no_other() -> None:
    asked = query(categories=("chairs",), in_stock=True, attributes={"color": ("red",)})
    body = queries.search(asked, CHAIR, pages.Page(20))
    aggs = {name: len(agg["filter"]["bool"]["filter"]) for name, agg in body["aggs"].items()}
    assert aggs == {
        "category": 2,
        "vendor": 3,
        "in_stock": 2,
        "price": 3,
        "attributes": 3,
        "attributes.color": 2,
        "selected.category": 2,
    }
    assert len(body["post_filter"]["bool"]["filter"]) == 3


def test_the_name_of_an_attribute_is_no_regular_expression() -> None:
    body = queries.search(query(attributes={"a.*|b": ("x",)}), CHAIR, pages.Page(20))
    include = body["aggs"]["attributes.a.*|b"]["aggs"]["values"]["terms"]["include"]
    assert include == r"attributes\.a\.\*\|b\:.*"


def test_words_that_say_nothing_exclude_nothing_and_find_nothing_alone() -> None:
    assert queries.search(query(), words.parsed("the"), pages.Page(1))["query"]["bool"]["must"] == [queries.NOTHING]
    [must] = queries.search(query(), words.parsed("chair -the"), pages.Page(1))["query"]["bool"]["must"]
    assert must["function_score"]["query"]["bool"]["must_not"] == []


def test_stop_words_are_those_of_postgresql() -> None:
    assert len(index.STOP_WORDS) == 127
    assert {"the", "with", "off"} <= index.STOP_WORDS

"""What a search finds, on a real PostgreSQL: words, filters, facets, orders, pages, excerpts, suggestions."""

import uuid

import pytest

from services.chassis import errors, money
from services.search import domain, words
from services.search.domain import Prices, Sort, Variant
from tests.integration.search.conftest import Search, product

ANN = str(uuid.UUID(int=10))


async def test_words_are_found_by_their_stem_without_case_and_accents(search: Search) -> None:
    await search.told(product("Café Chairs, oiled"), product("Lamp", description="Reading light for a chair"))
    assert await search.titles("CHAIR") == ["Café Chairs, oiled", "Lamp"]
    assert await search.titles("cafe chair") == ["Café Chairs, oiled"]
    assert await search.titles('"light for a chair"') == ["Lamp"]
    assert await search.titles("chair -cafe") == ["Lamp"]
    assert await search.titles("the sofa") == []
    assert await search.titles("!!!") == []


async def test_a_title_counts_more_than_an_attribute_and_that_more_than_a_description(search: Search) -> None:
    await search.told(
        product("One", description="walnut wood in it"),
        product("Two", attributes={"material": "walnut"}),
        product("Walnut three"),
    )
    assert await search.titles("walnut") == ["Walnut three", "Two", "One"]


async def test_what_a_slash_joins_is_found_by_each_word_and_a_sku_by_all_of_it(search: Search) -> None:
    chair = product("Black/white stool")
    await search.told(chair, product("Other"))
    assert await search.titles("white") == ["Black/white stool"]
    assert await search.titles(chair.variants[0].sku) == ["Black/white stool"]


async def test_a_typing_error_is_forgiven_and_said(search: Search) -> None:
    await search.told(product("Headphones"), product("Table"))
    found = await search.find("hedphones")
    assert ([hit.title for hit in found.hits], found.searched_for) == (["Headphones"], "headphones")
    assert await search.titles("tabel") == ["Table"]
    assert (await search.find("table")).searched_for == ""


async def test_when_nothing_is_found_something_that_is_there_is_proposed(search: Search) -> None:
    await search.told(product("Red armchair"), product("Blue kettle"))
    assert (await search.find("armchaiiirs")).did_you_mean == "armchair"
    assert (await search.find("red qqqq")).did_you_mean == "red"
    assert (await search.find("zzzz")).did_you_mean == ""
    # It would find nothing either, because of the filter.
    assert (await search.find("armchaiiirs", in_stock=True)).did_you_mean == ""


async def test_a_synonym_is_as_good_as_the_word(search: Search) -> None:
    await search.told(product("Corner couch"), product("Phone case"))
    assert await search.titles("sofas") == []
    await search.synonyms.put("sofas", ["sofa", "Couch", "three seater"])
    assert await search.titles("sofas") == await search.titles("three seater") == ["Corner couch"]
    await search.synonyms.delete("sofas")
    assert await search.titles("sofas") == []


async def test_filters_must_all_hold_and_of_values_of_one_kind_one(search: Search) -> None:
    await search.told(
        product("Red chair", 1000, attributes={"color": "red"}, vendor_id=ANN),
        product("Blue chair", 2000, attributes={"color": "blue"}),
        product("Red lamp", 3000, attributes={"color": "red"}, category="lamps"),
    )
    assert sorted(await search.titles(categories=("home",))) == ["Blue chair", "Red chair", "Red lamp"]
    assert await search.titles(categories=("lamps",)) == ["Red lamp"]
    assert sorted(await search.titles("chair", attributes={"color": ("red", "blue")})) == ["Blue chair", "Red chair"]
    assert await search.titles("chair", attributes={"color": ("red",)}) == ["Red chair"]
    assert await search.titles(vendor_ids=(ANN,)) == ["Red chair"]
    assert await search.titles(prices=Prices("EUR", 1500, 2500)) == ["Blue chair"]
    assert await search.titles(prices=Prices("USD", 0, 10**9)) == []
    with pytest.raises(errors.DomainError, match="CATEGORY_NOT_FOUND"):
        await search.find(categories=("cellar",))


async def test_a_facet_counts_what_its_own_other_values_would_find(search: Search) -> None:
    await search.told(
        product("Red chair", 500, attributes={"color": "red"}),
        product("Red armchair chair", 5000, attributes={"color": "red"}),
        product("Blue chair", 500, attributes={"color": "blue"}),
        product("Blue lamp", 500, attributes={"color": "blue"}, category="lamps"),
    )
    found = await search.find(attributes={"color": ("red",)}, categories=("chairs",), with_facets=True)
    facets = {facet.name: facet.values for facet in found.facets}
    assert found.total == 2
    assert [(v.value, v.results, v.selected) for v in facets["attributes.color"]] == [
        ("red", 2, True),
        ("blue", 1, False),
    ]
    assert [(v.value, v.results) for v in facets["category"]] == [("chairs", 2)]
    assert [(v.low, v.results) for v in facets["price"]] == [(money.Money("EUR", 0), 1), (money.Money("EUR", 5000), 1)]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        (Sort.PRICE_ASCENDING, ["B", "A", "C"]),
        (Sort.PRICE_DESCENDING, ["C", "A", "B"]),
        (Sort.NEWEST, ["D", "C", "B", "A"]),
        (Sort.POPULARITY, ["B", "D", "C", "A"]),
    ],
)
async def test_each_order_is_paged_through_without_gaps_and_repetitions(
    search: Search, sort: Sort, expected: list[str]
) -> None:
    dollars = (Variant("DOLLARS-1", "", money.Money("USD", 1)),)
    await search.told(
        product("A", 200), product("B", 100, popularity=9), product("C", 300), product("D", variants=dollars)
    )
    found, after = [], ""
    while True:
        page = await search.find(sort=sort, size=1, after=after)
        found += [hit.title for hit in page.hits]
        assert page.total == len(expected)
        after = page.after
        if not after:
            break
    assert found == expected


async def test_relevance_is_paged_through_too(search: Search) -> None:
    await search.told(*(product(f"Chair number {number}", description="chair " * number) for number in range(7)))
    found, after = [], ""
    while True:
        page = await search.find("chair", size=2, after=after)
        found += [hit.title for hit in page.hits]
        after = page.after
        if not after:
            break
    assert found == await search.titles("chair")
    assert len(set(found)) == 7


async def test_of_more_results_than_postgresql_ranks_the_most_popular_are(
    record: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = record
    monkeypatch.setattr(domain, "MOST_COUNTED", 2)
    monkeypatch.setattr(domain, "MOST_RANKED", 3)
    await search.told(
        product("Chair", popularity=0),
        product("Cushion for a chair", popularity=3),
        product("Chair, folding and light", popularity=2),
        product("Armchair", description="Like a chair", popularity=9),
    )
    assert await search.titles("chair") == ["Cushion for a chair", "Chair, folding and light", "Armchair"]
    # More than are counted.
    assert (await search.find("chair")).total == 3
    assert len(await search.titles("chair", sort=Sort.NEWEST)) == 4


async def test_an_excerpt_marks_what_matched_and_is_no_html(search: Search) -> None:
    await search.told(product("<b>Café</b> chair", description="A chair & a table. " * 30))
    [hit] = (await search.find("cafe chairs")).hits
    title, description = hit.excerpts
    assert [part.text for part in words.fragments(title.marked) if part.matched] == ["Café", "chair"]
    assert "".join(part.text for part in words.fragments(title.marked)) == "<b>Café</b> chair"
    assert {part.text for part in words.fragments(description.marked) if part.matched} == {"chair"}
    assert len(description.marked) < 300


async def test_what_is_being_typed_is_completed_also_with_a_typing_error(search: Search) -> None:
    await search.told(product("Chair cushion"), product("Chai tea", popularity=5), product("Kettle"))
    found = await search.searches.suggest("cha", 0)
    assert [(each.text, bool(each.product_id)) for each in found] == [
        ("Chairs", False),
        ("Chai tea", True),
        ("Chair cushion", True),
    ]
    assert [each.text for each in await search.searches.suggest("chair cu", 0)] == ["Chair cushion"]
    assert [each.text for each in await search.searches.suggest("ketle", 0)] == ["Kettle"]
    assert await search.searches.suggest("?", 0) == []
    # No title has both, so what the words before the last one find is shown.
    assert [each.text for each in await search.searches.suggest("chair zebra", 0)] == ["Chair cushion"]
    assert len(await search.searches.suggest("cha", 1)) == 1

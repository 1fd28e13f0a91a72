"""What is remembered of searches: shown while it holds, with what changed, and made anew when another page would be found."""

import asyncio
import dataclasses
import itertools
import string
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from services.chassis import cache, money, pages
from services.search import answers, domain, messages, postgres_checker
from services.search.domain import Filters, Level, Product, Query, Sort, Variant
from souk.search.v1 import search_service_pb2
from tests.integration.search.conftest import Search, product


@dataclass
class Reader:
    """A process that answers searches, and how many it has made."""

    search: Search
    answers: answers.Answers
    made: list[str] = field(default_factory=list)

    async def read(
        self, text: str = "", *, size: int = 3, after: str = "", **wanted: object
    ) -> search_service_pb2.SearchResponse:
        """The answer, remembered or not."""
        asked = {name: wanted.pop(name) for name in ("sort", "with_facets") if name in wanted}
        query = Query(text, Filters(**wanted), **({"sort": Sort.RELEVANCE, "currency": "EUR"} | asked))  # type: ignore[arg-type]

        async def make() -> answers.Made:
            self.made.append(text)
            found = await self.search.searches.search(query, pages.Page(size, after))
            answer = messages.of_found(found)
            answer.next_page_token = found.after
            return answers.Made(answer.SerializeToString(), found.proofs)

        data = await self.answers.read(f"{query} {size} {after}".encode(), make, messages.with_results)
        return search_service_pb2.SearchResponse.FromString(data)

    async def titles(self, text: str = "", **wanted: object) -> list[str]:
        """The titles that it finds."""
        return [result.title for result in (await self.read(text, **wanted)).results]  # type: ignore[arg-type]


NewReader = Callable[[], Reader]


@pytest.fixture
def search(record: Search) -> Search:
    """PostgreSQL's, whose answers have proofs: what OpenSearch answers is remembered until anything changes (test_mirror.py)."""
    return record


@pytest.fixture
def another(search: Search, shared: cache.Shared) -> NewReader:
    """Makes processes that have one Redis."""

    def made() -> Reader:
        moments = answers.Moments(search.db, fresh_s=0)
        checker = postgres_checker.PostgresChecker(search.db)
        return Reader(search, answers.Answers(moments, shared, checker, shared_s=30))

    return made


@pytest.fixture
def reader(another: NewReader) -> Reader:
    return another()


def changed(old: Product, **changes: object) -> Product:
    """The next version of a product."""
    return dataclasses.replace(old, version=old.version + 1, **changes)  # type: ignore[arg-type]


def priced(old: Product, amount: int) -> Product:
    return changed(old, variants=tuple(Variant(each.sku, "", money.Money("EUR", amount)) for each in old.variants))


async def chairs(search: Search, count: int = 5) -> list[Product]:
    """Chairs that cost 1, 2, 3 euros; the newest is found first."""
    made = [chair(number) for number in range(1, count + 1)]
    await search.told(*made)
    return made


def chair(number: int) -> Product:
    # Digits in a SKU may be several words, and long texts count less.
    sku = f"FOUR-LEGS-{string.ascii_uppercase[number]}"
    return product(f"Chair {number}", variants=(Variant(sku, "", money.Money("EUR", number * 100)),))


async def test_a_changed_price_and_stock_are_shown_without_a_search(search: Search, reader: Reader) -> None:
    *_, last = await chairs(search)
    assert [result.price_from.units for result in (await reader.read("chair")).results] == [5, 4, 3]
    for amount in (900, 800):
        last = priced(last, amount)
        await search.told(last, Level(last.skus[0], "east", 1))
        first, *others = (await reader.read("chair")).results
        assert (first.price_from.units, first.version, first.in_stock) == (amount // 100, last.version, True)
        assert first.highlights[0].field == "title"
        assert [result.price_from.units for result in others] == [4, 3]
    assert reader.made == ["chair"]


async def test_another_process_shows_what_changed_since_the_first_one_remembered_it(
    search: Search, another: NewReader
) -> None:
    *_, last = await chairs(search)
    await another().read("chair")
    await search.told(priced(last, 900))
    other = another()
    assert (await other.read("chair")).results[0].price_from.units == 9
    assert other.made == []


async def test_an_old_price_that_is_told_late_is_not_shown_by_what_is_remembered(
    search: Search, reader: Reader
) -> None:
    *_, last = await chairs(search)
    newer = priced(last, 900)
    for told in (newer, last, newer, priced(newer, 700), newer, last):
        await search.told(told)
        assert (await reader.read("chair")).results[0].price_from.units != 5
    assert (await reader.read("chair")).results[0].price_from.units == 7


# What changes, and what a page of three chairs has then.
CHANGES: dict[str, tuple[Callable[[list[Product]], Product | Level], list[str]]] = {
    "a new one is first": (lambda _: chair(6), ["Chair 6", "Chair 5", "Chair 4"]),
    "one is gone": (lambda made: Product(made[4].id, 2, deleted=True), ["Chair 4", "Chair 3", "Chair 2"]),
    "one is no chair any more": (lambda made: changed(made[3], title="Lamp 4"), ["Chair 5", "Chair 3", "Chair 2"]),
    "one that was not on the page is popular": (
        lambda made: dataclasses.replace(made[0], popularity=1000),
        ["Chair 1", "Chair 5", "Chair 4"],
    ),
    "one has another title": (lambda made: changed(made[3], title="Chair four"), ["Chair 5", "Chair four", "Chair 3"]),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_a_page_is_what_a_search_would_find_now(name: str, search: Search, reader: Reader) -> None:
    change, expected = CHANGES[name]
    made = await chairs(search)
    await reader.titles("chair")
    await search.told(change(made))
    assert await reader.titles("chair") == expected == await search.titles("chair", size=3)


async def test_the_next_page_follows_too(search: Search, reader: Reader) -> None:
    made = await chairs(search)
    after = (await reader.read("chair")).next_page_token
    assert await reader.titles("chair", after=after) == ["Chair 2", "Chair 1"]
    await search.told(changed(made[1], title="Stool", category="lamps"))
    assert await reader.titles("chair", after=after) == ["Chair 1"]


async def test_what_is_not_on_the_page_costs_no_search(search: Search, reader: Reader) -> None:
    made = await chairs(search)
    await reader.titles("chair")
    await search.told(priced(made[0], 50), product("Lamp"), product("Old", description="not a chair"))
    assert await reader.titles("chair") == ["Chair 5", "Chair 4", "Chair 3"]
    assert reader.made == ["chair"]


async def test_a_page_by_price_moves_with_the_prices(search: Search, reader: Reader) -> None:
    made = await chairs(search)
    asked = {"sort": Sort.PRICE_ASCENDING}
    assert await reader.titles("chair", **asked) == ["Chair 1", "Chair 2", "Chair 3"]
    dear = priced(made[4], 450)
    await search.told(dear)
    assert await reader.titles("chair", **asked) == ["Chair 1", "Chair 2", "Chair 3"]
    assert len(reader.made) == 1
    await search.told(priced(dear, 150))
    assert await reader.titles("chair", **asked) == ["Chair 1", "Chair 5", "Chair 2"]


async def test_filters_and_facets_of_few_results_are_exact(search: Search, reader: Reader) -> None:
    [only, other] = await chairs(search, 2)
    facets = {"with_facets": True, "size": 20}
    assert (await reader.read("chair", in_stock=True)).total == 0

    async def in_stock() -> dict[str, int]:
        [facet] = [each for each in (await reader.read("chair", **facets)).facets if each.name == "in_stock"]  # type: ignore[arg-type]
        return {value.value: value.count for value in facet.values}

    assert await in_stock() == {"false": 2}
    await search.told(Level(only.skus[0], "east", 1))
    assert await in_stock() == {"false": 1, "true": 1}
    assert await reader.titles("chair", in_stock=True) == ["Chair 1"]
    await search.told(Level(only.skus[0], "east", 0), Level(other.skus[0], "east", 4))
    assert await reader.titles("chair", in_stock=True) == ["Chair 2"]


async def test_a_correction_is_forgotten_when_there_is_what_was_written(search: Search, reader: Reader) -> None:
    await search.told(product("Armchair red"))
    assert await reader.titles("armchaix") == ["Armchair red"]
    await search.told(product("Armchaix"))
    assert await reader.titles("armchaix") == ["Armchaix"]


async def test_synonyms_categories_and_another_index_make_answers_anew(search: Search, reader: Reader) -> None:
    made = await chairs(search)
    assert await reader.titles("seat") == []
    await search.synonyms.put("seat", ["seat", "chair"])
    assert await reader.titles("seat") == ["Chair 5", "Chair 4", "Chair 3"]
    assert len(await reader.titles(categories=("home",))) == 3
    search.shop.shelves = [domain.Category("home", "Home"), domain.Category("chairs", "Chairs")]
    await search.index.learn_categories()
    assert await reader.titles(categories=("home",)) == []
    search.shop.products = made[:1]
    await search.index.rebuild()
    await search.built()
    assert await reader.titles("seat") == ["Chair 1"]


async def test_a_change_that_was_under_way_when_an_answer_was_made_is_seen(search: Search, reader: Reader) -> None:
    made = await chairs(search)
    written, answered = asyncio.Event(), asyncio.Event()

    async def change_slowly() -> None:
        async with search.db.transaction() as transaction:
            await search.index.hear(transaction, [priced(made[4], 900)])
            written.set()
            await answered.wait()

    changing = asyncio.create_task(change_slowly())
    await written.wait()
    # Others change something meanwhile, and are done before.
    await search.told(priced(made[3], 800))
    assert [result.price_from.units for result in (await reader.read("chair")).results] == [5, 8, 3]
    answered.set()
    await changing
    assert [result.price_from.units for result in (await reader.read("chair")).results] == [9, 8, 3]


async def test_after_very_many_changes_it_is_searched_again(
    search: Search, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_checker, "MOST_CHANGES", 3)
    made = await chairs(search)
    for amount, searches in zip((10, 20), (1, 1), strict=True):
        await reader.read("chair")
        await search.told(priced(made[0], amount))
        made[0] = priced(made[0], amount)
        await reader.read("chair")
        assert len(reader.made) == searches
    await search.told(*(product(f"Lamp {number}") for number in range(3)))
    await reader.read("chair")
    assert len(reader.made) == 2


async def test_who_asks_the_same_at_the_same_time_waits_for_one_search(search: Search, reader: Reader) -> None:
    await chairs(search)
    found = await asyncio.gather(*(reader.titles("chair") for _ in range(10)))
    assert (len(reader.made), found) == (1, [found[0]] * 10)


async def test_without_a_proof_an_answer_holds_until_anything_changes(search: Search, reader: Reader) -> None:
    numbers = itertools.count()

    async def make() -> answers.Made:
        return answers.Made(str(next(numbers)).encode())

    [chair] = await chairs(search, 1)
    assert [await reader.answers.read(b"suggest", make) for _ in range(3)] == [b"0"] * 3
    await search.told(chair)
    assert await reader.answers.read(b"suggest", make) == b"0"
    await search.told(priced(chair, 5))
    assert await reader.answers.read(b"suggest", make) == b"1"

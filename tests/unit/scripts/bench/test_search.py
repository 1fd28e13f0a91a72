"""What the scenario of searches sends and counts; the searches themselves on real servers are the bench."""

import itertools
import json
import random
from collections import Counter
from urllib.parse import parse_qs

from scripts.bench import assortment, figures, http1, search, search_load

PARTS = figures.Parts(services=("search",), simulators=("mail",))
OUTCOME = search_load.Outcome(
    started=100.0,
    stopped=160.0,
    searches=1000,
    latencies_ms=[10.0] * 990 + [80.0] * 10,
    statuses={"200": 1200},
    prices_changed=4,
    fresh_ms=[200.0, 300.0, 400.0, 900.0],
    probes=40,
)
WATCHED = search.Watched({"search": 2.0, "postgres": 1.0, "mail": 0.5}, others_s=6.0, made=150.0)
PRODUCT = {
    "id": "p",
    "version": "4",
    "title": "Lamp",
    "description": "",
    "category": "lamps",
    "attributes": {"color": "red"},
    "tax_class": "",
    "variants": [
        {"sku": "L", "title": "", "price": {"currency_code": "USD", "units": "7"}, "earlier_price": {"units": "9"}}
    ],
    "popularity": "3",
}


def test_products_are_the_same_in_every_run_and_each_has_its_own_id_and_sku() -> None:
    first, again = list(assortment.articles(200)), list(assortment.articles(200))
    assert first == again
    assert len({each.id for each in first}) == len({each.sku for each in first}) == 200
    assert [each.id for each in first] == sorted(each.id for each in first)
    assert {each.category for each in first} <= {slug for slug, _ in assortment.shelves()}


def test_a_few_queries_are_asked_for_again_and_again_and_each_in_one_way() -> None:
    asked = Counter(itertools.islice(assortment.queries(1), 5_000))
    [(first, most), *_] = asked.most_common(1)
    assert first == assortment.asked_for()[0]
    assert most > 5_000 / len(assortment.asked_for()) * 20
    texts = [parse_qs(query)["text"][0] for query in assortment.asked_for()]
    assert len(texts) == len(set(texts))
    assert list(itertools.islice(assortment.queries(1), 50)) != list(itertools.islice(assortment.queries(2), 50))


def test_what_was_counted_becomes_figures() -> None:
    told = search.told(search.Stocked(10.0, 200.0), OUTCOME, WATCHED, PARTS)
    assert (told.hits, told.latency_ms.p95, told.latency_ms.most, told.fresh_ms.p50) == (0.85, 10.0, 80.0, 300.0)
    assert (told.cpu_ms_per_search.total, told.cores_used, told.other_cores) == (3.0, 0.06, 0.1)
    assert told.problems == []
    table = search.table(told)
    assert "85.0 % remembered" in table
    assert "CPU ms per search: 3.00, search 2.00, postgres 1.00" in table


def test_a_price_that_nobody_saw_and_refused_requests_are_problems() -> None:
    outcome = search_load.Outcome(
        started=0.0,
        stopped=60.0,
        searches=10,
        statuses={"200": 9, "503": 1},
        unseen=["p in text=lamp"],
        samples=["503 {}"],
    )
    told = search.told(search.Stocked(0, 0), outcome, search.Watched({}, 0, 0), PARTS)
    assert told.problems == [
        "search: no search showed a changed price: p in text=lamp",
        "search: 1 requests were refused and 0 not answered: 503 {}",
    ]


def test_a_changed_product_has_another_price_and_nothing_that_only_the_catalog_says() -> None:
    body = search_load.changed(PRODUCT, random.Random(1))  # noqa: S311 - no secret
    assert set(body) == {"version", "title", "description", "category", "attributes", "tax_class", "variants"}
    [variant] = body["variants"]
    assert set(variant) == {"sku", "title", "price"}
    assert variant["price"]["currency_code"] == "USD"


def test_an_answer_says_which_versions_it_shows() -> None:
    body = {"results": [{"product_id": "a", "version": "3"}, {"product_id": "b", "version": "1"}]}
    assert search_load.versions(http1.Answer(200, json.dumps(body).encode())) == {"a": 3, "b": 1}

"""What OpenSearch is asked: searches, completions and similar words as its query language has them. Pure, without I/O."""

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.chassis import pages
from services.search import domain, words
from services.search.domain import Sort
from services.search.opensearch_engine import index

Json = dict[str, Any]
NOTHING: Json = {"match_none": {}}
# What is shown of a product. Its texts are there for nothing else.
_SHOWN = ["product_id", "version", "title", "category", "vendor_id", "image", "prices", "in_stock", "attributes"]
# So many different values of all attributes together are counted at most.
_MOST_FACETS = 1_000
# What sells counts a little more, as in PostgreSQL.
_POPULAR = [{"weight": 1}, {"field_value_factor": {"field": "popularity", "modifier": "ln1p"}, "weight": 0.05}]
_SIMILAR_PRODUCTS = 20
_SIMILAR_WORDS = 12


def search(query: domain.Query, clauses: Sequence[words.Clause], page: pages.Page) -> Json:
    """The body of a search: the page, how many there are, and facets if they are asked for."""
    selections = _selections(query)
    matching = _matching(clauses) if clauses else {"match_all": {}}
    priced = [{"exists": {"field": f"low.{query.currency}"}}] if query.sort.by_price else []
    body: Json = {
        "query": {"bool": {"must": [matching], "filter": priced}},
        "size": page.size + 1,
        "_source": _SHOWN,
        "track_total_hits": domain.MOST_COUNTED + 1,
        "sort": _order(query, clauses),
    }
    if query.with_facets:
        # What is selected narrows the page down, and every facet but its own.
        body["post_filter"] = _all(selections.values())
        body["aggs"] = _facets(query, selections)
    else:
        body["query"]["bool"]["filter"] += selections.values()
    if clauses:
        body["highlight"] = _highlight(clauses)
    if page.after:
        place = domain.cursor(page.after)
        body["search_after"] = [*_key_in_order(query, clauses, place.key), place.product_id]
    return body


def cursor(query: domain.Query, clauses: Sequence[words.Clause], hit: Json) -> str:
    """The place of a hit, as the cursor of the page behind it."""
    key, product_id = hit["sort"][0], hit["sort"][-1]
    order = _sort(query, clauses)
    if order is Sort.RELEVANCE:
        # A score is a float of 32 bits and not negative: its bits as a number are in the same order.
        key = struct.unpack("<i", struct.pack("<f", key))[0]
    elif order is Sort.PRICE_ASCENDING:
        key = -key
    elif order is Sort.NEWEST:
        key = 0
    return str(domain.Cursor(int(key), product_id))


def _sort(query: domain.Query, clauses: Sequence[words.Clause]) -> Sort:
    return query.sort if clauses or query.sort is not Sort.RELEVANCE else Sort.POPULARITY


def _order(query: domain.Query, clauses: Sequence[words.Clause]) -> list[Json]:
    low = f"low.{query.currency}"
    keys: Mapping[Sort, Json] = {
        Sort.RELEVANCE: {"_score": "desc"},
        Sort.POPULARITY: {"popularity": "desc"},
        Sort.PRICE_ASCENDING: {low: {"order": "asc", "unmapped_type": "long"}},
        Sort.PRICE_DESCENDING: {low: {"order": "desc", "unmapped_type": "long"}},
    }
    # Ids are made of the time: the newest come first, of those that are equal too.
    found = keys.get(_sort(query, clauses))
    return [*([found] if found else []), {"product_id": "desc"}]


def _key_in_order(query: domain.Query, clauses: Sequence[words.Clause], key: int) -> list[float]:
    """The key of a cursor, as the order of the results has it: nothing when ids alone are compared."""
    order = _sort(query, clauses)
    if order is Sort.NEWEST:
        return []
    if order is Sort.RELEVANCE:
        return [struct.unpack("<f", struct.pack("<i", key))[0]]
    return [-key if order is Sort.PRICE_ASCENDING else key]


def _matching(clauses: Sequence[words.Clause]) -> Json:
    """All clauses hold. A clause of words that say nothing holds always, but a text of nothing else finds nothing."""
    saying = [clause for clause in clauses if _says_something(clause)]
    if not saying:
        return NOTHING
    wanted = [_any(clause) for clause in saying if not clause.excluded]
    unwanted = [_any(clause) for clause in saying if clause.excluded]
    matching = {"bool": {"must": wanted or [{"match_all": {}}], "must_not": unwanted}}
    return {"function_score": {"query": matching, "functions": _POPULAR, "score_mode": "sum", "boost_mode": "multiply"}}


def _says_something(clause: words.Clause) -> bool:
    return any(word not in index.STOP_WORDS for option in clause.alternatives for word in option.words)


def _any(clause: words.Clause) -> Json:
    options = [_alternative(option, index.FIELDS) for option in clause.alternatives]
    return options[0] if len(options) == 1 else {"dis_max": {"queries": options}}


def _alternative(option: words.Alternative, fields: Sequence[str]) -> Json:
    """All words occur, each in any of these fields; or next to each other in one of them."""
    if option.phrase:
        return {"multi_match": {"query": " ".join(option.words), "fields": list(fields), "type": "phrase"}}
    each = [_word(word, fields) for word in option.words if word not in index.STOP_WORDS]
    return each[0] if len(each) == 1 else {"bool": {"must": each}} if each else NOTHING


def _word(word: str, fields: Sequence[str]) -> Json:
    return {"multi_match": {"query": word, "fields": list(fields), "tie_breaker": 0.2}}


def _highlight(clauses: Sequence[words.Clause]) -> Json:
    shown = ("title", "description")
    options = [option for clause in clauses if not clause.excluded for option in clause.alternatives]
    whole = {"number_of_fragments": 0}
    part = {"number_of_fragments": 1, "fragment_size": 160}
    return {
        "pre_tags": [words.MATCH_BEGINS],
        "post_tags": [words.MATCH_ENDS],
        "highlight_query": {"bool": {"should": [_alternative(option, shown) for option in options]}},
        "fields": {"title": whole, "description": part},
    }


def _selections(query: domain.Query) -> dict[str, Json]:
    """What is selected, by the facet that it is selected in."""
    filters = query.filters
    chosen: dict[str, Json] = {}
    if filters.categories:
        chosen["category"] = {"terms": {"category": list(filters.categories)}}
    if filters.vendor_ids:
        chosen["vendor"] = {"terms": {"vendor_id": list(filters.vendor_ids)}}
    if filters.in_stock:
        chosen["in_stock"] = {"term": {"in_stock": True}}
    if filters.prices:
        span = {"gte": filters.prices.low, "lte": filters.prices.high}
        chosen["price"] = {"range": {f"amounts.{filters.prices.currency}": span}}
    for name, values in filters.attributes.items():
        facet = f"attributes.{name}"
        chosen[facet] = {"terms": {"facets": [f"{facet}:{value}" for value in values]}}
    return chosen


def _all(conditions: Iterable[Json]) -> Json:
    return {"bool": {"filter": list(conditions)}}


def _facets(query: domain.Query, selections: Mapping[str, Json]) -> Json:
    """Counts by value, of each facet among what all selections but its own leave; what is selected is counted by itself."""
    made: Json = {}
    for name in ("category", "vendor", "in_stock", "price", "attributes"):
        made[name] = _filtered(selections, "" if name == "attributes" else name, _counted(name, query))
    for name in selections:
        if name.startswith("attributes."):
            made[name] = _filtered(selections, name, _values("facets", _MOST_FACETS, include=_beginning(f"{name}:")))
    for name, field in (("category", "category"), ("vendor", "vendor_id")):
        if name in selections:
            [chosen] = selections[name]["terms"].values()
            made[f"selected.{name}"] = _filtered(selections, name, _values(field, len(chosen), include=chosen))
    return made


def _filtered(selections: Mapping[str, Json], own: str, counted: Json) -> Json:
    others = [selection for name, selection in selections.items() if name != own]
    return {"filter": _all(others), "aggs": {"values": counted}}


def _counted(name: str, query: domain.Query) -> Json:
    if name == "price":
        ranges = domain.price_ranges(query.currency)
        spans = [{"key": str(number), "from": span.low, "to": span.high + 1} for number, span in enumerate(ranges)]
        del spans[-1]["to"]
        return {"range": {"field": f"low.{query.currency}", "ranges": spans}}
    fields = {"vendor": "vendor_id", "attributes": "facets"}
    most = _MOST_FACETS if name == "attributes" else domain.MOST_VALUES
    return _values(fields.get(name, name), most)


def _values(field: str, most: int, *, include: Any = None) -> Json:
    return {"terms": {"field": field, "size": most, **({"include": include} if include else {})}}


def _beginning(text: str) -> str:
    """A regular expression of Lucene for what begins with this."""
    return "".join(letter if letter.isalnum() else f"\\{letter}" for letter in text) + ".*"


def counts(answered: Json, query: domain.Query) -> list[domain.Count]:
    """The counts in an answer."""
    chosen = domain.selected(query)
    found: list[domain.Count] = []
    for name, filtered in answered.items():
        facet = name.removeprefix("selected.")
        for bucket in filtered["values"]["buckets"]:
            if bucket["doc_count"]:
                found += _count(facet, bucket, chosen)
    return found


def _count(facet: str, bucket: Json, chosen: Mapping[str, Sequence[str]]) -> list[domain.Count]:
    if facet in ("category", "vendor", "price", "in_stock"):
        value = str(bucket.get("key_as_string", bucket["key"]))
        return [domain.Count(facet, value, bucket["doc_count"])]
    name, _, value = bucket["key"].partition(":")
    # Of an attribute with a selection the counts that leave it out are meant, which come by themselves.
    if facet == "attributes" and name in chosen:
        return []
    return [domain.Count(name, value, bucket["doc_count"])]


def completions(typed: Sequence[str], most: int) -> Json:
    """Products whose title has all of these words, the last one perhaps unfinished: of each title the most popular."""
    *whole, last = typed
    unfinished = {"bool": {"should": [{"prefix": {"heading.words": last}}, {"match": {"heading": last}}]}}
    said = [{"match": {"heading": word}} for word in whole if word not in index.STOP_WORDS]
    return {
        "query": {"bool": {"filter": [*said, unfinished]}},
        "size": most,
        "_source": ["product_id", "title", "category"],
        "collapse": {"field": "heading.raw"},
        "sort": [{"popularity": "desc"}, {"title_length": "asc"}, {"product_id": "desc"}],
    }


def known(word: str) -> Json:
    """Whether any product has a word."""
    plain = [field.partition("^")[0] for field in index.FIELDS]
    query = {"multi_match": {"query": word, "fields": plain}}
    return {"query": query, "size": 0, "terminate_after": 1, "track_total_hits": 1}


def similar(word: str) -> Json:
    """Words that are like this one: those with up to two errors, and products with words that share trigrams."""
    suggest = {
        "field": "words",
        "suggest_mode": "always",
        "size": _SIMILAR_WORDS,
        "prefix_length": 0,
        "min_word_length": 3,
    }
    trigrams = {"query": word, "minimum_should_match": "30%"}
    return {
        "query": {"match": {"words.trigrams": trigrams}},
        "size": _SIMILAR_PRODUCTS,
        "_source": ["heading", "details"],
        "suggest": {"similar": {"text": word, "term": suggest}},
    }

"""Search's values and messages of the contract: `of_result` renders a result, `query` parses a search."""

from collections.abc import Mapping

from google.type import money_pb2

from services.chassis import ids, money
from services.chassis.rpc import render
from services.search import domain, words
from services.search.domain import Sort
from souk.catalog.v1 import catalog_events_pb2, product_pb2
from souk.inventory.v1 import inventory_events_pb2, stock_pb2
from souk.search.v1 import search_result_pb2, search_service_pb2

_REQUEST = search_service_pb2.SearchRequest
_SORTS = {
    _REQUEST.SORT_UNSPECIFIED: Sort.RELEVANCE,
    _REQUEST.RELEVANCE: Sort.RELEVANCE,
    _REQUEST.PRICE_ASCENDING: Sort.PRICE_ASCENDING,
    _REQUEST.PRICE_DESCENDING: Sort.PRICE_DESCENDING,
    _REQUEST.NEWEST: Sort.NEWEST,
    _REQUEST.POPULARITY: Sort.POPULARITY,
}


def changed(message: catalog_events_pb2.ProductChanged) -> domain.Product:
    return product(message.product)


def product(message: product_pb2.Product) -> domain.Product:
    return domain.Product(
        id=ids.canonical(message.id),
        version=message.version,
        title=message.title,
        description=message.description,
        category=message.category,
        vendor_id=ids.canonical(message.vendor_id) if message.vendor_id else "",
        variants=tuple(
            domain.Variant(variant.sku, variant.title, render.money_value(variant.price), _earlier(variant))
            for variant in message.variants
        ),
        attributes=dict(message.attributes),
        image=message.images[0] if message.images else "",
        popularity=message.popularity,
    )


def _earlier(variant: product_pb2.Variant) -> money.Money | None:
    return render.money_value(variant.earlier_price) if variant.HasField("earlier_price") else None


def deleted(message: catalog_events_pb2.ProductDeleted) -> domain.Product:
    return domain.Product(ids.canonical(message.product_id), message.version, deleted=True)


def level_changed(message: inventory_events_pb2.StockLevelChanged) -> domain.Level:
    return level(message.level)


def level(message: stock_pb2.StockLevel) -> domain.Level:
    return domain.Level(message.sku, message.warehouse, message.available)


def query(request: search_service_pb2.SearchRequest, usual_currency: str) -> domain.Query:
    low = render.money_sent("min_price", request.min_price) if request.HasField("min_price") else None
    high = render.money_sent("max_price", request.max_price) if request.HasField("max_price") else None
    prices = domain.prices(low, high)
    filters = domain.Filters(
        categories=tuple(sorted(set(request.categories))),
        vendor_ids=tuple(sorted({vendor_id.lower() for vendor_id in request.vendor_ids})),
        prices=prices,
        attributes=domain.attributes(request.attributes),
        in_stock=request.in_stock,
    )
    wanted = domain.currency(request.currency, prices, usual_currency)
    return domain.Query(request.text, filters, _SORTS[request.sort], wanted, request.with_facets)


def of_found(found: domain.Found) -> search_service_pb2.SearchResponse:
    return search_service_pb2.SearchResponse(
        results=[of_result(hit) for hit in found.hits],
        total=min(found.total, domain.MOST_COUNTED),
        total_is_lower_bound=found.total > domain.MOST_COUNTED,
        facets=[of_facet(facet) for facet in found.facets],
        searched_for=found.searched_for,
        did_you_mean=found.did_you_mean,
    )


def with_results(answer: bytes, news: Mapping[str, domain.Hit]) -> bytes:
    """A response as bytes with these results, by product, in place of those that it has of the same products."""
    response = search_service_pb2.SearchResponse.FromString(answer)
    for result in response.results:
        if result.product_id in news:
            result.CopyFrom(of_result(news[result.product_id]))
    return response.SerializeToString(deterministic=True)


def of_result(hit: domain.Hit) -> search_result_pb2.SearchResult:
    return search_result_pb2.SearchResult(
        product_id=hit.product_id,
        title=hit.title,
        category=hit.category,
        vendor_id=hit.vendor_id,
        image=hit.image,
        price_from=render.money_message(hit.price_from),
        price_to=render.money_message(hit.price_to),
        in_stock=hit.in_stock,
        attributes=hit.attributes,
        highlights=[of_excerpt(excerpt) for excerpt in hit.excerpts],
        version=hit.version,
        earlier_price=_price(hit.earlier),
    )


def of_excerpt(excerpt: domain.Excerpt) -> search_result_pb2.Highlight:
    parts = words.fragments(excerpt.marked)
    shown = [search_result_pb2.Fragment(text=part.text, matched=part.matched) for part in parts]
    return search_result_pb2.Highlight(field=excerpt.name, fragments=shown)


def of_facet(facet: domain.Facet) -> search_result_pb2.Facet:
    return search_result_pb2.Facet(name=facet.name, values=[of_facet_value(value) for value in facet.values])


def of_facet_value(value: domain.FacetValue) -> search_result_pb2.FacetValue:
    return search_result_pb2.FacetValue(
        value=value.value,
        count=value.results,
        selected=value.selected,
        min_price=_price(value.low),
        max_price=_price(value.high),
    )


def _price(value: money.Money | None) -> money_pb2.Money | None:
    return render.money_message(value) if value else None


def of_suggestion(suggestion: domain.Suggestion) -> search_result_pb2.Suggestion:
    kinds = search_result_pb2.Suggestion
    return search_result_pb2.Suggestion(
        text=suggestion.text,
        kind=kinds.PRODUCT if suggestion.product_id else kinds.CATEGORY,
        product_id=suggestion.product_id,
        category=suggestion.category,
    )


def of_synonyms(kept: domain.SynonymSet) -> search_result_pb2.Synonyms:
    moment = render.timestamp(kept.update_time)
    return search_result_pb2.Synonyms(id=kept.id, terms=kept.terms, update_time=moment)


def of_index(index: domain.IndexState) -> search_result_pb2.Index:
    states = search_result_pb2.Index
    return search_result_pb2.Index(
        version=index.version,
        products=index.products,
        state=states.BUILDING if index.building else states.READY,
        products_read=index.products_read,
        since=render.timestamp(index.since),
    )

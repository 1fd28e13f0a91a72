"""How documents lie in OpenSearch: the template of indexes, and a document of the record as one of them. Pure, without I/O.

Texts that are searched come folded, as in PostgreSQL, so that both engines split them in the same places. What is shown lies
beside them as it is, and is analysed only to mark what matched.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from services.search import pushes, words
from services.search.settings import OpenSearchSettings

# Those of PostgreSQL's `english` configuration: words that say nothing.
_STOP_WORDS = """
i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she her hers herself it its
itself they them their theirs themselves what which who whom this that these those am is are was were be been being have
has had having do does did doing a an the and but if or because as until while of at by for with about against between
into through during before after above below to from up down in out on off over under again further then once here there
when where why how all any both each few more most other some such no nor not only own same so than too very s t can will
just don should now
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
# What is searched, with weights. A title counts most, then attributes and category, then numbers and the description.
FIELDS = ("heading^20", "details^8", "numbers^2", "prose^1")
# A stalled process may bring a document this much later than its deletion, and does not bring it back.
_DELETIONS_KEPT = "1h"
_TEXT = {"type": "text", "analyzer": "souk"}
_KEYWORD = {"type": "keyword"}
_LONG = {"type": "long"}
_ANALYSIS = {
    "filter": {
        "said_nothing": {"type": "stop", "stopwords": sorted(STOP_WORDS)},
        "english_stem": {"type": "stemmer", "language": "porter2"},
        "trigrams": {"type": "ngram", "min_gram": 3, "max_gram": 3},
    },
    "tokenizer": {"letters_and_digits": {"type": "pattern", "pattern": r"[^\p{L}\p{N}]+"}},
    "analyzer": {
        "souk": {"type": "custom", "tokenizer": "whitespace", "filter": ["said_nothing", "english_stem"]},
        "souk_trigrams": {"type": "custom", "tokenizer": "whitespace", "filter": ["trigrams"]},
        "souk_shown": {
            "type": "custom",
            "tokenizer": "letters_and_digits",
            "filter": ["lowercase", "asciifolding", "said_nothing", "english_stem"],
        },
    },
}
_HEADING = _TEXT | {
    "copy_to": "words",
    "fields": {"raw": _KEYWORD, "words": {"type": "text", "analyzer": "whitespace"}},
}
_WORDS = {
    "type": "text",
    "analyzer": "whitespace",
    "fields": {"trigrams": {"type": "text", "analyzer": "souk_trigrams", "norms": False}},
}
_SHOWN = {"type": "text", "analyzer": "souk_shown", "index_options": "offsets", "norms": False}
_NOT_SEARCHED = {"type": "object", "enabled": False}
_MAPPINGS: Mapping[str, Any] = {
    "dynamic": False,
    # Amounts by currency: a field each.
    "dynamic_templates": [
        {"amounts": {"path_match": "amounts.*", "mapping": _LONG}},
        {"low": {"path_match": "low.*", "mapping": _LONG}},
    ],
    "properties": {
        "product_id": _KEYWORD,
        "version": {"type": "long", "index": False},
        "heading": _HEADING,
        "title_length": {"type": "integer"},
        "details": _TEXT | {"copy_to": "words"},
        "numbers": _TEXT,
        "prose": _TEXT,
        "words": _WORDS,
        "title": _SHOWN,
        "description": _SHOWN,
        "category": _KEYWORD,
        "vendor_id": _KEYWORD,
        "facets": _KEYWORD,
        "in_stock": {"type": "boolean"},
        "popularity": _LONG,
        "amounts": {"type": "object", "dynamic": True},
        "low": {"type": "object", "dynamic": True},
        "image": {"type": "keyword", "index": False, "doc_values": False},
        "prices": _NOT_SEARCHED,
        "attributes": _NOT_SEARCHED,
    },
}


def template(settings: OpenSearchSettings) -> dict[str, Any]:
    """The template of all indexes: shards, replicas, analysis, fields."""
    index = {
        "number_of_shards": settings.shards,
        "number_of_replicas": settings.replicas,
        "refresh_interval": f"{settings.refresh_ms}ms",
        "gc_deletes": _DELETIONS_KEPT,
    }
    made = {"settings": {"index": index, "analysis": _ANALYSIS}, "mappings": _MAPPINGS}
    return {"index_patterns": [f"{settings.index}-v*"], "priority": 100, "template": made}


def name(settings: OpenSearchSettings, mirror: str) -> str:
    """The index of a mirror."""
    return f"{settings.index}-v{mirror}"


def writing(settings: OpenSearchSettings, mirror: str) -> str:
    """The alias that is written to: it is made with the index, so that nothing is ever written to one made by mistake."""
    return f"{settings.index}-w{mirror}"


def bulk(settings: OpenSearchSettings, documents: Sequence[pushes.Document]) -> list[dict[str, Any]]:
    """Actions that bring an index to these documents. What it has in a later revision it keeps."""
    lines: list[dict[str, Any]] = []
    for document in documents:
        place = {
            "_index": writing(settings, document.mirror),
            "_id": document.product_id,
            "version": document.revision,
            "version_type": "external_gte",
            "require_alias": True,
        }
        if document.deleted:
            lines.append({"delete": place})
        else:
            lines += [{"index": place}, source(document)]
    return lines


def source(document: pushes.Document) -> dict[str, Any]:
    """A document of the record as it lies in OpenSearch."""
    prices = list(
        zip(document.currencies, document.amounts, document.earlier or [0] * len(document.amounts), strict=True)
    )
    amounts: dict[str, list[int]] = {}
    for currency, amount, _ in prices:
        amounts.setdefault(currency, []).append(amount)
    return {
        "product_id": document.product_id,
        "version": document.version,
        "title": document.title,
        "title_length": len(document.title),
        "heading": document.title_words,
        "details": document.details,
        "numbers": _folded(*document.skus),
        "prose": _folded(document.description),
        "description": document.description,
        "category": document.category,
        **({"vendor_id": document.vendor_id} if document.vendor_id else {}),
        "image": document.image,
        "attributes": document.attributes,
        "facets": document.facets,
        "amounts": amounts,
        "low": {currency: min(found) for currency, found in amounts.items()},
        "prices": {"all": [list(price) for price in prices]},
        "in_stock": document.in_stock,
        "popularity": document.popularity,
    }


def _folded(*texts: str) -> str:
    return " ".join(words.words_of(" ".join(texts)))

"""What search refuses."""

from tests.contract.refused import INVALID, MALFORMED, UNKNOWN_WORD, row

FIND = "GET /api/v1/products/search"
SUGGEST = "GET /api/v1/products/suggest"
SYNONYMS = "PUT /api/v1/search/synonyms/sofas"
REBUILD = "POST /api/v1/search/index/rebuild"
ROWS = [
    row("a search below an unknown shelf", FIND, {"params": {"categories": "none"}}, 404, "CATEGORY_NOT_FOUND"),
    row("a search by an unknown word", FIND, UNKNOWN_WORD, *MALFORMED),
    row("a search in an unknown order", FIND, {"params": {"sort": "MAGIC"}}, *MALFORMED),
    row(
        "a search of nonsense", FIND, {"params": {"text": "a\nb", "vendor_ids": "x"}}, *INVALID, "text", "vendor_ids[0]"
    ),
    row("a search by half an attribute", FIND, {"params": {"attributes": "color"}}, *INVALID, "attributes[0]"),
    row("a search in no currency", FIND, {"params": {"currency": "ABC"}}, 400, "MONEY_INVALID"),
    row(
        "a search between prices of two currencies",
        FIND,
        {"params": {"min_price.currency_code": "EUR", "max_price.currency_code": "USD"}},
        400,
        "PRICE_RANGE_INVALID",
        "max_price",
    ),
    row("a search behind nonsense", FIND, {"params": {"page_token": "x"}}, 400, "PAGE_TOKEN_INVALID", "page_token"),
    row("nothing to complete", SUGGEST, {}, *INVALID, "text"),
    row("fewer than no completions", SUGGEST, {"params": {"text": "a", "limit": -1}}, *INVALID, "limit"),
    row("synonyms for a vendor", "GET /api/v1/search/synonyms", {}, 403, "ACCESS_DENIED", who="vendor"),
    row(
        "synonyms behind nonsense",
        "GET /api/v1/search/synonyms",
        {"params": {"page_token": "x"}},
        400,
        "PAGE_TOKEN_INVALID",
        "page_token",
        who="admin",
    ),
    row("synonyms by a customer", SYNONYMS, {"json": {"terms": ["a", "b"]}}, 403, "ACCESS_DENIED"),
    row("one synonym", SYNONYMS, {"json": {"terms": ["sofa"]}}, *INVALID, "terms", who="admin"),
    row(
        "the same synonym twice",
        SYNONYMS,
        {"json": {"terms": ["a", "A"]}},
        400,
        "SYNONYMS_INVALID",
        "terms",
        who="admin",
    ),
    row("synonyms taken by a customer", "DELETE /api/v1/search/synonyms/sofas", {}, 403, "ACCESS_DENIED"),
    row("odd synonyms taken away", "DELETE /api/v1/search/synonyms/So_fas", {}, *INVALID, "id", who="admin"),
    row("the index for a customer", "GET /api/v1/search/index", {}, 403, "ACCESS_DENIED"),
    row("the index by an unknown word", "GET /api/v1/search/index", UNKNOWN_WORD, *MALFORMED, who="admin"),
    row("a rebuild by nobody", REBUILD, {"json": {}}, 401, "TOKEN_MISSING", who="nobody"),
    row("a rebuild by a vendor", REBUILD, {"json": {}}, 403, "ACCESS_DENIED", who="vendor"),
    row("half a rebuild", REBUILD, {"content": "{"}, *MALFORMED, who="admin"),
    row("all products for services", "POST /souk.catalog.v1.CatalogService/ReadProducts", {}, 404, "ROUTE_NOT_FOUND"),
]

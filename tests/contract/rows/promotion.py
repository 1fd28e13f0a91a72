"""What promotions refuse."""

from tests.contract.refused import INVALID, row

SALE = {"title": "Sale", "percentage": {"basis_points": 1000}}
SALES = "POST /api/v1/promotions"
A_SALE = "PUT /api/v1/promotions/{unknown}"
CODES = "POST /api/v1/promotions/{unknown}/codes"
PRICES, LISTED = "POST /api/v1/promotional-prices", "GET /api/v1/promotional-prices"
A_PRICE = "GET /api/v1/promotional-prices/{unknown}"
ENDED = "PUT /api/v1/promotional-prices/{unknown}/end"
BELOW = {"currency_code": "USD", "units": -1}
REDUCED = {
    "product_id": "01900000-0000-7000-8000-00000000dead",
    "price": {"currency_code": "USD", "units": 1},
    "title": "Sale",
}
QUOTE = "POST /api/v1/promotions/quote"


def _sale(**changes: object) -> dict[str, object]:
    return {"json": {"terms": SALE | changes}}


ROWS = [
    row("a promotion by a vendor", SALES, _sale(), 403, "ACCESS_DENIED", who="vendor"),
    row("a promotion of nothing", SALES, {"json": {"terms": {}}}, *INVALID, "terms.title", "terms.kind", who="admin"),
    row(
        "more off than the price",
        SALES,
        _sale(percentage={"basis_points": 10001}),
        *INVALID,
        "terms.percentage.basis_points",
        who="admin",
    ),
    row(
        "a minimum of less than nothing",
        SALES,
        _sale(minimum_spend={"currency_code": "USD", "units": -1}),
        400,
        "AMOUNT_INVALID",
        "terms.minimum_spend",
        who="admin",
    ),
    row(
        "a day that does not exist",
        SALES,
        _sale(start_local="2026-02-30T00:00"),
        400,
        "WINDOW_INVALID",
        "terms.start_local",
        who="admin",
    ),
    row(
        "a time zone of nowhere",
        SALES,
        _sale(time_zone="Mars/Olympus"),
        400,
        "TIME_ZONE_UNKNOWN",
        "terms.time_zone",
        who="admin",
    ),
    row("promotions for a customer", "GET /api/v1/promotions", {}, 403, "ACCESS_DENIED"),
    row(
        "promotions behind nonsense",
        "GET /api/v1/promotions",
        {"params": {"page_token": "x"}},
        400,
        "PAGE_TOKEN_INVALID",
        "page_token",
        who="admin",
    ),
    row("a promotion of none", "GET /api/v1/promotions/none", {}, *INVALID, "id", who="admin"),
    row("an unknown promotion", "GET /api/v1/promotions/{unknown}", {}, 404, "PROMOTION_NOT_FOUND", who="admin"),
    row("a change without a version", A_SALE, _sale(), *INVALID, "expected_version", who="admin"),
    row(
        "a change of an unknown promotion",
        A_SALE,
        {"json": {"expected_version": 1, "terms": SALE}},
        404,
        "PROMOTION_NOT_FOUND",
        who="admin",
    ),
    row("an end by a customer", f"{A_SALE}/end", {"json": {}}, 403, "ACCESS_DENIED"),
    row("an end of the unknown", f"{A_SALE}/end", {"json": {}}, 404, "PROMOTION_NOT_FOUND", who="admin"),
    row("no codes at all", CODES, {"json": {}}, *INVALID, "what", who="admin"),
    row("too many codes", CODES, {"json": {"count": 100001}}, *INVALID, "count", who="admin"),
    row("codes of the unknown", CODES, {"json": {"count": 1}}, 404, "PROMOTION_NOT_FOUND", who="admin"),
    row("codes for a customer", "GET /api/v1/promotions/{unknown}/codes", {}, 403, "ACCESS_DENIED"),
    row("a quote of nothing", QUOTE, {"json": {}}, *INVALID, "items", who="nobody"),
    row(
        "a quote of the unknown",
        QUOTE,
        {"json": {"items": [{"sku": "NO-SUCH-SKU", "quantity": 1}]}},
        400,
        "SKU_UNKNOWN",
        who="nobody",
    ),
    row("a promotional price by a vendor", PRICES, {"json": REDUCED}, 403, "ACCESS_DENIED", who="vendor"),
    row("a price of nothing", PRICES, {"json": {"title": "Sale"}}, *INVALID, "of", "price", who="admin"),
    row(
        "a price below nothing",
        PRICES,
        {"json": REDUCED | {"price": BELOW}},
        400,
        "AMOUNT_INVALID",
        "price",
        who="admin",
    ),
    row("a price of the unknown", PRICES, {"json": REDUCED}, 404, "PRODUCT_NOT_FOUND", who="admin"),
    row("an unknown price", f"{A_PRICE}", {}, 404, "PROMOTIONAL_PRICE_NOT_FOUND", who="admin"),
    row("prices of no product", f"{LISTED}", {"params": {"product_id": "x"}}, *INVALID, "product_id", who="admin"),
    row(
        "prices behind nonsense",
        f"{LISTED}",
        {"params": {"page_token": "x"}},
        400,
        "PAGE_TOKEN_INVALID",
        "page_token",
        who="admin",
    ),
    row("an end of a price by a customer", ENDED, {"json": {}}, 403, "ACCESS_DENIED"),
    row("an end of an unknown price", ENDED, {"json": {}}, 404, "PROMOTIONAL_PRICE_NOT_FOUND", who="admin"),
    row("what order asks", "POST /souk.promotion.v1.PromotionService/HasAutomatic", {}, 404, "ROUTE_NOT_FOUND"),
    row("quotes for services", "POST /souk.promotion.v1.PromotionService/BatchQuoteOrders", {}, 404, "ROUTE_NOT_FOUND"),
]

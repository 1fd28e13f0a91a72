"""What inventory refuses."""

from typing import Any

from tests.contract.refused import INVALID, MALFORMED, UNKNOWN_WORD, row

ADJUST = "POST /api/v1/inventory/TEST-SKU/adjust"
THRESHOLD = "PUT /api/v1/inventory/TEST-SKU/threshold"
WAREHOUSES = ("/api/v1/inventory/warehouses", "/api/v1/warehouses")
COUNTS = "/api/v1/inventory/counts"
TRANSFERS, RESTOCKS = "/api/v1/inventory/transfers", "/api/v1/inventory/restocks"
MOVED = "GET /api/v1/inventory/TEST-SKU/movements"
FORECAST = "GET /api/v1/inventory/{sku}/forecast"
AUDIT = "POST /api/v1/inventory/{sku}/audit"
LINE = {"sku": "NO-SUCH-SKU", "quantity": 1}


def _sent(**changes: object) -> dict[str, object]:
    return {"json": {"from_warehouse": "east", "to_warehouse": "west", "lines": [LINE]} | changes}


def _ordered(**changes: object) -> dict[str, object]:
    return {"json": {"supplier": "Potters", "warehouse": "east", "lines": [LINE]} | changes}


def _counted(*lines: object, **changes: object) -> dict[str, object]:
    return {"json": {"warehouse": "east", "lines": lines} | changes}


def _of_warehouses(path: str) -> list[Any]:
    """What both addresses of the warehouses refuse."""
    point = {"title": "Far", "location": {"latitude": 91, "longitude": -181}}
    wrong = ("location.latitude", "location.longitude")
    return [
        row(f"{path} for a customer", f"GET {path}", {}, 403, "ACCESS_DENIED"),
        row(f"{path} by an unknown word", f"GET {path}", UNKNOWN_WORD, *MALFORMED, who="admin"),
        row(f"{path} of a vendor", f"PUT {path}/far", {"json": {"title": "Far"}}, 403, "ACCESS_DENIED", who="vendor"),
        row(f"{path} without a name", f"PUT {path}/far", {"json": {}}, *INVALID, "title", who="admin"),
        row(
            f"{path} with an odd id",
            f"PUT {path}/Far_Away",
            {"json": {"title": ""}},
            *INVALID,
            "id",
            "title",
            who="admin",
        ),
        row(f"{path} off the globe", f"PUT {path}/far", {"json": point}, *INVALID, *wrong, who="admin"),
        row(
            f"{path} in no country",
            f"PUT {path}/far",
            {"json": {"title": "Far", "country": "UK"}},
            *INVALID,
            "country",
            who="admin",
        ),
    ]


def _of_supplies(path: str, unknown: str) -> list[Any]:
    """What transfers and restock orders refuse alike."""
    one, nonsense = f"{path}/{{unknown}}", {"params": {"page_token": "x"}}
    return [
        row(f"{path} by a vendor", f"POST {path}", {"json": {}}, 403, "ACCESS_DENIED", who="vendor"),
        row(f"{path} for a customer", f"GET {path}", {}, 403, "ACCESS_DENIED"),
        row(f"{path} behind nonsense", f"GET {path}", nonsense, 400, "PAGE_TOKEN_INVALID", "page_token", who="admin"),
        row(f"none of {path}", f"GET {path}/none", {}, *INVALID, "id", who="admin"),
        row(f"an unknown one of {path}", f"GET {one}", {}, 404, unknown, who="admin"),
        row(f"a delivery of {path} by a customer", f"POST {one}/receive", {"json": {}}, 403, "ACCESS_DENIED"),
        row(f"a delivery of the unknown {path}", f"POST {one}/receive", {"json": {}}, 404, unknown, who="admin"),
        row(f"an end of {path} by a customer", f"PUT {one}/end", {"json": {}}, 403, "ACCESS_DENIED"),
        row(f"an end of the unknown {path}", f"PUT {one}/end", {"json": {}}, 404, unknown, who="admin"),
    ]


ROWS = [
    row("a correction by a vendor", ADJUST, {"json": {}}, 403, "ACCESS_DENIED", who="vendor"),
    row("a correction of nothing", ADJUST, {"json": {}}, *INVALID, "warehouse", "delta", "reason", who="admin"),
    row(
        "a correction nowhere",
        ADJUST,
        {"json": {"warehouse": "north", "delta": 1, "reason": "found"}},
        400,
        "WAREHOUSE_UNKNOWN",
        who="admin",
    ),
    row("half a piece counted", ADJUST, {"json": {"delta": 0.5}}, *MALFORMED, who="admin"),
    row("a threshold by a customer", THRESHOLD, {"json": {"threshold": 1}}, 403, "ACCESS_DENIED"),
    row("a threshold below nothing", THRESHOLD, {"json": {"threshold": -1}}, *INVALID, "threshold", who="admin"),
    row("a history for a vendor", MOVED, {}, 403, "ACCESS_DENIED", who="vendor"),
    row("a history by an unknown word", MOVED, UNKNOWN_WORD, *MALFORMED, who="admin"),
    row("a history of nothing", "GET /api/v1/inventory/none/movements", {}, *INVALID, "sku", who="admin"),
    row(
        "a history behind nonsense",
        MOVED,
        {"params": {"page_token": "x"}},
        400,
        "PAGE_TOKEN_INVALID",
        "page_token",
        who="admin",
    ),
    row("an audit by a customer", AUDIT.format(sku="TEST-SKU"), {"json": {}}, 403, "ACCESS_DENIED"),
    row("an audit of nothing", AUDIT.format(sku="none"), {"json": {}}, *INVALID, "sku", who="admin"),
    row("an audit of the unknown", AUDIT.format(sku="NO-SUCH-SKU"), {"json": {}}, 404, "SKU_NOT_FOUND", who="admin"),
    row("half an audit", AUDIT.format(sku="NO-SUCH-SKU"), {"json": {"repair": 2}}, *MALFORMED, who="admin"),
    *_of_warehouses(WAREHOUSES[0]),
    *_of_warehouses(WAREHOUSES[1]),
    *_of_supplies(TRANSFERS, "TRANSFER_NOT_FOUND"),
    *_of_supplies(RESTOCKS, "RESTOCK_ORDER_NOT_FOUND"),
    row(
        "a transfer of nothing",
        f"POST {TRANSFERS}",
        {"json": {}},
        *INVALID,
        "from_warehouse",
        "to_warehouse",
        "lines",
        who="admin",
    ),
    row(
        "a transfer to itself",
        f"POST {TRANSFERS}",
        _sent(to_warehouse="east"),
        400,
        "WAREHOUSE_SAME",
        "to_warehouse",
        who="admin",
    ),
    row("a transfer of what is not there", f"POST {TRANSFERS}", _sent(), 400, "STOCK_BELOW_RESERVED", who="admin"),
    row(
        "a transfer to nowhere", f"POST {TRANSFERS}", _sent(to_warehouse="north"), 400, "WAREHOUSE_UNKNOWN", who="admin"
    ),
    row(
        "a transfer of the same twice",
        f"POST {TRANSFERS}",
        _sent(lines=[LINE, LINE]),
        400,
        "SKU_DUPLICATE",
        "lines[1].sku",
        who="admin",
    ),
    row(
        "a transfer of less than one",
        f"POST {TRANSFERS}",
        _sent(lines=[LINE | {"quantity": 0}]),
        *INVALID,
        "lines[0].quantity",
        who="admin",
    ),
    row(
        "an order at nobody", f"POST {RESTOCKS}", {"json": {}}, *INVALID, "supplier", "warehouse", "lines", who="admin"
    ),
    row(
        "an order for long ago",
        f"POST {RESTOCKS}",
        _ordered(expected_time="1066-10-14T09:00:00Z"),
        *INVALID,
        "expected_time",
        who="admin",
    ),
    row("an order to nowhere", f"POST {RESTOCKS}", _ordered(warehouse="north"), 400, "WAREHOUSE_UNKNOWN", who="admin"),
    row(
        "a date of the unknown",
        f"PUT {RESTOCKS}/{{unknown}}/expect",
        {"json": {}},
        404,
        "RESTOCK_ORDER_NOT_FOUND",
        who="admin",
    ),
    row("a count by a vendor", f"POST {COUNTS}", {"json": {}}, 403, "ACCESS_DENIED", who="vendor"),
    row("a count of nothing", f"POST {COUNTS}", {"json": {}}, *INVALID, "warehouse", "lines", who="admin"),
    row(
        "a count of less than none",
        f"POST {COUNTS}",
        _counted({"sku": "TEST-SKU", "counted": -1}),
        *INVALID,
        "lines[0].counted",
        who="admin",
    ),
    row(
        "a count of the same twice",
        f"POST {COUNTS}",
        _counted({"sku": "TEST-SKU"}, {"sku": "TEST-SKU"}),
        400,
        "SKU_DUPLICATE",
        "lines[1].sku",
        who="admin",
    ),
    row(
        "a count of tomorrow",
        f"POST {COUNTS}",
        _counted({"sku": "TEST-SKU"}, count_time="2099-01-01T00:00:00Z"),
        *INVALID,
        "count_time",
        who="admin",
    ),
    row(
        "a count nowhere",
        f"POST {COUNTS}",
        _counted({"sku": "TEST-SKU"}, warehouse="north"),
        400,
        "WAREHOUSE_UNKNOWN",
        who="admin",
    ),
    row("none of the counts", f"GET {COUNTS}/none", {}, *INVALID, "id", who="admin"),
    row("an unknown count", f"GET {COUNTS}/{{unknown}}", {}, 404, "COUNT_NOT_FOUND", who="admin"),
    row("counts for a customer", f"GET {COUNTS}", {}, 403, "ACCESS_DENIED"),
    row(
        "counts behind nonsense",
        f"GET {COUNTS}",
        {"params": {"page_token": "x"}},
        400,
        "PAGE_TOKEN_INVALID",
        "page_token",
        who="admin",
    ),
    row("a forecast for a vendor", FORECAST.format(sku="TEST-SKU"), {}, 403, "ACCESS_DENIED", who="vendor"),
    row("a forecast of nothing", FORECAST.format(sku="none"), {}, *INVALID, "sku", who="admin"),
    row("a forecast of the unknown", FORECAST.format(sku="NO-SUCH-SKU"), {}, 404, "SKU_NOT_FOUND", who="admin"),
    row(
        "a forecast of years",
        FORECAST.format(sku="TEST-SKU"),
        {"params": {"lead_days": 91, "cover_days": 91}},
        *INVALID,
        "lead_days",
        "cover_days",
        who="admin",
    ),
]

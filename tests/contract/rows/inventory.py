"""What inventory refuses."""

from tests.contract.refused import INVALID, MALFORMED, UNKNOWN_WORD, row

ADJUST = "POST /api/v1/inventory/TEST-SKU/adjust"
THRESHOLD = "PUT /api/v1/inventory/TEST-SKU/threshold"
WAREHOUSE = "PUT /api/v1/warehouses/far"
MOVED = "GET /api/v1/inventory/TEST-SKU/movements"
AUDIT = "POST /api/v1/inventory/{sku}/audit"
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
    row("warehouses for a customer", "GET /api/v1/warehouses", {}, 403, "ACCESS_DENIED"),
    row("warehouses by an unknown word", "GET /api/v1/warehouses", UNKNOWN_WORD, *MALFORMED, who="admin"),
    row("a warehouse by a vendor", WAREHOUSE, {"json": {"title": "Far"}}, 403, "ACCESS_DENIED", who="vendor"),
    row("a warehouse without a name", WAREHOUSE, {"json": {}}, *INVALID, "title", who="admin"),
    row(
        "an odd warehouse",
        "PUT /api/v1/warehouses/Far_Away",
        {"json": {"title": ""}},
        *INVALID,
        "id",
        "title",
        who="admin",
    ),
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
]

"""What imports and exports of products refuse as a whole. What they refuse row by row is in the report of an import."""

from tests.contract.refused import INVALID, MALFORMED, UNKNOWN_WORD, row

IMPORT = "POST /api/v1/products/import"
EXPORT = "GET /api/v1/products/export"
NOT_TAKEN = (400, "FILE_INVALID")
CSV = {"content-type": "text/csv"}
ROWS = [
    row("a file by nobody", IMPORT, {"content": "sku\n"}, 401, "TOKEN_MISSING", who="nobody"),
    row("a file by a customer", IMPORT, {"content": "sku\n"}, 403, "ACCESS_DENIED"),
    row("a file of no format", IMPORT, {"content": "sku\n"}, *NOT_TAKEN, "file", who="vendor"),
    row(
        "a file of an unknown format",
        IMPORT,
        {"content": "sku\n", "params": {"format": "XLS"}},
        *MALFORMED,
        who="admin",
    ),
    row("a file and an unknown word", IMPORT, {"content": "sku\n", **UNKNOWN_WORD}, *MALFORMED, who="vendor"),
    row(
        "a file in another encoding", IMPORT, {"content": b"sku\n\xff", "headers": CSV}, *NOT_TAKEN, "file", who="admin"
    ),
    row("an empty table", IMPORT, {"content": "", "headers": CSV}, *NOT_TAKEN, "file", who="vendor"),
    row(
        "a table of other columns",
        IMPORT,
        {"content": "name,title,title\n", "headers": CSV},
        *NOT_TAKEN,
        "name",
        "title",
        "sku",
        who="admin",
    ),
    row(
        "a key that is no token",
        IMPORT,
        {"content": "sku\n", "headers": CSV | {"idempotency-key": "x" * 129}},
        *INVALID,
        "request_id",
        who="vendor",
    ),
    row("an export by a customer", EXPORT, {}, 403, "ACCESS_DENIED"),
    row("an export of an unknown format", EXPORT, {"params": {"format": "XLS"}}, *MALFORMED, who="admin"),
    row(
        "an export of nobody behind nothing",
        EXPORT,
        {"params": {"vendor_id": "x", "after_product_id": "y"}},
        *INVALID,
        "vendor_id",
        "after_product_id",
        who="vendor",
    ),
]

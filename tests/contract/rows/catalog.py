"""What attribute schemas, images and lists of prices refuse. The stack of these tests has a bucket."""

from tests.contract.refused import INVALID, row

SCHEMA = "PUT /api/v1/categories/{category}/schema"
NOT_TAKEN = (400, "ATTRIBUTE_SCHEMA_INVALID")
UPLOAD = "POST /api/v1/products/{product}/images"
UPLOAD_NOWHERE = "POST /api/v1/products/{unknown}/images"
IMAGE = "PUT /api/v1/products/{product}/images/{unknown}"
REMOVED = "DELETE /api/v1/products/{product}/images/{unknown}"
REMOVED_NOWHERE = "DELETE /api/v1/products/{unknown}/images/{unknown}"
NO_PRODUCT = (404, "PRODUCT_NOT_FOUND")
ROWS = [
    row("prices of an unknown product", "GET /api/v1/products/{unknown}/prices", {}, 404, "PRODUCT_NOT_FOUND"),
    row(
        "prices behind nonsense",
        "GET /api/v1/products/{product}/prices",
        {"params": {"page_token": "x"}},
        400,
        "PAGE_TOKEN_INVALID",
        "page_token",
    ),
    row("the schema of an unknown shelf", "GET /api/v1/categories/no-such-shelf/schema", {}, 404, "CATEGORY_NOT_FOUND"),
    row("a schema by a vendor", SCHEMA, {"json": {"json_schema": "{}"}}, 403, "ACCESS_DENIED", who="vendor"),
    row("no schema at all", SCHEMA, {"json": {"version": -1}}, *INVALID, "json_schema", "version", who="admin"),
    row("a schema that is no JSON", SCHEMA, {"json": {"json_schema": "{]"}}, *NOT_TAKEN, "json_schema", who="admin"),
    row(
        "a schema that refers to another",
        SCHEMA,
        {"json": {"json_schema": '{"properties": {"a": {"type": "string", "$ref": "https://example.com"}}}'}},
        *NOT_TAKEN,
        "json_schema/properties/a",
        who="admin",
    ),
    row(
        "a schema of another version",
        SCHEMA,
        {"json": {"json_schema": "{}", "version": 9}},
        409,
        "VERSION_CHANGED",
        who="admin",
    ),
    row(
        "a schema for an unknown shelf",
        "PUT /api/v1/categories/no-such-shelf/schema",
        {"json": {"json_schema": "{}"}},
        404,
        "CATEGORY_NOT_FOUND",
        who="admin",
    ),
    row("an upload by a customer", UPLOAD, {"json": {"content_type": "image/png"}}, 403, "ACCESS_DENIED"),
    row(
        "an upload of a drawing",
        UPLOAD,
        {"json": {"content_type": "image/svg+xml"}},
        *INVALID,
        "content_type",
        who="vendor",
    ),
    row(
        "an upload for an unknown product",
        UPLOAD_NOWHERE,
        {"json": {"content_type": "image/png"}},
        *NO_PRODUCT,
        who="vendor",
    ),
    row("an image by nobody", IMAGE, {"json": {}}, 401, "TOKEN_MISSING", who="nobody"),
    row(
        "an image far behind",
        IMAGE,
        {"json": {"position": 21, "alt_text": "a\nb"}},
        *INVALID,
        "position",
        "alt_text",
        who="vendor",
    ),
    row("an image that nobody uploaded", IMAGE, {"json": {}}, 404, "IMAGE_NOT_FOUND", who="vendor"),
    row("a deleted image by a customer", REMOVED, {}, 403, "ACCESS_DENIED"),
    row("a deleted image of an unknown product", REMOVED_NOWHERE, {}, *NO_PRODUCT, who="vendor"),
]

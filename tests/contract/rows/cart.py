"""What carts refuse."""

from tests.contract.refused import INVALID, MALFORMED, row

UNKNOWN_WORD = {"params": {"no_such_word": "1"}}
GUEST = {"cart_id": "guessed"}
ROWS = [
    row("a cart of nobody", "GET /api/v1/cart", {}, 401, "TOKEN_MISSING", who="nobody"),
    row("a cart by an unknown word", "GET /api/v1/cart", UNKNOWN_WORD, *MALFORMED),
    row(
        "what nobody sells into a cart",
        "POST /api/v1/cart/items",
        {"json": {"sku": "NOT-FOR-SALE", "quantity": 1}},
        400,
        "SKU_UNKNOWN",
        "sku",
    ),
    row("nothing into a cart", "POST /api/v1/cart/items", {"json": {}}, *INVALID, "sku", "quantity"),
    row("too much in a cart", "PUT /api/v1/cart/items/TEA", {"json": {"quantity": 1000}}, *INVALID, "quantity"),
    row("nothing to save", "PUT /api/v1/cart/items/NONE/save", {"json": {}}, 404, "CART_LINE_NOT_FOUND"),
    row("nothing to restore", "PUT /api/v1/cart/saved/NONE/restore", {"json": {}}, 404, "CART_LINE_NOT_FOUND"),
    row(
        "a version before all",
        "DELETE /api/v1/cart/saved/NONE",
        {"params": {"expected_version": -1}},
        *INVALID,
        "expected_version",
    ),
    row("a merge of nothing", "POST /api/v1/cart/merge", {"json": {}}, *INVALID, "cart_id"),
    row("a merge of an unknown cart", "POST /api/v1/cart/merge", {"json": GUEST}, 404, "CART_NOT_FOUND"),
    row(
        "a checkout of nothing",
        "POST /api/v1/cart/checkout",
        {"json": {}},
        *INVALID,
        "expected_version",
        "shipping_address",
    ),
    row("half a guest's cart", "POST /api/v1/cart/guest", {"content": "{"}, *MALFORMED, who="nobody"),
    row("a guest's cart without its id", "GET /api/v1/cart/guest", {}, *INVALID, "cart_id", who="nobody"),
    row("a guessed cart", "GET /api/v1/cart/guest", {"params": GUEST}, 404, "CART_NOT_FOUND", who="nobody"),
    row(
        "nothing into a guest's cart",
        "POST /api/v1/cart/guest/items",
        {"json": {}},
        *INVALID,
        "sku",
        "quantity",
        "cart_id",
        who="nobody",
    ),
    row(
        "a guess at what to save",
        "PUT /api/v1/cart/guest/items/TEA/save",
        {"json": GUEST},
        404,
        "CART_NOT_FOUND",
        who="nobody",
    ),
    row(
        "a guess at what was saved",
        "PUT /api/v1/cart/guest/saved/TEA/restore",
        {"json": GUEST},
        404,
        "CART_NOT_FOUND",
        who="nobody",
    ),
    row("forgetting nowhere", "DELETE /api/v1/cart/guest/saved/TEA", {}, *INVALID, "cart_id", who="nobody"),
    row(
        "a guess at a guest's line",
        "PUT /api/v1/cart/guest/items/TEA",
        {"json": {**GUEST, "quantity": 1}},
        404,
        "CART_NOT_FOUND",
        who="nobody",
    ),
]

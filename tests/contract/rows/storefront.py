"""What the pages of the shop refuse."""

from tests.contract.refused import INVALID, row

PRODUCT, ORDER = "GET /api/v1/storefront/products/{unknown}", "GET /api/v1/storefront/orders/{unknown}"
ROWS = [
    row("the page of no product", "GET /api/v1/storefront/products/x", {}, *INVALID, "id", who="nobody"),
    row("the page of an unknown product", PRODUCT, {}, 404, "PRODUCT_NOT_FOUND", who="nobody"),
    row("the page of no order", "GET /api/v1/storefront/orders/x", {}, *INVALID, "id"),
    row("the page of an unknown order", ORDER, {}, 404, "ORDER_NOT_FOUND"),
    row("the page of an order for anybody", ORDER, {}, 401, "TOKEN_MISSING", who="nobody"),
]

"""Whatever is wrong with a request, it gets its status and its reason, all wrong fields at once, and changes nothing."""

import pytest

from tests.contract.refused import (
    CARD_NUMBER,
    INVALID,
    MALFORMED,
    MAX_REQUEST_BYTES,
    ORDERS,
    PRODUCTS,
    STOCK,
    Refused,
    check,
    of_items,
    of_order,
    of_product,
    price,
    row,
    token,
)
from tests.contract.world import World
from tests.support import audit, shop

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNREADABLE = [
    row("half a JSON text", ORDERS, {"content": '{"items": ['}, *MALFORMED),
    row("a list for an order", ORDERS, {"json": []}, *MALFORMED),
    row("text for items", ORDERS, of_order(items="many"), *MALFORMED),
    row("a word for a quantity", ORDERS, of_items({"sku": "A", "quantity": "two"}), *MALFORMED),
    row("half a piece", ORDERS, of_items(("vendors", 1.5)), *MALFORMED),
    row("a quantity beyond 64 bits", ORDERS, of_items(("vendors", 10**30)), *MALFORMED),
    row("a number for an address", ORDERS, of_order(shipping_address=7), *MALFORMED),
    row("a number for a text", PRODUCTS, of_product(title=7), *MALFORMED, who="vendor"),
    row("an object for a text", PRODUCTS, of_product(attributes={"colour": {"red": "yes"}}), *MALFORMED, who="vendor"),
    row("a query that is not UTF-8", "GET /api/v1/products?title_prefix=%ff", {}, *MALFORMED),
    row("a path that is not UTF-8", "GET /api/v1/inventory/%ff", {}, *MALFORMED),
    row("text that is not UTF-8", ORDERS, {"content": b'{"payment_method": "\xff\xfe"}'}, *MALFORMED),
]
ORDERED = [
    row("no body", ORDERS, {}, *INVALID, "items", "shipping_address"),
    row("an empty order", ORDERS, {"json": {}}, *INVALID, "items", "shipping_address"),
    row("no body", "POST /api/v1/payments", {}, *INVALID, "order_id", "payment_method"),
    row(
        "everything wrong at once",
        ORDERS,
        {
            "json": {
                "items": [{"sku": "", "quantity": 0}, {"sku": "X" * 65, "quantity": 1000}],
                "shipping_address": {"line1": "", "city": "C" * 121, "country": "Utopia"},
                "payment_method": CARD_NUMBER,
                "request_id": "r" * 129,
            }
        },
        *INVALID,
        *(f"items[{number}].{field}" for number in (0, 1) for field in ("sku", "quantity")),
        *(f"shipping_address.{field}" for field in ("line1", "city", "country")),
        "payment_method",
        "request_id",
    ),
    row("no pieces", ORDERS, of_items(("vendors", 0)), *INVALID, "items[0].quantity"),
    row("less than no pieces", ORDERS, of_items(("vendors", -1)), *INVALID, "items[0].quantity"),
    row("too many pieces", ORDERS, of_items(("vendors", 1000)), *INVALID, "items[0].quantity"),
    row("too many lines", ORDERS, of_items(*({"sku": f"S{n}", "quantity": 1} for n in range(101))), *INVALID, "items"),
    row("a card number", ORDERS, of_order(payment_method=CARD_NUMBER), *INVALID, "payment_method"),
    row(
        "a NUL in an address",
        ORDERS,
        of_order(shipping_address=shop.ADDRESS | {"line1": "1 Mar\0ket"}),
        *INVALID,
        "shipping_address.line1",
    ),
    row(
        "an overlong idempotency key",
        ORDERS,
        lambda world: of_order()(world) | {"headers": {"Idempotency-Key": "k" * 129}},
        *INVALID,
        "request_id",
    ),
    row(
        "unknown SKUs",
        ORDERS,
        of_items({"sku": "NO-SUCH", "quantity": 1}, ("vendors", 1), {"sku": "NOR-THIS", "quantity": 1}),
        400,
        "SKU_UNKNOWN",
        "items[0].sku",
        "items[2].sku",
    ),
    row("a SKU twice", ORDERS, of_items(("vendors", 1), ("vendors", 2)), 400, "SKU_DUPLICATE", "items[1].sku"),
    row("two currencies", ORDERS, of_items(("vendors", 1), ("foreign", 1)), 400, "CURRENCY_MIXED"),
    row("more than one order may cost", ORDERS, of_items(("gold", 9)), 400, "ORDER_TOTAL_TOO_LARGE"),
]
SOLD = [
    row("a customer's product", PRODUCTS, of_product(), 403, "ACCESS_DENIED"),
    row("nobody's product", PRODUCTS, of_product(), 401, "TOKEN_MISSING", who="nobody"),
    row("an empty product", PRODUCTS, {"json": {}}, *INVALID, "title", "category", "variants", who="vendor"),
    row("a product without a SKU", PRODUCTS, of_product(variants=[]), *INVALID, "variants", who="vendor"),
    row("an overlong title", PRODUCTS, of_product(title="t" * 201), *INVALID, "title", who="vendor"),
    row("an odd SKU", PRODUCTS, of_product({"sku": "lower case"}), *INVALID, "variants[0].sku", who="vendor"),
    row("no price", PRODUCTS, of_product({"price": None}), *INVALID, "variants[0].price", who="vendor"),
    row("a price of nothing", PRODUCTS, of_product(price(0)), 400, "MONEY_INVALID", "variants[0].price", who="vendor"),
    row("a negative price", PRODUCTS, of_product(price(-1)), 400, "MONEY_INVALID", "variants[0].price", who="vendor"),
    row(
        "a fraction of a cent",
        PRODUCTS,
        of_product(price(1, 1)),
        400,
        "MONEY_INVALID",
        "variants[0].price",
        who="vendor",
    ),
    row(
        "an unknown currency",
        PRODUCTS,
        of_product(price(1, 0, "ABC")),
        400,
        "MONEY_INVALID",
        "variants[0].price",
        who="vendor",
    ),
    row("an unknown shelf", PRODUCTS, of_product(category="no-such-shelf"), 400, "CATEGORY_UNKNOWN", who="vendor"),
    row(
        "a SKU that is taken",
        PRODUCTS,
        lambda world: of_product({"sku": world.products["gold"].sku})(world),
        409,
        "SKU_TAKEN",
        "variants[0].sku",
        who="vendor",
    ),
    row(
        "a shelf made by a vendor",
        "PUT /api/v1/categories/shelf",
        {"json": {"title": "X"}},
        403,
        "ACCESS_DENIED",
        who="vendor",
    ),
    row("an odd shelf", "PUT /api/v1/categories/A_B", {"json": {"title": ""}}, *INVALID, "slug", "title", who="admin"),
]
COUNTED = [
    row("stock counted by a customer", STOCK, {"json": {"warehouse": "east", "on_hand": 9}}, 403, "ACCESS_DENIED"),
    row(
        "a rival's stock",
        STOCK,
        {"json": {"warehouse": "east", "on_hand": 9}},
        404,
        "PRODUCT_NOT_FOUND",
        who="rival",
    ),
    row(
        "stock of an unknown product",
        "PUT /api/v1/products/{unknown}/stock",
        {"json": {"warehouse": "east", "on_hand": 9}},
        404,
        "PRODUCT_NOT_FOUND",
        who="vendor",
    ),
    row("nowhere", STOCK, {"json": {"on_hand": -1}}, *INVALID, "warehouse", "on_hand", who="vendor"),
    row(
        "too many on the shelf",
        STOCK,
        {"json": {"warehouse": "east", "on_hand": 10**9 + 1}},
        *INVALID,
        "on_hand",
        who="vendor",
    ),
    row(
        "an unknown warehouse",
        STOCK,
        {"json": {"warehouse": "north", "on_hand": 9}},
        400,
        "WAREHOUSE_UNKNOWN",
        who="vendor",
    ),
    row(
        "another product's SKU",
        STOCK,
        lambda world: {"json": {"warehouse": "east", "on_hand": 9, "sku": world.products["gold"].sku}},
        400,
        "SKU_NOT_IN_PRODUCT",
        "sku",
        who="vendor",
    ),
]
NAMED = [
    row("an order that is none", "GET /api/v1/orders/none", {}, *INVALID, "id"),
    row("a status of none", "GET /api/v1/orders/none/status", {}, *INVALID, "id"),
    row("a payment that is none", "GET /api/v1/payments/none", {}, *INVALID, "id"),
    row("a product that is none", "GET /api/v1/products/none", {}, *INVALID, "id"),
    row("an unknown order", "GET /api/v1/orders/{unknown}", {}, 404, "ORDER_NOT_FOUND"),
    row("an unknown order's status", "GET /api/v1/orders/{unknown}/status", {}, 404, "ORDER_NOT_FOUND"),
    row("an unknown order's events", "GET /api/v1/orders/{unknown}/events", {}, 404, "ORDER_NOT_FOUND"),
    row("an unknown order to watch", "GET /api/v1/orders/{unknown}/watch", {}, 404, "ORDER_NOT_FOUND"),
    row(
        "an order to watch from before its beginning",
        "GET /api/v1/orders/{order}/watch",
        {"params": {"after_sequence": -1}},
        *INVALID,
        "after_sequence",
    ),
    row("an unknown order to cancel", "PUT /api/v1/orders/{unknown}/cancel", {"json": {}}, 404, "ORDER_NOT_FOUND"),
    row("another's order", "PUT /api/v1/orders/{order}/cancel", {"json": {}}, 404, "ORDER_NOT_FOUND", who="rival"),
    row("a push by a customer", "PUT /api/v1/orders/{order}/resume", {"json": {}}, 403, "ACCESS_DENIED"),
    row(
        "a push of an unknown order",
        "PUT /api/v1/orders/{unknown}/resume",
        {"json": {}},
        404,
        "ORDER_NOT_FOUND",
        who="admin",
    ),
    row("an unknown payment", "GET /api/v1/payments/{unknown}", {}, 404, "PAYMENT_NOT_FOUND"),
    row("another's payment", "GET /api/v1/payments/{order}", {}, 404, "PAYMENT_NOT_FOUND", who="rival"),
    row("an unknown product", "GET /api/v1/products/{unknown}", {}, 404, "PRODUCT_NOT_FOUND"),
    row("stock of an unknown SKU", "GET /api/v1/inventory/NO-SUCH-SKU", {}, 404, "SKU_NOT_FOUND"),
]
_LISTS = {
    "orders": "GET /api/v1/orders",
    "products": "GET /api/v1/products",
    "inventory": "GET /api/v1/inventory",
    "messages": "GET /api/v1/notifications/history",
}
PAGED = [
    made
    for name, call in _LISTS.items()
    for made in (
        row(
            f"{name} behind nonsense",
            call,
            {"params": {"page_token": "nonsense"}},
            400,
            "PAGE_TOKEN_INVALID",
            "page_token",
        ),
        row(
            f"{name} behind a number",
            call,
            {"params": {"page_token": token({"after": 5})}},
            400,
            "PAGE_TOKEN_INVALID",
            "page_token",
        ),
        row(
            f"{name} behind a list",
            call,
            {"params": {"page_token": token([1])}},
            400,
            "PAGE_TOKEN_INVALID",
            "page_token",
        ),
        row(
            f"{name} behind a NUL",
            call,
            {"params": {"page_token": token({"after": "\0"})}},
            400,
            "PAGE_TOKEN_INVALID",
            "page_token",
        ),
        row(f"{name} behind too much", call, {"params": {"page_token": "t" * 513}}, *INVALID, "page_token"),
        row(f"less than no {name}", call, {"params": {"page_size": -1}}, *INVALID, "page_size"),
        row(f"{name} beyond 32 bits", call, {"params": {"page_size": 2**31}}, *MALFORMED),
        row(f"{name} by an unknown word", call, {"params": {"pagesize": 3}}, *MALFORMED),
    )
] + [
    row(
        f"{name} behind an id that is none",
        _LISTS[name],
        {"params": {"page_token": token({"after": "none"})}},
        400,
        "PAGE_TOKEN_INVALID",
        "page_token",
    )
    for name in ("orders", "products", "messages")
]
JOINED = [
    row(
        "an account without anything",
        "POST /api/v1/users/register",
        {"json": {"email": "nowhere", "password": "short"}},
        *INVALID,
        *("email", "password", "display_name"),
        who="nobody",
    ),
    row(
        "an address that is taken",
        "POST /api/v1/users/register",
        lambda world: {
            "json": {
                "email": world.people["registered"].email.upper(),
                "password": "a long enough one",
                "display_name": "Eve",
            }
        },
        409,
        "EMAIL_TAKEN",
        who="nobody",
    ),
    row("nobody to sign in", "POST /api/v1/users/login", {"json": {}}, *INVALID, "email", "password", who="nobody"),
    row(
        "a wrong password",
        "POST /api/v1/users/login",
        lambda world: {"json": {"email": world.people["registered"].email, "password": "wrong"}},
        401,
        "CREDENTIALS_WRONG",
        who="nobody",
    ),
    row(
        "an unknown address",
        "POST /api/v1/users/login",
        lambda world: {"json": {"email": "nobody@example.com", "password": world.password}},
        401,
        "CREDENTIALS_WRONG",
        who="nobody",
    ),
    row("a token without an account", "GET /api/v1/users/me", {}, 404, "USER_NOT_FOUND"),
]
MISDIRECTED = [
    row("nowhere at all", "GET /api/v1/no-such-thing", {}, 404, "ROUTE_NOT_FOUND"),
    row("outside of the interface", "GET /orders", {}, 404, "ROUTE_NOT_FOUND"),
    row("orders to be deleted", "DELETE /api/v1/orders", {}, 405, "METHOD_NOT_ALLOWED"),
    row("an order to be patched", "PATCH /api/v1/orders/{order}", {"json": {}}, 405, "METHOD_NOT_ALLOWED"),
    row("an escaped slash", "GET /api/v1/orders/..%2Fusers", {}, 400, "PATH_MALFORMED"),
    row("too much to read", ORDERS, {"content": b" " * (MAX_REQUEST_BYTES + 1)}, 413, "REQUEST_TOO_LARGE"),
    row("a method for services", "POST /souk.inventory.v1.InventoryService/SetStock", {}, 404, "ROUTE_NOT_FOUND"),
]


@pytest.mark.parametrize("refused", [*UNREADABLE, *ORDERED, *SOLD, *COUNTED, *NAMED, *PAGED, *JOINED, *MISDIRECTED])
async def test_it_is_refused_and_changes_nothing(world: World, auditor: audit.Auditor, refused: Refused) -> None:
    await check(world, auditor, refused)

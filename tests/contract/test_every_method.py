"""Every method of the contract refuses bad input by the documented words, and a new one fails here until it has rows."""

import re
from collections.abc import Iterator

import pytest

from tests.contract import rows, test_bad_input, test_bad_messages
from tests.contract.refused import CARD_NUMBER, INVALID, MALFORMED, UNKNOWN_WORD, Refused, check, row
from tests.contract.test_access import contracted
from tests.contract.world import World
from tests.support import audit, shop

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROLES = "PUT /api/v1/users/{unknown}/roles"
PRODUCT = "PUT /api/v1/products/{product}"
FEATURED = "PUT /api/v1/products/{product}/featured"
REFUND = "POST /api/v1/payments/{unknown}/refund"
SHELF = "GET /api/v1/categories/no-such-shelf/products"

CATALOG = [
    row("a batch of nonsense", "GET /api/v1/products/batch", {"params": {"ids": "none"}}, *INVALID, "ids[0]"),
    row("categories by an unknown word", "GET /api/v1/categories", UNKNOWN_WORD, *MALFORMED),
    row(
        "a window behind nonsense",
        "GET /api/v1/products/featured",
        {"params": {"page_token": "x"}},
        400,
        "PAGE_TOKEN_INVALID",
        "page_token",
    ),
    row("less than no window", "GET /api/v1/products/featured", {"params": {"page_size": -1}}, *INVALID, "page_size"),
    row("products of an unknown shelf", SHELF, {}, 404, "CATEGORY_NOT_FOUND"),
    row("products of no vendor", "GET /api/v1/vendors/none/products", {}, *INVALID, "vendor_id"),
    row("a change by nobody", PRODUCT, {"json": {}}, 401, "TOKEN_MISSING", who="nobody"),
    row("a change by a customer", PRODUCT, {"json": {}}, 403, "ACCESS_DENIED"),
    row(
        "a change to nothing", PRODUCT, {"json": {}}, *INVALID, "version", "title", "category", "variants", who="vendor"
    ),
    row("half a change", PRODUCT, {"content": "{"}, *MALFORMED, who="vendor"),
    row("a deletion by a customer", "DELETE /api/v1/products/{product}", {}, 403, "ACCESS_DENIED"),
    row("a rival's deletion", "DELETE /api/v1/products/{product}", {}, 404, "PRODUCT_NOT_FOUND", who="rival"),
    row("a deletion of none", "DELETE /api/v1/products/none", {}, *INVALID, "id", who="vendor"),
    row("a deletion of the unknown", "DELETE /api/v1/products/{unknown}", {}, 404, "PRODUCT_NOT_FOUND", who="vendor"),
    row(
        "a deletion of another version",
        "DELETE /api/v1/products/{product}",
        {"params": {"version": 99}},
        409,
        "VERSION_CHANGED",
        who="vendor",
    ),
    row("a window dressed by a vendor", FEATURED, {"json": {"featured": True}}, 403, "ACCESS_DENIED", who="vendor"),
    row(
        "the unknown in the window",
        "PUT /api/v1/products/{unknown}/featured",
        {"json": {"featured": True}},
        404,
        "PRODUCT_NOT_FOUND",
        who="admin",
    ),
    row("a word for a window", FEATURED, {"json": {"featured": "maybe"}}, *MALFORMED, who="admin"),
    row(
        "a shelf below an unknown one",
        "PUT /api/v1/categories/shelf",
        {"json": {"title": "X", "parent": "no-such-shelf"}},
        400,
        "CATEGORY_PARENT_UNKNOWN",
        who="admin",
    ),
]
SERVICES = [
    row("revocations for services", "POST /souk.user.v1.UserService/GetRevocations", {}, 404, "ROUTE_NOT_FOUND"),
    row("stock for services", "POST /souk.inventory.v1.InventoryService/BatchGetStock", {}, 404, "ROUTE_NOT_FOUND"),
    row("offers for services", "POST /souk.catalog.v1.CatalogService/BatchGetOffers", {}, 404, "ROUTE_NOT_FOUND"),
]
PEOPLE = [
    row("no token to renew", "POST /api/v1/users/refresh", {"json": {}}, *INVALID, "refresh_token", who="nobody"),
    row(
        "a token that nobody gave",
        "POST /api/v1/users/refresh",
        {"json": {"refresh_token": "r" * 43}},
        401,
        "REFRESH_TOKEN_INVALID",
        who="nobody",
    ),
    row("no sign-in to end", "POST /api/v1/users/logout", {"json": {}}, *INVALID, "refresh_token", who="nobody"),
    row("me without a token", "GET /api/v1/users/me", {}, 401, "TOKEN_MISSING", who="nobody"),
    row(
        "a name of nothing",
        "PUT /api/v1/users/me",
        {"json": {"display_name": ""}},
        *INVALID,
        "display_name",
        who="registered",
    ),
    row(
        "a new password by who does not know the old",
        "PUT /api/v1/users/me",
        {"json": {"current_password": "wrong", "new_password": "a long enough one"}},
        400,
        "PASSWORD_WRONG",
        "current_password",
        who="registered",
    ),
    row("roles by a customer", ROLES, {"json": {"roles": ["ADMIN"]}}, 403, "ACCESS_DENIED"),
    row("no roles", ROLES, {"json": {}}, *INVALID, "roles", who="admin"),
    row("an unknown role", ROLES, {"json": {"roles": ["KING"]}}, *MALFORMED, who="admin"),
    # The administrator of these tests has a token and no account, so the database, which is asked, knows of no such role.
    row("roles by nobody", ROLES, {"json": {"roles": ["VENDOR"]}}, 403, "ACCESS_DENIED", who="admin"),
    row("a message by a customer", "POST /api/v1/notifications/send", {"json": {}}, 403, "ACCESS_DENIED"),
]
BOOKS = "GET /api/v1/payments/reconciliation"
PAYOUTS = "GET /api/v1/payments/payouts"
SPAN = {"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}
HOOKS = "POST /api/v1/payments/webhooks"
EVENT = {"content": "{}"}
FORGED = EVENT | {"headers": {"webhook-signature": "t=1,v1=00"}}
UNSIGNED = (401, "SIGNATURE_INVALID")
MONEY = [
    row("books by a customer", BOOKS, {}, 403, "ACCESS_DENIED"),
    row("books by an unknown word", BOOKS, UNKNOWN_WORD, *MALFORMED, who="admin"),
    row("payouts by a customer", PAYOUTS, {"params": SPAN}, 403, "ACCESS_DENIED"),
    row("payouts of no time", PAYOUTS, {}, *INVALID, "from", "to", who="admin"),
    row(
        "payouts of years",
        PAYOUTS,
        {"params": SPAN | {"to": "2028-01-01T00:00:00Z"}},
        400,
        "TIME_INVALID",
        "to",
        who="admin",
    ),
    row("payouts in no currency", PAYOUTS, {"params": SPAN | {"currency": "usd"}}, *INVALID, "currency", who="admin"),
    row("payouts of no vendor", PAYOUTS, {"params": SPAN | {"vendor_id": "none"}}, *INVALID, "vendor_id", who="admin"),
    row(
        "another vendor's payouts",
        PAYOUTS,
        lambda world: {"params": SPAN | {"vendor_id": world.order_id}},
        404,
        "VENDOR_NOT_FOUND",
        who="vendor",
    ),
    row("an event of a stranger", f"{HOOKS}/nobody", EVENT, 404, "PROVIDER_NOT_FOUND", who="nobody"),
    row("an event of no provider", f"{HOOKS}/NO-1", EVENT, *INVALID, "provider", who="nobody"),
    row("an event that nobody signed", f"{HOOKS}/simulator", EVENT, *UNSIGNED, who="nobody"),
    row("an event of another signer", f"{HOOKS}/simulator", FORGED, *UNSIGNED, who="nobody"),
    row("an event with a query", f"{HOOKS}/simulator", EVENT | UNKNOWN_WORD, 400, "QUERY_NOT_TAKEN", who="nobody"),
    row("a payment by nobody", "POST /api/v1/payments", {"json": {}}, 401, "TOKEN_MISSING", who="nobody"),
    row(
        "a payment by a card's number",
        "POST /api/v1/payments",
        {"json": {"order_id": "none", "payment_method": CARD_NUMBER}},
        *INVALID,
        "order_id",
        "payment_method",
    ),
    row(
        "a payment that is not awaited",
        "POST /api/v1/payments",
        lambda world: {"json": {"order_id": world.order_id, "payment_method": "card_approved"}},
        400,
        "PAYMENT_METHOD_NOT_AWAITED",
    ),
    row("a refund by a customer", REFUND, {"json": {}}, 403, "ACCESS_DENIED"),
    row("a refund of the unknown", REFUND, {"json": {}}, 404, "PAYMENT_NOT_FOUND", who="admin"),
    row(
        "a refund of none",
        "POST /api/v1/payments/none/refund",
        {"json": {"reason": "r" * 201}},
        *INVALID,
        "id",
        "reason",
        who="admin",
    ),
    row(
        "more back than was paid",
        "POST /api/v1/payments/{order}/refund",
        {"json": {"amount": {"currency_code": "USD", "units": 10**6}}},
        400,
        "REFUND_AMOUNT_WRONG",
        who="admin",
    ),
    row(
        "a fraction of a cent back",
        "POST /api/v1/payments/{order}/refund",
        {"json": {"amount": {"currency_code": "USD", "units": 1, "nanos": 1}}},
        400,
        "MONEY_INVALID",
        "amount",
        who="admin",
    ),
    row(
        "another currency back",
        "POST /api/v1/payments/{order}/refund",
        {"json": {"amount": {"currency_code": "EUR", "units": 1}}},
        400,
        "CURRENCY_MIXED",
        "amount.currency_code",
        who="admin",
    ),
]
ORDER_QUOTE = "POST /api/v1/orders/quote"
ORDER_QUOTES = [
    row("a quote for nobody", ORDER_QUOTE, {"json": {}}, 401, "TOKEN_MISSING", who="nobody"),
    row("a quote of nothing", ORDER_QUOTE, {"json": {}}, *INVALID, "items", "shipping_address"),
    row("a quote of less than one", ORDER_QUOTE, {"json": {"items": [{"sku": "TEA", "quantity": "x"}]}}, *MALFORMED),
    row(
        "a quote of what is not for sale",
        ORDER_QUOTE,
        {"json": {"items": [{"sku": "NOT-FOR-SALE", "quantity": 1}], "shipping_address": shop.ADDRESS}},
        400,
        "SKU_UNKNOWN",
        "items[0].sku",
    ),
]
ROWS = [*CATALOG, *SERVICES, *PEOPLE, *MONEY, *ORDER_QUOTES, *rows.every()]
# What takes nothing that could be wrong.
WITHOUT_INPUT = {"souk.user.v1.UserService.GetJwks", "souk.storefront.v1.StorefrontService.GetHomePage"}


@pytest.mark.parametrize("refused", ROWS)
async def test_it_is_refused_and_changes_nothing(world: World, auditor: audit.Auditor, refused: Refused) -> None:
    await check(world, auditor, refused)


def _rows() -> Iterator[Refused]:
    """The rows of all tables that a test here, in `test_bad_input` or in `test_bad_messages` is given."""
    others = [tables.test_it_is_refused_and_changes_nothing for tables in (test_bad_input, test_bad_messages)]
    for test in (test_it_is_refused_and_changes_nothing, *others):
        for mark in test.pytestmark:  # pytest adds it to what it decorates
            if mark.name == "parametrize":
                yield from (parameters.values[0] for parameters in mark.args[1])


async def test_every_method_has_rows() -> None:
    calls = {refused.call for refused in _rows()}
    without = [
        f"{method.full_name}: {route}"
        for method in contracted().methods
        if method.full_name not in WITHOUT_INPUT
        for route in [f"{rule.verb} {rule.path}" for rule in method.http] or [f"POST {method.grpc_path}"]
        if not any(re.fullmatch(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(route)), call) for call in calls)
    ]
    assert not without, "these have no rows of bad input: add some here or in test_bad_input.py"

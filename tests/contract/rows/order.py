"""What notes on orders, their documents, the search of administrators and the lists of vendors refuse."""

from tests.contract.refused import INVALID, MALFORMED, ORDERS, UNKNOWN_WORD, of_order, row

NOTES = "/api/v1/orders/{order}/notes"
STRANGE_NOTES = "/api/v1/orders/{unknown}/notes"
PAPERS = "/api/v1/orders/{order}"
SEARCH = "GET /api/v1/orders/search"
SOLD = "GET /api/v1/vendors/{unknown}/orders"
NOTE = {"json": {"text": "Leave it at the door."}}

BOTH = {"payment_method": "card_approved", "saved_payment_method": "default"}

ROWS = [
    row(
        "two payment methods",
        ORDERS,
        of_order(**BOTH),
        400,
        "PAYMENT_METHOD_AMBIGUOUS",
        "saved_payment_method",
    ),
    row(
        "a saved method of no id",
        ORDERS,
        of_order(payment_method="", saved_payment_method="mine"),
        *INVALID,
        "saved_payment_method",
    ),
    row("an empty note", f"POST {NOTES}", {"json": {}}, *INVALID, "text"),
    row("a note too long", f"POST {NOTES}", {"json": {"text": "x" * 2001}}, *INVALID, "text"),
    row("a note for nobody", f"POST {NOTES}", NOTE, 401, "TOKEN_MISSING", who="nobody"),
    row("a note on another's order", f"POST {NOTES}", NOTE, 404, "ORDER_NOT_FOUND", who="rival"),
    row("a note on no order", f"POST {STRANGE_NOTES}", NOTE, 404, "ORDER_NOT_FOUND"),
    row(
        "an internal note by a customer",
        f"POST {NOTES}",
        {"json": {"text": "Hush.", "internal": True}},
        403,
        "NOTE_INTERNAL",
    ),
    row("notes on another's order", f"GET {NOTES}", {}, 404, "ORDER_NOT_FOUND", who="rival"),
    row(
        "notes behind nonsense",
        f"GET {NOTES}",
        {"params": {"page_token": "x"}},
        400,
        "PAGE_TOKEN_INVALID",
        "page_token",
    ),
    row("a search by a customer", SEARCH, {}, 403, "ACCESS_DENIED"),
    row("a search by a vendor", SEARCH, {}, 403, "ACCESS_DENIED", who="vendor"),
    row("a search by an unknown word", SEARCH, UNKNOWN_WORD, *MALFORMED, who="admin"),
    row("a search for a status of none", SEARCH, {"params": {"status": "LOST"}}, *MALFORMED, who="admin"),
    row("a search for no user", SEARCH, {"params": {"user_id": "none"}}, *INVALID, "user_id", who="admin"),
    row(
        "a search before there was time",
        SEARCH,
        {"params": {"from": "1969-12-31T23:59:59Z"}},
        400,
        "TIME_INVALID",
        "from",
        who="admin",
    ),
    row(
        "a search behind nonsense",
        SEARCH,
        {"params": {"page_token": "x"}},
        400,
        "PAGE_TOKEN_INVALID",
        "page_token",
        who="admin",
    ),
    row("sold by a customer", SOLD, {}, 403, "ACCESS_DENIED"),
    row("sold by another vendor", SOLD, {}, 404, "VENDOR_NOT_FOUND", who="vendor"),
    row("sold by no vendor", "GET /api/v1/vendors/none/orders", {}, *INVALID, "vendor_id", who="vendor"),
    row(
        "sold before there was time",
        SOLD,
        {"params": {"to": "1969-12-31T23:59:59Z"}},
        400,
        "TIME_INVALID",
        "to",
        who="admin",
    ),
    row("documents of no order", "GET /api/v1/orders/none/documents", {}, *INVALID, "order_id"),
    row("documents of another's order", f"GET {PAPERS}/documents", {}, 404, "ORDER_NOT_FOUND", who="rival"),
    row("an invoice for nobody", f"GET {PAPERS}/invoice", {}, 401, "TOKEN_MISSING", who="nobody"),
    row("another's invoice", f"GET {PAPERS}/invoice", {}, 404, "ORDER_NOT_FOUND", who="rival"),
    row("an invoice in no format", f"GET {PAPERS}/invoice", {"params": {"format": "DOCX"}}, *MALFORMED),
    row("a credit note of none", f"GET {PAPERS}/credit-notes/CN-2026-1", {}, 404, "CREDIT_NOTE_NOT_FOUND"),
    row("a credit note with a number too long", f"GET {PAPERS}/credit-notes/{'9' * 33}", {}, *INVALID, "number"),
    row("another's credit note", f"GET {PAPERS}/credit-notes/CN-2026-1", {}, 404, "ORDER_NOT_FOUND", who="rival"),
]

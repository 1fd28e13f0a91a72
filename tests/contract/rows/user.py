"""What accounts refuse: address books, payment methods, preferences, tokens of mails, sign-ins."""

from tests.contract.refused import CARD_NUMBER, INVALID, MALFORMED, UNKNOWN_WORD, row
from tests.support import shop

ADDRESSES = "/api/v1/users/me/addresses"
METHODS = "/api/v1/users/me/payment-methods"
CHOSEN = "/api/v1/users/me/preferences"
PAYS = {"provider_token": "pm_card_visa"}

SESSIONS = "/api/v1/users/me/sessions"
RESET = "/api/v1/users/password/reset"
ERASE = "POST /api/v1/users/me/erase"
VERIFY = "/api/v1/users/email/verify"
TOKEN = {"token": "t" * 43}

FACTOR = "/api/v1/users/me/second-factor"
KNOWS = {"current_password": "not the password"}

OAUTH = "/api/v1/users/oauth"
LINKS = "/api/v1/users/me/links"
BACK = {"state": "s", "code": "c", "binding": "b"}
APPLICATIONS = "/api/v1/vendors/applications"
MINE = "/api/v1/users/me/vendor-application"
APPLIES = {
    "shop_name": "Ann's Teas",
    "legal_name": "Ann Ltd",
    "country": "GB",
    "tax_number": "GB 123 4567 89",
    "contact": "ann@example.com",
}
NO_APPLICATION = (404, "VENDOR_APPLICATION_NOT_FOUND")

UNKNOWN_PROVIDER = (404, "SIGN_IN_PROVIDER_UNKNOWN")

ROWS = [
    row(
        "an application that says nothing",
        f"POST {APPLICATIONS}",
        {"json": {}},
        *INVALID,
        "shop_name",
        "legal_name",
        "country",
        "tax_number",
        "contact",
    ),
    row("an application of no account", f"POST {APPLICATIONS}", {"json": APPLIES}, 404, "USER_NOT_FOUND"),
    row(
        "an application from a country that is none",
        f"POST {APPLICATIONS}",
        {"json": APPLIES | {"country": "UK"}},
        *INVALID,
        "country",
    ),
    row("an application of nobody", f"POST {APPLICATIONS}", {"json": APPLIES}, 401, "TOKEN_MISSING", who="nobody"),
    row("the application of who has none", f"GET {MINE}", {}, *NO_APPLICATION, who="registered"),
    row("an application taken back by nobody", f"DELETE {MINE}", {}, 401, "TOKEN_MISSING", who="nobody"),
    row("applications for a customer", f"GET {APPLICATIONS}", {}, 403, "ACCESS_DENIED"),
    row(
        "less than no applications",
        f"GET {APPLICATIONS}",
        {"params": {"page_size": -1}},
        *INVALID,
        "page_size",
        who="admin",
    ),
    row(
        "an approval of what nobody applied for",
        f"PUT {APPLICATIONS}/{{unknown}}/approve",
        {"json": {}},
        *NO_APPLICATION,
        who="admin",
    ),
    row("an approval of no id", f"PUT {APPLICATIONS}/none/approve", {"json": {}}, *INVALID, "id", who="admin"),
    row(
        "an approval by a vendor",
        f"PUT {APPLICATIONS}/{{unknown}}/approve",
        {"json": {}},
        403,
        "ACCESS_DENIED",
        who="vendor",
    ),
    row(
        "a rejection without a reason",
        f"PUT {APPLICATIONS}/{{unknown}}/reject",
        {"json": {}},
        *INVALID,
        "reason",
        who="admin",
    ),
    row(
        "a rejection of what nobody applied for",
        f"PUT {APPLICATIONS}/{{unknown}}/reject",
        {"json": {"reason": "no"}},
        *NO_APPLICATION,
        who="admin",
    ),
    row("providers with a word that is none", f"GET {OAUTH}", UNKNOWN_WORD, *MALFORMED, who="nobody"),
    row("a sign-in with no provider", f"POST {OAUTH}/acme", {"json": {}}, *UNKNOWN_PROVIDER, who="nobody"),
    row("a sign-in with what is no name", f"POST {OAUTH}/-a", {"json": {}}, *INVALID, "provider", who="nobody"),
    row(
        "an answer of no provider with nothing in it",
        f"POST {OAUTH}/acme/callback",
        {"json": {}},
        *INVALID,
        "state",
        "code",
        "binding",
        who="nobody",
    ),
    row(
        "an answer to what was not begun",
        f"POST {OAUTH}/acme/callback",
        {"json": BACK},
        400,
        "SIGN_IN_NOT_VALID",
        who="nobody",
    ),
    row("links of nobody", f"GET {LINKS}", {}, 401, "TOKEN_MISSING", who="nobody"),
    row("a link without a password", f"POST {LINKS}/acme", {"json": {}}, *INVALID, "current_password"),
    row(
        "a link by who does not know the password",
        f"POST {LINKS}/acme",
        {"json": KNOWS},
        400,
        "PASSWORD_WRONG",
        "current_password",
        who="registered",
    ),
    row(
        "an answer to a link that was not begun",
        f"POST {LINKS}/acme/callback",
        {"json": BACK},
        400,
        "SIGN_IN_NOT_VALID",
        who="registered",
    ),
    row(
        "an answer to a link with nothing in it",
        f"POST {LINKS}/acme/callback",
        {"json": {}},
        *INVALID,
        "state",
        "code",
        "binding",
        who="registered",
    ),
    row("a link of what is no name", f"DELETE {LINKS}/-a", {}, *INVALID, "provider", who="registered"),
    row("a second factor of nobody", f"GET {FACTOR}", {}, 401, "TOKEN_MISSING", who="nobody"),
    row("a second factor of no account", f"GET {FACTOR}", {}, 404, "USER_NOT_FOUND"),
    row("a second factor without a password", f"POST {FACTOR}", {"json": {}}, *INVALID, "current_password"),
    row(
        "a second factor by who does not know the password",
        f"POST {FACTOR}",
        {"json": KNOWS},
        400,
        "PASSWORD_WRONG",
        "current_password",
        who="registered",
    ),
    row("no code to confirm", f"PUT {FACTOR}", {"json": {}}, *INVALID, "code"),
    row(
        "a code of what was not begun",
        f"PUT {FACTOR}",
        {"json": {"code": "123456"}},
        400,
        "SECOND_FACTOR_NOT_BEGUN",
        who="registered",
    ),
    row("no proof to switch it off", f"POST {FACTOR}/disable", {"json": {}}, *INVALID, "current_password", "code"),
    row(
        "a second factor off by who does not know the password",
        f"POST {FACTOR}/disable",
        {"json": KNOWS | {"code": "123456"}},
        400,
        "PASSWORD_WRONG",
        "current_password",
        who="registered",
    ),
    row("no proof for new codes", f"POST {FACTOR}/recovery-codes", {"json": {}}, *INVALID, "current_password", "code"),
    row(
        "new codes for who does not know the password",
        f"POST {FACTOR}/recovery-codes",
        {"json": KNOWS | {"code": "123456"}},
        400,
        "PASSWORD_WRONG",
        "current_password",
        who="registered",
    ),
    row(
        "a code that is too long",
        "POST /api/v1/users/login",
        {"json": {"email": "ann@example.com", "password": "a password", "code": "1" * 33}},
        *INVALID,
        "code",
        who="nobody",
    ),
    row("what is known of nobody", "GET /api/v1/users/me/export", {}, 401, "TOKEN_MISSING", who="nobody"),
    row("an erasure without a password", ERASE, {"json": {}}, *INVALID, "current_password", who="registered"),
    row(
        "an erasure by who does not know the password",
        ERASE,
        {"json": {"current_password": "wrong"}},
        400,
        "PASSWORD_WRONG",
        "current_password",
        who="registered",
    ),
    row("sessions of nobody", f"GET {SESSIONS}", {}, 401, "TOKEN_MISSING", who="nobody"),
    row("a session of no id", f"DELETE {SESSIONS}/none", {}, *INVALID, "id"),
    row("a reset of no address", f"POST {RESET}", {"json": {}}, *INVALID, "email", who="nobody"),
    row(
        "a reset by a token that nobody sent",
        f"PUT {RESET}",
        {"json": TOKEN | {"new_password": "a long enough one"}},
        400,
        "TOKEN_NOT_VALID",
        who="nobody",
    ),
    row(
        "a reset to a short password",
        f"PUT {RESET}",
        {"json": TOKEN | {"new_password": "short"}},
        *INVALID,
        "new_password",
        who="nobody",
    ),
    row("a verification for nobody", f"POST {VERIFY}", {"json": {}}, 401, "TOKEN_MISSING", who="nobody"),
    row("a verification of no account", f"POST {VERIFY}", {"json": {}}, 404, "USER_NOT_FOUND"),
    row("a token that nobody sent", f"PUT {VERIFY}", {"json": TOKEN}, 400, "TOKEN_NOT_VALID", who="nobody"),
    row("no token", f"PUT {VERIFY}", {"json": {}}, *INVALID, "token", who="nobody"),
    row("who changed roles for a customer", "GET /api/v1/users/{unknown}/roles", {}, 403, "ACCESS_DENIED"),
    row("who changed whose roles", "GET /api/v1/users/none/roles", {}, *INVALID, "id", who="admin"),
    row("addresses of nobody", f"GET {ADDRESSES}", {}, 401, "TOKEN_MISSING", who="nobody"),
    row("no address", f"POST {ADDRESSES}", {"json": {}}, *INVALID, "address"),
    row(
        "a card for a street",
        f"POST {ADDRESSES}",
        {"json": {"address": shop.ADDRESS | {"line2": CARD_NUMBER}}},
        *INVALID,
        "address.line2",
        who="registered",
    ),
    # The customer of these tests has a token and no account.
    row("an address of no account", f"POST {ADDRESSES}", {"json": {"address": shop.ADDRESS}}, 404, "USER_NOT_FOUND"),
    row(
        "a change of no address",
        f"PUT {ADDRESSES}/{{unknown}}",
        {"json": {"address": shop.ADDRESS}},
        404,
        "ADDRESS_NOT_FOUND",
        who="registered",
    ),
    row("an address of no id", f"DELETE {ADDRESSES}/none", {}, *INVALID, "id"),
    row("payment methods of nobody", f"GET {METHODS}", {}, 401, "TOKEN_MISSING", who="nobody"),
    row(
        "a card to keep",
        f"POST {METHODS}",
        {"json": {"provider_token": CARD_NUMBER}},
        *INVALID,
        "provider_token",
        who="registered",
    ),
    row(
        "more than the last digits of a card",
        f"POST {METHODS}",
        {"json": PAYS | {"last_digits": "42424"}},
        *INVALID,
        "last_digits",
        who="registered",
    ),
    row("a payment method of no account", f"POST {METHODS}", {"json": PAYS}, 404, "USER_NOT_FOUND"),
    row(
        "a default that is not there",
        f"PUT {METHODS}/{{unknown}}/default",
        {"json": {}},
        404,
        "PAYMENT_METHOD_NOT_FOUND",
        who="registered",
    ),
    row("a payment method of no id", f"DELETE {METHODS}/none", {}, *INVALID, "id"),
    row(
        "tokens for services",
        "POST /souk.user.v1.UserService/ResolvePaymentMethod",
        {},
        404,
        "ROUTE_NOT_FOUND",
    ),
    row("preferences of nobody", f"GET {CHOSEN}", {}, 401, "TOKEN_MISSING", who="nobody"),
    row("preferences of no account", f"GET {CHOSEN}", {}, 404, "USER_NOT_FOUND"),
    row("nothing preferred", f"PUT {CHOSEN}", {"json": {}}, *INVALID, "", who="registered"),
    row(
        "a time zone of nowhere",
        f"PUT {CHOSEN}",
        {"json": {"time_zone": "Mars/Olympus"}},
        400,
        "TIME_ZONE_UNKNOWN",
        "time_zone",
        who="registered",
    ),
]

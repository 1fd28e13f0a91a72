"""Links by which mail is unsubscribed, and news of mail: bad ones, in rows (`tests/contract/refused.py`)."""

from tests.contract.refused import INVALID, UNKNOWN_WORD, row

LINK = "/api/v1/notifications/unsubscribe/"
# It has the form of a token, and no signature of ours.
FORGED = "A" * 44
BOUNCES = "POST /api/v1/notifications/bounces"
EVENT = {"content": "{}"}
UNSIGNED = (401, "SIGNATURE_INVALID")

ROWS = [
    row("a look at no link", f"GET {LINK}x", {}, *INVALID, "token", who="nobody"),
    row("a look at a forged link", f"GET {LINK}{FORGED}", {}, 404, "UNSUBSCRIBE_TOKEN_INVALID", who="nobody"),
    row("a click on no link", f"POST {LINK}x", {"content": "a=b"}, *INVALID, "token", who="nobody"),
    row(
        "a click on a forged link",
        f"POST {LINK}{FORGED}",
        {"data": {"List-Unsubscribe": "One-Click"}},
        404,
        "UNSUBSCRIBE_TOKEN_INVALID",
        who="nobody",
    ),
    row("a bounce that nobody signed", BOUNCES, EVENT, *UNSIGNED, who="nobody"),
    row(
        "a bounce of another signer",
        BOUNCES,
        EVENT | {"headers": {"webhook-signature": "t=1,v1=00"}},
        *UNSIGNED,
        who="nobody",
    ),
    row("a bounce with a query", BOUNCES, EVENT | UNKNOWN_WORD, 400, "QUERY_NOT_TAKEN", who="nobody"),
]

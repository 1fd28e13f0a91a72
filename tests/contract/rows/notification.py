"""Links by which mail is unsubscribed: bad ones, in rows (`tests/contract/refused.py`)."""

from tests.contract.refused import INVALID, row

LINK = "/api/v1/notifications/unsubscribe/"
# It has the form of a token, and no signature of ours.
FORGED = "A" * 44

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
]

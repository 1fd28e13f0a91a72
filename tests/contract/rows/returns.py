"""What returns refuse."""

from collections.abc import Callable
from typing import Any

from tests.contract.refused import INVALID, row
from tests.contract.world import World
from tests.support import shop

OF_THE_ORDER, A_RETURN = "POST /api/v1/orders/{order}/returns", "/api/v1/returns/{unknown}"
EXCHANGE = f"POST {A_RETURN}/exchange"
GOOD = {
    "approve": {},
    "reject": {"reason": "worn"},
    "receive": {},
    "inspect": {"findings": [{"sku": "X", "resell": 1}]},
}


def _of_line(sku: str = "", **changes: Any) -> Callable[[World], dict[str, Any]]:
    """A return of one unit of what was ordered, with some fields changed."""
    return lambda world: {
        "json": {
            "lines": [{"sku": sku or world.products["vendors"].sku, "quantity": 1, "reason": "DEFECTIVE"} | changes]
        }
    }


def _instead() -> Callable[[World], dict[str, Any]]:
    """One unit of the vendor's product instead."""
    return lambda world: {"json": {"order": shop.basket((world.products["vendors"], 1))}}


ROWS = [
    row("a return by nobody", OF_THE_ORDER, _of_line(), 401, "TOKEN_MISSING", who="nobody"),
    row("a return of nothing", OF_THE_ORDER, {"json": {}}, *INVALID, "lines"),
    row("a return of no order", "POST /api/v1/orders/none/returns", _of_line(), *INVALID, "order_id"),
    row("a rival's return", OF_THE_ORDER, _of_line(), 404, "ORDER_NOT_FOUND", who="rival"),
    row("a return without a reason", OF_THE_ORDER, _of_line(reason=0), *INVALID, "lines[0].reason"),
    row("a return of no unit", OF_THE_ORDER, _of_line(quantity=0), *INVALID, "lines[0].quantity"),
    row(
        "a return of too many",
        OF_THE_ORDER,
        _of_line(quantity=2),
        400,
        "RETURN_QUANTITY_EXCEEDED",
        "lines[0].quantity",
    ),
    row("a return of something else", OF_THE_ORDER, _of_line("ELSE"), 400, "SKU_NOT_ORDERED", "lines[0].sku"),
    row(
        "a return with a photo of a disk",
        OF_THE_ORDER,
        lambda world: {"json": _of_line()(world)["json"] | {"photos": ["file:///etc/passwd"]}},
        *INVALID,
        "photos[0]",
    ),
    row("returns of no order", "GET /api/v1/orders/none/returns", {}, *INVALID, "order_id"),
    row("returns of the unknown", "GET /api/v1/orders/{unknown}/returns", {}, 404, "ORDER_NOT_FOUND"),
    row("a return of none", "GET /api/v1/returns/none", {}, *INVALID, "id"),
    row("an unknown return", f"GET {A_RETURN}", {}, 404, "RETURN_NOT_FOUND"),
    *(
        refused
        for verb, body in GOOD.items()
        for refused in (
            row(f"to {verb} by a customer", f"PUT {A_RETURN}/{verb}", {"json": body}, 403, "ACCESS_DENIED"),
            row(f"to {verb} none", f"PUT /api/v1/returns/none/{verb}", {"json": body}, *INVALID, "id", who="admin"),
            row(
                f"to {verb} the unknown",
                f"PUT {A_RETURN}/{verb}",
                {"json": body},
                404,
                "RETURN_NOT_FOUND",
                who="admin",
            ),
        )
    ),
    row("an exchange of none", "POST /api/v1/returns/none/exchange", _instead(), *INVALID, "id"),
    row("an exchange for nothing", EXCHANGE, {"json": {}}, *INVALID, "order"),
    row("an exchange of the unknown", EXCHANGE, _instead(), 404, "RETURN_NOT_FOUND"),
    row("an exchange by nobody", EXCHANGE, _instead(), 401, "TOKEN_MISSING", who="nobody"),
    row("to reject without a word", f"PUT {A_RETURN}/reject", {"json": {}}, *INVALID, "reason", who="admin"),
    row("to inspect nothing", f"PUT {A_RETURN}/inspect", {"json": {}}, *INVALID, "findings", who="admin"),
]

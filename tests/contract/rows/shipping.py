"""What shipments refuse."""

from tests.contract.refused import INVALID, row

A_SHIPMENT = "/api/v1/shipments/{unknown}"

ROWS = [
    row("a shipment of none", "GET /api/v1/shipments/none", {}, *INVALID, "id"),
    row("an unknown shipment", f"GET {A_SHIPMENT}", {}, 404, "SHIPMENT_NOT_FOUND"),
    row("shipments of no order", "GET /api/v1/orders/none/shipments", {}, *INVALID, "order_id"),
    row("shipments for nobody", "GET /api/v1/orders/{unknown}/shipments", {}, 401, "TOKEN_MISSING", who="nobody"),
    *(
        refused
        for step in ("pick", "pack", "hand-over")
        for refused in (
            row(f"a {step} by a customer", f"PUT {A_SHIPMENT}/{step}", {"json": {}}, 403, "ACCESS_DENIED"),
            row(f"a {step} of none", f"PUT /api/v1/shipments/none/{step}", {"json": {}}, *INVALID, "id", who="admin"),
            row(
                f"a {step} of an unknown shipment",
                f"PUT {A_SHIPMENT}/{step}",
                {"json": {}},
                404,
                "SHIPMENT_NOT_FOUND",
                who="admin",
            ),
        )
    ),
]

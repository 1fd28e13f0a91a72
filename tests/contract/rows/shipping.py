"""What shipments refuse."""

from tests.contract.refused import INVALID, UNKNOWN_WORD, row

PLACE_RULE = {"name": "home", "places": ["Home"], "rates": []}
A_SHIPMENT = "/api/v1/shipments/{unknown}"
HOOKS = "POST /api/v1/shipping/webhooks"
EVENT = {"content": "{}"}
FORGED = EVENT | {"headers": {"webhook-signature": "t=1,v1=00"}}
UNSIGNED = (401, "SIGNATURE_INVALID")

ROWS = [
    row("a shipment of none", "GET /api/v1/shipments/none", {}, *INVALID, "id"),
    row("an unknown shipment", f"GET {A_SHIPMENT}", {}, 404, "SHIPMENT_NOT_FOUND"),
    row("shipments of no order", "GET /api/v1/orders/none/shipments", {}, *INVALID, "order_id"),
    row("shipments for nobody", "GET /api/v1/orders/{unknown}/shipments", {}, 401, "TOKEN_MISSING", who="nobody"),
    row("shipments of no return", "GET /api/v1/returns/none/shipments", {}, *INVALID, "return_id"),
    row(
        "a return's shipments for nobody",
        "GET /api/v1/returns/{unknown}/shipments",
        {},
        401,
        "TOKEN_MISSING",
        who="nobody",
    ),
    row(
        "a quote of nothing",
        "POST /api/v1/shipping/quote",
        {"json": {"items": [], "country": "UK"}},
        *INVALID,
        "items",
        "country",
        who="nobody",
    ),
    row(
        "a quote of what is not for sale",
        "POST /api/v1/shipping/quote",
        {"json": {"items": [{"sku": "NEVER-SOLD", "quantity": 1}], "country": "US"}},
        400,
        "SKU_UNKNOWN",
        "items[0].sku",
        who="nobody",
    ),
    row(
        "no address",
        "POST /api/v1/shipping/addresses/validate",
        {"json": {}},
        *INVALID,
        "address",
        who="nobody",
    ),
    row("rates for a customer", "GET /api/v1/shipping/rates", {}, 403, "ACCESS_DENIED"),
    row("rates set by a customer", "PUT /api/v1/shipping/rates", {"json": {"table": {}}}, 403, "ACCESS_DENIED"),
    row("rates without a table", "PUT /api/v1/shipping/rates", {"json": {}}, *INVALID, "table", who="admin"),
    row(
        "rates of a place that is none",
        "PUT /api/v1/shipping/rates",
        {"json": {"table": {"zones": [PLACE_RULE]}}},
        *INVALID,
        "table.zones[0].places[0]",
        who="admin",
    ),
    row(
        "rates that others changed",
        "PUT /api/v1/shipping/rates",
        {"json": {"table": {}, "expected_version": "4711"}},
        409,
        "RATES_CHANGED",
        who="admin",
    ),
    row("a scan of a stranger", f"{HOOKS}/nobody", EVENT, 404, "PROVIDER_NOT_FOUND", who="nobody"),
    row("a scan of no carrier", f"{HOOKS}/NO-1", EVENT, *INVALID, "carrier", who="nobody"),
    row("a scan that nobody signed", f"{HOOKS}/simulator", EVENT, *UNSIGNED, who="nobody"),
    row("a scan of another signer", f"{HOOKS}/simulator", FORGED, *UNSIGNED, who="nobody"),
    row("a scan with a query", f"{HOOKS}/simulator", EVENT | UNKNOWN_WORD, 400, "QUERY_NOT_TAKEN", who="nobody"),
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

"""What EasyPost's JSON means: shipments that are wanted, their rates and labels, and what trackers say. No I/O.

By https://docs.easypost.com/docs: shipments, rates, trackers and errors.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import ROUND_UP, Decimal
from typing import Any

from services import tariff
from services.shipping.clients.answers import NoAnswerError
from services.shipping.domain import parcels
from services.shipping.domain.parcels import Input

# A shipment's `refund_status` whose label is not paid for any more, or never was.
REFUNDED = frozenset({"submitted", "refunded", "not_applicable"})
# A tracker's words for a parcel that no carrier has yet.
NOT_YET = frozenset({"unknown", "pre_transit", "cancelled", "error"})
# What a tracker's other words mean. One that is new says at least that the carrier has it.
SAID: Mapping[str, Input] = {
    "in_transit": Input.IN_TRANSIT,
    "available_for_pickup": Input.IN_TRANSIT,
    "out_for_delivery": Input.OUT_FOR_DELIVERY,
    "delivered": Input.DELIVERED,
    "return_to_sender": Input.RETURNING,
    "failure": Input.DELIVERY_FAILED,
}
# What ends a way that failed, by `status_detail`.
FAILED: Mapping[str, Input] = {"lost": Input.LOST, "damaged": Input.DAMAGED}
_GRAMS_PER_OUNCE = Decimal("28.349523125")
_ADDRESS = ("name", "company", "street1", "street2", "city", "state", "zip", "country", "phone")
# Whoever sends from a warehouse that has no address of its own.
ANY = "*"


def senders(text: str) -> Mapping[str, Mapping[str, str]]:
    """The addresses of warehouses, by their ids, as the setting has them. Raises ValueError for what is none."""
    try:
        found = json.loads(text)
        wrong = [name for address in found.values() for name in address if name not in _ADDRESS]
        lacking = [
            name for address in found.values() for name in ("street1", "city", "country") if not address.get(name)
        ]
    except (ValueError, AttributeError, TypeError) as error:
        raise ValueError("not a JSON object of addresses by warehouse") from error
    if ANY not in found or wrong or lacking:
        raise ValueError(f"needs {ANY!r}, and street1, city and country of each; unknown: {wrong}, missing: {lacking}")
    return {str(warehouse): dict(address) for warehouse, address in found.items()}


def wanted(parcel: parcels.Parcel, senders: Mapping[str, Mapping[str, str]], grams: int) -> dict[str, dict[str, Any]]:
    """The shipment to create for a parcel. Its reference is for people: EasyPost does not keep it unique."""
    to = parcel.address
    address = {
        "name": to.recipient,
        "street1": to.line1,
        "street2": to.line2,
        "city": to.city,
        "state": to.region,
        "zip": to.postal_code,
        "country": to.country,
    }
    shipment: dict[str, Any] = {
        "reference": parcel.id,
        "to_address": {name: value for name, value in address.items() if value},
        "from_address": senders.get(parcel.warehouse, senders[ANY]),
        "parcel": {"weight": ounces(grams)},
    }
    # EasyPost exchanges both addresses of a return by itself: https://docs.easypost.com/docs/shipments/returns
    return {"shipment": shipment | ({"is_return": True} if parcel.return_id else {})}


def ounces(grams: int) -> float:
    """A weight as EasyPost counts it: tenths of an ounce, rounded up, and never none."""
    tenth = Decimal("0.1")
    return float(max(tenth, (Decimal(grams) / _GRAMS_PER_OUNCE).quantize(tenth, ROUND_UP)))


def offered(shipment: Mapping[str, Any]) -> parcels.Happening:
    """A shipment was created, whose label can be bought by its id."""
    return parcels.Happening(Input.LABEL_OFFERED, "carrier", label=parcels.Label("", _id(shipment), "", "", ""))


def chosen(shipment: Mapping[str, Any], level: str) -> str | None:
    """The rate to buy: the cheapest, and above the standard level the cheapest of the quickest. None: nobody takes it."""
    rates = [
        (_days(rate) if level != tariff.STANDARD else 0, Decimal(rate["rate"]), rate) for rate in shipment["rates"]
    ]
    return str(min(rates, key=lambda rate: rate[:2])[2]["id"]) if rates else None


def bought(shipment: Mapping[str, Any]) -> parcels.Happening | None:
    """The label of a shipment; None when none was bought. Raises NoAnswerError for one that cannot be understood."""
    postage = shipment.get("postage_label")
    if not postage:
        return None
    try:
        label = parcels.Label(
            str(shipment["selected_rate"]["carrier"]),
            _id(shipment),
            str(shipment["tracking_code"]),
            str((shipment.get("tracker") or {}).get("public_url") or ""),
            str(postage["label_url"]),
        )
    except (KeyError, TypeError) as error:
        raise NoAnswerError(f"not a label: {shipment.get('id')}") from error
    return parcels.Happening(Input.LABEL_BOUGHT, label.carrier, label=label)


def refunded(shipment: Mapping[str, Any]) -> parcels.Happening | None:
    """That a label was given back; None when it was not."""
    if shipment.get("refund_status") not in REFUNDED:
        return None
    return parcels.Happening(Input.LABEL_VOIDED, str((shipment.get("selected_rate") or {}).get("carrier", "carrier")))


def code(body: Any) -> str:
    """Why something was refused, in EasyPost's code."""
    error = body.get("error") if isinstance(body, dict) else None
    return str(error.get("code") or "REFUSED") if isinstance(error, dict) else "REFUSED"


def scans(shipment: Mapping[str, Any]) -> list[parcels.Scan]:
    """What a shipment's tracker says of its way, from when a carrier had the parcel.

    A tracker only grows, so a scan's number is its place. What is delivered after it was turned round is back.
    """
    details: Sequence[Mapping[str, Any]] = (shipment.get("tracker") or {}).get("tracking_details") or []
    return list(_said(sorted(details, key=_time)))


def _said(details: Sequence[Mapping[str, Any]]) -> Iterator[parcels.Scan]:
    turned = False
    for number, detail in enumerate(details, start=1):
        if detail["status"] in NOT_YET:
            continue
        said = SAID.get(detail["status"], Input.IN_TRANSIT)
        if said is Input.DELIVERY_FAILED:
            said = FAILED.get(str(detail.get("status_detail")), said)
        turned = turned or said is Input.RETURNING
        if turned and said is Input.DELIVERED:
            said = Input.RETURNED
        yield parcels.Scan(number, said, str((detail.get("tracking_location") or {}).get("city") or ""), _time(detail))


def _time(detail: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(detail["datetime"])


def _days(rate: Mapping[str, Any]) -> int:
    return int(rate.get("delivery_days") or rate.get("est_delivery_days") or 99)


def _id(shipment: Mapping[str, Any]) -> str:
    if not str(shipment.get("id", "")).startswith("shp_"):
        raise NoAnswerError("not a shipment")
    return str(shipment["id"])

"""What is read from a webhook of the carrier: which parcel was scanned, and nothing else."""

from typing import Any

import pytest

from services.shipping.clients import notices
from services.shipping.domain.parcels import Scanned

PARCEL = "01936f3e-7a00-7000-8000-000000000001"


def event(kind: Any, **about: Any) -> dict[str, Any]:
    return {"id": "evt_1", "type": kind, "created": 1, "data": {"object": about}}


@pytest.mark.parametrize("kind", ["scan.accepted", "scan.delivered", "scan.of_a_kind_that_is_new"])
def test_a_scan_names_its_parcel(kind: str) -> None:
    assert notices.scanned(event(kind, reference=PARCEL, label="lb_1", code="delivered")) == Scanned(PARCEL)


@pytest.mark.parametrize(
    "told",
    [event("invoice.due", reference=PARCEL), event(None, reference=PARCEL), event("scan.x", reference="not-ours")],
)
def test_other_types_and_parcels_that_are_not_ours_are_of_no_concern(told: Any) -> None:
    assert notices.scanned(told) == Scanned()


@pytest.mark.parametrize("told", [[], {}, None, {"type": "scan.x"}, {"type": "scan.x", "data": {"object": None}}])
def test_what_is_no_event_cannot_be_read(told: Any) -> None:
    with pytest.raises((KeyError, TypeError)):
        notices.scanned(told)


def test_an_updated_tracker_names_its_label() -> None:
    about = {"object": "Tracker", "shipment_id": "shp_1", "status": "in_transit"}
    assert notices.tracked({"description": "tracker.updated", "result": about}) == Scanned(label="shp_1")


@pytest.mark.parametrize(
    "told",
    [
        {"description": "batch.created", "result": {"id": "batch_1", "shipment_id": "shp_1"}},
        {"description": "tracker.created", "result": {"shipment_id": None}},
    ],
)
def test_other_events_and_trackers_of_no_label_are_of_no_concern(told: Any) -> None:
    assert notices.tracked(told) == Scanned()

"""What EasyPost's JSON means, without EasyPost."""

from typing import Any

import pytest

from services.shipping.clients import easypost_shapes as shapes
from services.shipping.clients.answers import NoAnswerError
from services.shipping.domain.parcels import Input
from tests.support.easypost import RECORDED, unlike

BOUGHT = RECORDED["buy"]["response"]["body"]


@pytest.mark.parametrize(("grams", "ounces"), [(0, 0.1), (1, 0.1), (28, 1.0), (29, 1.1), (437, 15.5), (1000, 35.3)])
def test_a_weight_is_in_tenths_of_ounces_and_never_too_little(grams: int, ounces: float) -> None:
    assert shapes.ounces(grams) == ounces


@pytest.mark.parametrize(("level", "rate"), [("STANDARD", "rate_ground"), ("EXPRESS", "rate_priority")])
def test_the_cheapest_rate_is_bought_and_for_who_pays_for_speed_the_quickest(level: str, rate: str) -> None:
    assert shapes.chosen(BOUGHT, level) == rate


def test_nobody_takes_a_shipment_without_rates() -> None:
    assert shapes.chosen({"rates": []}, "STANDARD") is None


def way(*statuses: tuple[str, str]) -> dict[str, Any]:
    details = [
        {"status": status, "status_detail": detail, "datetime": f"2026-11-29T12:00:0{second}Z"}
        for second, (status, detail) in enumerate(statuses)
    ]
    return {"tracker": {"tracking_details": details}}


@pytest.mark.parametrize(
    ("statuses", "said"),
    [
        ([], []),
        ([("unknown", ""), ("pre_transit", "label_created")], []),
        ([("pre_transit", ""), ("in_transit", "")], [(2, Input.IN_TRANSIT)]),
        ([("a_new_word", "")], [(1, Input.IN_TRANSIT)]),
        ([("failure", "lost")], [(1, Input.LOST)]),
        ([("failure", "damaged")], [(1, Input.DAMAGED)]),
        ([("failure", "refused")], [(1, Input.DELIVERY_FAILED)]),
        ([("return_to_sender", ""), ("delivered", "")], [(1, Input.RETURNING), (2, Input.RETURNED)]),
    ],
)
def test_a_tracker_says_where_a_parcel_is_from_when_a_carrier_has_it(
    statuses: list[tuple[str, str]], said: list[tuple[int, Input]]
) -> None:
    assert [(scan.number, scan.said) for scan in shapes.scans(way(*statuses))] == said


def test_a_shipment_without_a_tracker_has_no_way() -> None:
    assert shapes.scans({"tracker": None}) == []


@pytest.mark.parametrize("broken", [{"selected_rate": None}, {"id": "other"}, {"postage_label": {"id": "pl_1"}}])
def test_a_label_that_cannot_be_understood_is_no_answer(broken: dict[str, Any]) -> None:
    with pytest.raises(NoAnswerError):
        shapes.bought(BOUGHT | broken)


@pytest.mark.parametrize(
    ("status", "back"), [("submitted", True), ("refunded", True), ("rejected", False), (None, False)]
)
def test_a_label_is_given_back_unless_that_is_rejected(status: str | None, back: bool) -> None:  # noqa: FBT001 - the answer
    assert (shapes.refunded(BOUGHT | {"refund_status": status}) is not None) == back


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"main": {}}', '{"*": {"street1": "1", "city": "X", "land": "US"}}'])
def test_senders_that_cannot_be_written_on_a_label_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"address|street1"):
        shapes.senders(text)


@pytest.mark.parametrize(
    ("sent", "mistakes"),
    [
        ({"a": 1}, 0),
        ({"a": 1.5, "b": {"c": "x"}}, 0),
        ({"d": 1}, 1),
        ({"a": "1"}, 1),
        ({"b": {"c": None}}, 1),
        ({"b": []}, 1),
    ],
)
def test_the_strict_server_notices_what_was_not_recorded(sent: dict[str, Any], mistakes: int) -> None:
    assert len(list(unlike(sent, {"a": 2, "b": {"c": "text"}}))) == mistakes

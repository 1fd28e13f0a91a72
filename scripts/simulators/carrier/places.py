"""The places that the carrier knows, and how a parcel to each fares: by its hours from the moment that the carrier has it."""

from collections.abc import Mapping
from dataclasses import dataclass

from scripts.simulators.steered import Delivery

HUB = "Central Hub"


@dataclass(frozen=True, slots=True)
class Stop:
    """One scan on a parcel's way."""

    hours: float
    code: str


_BEGUN = (Stop(0, "accepted"), Stop(4, "in_transit"))
_TO_THE_DOOR = (*_BEGUN, Stop(26, "out_for_delivery"))
USUAL = (*_TO_THE_DOOR, Stop(30, "delivered"))


@dataclass(frozen=True, slots=True)
class Place:
    """What becomes of a label for this place, and of the parcel."""

    way: tuple[Stop, ...] = USUAL
    refusal: str = ""
    """The code of its refusal; empty when a label is sold."""
    delivery: Delivery = Delivery.AT_ONCE
    failures: int = 0
    """How many first calls of a key come to nothing: no label, and an error instead of an answer."""


ANYWHERE = Place()
PLACES: Mapping[str, Place] = {
    "Lost Creek": Place((*_BEGUN, Stop(72, "lost"))),
    "Breaker Ridge": Place((*_BEGUN, Stop(20, "damaged"))),
    "Absent Hollow": Place(
        (*_TO_THE_DOOR, Stop(30, "delivery_failed"), Stop(50, "out_for_delivery"), Stop(54, "delivered"))
    ),
    "Return Point": Place(
        (
            *_TO_THE_DOOR,
            Stop(30, "delivery_failed"),
            Stop(54, "delivery_failed"),
            Stop(60, "returning"),
            Stop(96, "returned"),
        )
    ),
    "Refusal Bay": Place(refusal="address_undeliverable"),
    "Slow Valley": Place(delivery=Delivery.LATE),
    "Silent Lake": Place(delivery=Delivery.NEVER),
    "Error Falls": Place(failures=2),
    "Echo Cliff": Place(delivery=Delivery.AS_ERROR),
}


def of(city: str) -> Place:
    """The place by its name."""
    return PLACES.get(city, ANYWHERE)

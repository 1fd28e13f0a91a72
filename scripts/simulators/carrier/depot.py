"""What the carrier has: labels and parcels, by its journal. A call becomes one line of it and one reply."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from scripts.simulators.carrier import places
from scripts.simulators.carrier.clock import Clock
from scripts.simulators.journal import Journal, Line
from scripts.simulators.steered import FAILURE, Body, Delivery, Response, error

NAME = "simulated carrier"
BOUGHT, VOIDED, USED = "bought", "voided", "used"
# Effects in the journal: of these, `failed` came to nothing and bound nobody.
REFUSED, FAILED, SPEED = "refused", "failed", "speed"
HOUR_S = 3600.0
NOT_FOUND = error(404, "label_not_found", "There is no such label.")


@dataclass(frozen=True, slots=True)
class Label:
    """A label. used_at is what the carrier's clock showed when it was handed the parcel."""

    id: str
    reference: str
    city: str
    status: str = BOUGHT
    used_at: float | None = None

    def shown(self) -> Body:
        """The label as the API shows it."""
        number = f"SOUK{self.id.removeprefix('lb_').upper()}"
        return {
            "id": self.id,
            "carrier": NAME,
            "reference": self.reference,
            "status": self.status,
            "tracking_number": number,
            "tracking_url": f"https://carrier.example/track/{number}",
            "label_url": f"https://carrier.example/labels/{self.id}.pdf",
        }


@dataclass(frozen=True, slots=True)
class Purchase:
    """A wish for a label, under its idempotency key."""

    key: str
    request: Body


class Depot:
    """The carrier over its journal. Methods raise OSError when the journal can't be written: then nothing happened."""

    def __init__(self, journal: Journal, speed: float) -> None:
        self._journal = journal
        self._labels: dict[str, Label] = {}
        self._newest: dict[str, str] = {}
        self._answers: dict[str, tuple[Body, Response]] = {}
        self._failures: dict[str, int] = {}
        self._about: dict[str, list[int]] = {}
        self.clock = Clock(time.time(), speed)
        for place, line in enumerate(journal):
            if not place and line["effect"] == SPEED:
                self.clock = Clock(_moment(line), line["speed"])
            self._learn(line, place)

    @classmethod
    def open(cls, path: Path, speed: float) -> Self:
        """Open the journal, learn what it says, and let the clock run at this speed. Raises JournalInUse."""
        depot = cls(Journal.open(path), speed)
        depot.run_at(speed)
        return depot

    def run_at(self, speed: float) -> None:
        """Let the clock run at this speed from now on."""
        self._write({"effect": SPEED, "reference": "", "speed": speed})

    def buy(self, purchase: Purchase) -> Response:
        """Sell a label, or say why not. The request has a reference, and the city it goes to."""
        if known := self._answers.get(purchase.key):
            request, answer = known
            if request != purchase.request:
                return error(409, "idempotency_key_reused", "The key was used before, for another request.")
            return replace(answer, delivery=Delivery.AT_ONCE)
        place = places.of(purchase.request["city"])
        line = {"reference": purchase.request["reference"], "key": purchase.key, "request": purchase.request}
        if self._failures.get(purchase.key, 0) < place.failures:
            self._write({"effect": FAILED, **line})
            return FAILURE
        if place.refusal:
            self._write({"effect": REFUSED, **line, "code": place.refusal})
        else:
            self._write({"effect": BOUGHT, **line, "label": f"lb_{secrets.token_hex(8)}"})
        return replace(self._answers[purchase.key][1], delivery=place.delivery)

    def void(self, label_id: str) -> Response:
        """Take a label back that was not used."""
        label = self._labels.get(label_id)
        if label is None:
            return NOT_FOUND
        if label.status == USED:
            return error(409, "label_used", "The parcel is on its way.")
        if label.status == BOUGHT:
            self._write({"effect": VOIDED, "reference": label.reference, "label": label_id})
        return self.get(label_id)

    def take(self, label_ids: list[str]) -> Response:
        """These parcels are handed over: they begin to travel. One that travels already goes on."""
        accepted, refused = [], []
        for label_id in label_ids:
            label = self._labels.get(label_id)
            if label is None or label.status == VOIDED:
                refused.append(label_id)
                continue
            if label.status == BOUGHT:
                self._write({"effect": USED, "reference": label.reference, "label": label_id})
            accepted.append(label_id)
        return Response(200, {"accepted": accepted, "refused": refused})

    def ways(self, label_ids: list[str]) -> Response:
        """What has happened to these labels' parcels so far."""
        known = [self._labels[label_id] for label_id in label_ids if label_id in self._labels]
        return Response(200, {"ways": [{"label": label.id, "scans": self._scans(label)} for label in known]})

    def travelling(self, told: Mapping[str, int]) -> list[tuple[str, str, list[Body]]]:
        """Of parcels that were handed over, except those of which all scans were told: label, reference and scans so far."""
        used = [label for label in self._labels.values() if label.used_at is not None]
        some = [label for label in used if told.get(label.id, 0) < len(places.of(label.city).way)]
        return [(label.id, label.reference, self._scans(label)) for label in some]

    def get(self, label_id: str) -> Response:
        """The label as it is now."""
        label = self._labels.get(label_id)
        return Response(200, label.shown()) if label else NOT_FOUND

    def find(self, reference: str) -> Response:
        """The newest label with this reference as it is now."""
        return self.get(self._newest.get(reference, ""))

    def about(self, reference: str) -> list[Line]:
        """The journal's lines about one reference, oldest first."""
        return [self._journal.line(place) for place in self._about.get(reference, ())]

    def totals(self) -> Body:
        """How many labels were sold, and what became of them."""
        statuses = [label.status for label in self._labels.values()]
        return {"labels": len(statuses), "voided": statuses.count(VOIDED), "used": statuses.count(USED)}

    def _scans(self, label: Label) -> list[Body]:
        if label.used_at is None:
            return []
        now, scans = self.clock.shown(time.time()), []
        for number, stop in enumerate(places.of(label.city).way, start=1):
            shown = label.used_at + stop.hours * HOUR_S
            if shown > now:
                break
            at_the_door = stop.code not in ("accepted", "in_transit", "lost", "damaged", "returned")
            when = datetime.fromtimestamp(self.clock.moment(shown), UTC).isoformat(timespec="milliseconds")
            place = label.city if at_the_door else places.HUB
            scans.append({"number": number, "code": stop.code, "place": place, "time": when})
        return scans

    def _write(self, entry: Line) -> None:
        place = self._journal.append(entry)
        self._learn(self._journal.line(place), place)

    def _learn(self, line: Line, place: int) -> None:
        """What follows from a line of the journal, whether it was just written or is being replayed."""
        self._about.setdefault(line["reference"], []).append(place)
        match line["effect"]:
            case "speed":
                self.clock.change(_moment(line), line["speed"])
            case "failed":
                self._failures[line["key"]] = self._failures.get(line["key"], 0) + 1
            case "refused":
                refusal = error(422, line["code"], "Nothing is brought there.")
                self._answers[line["key"]] = (line["request"], refusal)
            case "bought":
                label = Label(line["label"], line["reference"], line["request"]["city"])
                self._labels[label.id] = label
                self._newest[label.reference] = label.id
                self._answers[line["key"]] = (line["request"], Response(200, label.shown()))
            case "voided":
                self._labels[line["label"]] = replace(self._labels[line["label"]], status=VOIDED)
            case "used":
                shown = self.clock.shown(_moment(line))
                self._labels[line["label"]] = replace(self._labels[line["label"]], status=USED, used_at=shown)


def _moment(line: Line) -> float:
    written: Any = line["time"]
    return datetime.fromisoformat(written).timestamp()

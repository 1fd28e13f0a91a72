"""The HTTP API of the simulator's kind: labels that are bought and voided, manifests, and the ways of parcels. See `answers.Api`.

A label is found by its reference, the parcel's id, for ever: other than an idempotency key the carrier does not forget it. So a
purchase whose outcome is unknown may be repeated at any time after it was looked for.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import aiohttp
from yarl import URL

from services.shipping.clients.answers import NoAnswerError
from services.shipping.domain import parcels

# Nothing was done, and the same request will never be: malformed, or an address that nothing is brought to.
DEFINITE_NO = frozenset({400, 402, 422})
# The label is not in the state that the request needs: it is used.
CONFLICT = 409
# What the carrier calls what happened to a parcel.
SAID: Mapping[str, parcels.Input] = {
    "accepted": parcels.Input.ACCEPTED,
    "in_transit": parcels.Input.IN_TRANSIT,
    "out_for_delivery": parcels.Input.OUT_FOR_DELIVERY,
    "delivery_failed": parcels.Input.DELIVERY_FAILED,
    "delivered": parcels.Input.DELIVERED,
    "returning": parcels.Input.RETURNING,
    "returned": parcels.Input.RETURNED,
    "lost": parcels.Input.LOST,
    "damaged": parcels.Input.DAMAGED,
}


class Labels:
    """The API of the simulator's kind."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = URL(url) / "v1"
        self._session = session

    async def find(self, parcel: parcels.Parcel) -> parcels.Happening | None:
        """The definite answer, if what the parcel's state asks for happened already. Raises NoAnswerError."""
        status, body = await self._get((self._url / "labels").with_query(reference=parcel.id))
        if status == 404:
            return None
        if parcel.verb is parcels.Verb.BUY:
            return _bought(body)
        return _voided(body) if body.get("status") == "voided" else None

    async def do(self, parcel: parcels.Parcel, *, grams: int) -> parcels.Happening:  # noqa: ARG002 - this carrier weighs
        """Do what the parcel's state asks for. Raises NoAnswerError."""
        key = f"{parcel.id}:{parcel.verb}"
        if parcel.verb is parcels.Verb.BUY:
            status, body = await self._post(self._url / "labels", _wanted(parcel), key=key)
            if status == 200:
                return _bought(body)
        else:
            status, body = await self._post(self._url / "labels" / parcel.label.reference / "void", {}, key=key)
            if status == 200:
                return _voided(body)
            if status == CONFLICT:
                return parcels.Happening(parcels.Input.LABEL_USED, parcel.label.carrier)
        if status in DEFINITE_NO and parcel.verb is parcels.Verb.BUY:
            return _refused(body)
        raise NoAnswerError(f"status {status}: {body}")

    async def announce(self, references: Sequence[str]) -> None:
        """Tell the carrier that it was handed these labels' parcels. Raises NoAnswerError."""
        status, body = await self._post(self._url / "manifests", {"labels": list(references)})
        if status != 200:
            raise NoAnswerError(f"status {status}: {body}")

    async def scans(self, references: Sequence[str]) -> dict[str, list[parcels.Scan]]:
        """What the carrier says of the ways of these labels' parcels so far, by label. Raises NoAnswerError."""
        status, body = await self._post(self._url / "ways", {"labels": list(references)})
        if status != 200:
            raise NoAnswerError(f"status {status}: {body}")
        return {way["label"]: [_scan(scan) for scan in way["scans"]] for way in body["ways"]}

    async def _post(self, url: URL, content: Mapping[str, Any], *, key: str = "") -> tuple[int, Any]:
        headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
        return await self._exchange("POST", url, headers=headers, data=json.dumps(content).encode())

    async def _get(self, url: URL) -> tuple[int, Any]:
        status, body = await self._exchange("GET", url)
        if status not in (200, 404):
            raise NoAnswerError(f"status {status}: {body}")
        return status, body

    async def _exchange(self, method: str, url: URL, **options: Any) -> tuple[int, Any]:
        async with self._session.request(method, url, **options) as response:
            return response.status, json.loads(await response.read())


def _wanted(parcel: parcels.Parcel) -> dict[str, Any]:
    return {
        "reference": parcel.id,
        "from": parcel.warehouse,
        "to": asdict(parcel.address),
        "service": parcel.service_level.lower(),
    } | ({"return": True} if parcel.return_id else {})


def _bought(body: Mapping[str, Any]) -> parcels.Happening:
    try:
        label = parcels.Label(
            *(str(body[name]) for name in ("carrier", "id", "tracking_number", "tracking_url", "label_url"))
        )
    except KeyError as error:
        raise NoAnswerError(f"not a label: {body}") from error
    return parcels.Happening(parcels.Input.LABEL_BOUGHT, label.carrier, label=label)


def _voided(body: Mapping[str, Any]) -> parcels.Happening:
    return parcels.Happening(parcels.Input.LABEL_VOIDED, str(body.get("carrier", "carrier")))


def _refused(body: Mapping[str, Any]) -> parcels.Happening:
    code = body.get("error", {}).get("code", "refused")
    return parcels.Happening(parcels.Input.LABEL_REFUSED, "carrier", reason=str(code).upper())


def _scan(body: Mapping[str, Any]) -> parcels.Scan:
    said = SAID.get(body["code"], parcels.Input.IN_TRANSIT)
    return parcels.Scan(int(body["number"]), said, str(body.get("place", "")), datetime.fromisoformat(body["time"]))

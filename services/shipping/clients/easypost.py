"""EasyPost, version 2 of its HTTP API (https://docs.easypost.com/docs): labels and trackers. See `answers.Api`.

It knows no idempotency keys, and our own references are not unique there: only its ids are. So a label is bought in two steps,
each of which ends in our database. First a shipment is created, which costs nothing; then the label of the shipment whose id was
written down is bought. EasyPost sells one label per shipment: whoever died, and however often it is repeated, there is one.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
from yarl import URL

from services.shipping.clients import easypost_shapes as shapes
from services.shipping.clients.answers import NoAnswerError
from services.shipping.domain import parcels
from services.shipping.settings import Settings

# The request will never be taken: malformed, or an address that nothing is brought to.
REFUSED = frozenset({400, 422})
# No answer yet, though they come with a status that refuses: it was bought before, or is being bought.
UNDECIDED = frozenset(
    {
        "SHIPMENT.POSTAGE.EXISTS",
        "SHIPMENT.POSTAGE.NO_RESPONSE",
        "SHIPMENT.POSTAGE.TIMED_OUT",
        "SHIPMENT.PURCHASE.IN_PROGRESS",
        "SHIPMENT.RATES.UNAVAILABLE",
    }
)
# The carrier has the parcel: its label is not refunded any more.
SHIPPED = "SHIPMENT.REFUND.UNAVAILABLE"
# Trackers that are read at once.
AT_ONCE = 8


class EasyPost:
    """EasyPost, with the key of one account."""

    def __init__(self, settings: Settings, session: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._senders = shapes.senders(settings.easypost_senders)
        self._shipments = URL(settings.easypost_api_base) / "v2" / "shipments"
        self._session = session
        self._reading = asyncio.Semaphore(AT_ONCE)

    async def find(self, parcel: parcels.Parcel) -> parcels.Happening | None:
        """See `Api`: `do` looks by itself before it buys, since it needs the rates."""
        if parcel.verb is parcels.Verb.BUY:
            return None
        return shapes.refunded(await self._get(parcel.label.reference))

    async def do(self, parcel: parcels.Parcel, *, grams: int) -> parcels.Happening:
        """See `Api`."""
        if parcel.verb is not parcels.Verb.BUY:
            return await self._refund(parcel)
        if parcel.label.reference:
            return await self._buy(parcel)
        status, body = await self._post(self._shipments, shapes.wanted(parcel, self._senders, grams))
        if status in REFUSED:
            return _refused(body)
        return shapes.offered(_sure(status, body))

    async def announce(self, references: Sequence[str]) -> None:
        """Nothing: EasyPost learns of what was handed over by its carrier's first scan."""

    async def scans(self, references: Sequence[str]) -> dict[str, list[parcels.Scan]]:
        """See `Api`."""
        found = await asyncio.gather(*(self._way(reference) for reference in references))
        return {reference: scans for reference, scans in zip(references, found, strict=True) if scans is not None}

    async def _way(self, reference: str) -> list[parcels.Scan] | None:
        async with self._reading:
            status, body = await self._exchange("GET", self._shipments / reference)
        return None if status == 404 else shapes.scans(_sure(status, body))

    async def _buy(self, parcel: parcels.Parcel) -> parcels.Happening:
        shipment = await self._get(parcel.label.reference)
        if bought := shapes.bought(shipment):
            return bought
        this = self._shipments / parcel.label.reference
        rate = shapes.chosen(shipment, parcel.service_level)
        if rate is None:
            # Its carriers may have been away: they are asked once more.
            shipment = _sure(*await self._post(this / "rerate", {}))
            rate = shapes.chosen(shipment, parcel.service_level)
        if rate is None:
            return parcels.Happening(parcels.Input.LABEL_REFUSED, "carrier", reason="NO_RATES")
        status, body = await self._post(this / "buy", {"rate": {"id": rate}})
        if status in REFUSED:
            return _refused(body)
        if bought := shapes.bought(_sure(status, body)):
            return bought
        raise NoAnswerError(f"bought, and without a label: {parcel.label.reference}")

    async def _refund(self, parcel: parcels.Parcel) -> parcels.Happening:
        status, body = await self._post(self._shipments / parcel.label.reference / "refund", {})
        if status in REFUSED and shapes.code(body) == SHIPPED:
            return parcels.Happening(parcels.Input.LABEL_USED, parcel.label.carrier)
        if refunded := shapes.refunded(_sure(status, body)):
            return refunded
        if shapes.scans(body):
            return parcels.Happening(parcels.Input.LABEL_USED, parcel.label.carrier)
        # Rejected although nobody has scanned it: by EasyPost's word that is repeated.
        raise NoAnswerError(f"refund {body.get('refund_status')}: {parcel.label.reference}")

    async def _get(self, reference: str) -> Mapping[str, Any]:
        return _sure(*await self._exchange("GET", self._shipments / reference))

    async def _post(self, url: URL, content: Mapping[str, Any]) -> tuple[int, Any]:
        return await self._exchange("POST", url, json.dumps(content).encode())

    async def _exchange(self, method: str, url: URL, content: bytes | None = None) -> tuple[int, Any]:
        # The key is the name of a login without a password.
        headers = {"Authorization": aiohttp.encode_basic_auth(self._settings.easypost_api_key.current(), "")}
        if content is not None:
            headers["Content-Type"] = "application/json"
        async with self._session.request(method, url, headers=headers, data=content) as response:
            body = json.loads(await response.read())
        if response.status in (401, 403):
            self._settings.easypost_api_key.refused(f"status {response.status}")
        return response.status, body


def _sure(status: int, body: Any) -> Mapping[str, Any]:
    """What a shipment looks like, by an answer that binds EasyPost. Raises NoAnswerError for any other."""
    if status not in (200, 201) or not isinstance(body, dict):
        raise NoAnswerError(f"status {status}: {shapes.code(body)}")
    return body


def _refused(body: Any) -> parcels.Happening:
    code = shapes.code(body)
    if code in UNDECIDED:
        raise NoAnswerError(code)
    return parcels.Happening(parcels.Input.LABEL_REFUSED, "carrier", reason=code)

"""The shipping service without Kafka: orders speak to it, a real carrier answers it, its outbox says what it told."""

import json
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from services.chassis import clock, credentials, database, effects, erasure, loops
from services.chassis.rpc import render
from services.shipping import clients, events, store
from services.shipping.domain import parcels
from services.shipping.settings import Settings
from services.shipping.usecases import delivering, handling, labelling, tracking
from souk.inventory.v1 import inventory_events_pb2
from souk.order.v1 import order_events_pb2
from souk.shipping.v1 import shipping_events_pb2
from souk.type.v1 import address_pb2
from tests.support import hearing
from tests.support.polling import eventually

LIMITS = effects.Concurrency(idle_s=0.02, idle_most_s=0.05)
TRACK_S = 0.05
# How long a test waits for what must happen, in seconds: a busy machine is slow.
PATIENCE_S = 45.0
# So fast that a parcel that was handed over is there.
AT_ONCE = 100_000_000

_TOLD = database.Statement("SELECT type, payload FROM outbox WHERE key = %(key)s ORDER BY id")
_ATTEMPTS = database.Statement("SELECT attempts FROM parcels WHERE order_id = %(order_id)s ORDER BY id")


def new_id() -> str:
    return str(uuid.uuid4())


def confirmed(
    order_id: str, city: str = "Springfield", *, user_id: str = "", **more: Any
) -> order_events_pb2.OrderConfirmed:
    return order_events_pb2.OrderConfirmed(
        **more,
        order_id=order_id,
        user_id=user_id or new_id(),
        confirm_time=render.timestamp(clock.utc_now()),
        shipping_address=address_pb2.Address(recipient="Ada", line1="1 Market Street", city=city, country="US"),
    )


def cancelled(order_id: str) -> order_events_pb2.OrderCancelled:
    return order_events_pb2.OrderCancelled(order_id=order_id, user_id=new_id(), reason="CANCEL_REQUESTED")


def committed(order_id: str, *warehouses: str) -> inventory_events_pb2.StockCommitted:
    said = inventory_events_pb2.StockCommitted
    picks = [said.Pick(sku="MUG", quantity=2, warehouse=warehouse) for warehouse in warehouses or ("main",)]
    return said(order_id=order_id, picks=picks)


def settings(carrier_url: str, *, timeout_s: float = 0.4, automatic: bool = False) -> Settings:
    return Settings(
        carrier_url=credentials.Credential(carrier_url),
        carrier_timeout_s=timeout_s,
        breaker_reset_s=0.5,
        track_s=TRACK_S,
        automatic=automatic,
    )


@dataclass
class Dispatch:
    """What is said of orders goes in, what shipping tells comes out; and the carrier's own testimony."""

    db: database.Database
    hearing: delivering.Delivering
    handling: handling.Handling
    carrier: httpx.AsyncClient

    @property
    def erasing(self) -> erasure.Erasure:
        """What is done about erased accounts."""
        return erasure.Erasure(self.db, store.ERASE)

    async def say(self, *messages: Any) -> None:
        """Hand messages to their handlers, all in one transaction."""
        await hearing.hear(self.db, events.subscribers(self.hearing, self.erasing), *messages)

    async def told(self, order_id: str) -> list[str]:
        """The names of what was told about an order, in order."""
        return [type(message).__name__ for message in await self.messages(order_id)]

    async def messages(self, order_id: str) -> list[Any]:
        """What was told about an order, in order."""
        rows = await self.db.read(_TOLD, {"key": order_id})
        return [getattr(shipping_events_pb2, kind.rsplit(".", 1)[1]).FromString(payload) for kind, payload in rows]

    async def of(self, order_id: str) -> list[parcels.Parcel]:
        """The parcels of an order, by warehouse."""
        return await store.of_order(self.db, order_id)

    async def attempts(self, order_id: str) -> list[int]:
        """How often the carrier was asked about each parcel's label in its present state."""
        return [row[0] for row in await self.db.read(_ATTEMPTS, {"order_id": order_id})]

    async def reach(self, order_id: str, *states: parcels.State, within_s: float = PATIENCE_S) -> None:
        """Wait until the order's parcels, by warehouse, are there."""

        async def there() -> bool:
            return [parcel.state for parcel in await self.of(order_id)] == list(states)

        await eventually(there, within_s=within_s)

    async def by_hand(self, order_id: str) -> None:
        """Pick, pack and hand over all labelled parcels of an order."""
        for parcel in await self.of(order_id):
            for done in parcels.BY_HAND:
                await self.handling.do(parcel.id, done, handling.Hands("user:hand"))

    async def testimony(self, parcel: parcels.Parcel) -> list[str]:
        """What the carrier did for a parcel: the effects that its log names, without calls that came to nothing."""
        answer = await self.carrier.get("/v1/log", params={"reference": parcel.id})
        return [line["effect"] for line in answer.json()["lines"] if line["effect"] != "failed"]

    async def control(self, **wanted: Any) -> None:
        """Make the carrier answer as told."""
        (await self.carrier.put("/control", content=json.dumps(wanted))).raise_for_status()


@asynccontextmanager
async def working(
    db: database.Database, chosen: Settings, carrier: clients.Carrier | None = None
) -> AsyncIterator[tuple[delivering.Delivering, handling.Handling]]:
    """The service's workers, calling the carrier until the block ends."""
    carrier = carrier or clients.Carrier(chosen)
    following = tracking.Tracking(db, carrier, now=clock.utc_now, track_s=chosen.track_s)
    follower = loops.Loop("test-follower", following.follow, loops.Pace(0.02))
    terms = labelling.Terms(chosen.lease_s, chosen.track_s, automatic=chosen.automatic)
    labels = labelling.Labelling(carrier, now=clock.utc_now, terms=terms, wake=follower.wake)
    worker = effects.Worker(db, labels, LIMITS, name="test-labels")
    parts: Sequence[Any] = (carrier, worker, follower)
    for part in parts:
        await part.start()
    try:
        yield (
            delivering.Delivering(db, now=clock.utc_now, wake=worker.wake),
            handling.Handling(db, now=clock.utc_now, track_s=chosen.track_s, wake=follower.wake),
        )
    finally:
        for part in reversed(parts):
            await part.stop()

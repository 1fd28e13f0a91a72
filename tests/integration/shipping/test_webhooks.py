"""What the carrier tells of by itself: only it can, and it makes the carrier be asked now, long before the next look. No more."""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import grpc
import pytest
import pytest_asyncio

from services.chassis import clock, credentials, database, signatures
from services.shipping import clients
from services.shipping.domain import parcels
from services.shipping.domain.parcels import State
from services.shipping.settings import Settings
from services.shipping.usecases import noticing
from souk.shipping.v1 import shipping_service_pb2, shipping_service_pb2_grpc
from tests.integration.shipping import dispatch as dispatches
from tests.integration.shipping import pricing
from tests.integration.shipping.dispatch import AT_ONCE, Dispatch, committed, confirmed, new_id
from tests.support import calls, hooked
from tests.support.polling import eventually

WAY = ["ACCEPTED", "IN_TRANSIT", "OUT_FOR_DELIVERY", "DELIVERED"]
HOUR_S = 3600.0
DUE = database.Statement("SELECT next_try_at <= clock_timestamp() FROM parcels WHERE id = %(id)s")
WAITS = database.Statement(
    "SELECT next_try_at > clock_timestamp() + interval '50 minutes' FROM parcels WHERE id = %(id)s"
)


@dataclass
class Door:
    """Where the carrier's webhooks come in, and a dispatch behind it that looks at a parcel once an hour."""

    stub: Any
    dispatch: Dispatch

    async def tell(self, kind: str, reference: str, *, secret: str = "whsec_new") -> None:  # noqa: S107
        """Send an event as the carrier signs it."""
        event = {"id": "evt_1", "type": kind, "created": 1, "data": {"object": {"reference": reference}}}
        body, seconds = json.dumps(event).encode(), int(time.time())
        await self.send(f"t={seconds},v1={signatures.code(secret, f'{seconds}.'.encode() + body)}", body)

    async def send(self, signature: str, body: bytes) -> None:
        """Hand over these bytes."""
        request = shipping_service_pb2.ReceiveCarrierWebhookRequest(carrier="simulator", event={"data": body})
        await self.stub.ReceiveCarrierWebhook(request, metadata=(("webhook-signature", signature),))

    async def take(self, signature: str, body: bytes) -> int:
        """Hand over what came by HTTP, as the edge does."""
        try:
            await self.send(signature, body)
        except grpc.aio.AioRpcError:
            return 401
        return 200

    async def accepted(self) -> tuple[str, parcels.Parcel]:
        """An order whose parcel the carrier has, and about which it will be asked in an hour."""
        order = new_id()
        await self.dispatch.say(confirmed(order))
        await self.dispatch.say(committed(order))
        await self.dispatch.reach(order, State.LABELLED)
        await self.dispatch.by_hand(order)
        await self.dispatch.reach(order, State.IN_TRANSIT)
        [parcel] = await self.dispatch.of(order)
        return order, parcel

    async def says(self, asked: database.Statement, parcel: parcels.Parcel) -> bool:
        [[answer]] = await self.dispatch.db.read(asked, {"id": parcel.id})
        return bool(answer)


@asynccontextmanager
async def _door(idle: Dispatch, chosen: Settings, carrier: clients.Carrier | None = None) -> AsyncIterator[Door]:
    hooks = clients.door(chosen, noticing.Noticing(idle.db, wake=lambda: None).hear, now=clock.utc_now)
    async with (
        dispatches.working(idle.db, chosen, carrier) as (idle.hearing, idle.handling),
        calls.served(pricing.servicer(idle.handling, idle.db, hooks=hooks), "shipping") as shop,
    ):
        yield Door(shipping_service_pb2_grpc.ShippingServiceStub(shop.channel), idle)


@pytest.fixture
def hourly(carrier_url: str) -> Settings:
    secrets = credentials.of("whsec_new whsec_old")
    return replace(dispatches.settings(carrier_url, timeout_s=2.0), webhook_secrets=secrets, track_s=HOUR_S)


@pytest_asyncio.fixture
async def door(idle: Dispatch, hourly: Settings) -> AsyncIterator[Door]:
    async with _door(idle, hourly) as opened:
        yield opened


@pytest_asyncio.fixture
async def told(door: Door) -> AsyncIterator[Callable[..., Awaitable[None]]]:
    """Has the carrier tell the door of scans."""
    async with hooked.receiving(door.take) as url:

        async def tell(**how: Any) -> None:
            wish = {"url": url, "secret": "whsec_old", **how}
            (await door.dispatch.carrier.put("/webhooks", json=wish)).raise_for_status()

        yield tell
        await door.dispatch.carrier.put("/webhooks", json={})


@pytest.mark.parametrize("how", [{}, {"copies": 3, "delay_seconds": 0.5}], ids=["once", "thrice and in disorder"])
async def test_a_delivery_is_known_long_before_the_next_look_and_each_step_is_told_once(
    door: Door, told: Callable[..., Awaitable[None]], how: Mapping[str, Any]
) -> None:
    order, parcel = await door.accepted()
    await told(**how)
    await door.dispatch.control(speed=AT_ONCE)

    await door.dispatch.reach(order, State.DELIVERED)

    shown = await door.dispatch.handling.get(parcel.id, owner_id=parcel.user_id)
    assert [entry.event for entry in shown.history][-4:] == WAY
    assert await door.dispatch.told(order) == ["ShipmentCreated", "ShipmentHandedOver", "ShipmentDelivered"]


async def test_a_webhook_alone_moves_no_parcel(door: Door) -> None:
    _, parcel = await door.accepted()

    for kind in ("scan.delivered", "scan.lost", "scan.returned"):
        await door.tell(kind, parcel.id)

    async def looked() -> bool:
        return await door.says(WAITS, parcel)

    await eventually(looked, within_s=dispatches.PATIENCE_S)
    [now] = await door.dispatch.of(parcel.order_id)
    assert (now.state, now.version) == (parcel.state, parcel.version)


async def test_what_the_carrier_did_not_sign_is_refused_and_does_nothing(door: Door) -> None:
    _, parcel = await door.accepted()

    forged = door.tell("scan.delivered", parcel.id, secret="a-guess")

    assert (await calls.refused(forged)).reason == "SIGNATURE_INVALID"
    assert await door.says(WAITS, parcel)


async def test_unknown_parcels_and_types_are_accepted_and_do_nothing(door: Door) -> None:
    _, parcel = await door.accepted()

    await door.tell("scan.delivered", new_id())
    await door.tell("scan.delivered", "not-ours")
    await door.tell("invoice.due", parcel.id)

    assert await door.says(WAITS, parcel)


async def test_a_parcel_that_does_not_travel_stays_what_it_waits_for(door: Door) -> None:
    order, _ = await door.accepted()
    await door.tell("scan.delivered", (await door.dispatch.of(order))[0].id)
    await door.dispatch.control(speed=AT_ONCE)
    [parcel] = await door.dispatch.of(order)
    await door.tell("scan.delivered", parcel.id)
    await door.dispatch.reach(order, State.DELIVERED)

    await door.tell("scan.delivered", parcel.id)

    assert not await door.says(DUE, parcel)


class _Interrupted(clients.Carrier):
    """A carrier that scans a parcel when it has just answered, and tells of it."""

    def __init__(self, settings: Settings, tell: Callable[[], Awaitable[None]]) -> None:
        super().__init__(settings)
        self._tell = tell

    async def scans(self, references: Sequence[str]) -> Mapping[str, Sequence[parcels.Scan]]:
        said = await super().scans(references)
        await self._tell()
        return said


async def test_news_that_come_while_the_answer_before_them_is_written_are_not_lost(
    idle: Dispatch, hourly: Settings
) -> None:
    opened: list[Door] = []

    async def scanned_and_told() -> None:
        await idle.control(speed=AT_ONCE)
        [[parcel]] = await idle.db.read(
            database.Statement("SELECT max(id::text) FROM parcels WHERE state = 'HANDED_OVER'")
        )
        if parcel:
            await opened[0].tell("scan.delivered", parcel)

    async with _door(idle, hourly, _Interrupted(hourly, scanned_and_told)) as door:
        opened.append(door)
        order = new_id()
        await idle.say(confirmed(order))
        await idle.say(committed(order))
        await idle.reach(order, State.LABELLED)
        await idle.by_hand(order)
        await idle.reach(order, State.DELIVERED)

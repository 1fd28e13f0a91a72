"""Parcels by EasyPost's interface, against a strict server that answers as its documentation says: one label, always."""

import json
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from services.chassis import clock, credentials, database, signatures
from services.shipping import clients
from services.shipping.domain.parcels import Parcel, State
from services.shipping.settings import CarrierKind, Settings
from services.shipping.usecases import noticing
from souk.order.v1 import return_events_pb2
from souk.shipping.v1 import shipping_service_pb2, shipping_service_pb2_grpc
from tests.integration.shipping import dispatch as dispatches
from tests.integration.shipping import mortal_worker, pricing
from tests.integration.shipping.dispatch import Dispatch, cancelled, committed, confirmed, new_id
from tests.support import calls, easypost, mortal, mortal_effects
from tests.support.easypost import EasyPost
from tests.support.polling import eventually

HOUR_S = 3600.0


@pytest_asyncio.fixture
async def carrier() -> AsyncIterator[EasyPost]:
    async with easypost.serving() as running:
        yield running


def settings(carrier: EasyPost, **more: Any) -> Settings:
    return Settings(
        carrier=CarrierKind.EASYPOST,
        easypost_api_key=credentials.of(easypost.KEY),
        easypost_api_base=carrier.url,
        easypost_senders=easypost.SENDERS,
        **{"carrier_timeout_s": 0.4, "breaker_reset_s": 0.5, "track_s": dispatches.TRACK_S} | more,
    )


async def _weigh(_: Parcel) -> int:
    return 437


@pytest_asyncio.fixture
async def dispatch(idle: Dispatch, carrier: EasyPost) -> AsyncIterator[Dispatch]:
    async with _working(idle, settings(carrier)):
        yield idle


def _working(idle: Dispatch, chosen: Settings) -> Any:
    return dispatches.working(idle.db, chosen, clients.Carrier(chosen, weigh=_weigh))


async def _ordered(dispatch: Dispatch, state: State = State.LABELLED) -> Parcel:
    order = new_id()
    await dispatch.say(confirmed(order))
    await dispatch.say(committed(order))
    await dispatch.reach(order, state)
    [parcel] = await dispatch.of(order)
    return parcel


async def test_a_parcel_gets_the_cheapest_label_of_a_shipment_that_was_written_down_before(
    dispatch: Dispatch, carrier: EasyPost
) -> None:
    parcel = await _ordered(dispatch)

    shown = await dispatch.handling.get(parcel.id, owner_id=parcel.user_id)
    assert [entry.event for entry in shown.history] == ["CREATED", "LABEL_OFFERED", "LABEL_BOUGHT"]
    assert carrier.log == ["create", "retrieve", "buy"]
    [bought] = carrier.labels(parcel.id)
    assert (parcel.label.carrier, parcel.label.reference) == ("USPS", bought)
    assert carrier.shipments[bought]["selected_rate"]["service"] == "GroundAdvantage"
    assert parcel.label.tracking_number == "9405500208303109884199"
    assert parcel.label.tracking_url.startswith("https://track.easypost.com/")
    assert parcel.label.url.endswith(".png")


async def test_a_parcel_is_followed_until_it_is_delivered(dispatch: Dispatch, carrier: EasyPost) -> None:
    parcel = await _ordered(dispatch)
    await dispatch.by_hand(parcel.order_id)
    carrier.travels(parcel.label.reference)

    await dispatch.reach(parcel.order_id, State.DELIVERED)

    shown = await dispatch.handling.get(parcel.id, owner_id=parcel.user_id)
    assert [(entry.event, entry.place) for entry in shown.history][-4:] == [
        ("IN_TRANSIT", "NORTH HOUSTON"),
        ("IN_TRANSIT", "COLUMBIA"),
        ("OUT_FOR_DELIVERY", "CHARLESTON"),
        ("DELIVERED", "CHARLESTON"),
    ]


@pytest.mark.parametrize("exchange", ["create", "buy"])
async def test_what_was_done_and_not_answered_is_asked_about_and_bought_once(
    idle: Dispatch, carrier: EasyPost, exchange: str
) -> None:
    carrier.silent.add(exchange)
    async with _working(idle, settings(carrier)):
        parcel = await _ordered(idle)

    assert carrier.labels(parcel.id) == [parcel.label.reference]
    assert carrier.log.count("buy") == 1


async def test_a_return_is_created_as_one_and_its_label_awaits_its_parcel(
    dispatch: Dispatch, carrier: EasyPost
) -> None:
    parcel, back = await _ordered(dispatch), new_id()
    said = return_events_pb2.ReturnApproved
    await dispatch.say(said(order_id=parcel.order_id, return_id=back, lines=[said.Line(sku="MUG", quantity=1)]))
    await dispatch.reach(parcel.order_id, *sorted((State.LABELLED, State.AWAITED), key=str, reverse=True))

    [shown] = await dispatch.handling.of_return(back, owner_id=parcel.user_id)
    [bought] = carrier.labels(shown.parcel.id)
    assert carrier.returns == {bought}
    assert shown.parcel.label.url.endswith(".png")


async def test_that_a_label_exists_is_no_refusal(idle: Dispatch, carrier: EasyPost) -> None:
    carrier.refusals["buy"] = "exists"
    async with _working(idle, settings(carrier)):
        parcel = await _ordered(idle)

    assert parcel.state is State.LABELLED


@pytest.mark.parametrize("exchange", ["create", "buy"])
async def test_a_definite_no_is_shown_with_its_code(idle: Dispatch, carrier: EasyPost, exchange: str) -> None:
    carrier.refusals[exchange] = "invalid"
    async with _working(idle, settings(carrier)):
        parcel = await _ordered(idle, State.LABEL_REFUSED)

    assert parcel.failure_reason == "ADDRESS.VERIFY.FAILURE"
    assert carrier.labels(parcel.id) == []


async def test_a_cancelled_order_has_its_label_refunded(dispatch: Dispatch, carrier: EasyPost) -> None:
    parcel = await _ordered(dispatch)

    await dispatch.say(cancelled(parcel.order_id))
    await dispatch.reach(parcel.order_id, State.STOPPED)

    assert carrier.shipments[parcel.label.reference]["refund_status"] == "submitted"


async def test_a_label_that_is_used_is_not_refunded_and_its_parcel_travels(
    dispatch: Dispatch, carrier: EasyPost
) -> None:
    parcel = await _ordered(dispatch)
    carrier.refusals["refund"] = "shipped"

    await dispatch.say(cancelled(parcel.order_id))

    await dispatch.reach(parcel.order_id, State.IN_TRANSIT)


@pytest.mark.parametrize("point", [mortal_effects.ANSWERED, mortal_effects.COMMITTED])
async def test_a_worker_killed_between_the_steps_leaves_one_label(
    idle: Dispatch, database_url: str, carrier: EasyPost, point: str
) -> None:
    order = new_id()
    await idle.say(confirmed(order))
    for _ in ("create", "buy"):
        with mortal.worker(
            mortal_worker.__name__, database_url, carrier.url, die_at=point, SHIPPING_CARRIER="easypost"
        ) as doomed:
            await idle.say(committed(order))
            assert await mortal.death_of(doomed, within_s=dispatches.PATIENCE_S) == -signal.SIGKILL
    async with _working(idle, settings(carrier)):
        await idle.reach(order, State.LABELLED)

    [parcel] = await idle.of(order)
    assert carrier.labels(parcel.id) == [parcel.label.reference]


async def test_an_updated_tracker_makes_it_be_asked_now(idle: Dispatch, carrier: EasyPost) -> None:
    chosen = settings(carrier, track_s=HOUR_S, webhook_secrets=credentials.of("whsec"), carrier_timeout_s=2.0)
    hooks = clients.door(chosen, noticing.Noticing(idle.db, wake=lambda: None).hear, now=clock.utc_now)
    async with (
        _working(idle, chosen) as (idle.hearing, idle.handling),
        calls.served(pricing.servicer(idle.handling, idle.db, hooks=hooks), "shipping") as shop,
    ):
        parcel = await _ordered(idle)
        await idle.by_hand(parcel.order_id)
        await _waits(idle.db, parcel)
        carrier.travels(parcel.label.reference)
        stub = shipping_service_pb2_grpc.ShippingServiceStub(shop.channel)
        body = _event(parcel)

        forged = _send(stub, body, f"hmac-sha256-hex={signatures.code('a-guess', body)}")
        assert (await calls.refused(forged)).reason == "SIGNATURE_INVALID"
        await _send(stub, body, f"hmac-sha256-hex={signatures.code('whsec', body)}")

        await idle.reach(parcel.order_id, State.DELIVERED)


async def test_a_parcel_about_which_no_answer_came_is_asked_about_again_within_seconds(
    idle: Dispatch, carrier: EasyPost
) -> None:
    async with _working(idle, settings(carrier, track_s=HOUR_S)) as (idle.hearing, idle.handling):
        parcel = await _ordered(idle)
        carrier.travels(parcel.label.reference)
        carrier.silent.add("retrieve")
        await idle.by_hand(parcel.order_id)

        await idle.reach(parcel.order_id, State.DELIVERED)

    assert carrier.silent == set()


def _event(parcel: Parcel) -> bytes:
    event = easypost.RECORDED["event"]["body"]
    return json.dumps(event | {"result": event["result"] | {"shipment_id": parcel.label.reference}}).encode()


def _send(stub: Any, body: bytes, signature: str) -> Any:
    request = shipping_service_pb2.ReceiveCarrierWebhookRequest(carrier="easypost", event={"data": body})
    return stub.ReceiveCarrierWebhook(request, metadata=(("x-hmac-signature", signature),))


async def _waits(db: database.Database, parcel: Parcel) -> None:
    """Wait until the carrier was told of the parcel, and is to be asked about it in an hour."""
    asked = database.Statement(
        "SELECT next_try_at > clock_timestamp() + interval '50 minutes' FROM parcels WHERE id = %(id)s"
    )

    async def waits() -> bool:
        [[answer]] = await db.read(asked, {"id": parcel.id})
        return bool(answer)

    await eventually(waits, within_s=dispatches.PATIENCE_S)

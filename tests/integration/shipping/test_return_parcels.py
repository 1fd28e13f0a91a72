"""Parcels that bring returns back: a label for the customer, bought once, and voided when nobody used it."""

import signal

import pytest

from services.shipping.domain.parcels import Parcel, State
from souk.order.v1 import return_events_pb2
from tests.integration.shipping import dispatch as dispatches
from tests.integration.shipping import mortal_worker
from tests.integration.shipping.dispatch import AT_ONCE, Dispatch, cancelled, committed, confirmed, new_id
from tests.support import mortal, mortal_effects
from tests.support.polling import eventually


def approved(order_id: str, return_id: str, quantity: int = 1) -> return_events_pb2.ReturnApproved:
    said = return_events_pb2.ReturnApproved
    return said(order_id=order_id, return_id=return_id, lines=[said.Line(sku="MUG", quantity=quantity)])


def rejected(order_id: str, return_id: str) -> return_events_pb2.ReturnRejected:
    return return_events_pb2.ReturnRejected(order_id=order_id, return_id=return_id, reason="never sent")


def received(order_id: str, return_id: str) -> return_events_pb2.ReturnReceived:
    return return_events_pb2.ReturnReceived(order_id=order_id, return_id=return_id)


async def delivered(dispatch: Dispatch) -> str:
    order = new_id()
    await dispatch.say(confirmed(order))
    await dispatch.say(committed(order))
    await dispatch.reach(order, State.LABELLED)
    await dispatch.by_hand(order)
    await dispatch.control(speed=AT_ONCE)
    await dispatch.reach(order, State.DELIVERED)
    return order


async def reach(dispatch: Dispatch, return_id: str, state: State) -> Parcel:
    """The only parcel of a return, once it is there."""

    async def there() -> bool:
        return [shown.parcel.state for shown in await dispatch.handling.of_return(return_id, owner_id=None)] == [state]

    await eventually(there, within_s=dispatches.PATIENCE_S)
    [shown] = await dispatch.handling.of_return(return_id, owner_id=None)
    return shown.parcel


async def bring(dispatch: Dispatch, parcel: Parcel) -> None:
    """The customer brings the parcel to the carrier's counter."""
    answer = await dispatch.carrier.post("/v1/manifests", json={"labels": [parcel.label.reference]})
    assert answer.json()["accepted"] == [parcel.label.reference]


async def test_an_approved_return_gets_a_label_and_is_followed_to_its_warehouse(dispatch: Dispatch) -> None:
    order, back = await delivered(dispatch), new_id()
    await dispatch.say(approved(order, back))
    parcel = await reach(dispatch, back, State.AWAITED)
    assert parcel.label.url.startswith("https://")
    await bring(dispatch, parcel)

    await reach(dispatch, back, State.DELIVERED)

    told = await dispatch.told(order)
    assert told[-2:] == ["ReturnShipmentLabelled", "ReturnShipmentArrived"]
    assert [parcel.return_id for parcel in await dispatch.of(order)].count("") == 1
    shown = await dispatch.handling.of_order(order, owner_id=None)
    assert [one.parcel.return_id for one in shown] == [""]


async def test_a_returns_shipments_are_its_customers_alone(dispatch: Dispatch) -> None:
    order, back = await delivered(dispatch), new_id()
    await dispatch.say(approved(order, back))
    parcel = await reach(dispatch, back, State.AWAITED)
    assert len(await dispatch.handling.of_return(back, owner_id=parcel.user_id)) == 1
    assert await dispatch.handling.of_return(back, owner_id=new_id()) == []


@pytest.mark.parametrize("over", [rejected, received])
async def test_the_label_of_a_return_that_is_over_is_given_back(dispatch: Dispatch, over: object) -> None:
    order, back = await delivered(dispatch), new_id()
    await dispatch.say(approved(order, back))
    parcel = await reach(dispatch, back, State.AWAITED)
    assert callable(over)
    await dispatch.say(over(order, back))
    await reach(dispatch, back, State.STOPPED)
    assert await dispatch.testimony(parcel) == ["bought", "voided"]


async def test_a_return_that_is_on_its_way_is_not_stopped(dispatch: Dispatch) -> None:
    order, back = await delivered(dispatch), new_id()
    await dispatch.say(approved(order, back))
    parcel = await reach(dispatch, back, State.AWAITED)
    await bring(dispatch, parcel)
    await reach(dispatch, back, State.DELIVERED)
    await dispatch.say(received(order, back))
    await reach(dispatch, back, State.DELIVERED)
    assert await dispatch.testimony(parcel) == ["bought", "used"]


async def test_an_approval_that_comes_again_opens_nothing_and_two_returns_have_a_parcel_each(
    dispatch: Dispatch,
) -> None:
    order, first, second = await delivered(dispatch), new_id(), new_id()
    await dispatch.say(approved(order, first))
    await dispatch.say(approved(order, first))
    await dispatch.say(approved(order, second))
    one, other = await reach(dispatch, first, State.AWAITED), await reach(dispatch, second, State.AWAITED)
    assert one.label.reference != other.label.reference
    assert await dispatch.testimony(one) == ["bought"]


async def test_an_order_that_asks_again_or_is_cancelled_does_not_concern_its_returns(dispatch: Dispatch) -> None:
    order, back = await delivered(dispatch), new_id()
    await dispatch.say(approved(order, back))
    await reach(dispatch, back, State.AWAITED)
    before = len(await dispatch.told(order))
    await dispatch.say(confirmed(order))
    await dispatch.say(cancelled(order))
    assert (await dispatch.told(order))[before:] == ["ShipmentCreated", "ShipmentHandedOver", "ShipmentDelivered"]
    await reach(dispatch, back, State.AWAITED)


@pytest.mark.parametrize("point", mortal_effects.POINTS)
async def test_a_worker_killed_at_any_line_buys_and_voids_a_returns_label_once(
    idle: Dispatch, database_url: str, carrier_url: str, point: str
) -> None:
    async with dispatches.working(idle.db, dispatches.settings(carrier_url)) as (hearing, hands):
        idle.hearing, idle.handling = hearing, hands
        order = await delivered(idle)
    back = new_id()
    for said, reached in ((approved, State.AWAITED), (rejected, State.STOPPED)):
        with mortal.worker(mortal_worker.__name__, database_url, carrier_url, die_at=point) as doomed:
            await idle.say(said(order, back))
            assert await mortal.death_of(doomed, within_s=dispatches.PATIENCE_S) == -signal.SIGKILL
        async with dispatches.working(idle.db, dispatches.settings(carrier_url)):
            parcel = await reach(idle, back, reached)
    assert await idle.testimony(parcel) == ["bought", "voided"]

"""Parcels on a real database, from what is said of an order to its delivery, by a real carrier process."""

import itertools

import pytest

from services.shipping import messages
from services.shipping.domain.parcels import State
from tests.integration.shipping import dispatch as dispatches
from tests.integration.shipping.dispatch import AT_ONCE, Dispatch, cancelled, committed, confirmed, new_id

HANDED_OVER = ("CREATED", "LABEL_BOUGHT", "PICKED", "PACKED", "HANDED_OVER")


@pytest.mark.parametrize("first", [0, 1])
async def test_a_parcel_for_each_warehouse_is_opened_when_both_are_heard_in_either_order(
    dispatch: Dispatch, first: int
) -> None:
    order = new_id()
    said = [confirmed(order), committed(order, "main", "west")]
    await dispatch.say(said[first])
    assert await dispatch.of(order) == []
    await dispatch.say(said[1 - first])
    assert [parcel.warehouse for parcel in await dispatch.of(order)] == ["main", "west"]
    created = [(message.warehouse, message.complete) for message in await dispatch.messages(order)]
    assert created == [("main", False), ("west", True)]
    await dispatch.reach(order, State.LABELLED, State.LABELLED)


async def test_a_parcel_travels_to_its_recipient_and_each_step_is_told_once(dispatch: Dispatch) -> None:
    order = new_id()
    await dispatch.say(confirmed(order))
    await dispatch.say(committed(order))
    await dispatch.reach(order, State.LABELLED)
    await dispatch.by_hand(order)
    await dispatch.control(speed=AT_ONCE)
    await dispatch.reach(order, State.DELIVERED)
    assert await dispatch.told(order) == ["ShipmentCreated", "ShipmentHandedOver", "ShipmentDelivered"]
    [parcel] = await dispatch.of(order)
    assert await dispatch.testimony(parcel) == ["bought", "used"]
    shown = await dispatch.handling.get(parcel.id, owner_id=parcel.user_id)
    told = [entry.event for entry in shown.history]
    assert told == [*HANDED_OVER, "ACCEPTED", "IN_TRANSIT", "OUT_FOR_DELIVERY", "DELIVERED"]


async def test_parts_of_an_order_travel_apart_and_the_last_says_that_all_are_there(dispatch: Dispatch) -> None:
    order = new_id()
    await dispatch.say(confirmed(order))
    await dispatch.say(committed(order, "main", "west"))
    await dispatch.reach(order, State.LABELLED, State.LABELLED)
    await dispatch.by_hand(order)
    await dispatch.control(speed=AT_ONCE)
    await dispatch.reach(order, State.DELIVERED, State.DELIVERED)
    said = await dispatch.messages(order)
    handed = [message.complete for message in said if type(message).__name__ == "ShipmentHandedOver"]
    arrived = [message.complete for message in said if type(message).__name__ == "ShipmentDelivered"]
    assert (handed, arrived[-1], len(arrived)) == ([False, True], True, 2)


@pytest.mark.parametrize(
    ("city", "end", "told"),
    [
        ("Lost Creek", State.LOST, ["ShipmentUndeliverable"]),
        ("Breaker Ridge", State.DAMAGED, ["ShipmentUndeliverable"]),
        ("Absent Hollow", State.DELIVERED, ["ShipmentDeliveryFailed", "ShipmentDelivered"]),
        ("Return Point", State.RETURNED, ["ShipmentDeliveryFailed", "ShipmentUndeliverable"]),
    ],
)
async def test_what_goes_wrong_on_the_way_is_told(dispatch: Dispatch, city: str, end: State, told: list[str]) -> None:
    order = new_id()
    await dispatch.say(confirmed(order, city))
    await dispatch.say(committed(order))
    await dispatch.reach(order, State.LABELLED)
    await dispatch.by_hand(order)
    await dispatch.control(speed=AT_ONCE)
    await dispatch.reach(order, end)
    # What happened between two looks is told together, in the order in which others care.
    assert sorted((await dispatch.told(order))[2:]) == sorted(told)


async def test_a_refused_label_is_told_of_with_the_carriers_reason(dispatch: Dispatch) -> None:
    order = new_id()
    await dispatch.say(confirmed(order, "Refusal Bay"))
    await dispatch.say(committed(order))
    await dispatch.reach(order, State.LABEL_REFUSED)
    assert await dispatch.told(order) == ["ShipmentCreated", "ShipmentUndeliverable"]
    assert (await dispatch.of(order))[0].failure_reason == "ADDRESS_UNDELIVERABLE"


@pytest.mark.parametrize("city", ["Slow Valley", "Silent Lake", "Error Falls", "Echo Cliff"])
async def test_a_label_whose_purchase_is_unknown_is_asked_about_and_bought_once(dispatch: Dispatch, city: str) -> None:
    order = new_id()
    await dispatch.say(confirmed(order, city))
    await dispatch.say(committed(order))
    await dispatch.reach(order, State.LABELLED)
    assert await dispatch.testimony((await dispatch.of(order))[0]) == ["bought"]


async def test_parcels_wait_while_the_carrier_is_down(dispatch: Dispatch) -> None:
    order = new_id()
    await dispatch.control(mode="down")
    await dispatch.say(confirmed(order))
    await dispatch.say(committed(order))
    await dispatch.reach(order, State.LABELLING)
    await dispatch.control(mode="normal")
    await dispatch.reach(order, State.LABELLED)


async def test_the_parcels_of_a_cancelled_order_are_stopped_and_their_labels_given_back(dispatch: Dispatch) -> None:
    order = new_id()
    await dispatch.say(confirmed(order))
    await dispatch.say(committed(order))
    await dispatch.reach(order, State.LABELLED)
    await dispatch.say(cancelled(order))
    await dispatch.reach(order, State.STOPPED)
    assert await dispatch.testimony((await dispatch.of(order))[0]) == ["bought", "voided"]
    await dispatch.say(cancelled(order))
    await dispatch.reach(order, State.STOPPED)


async def test_a_label_that_is_being_bought_when_the_order_is_cancelled_is_given_back(
    idle: Dispatch, carrier_url: str
) -> None:
    order = new_id()
    await idle.say(confirmed(order))
    await idle.say(committed(order))
    await idle.say(cancelled(order))
    async with dispatches.working(idle.db, dispatches.settings(carrier_url)):
        await idle.reach(order, State.STOPPED)
    assert await idle.testimony((await idle.of(order))[0]) == ["bought", "voided"]


@pytest.mark.parametrize("turn", list(itertools.permutations(range(3))))
async def test_an_order_that_is_cancelled_before_everything_is_heard_is_never_sent(
    idle: Dispatch, turn: tuple[int, ...]
) -> None:
    order = new_id()
    said = [confirmed(order), committed(order), cancelled(order)]
    for number in turn:
        await idle.say(said[number])
    states = [parcel.state for parcel in await idle.of(order)]
    assert states == ([State.LABELLING_STOPPED] if turn[-1] == 2 else [])


async def test_what_has_left_goes_on_when_its_order_is_cancelled(dispatch: Dispatch) -> None:
    order = new_id()
    await dispatch.say(confirmed(order))
    await dispatch.say(committed(order))
    await dispatch.reach(order, State.LABELLED)
    await dispatch.by_hand(order)
    await dispatch.say(cancelled(order))
    await dispatch.control(speed=AT_ONCE)
    await dispatch.reach(order, State.DELIVERED)


async def test_an_order_that_asks_again_is_told_again_and_nothing_is_opened_twice(dispatch: Dispatch) -> None:
    order = new_id()
    await dispatch.say(confirmed(order))
    await dispatch.say(committed(order))
    await dispatch.reach(order, State.LABELLED)
    await dispatch.by_hand(order)
    await dispatch.say(confirmed(order))
    await dispatch.say(committed(order))
    assert len(await dispatch.of(order)) == 1
    told = await dispatch.told(order)
    assert told == ["ShipmentCreated", "ShipmentHandedOver", "ShipmentCreated", "ShipmentHandedOver"]


def test_orders_of_before_addresses_and_picks_were_told_are_not_sent() -> None:
    old = confirmed(new_id())
    old.ClearField("shipping_address")
    bare = committed(old.order_id)
    del bare.picks[:]
    assert messages.confirmation(old) is None
    assert messages.picks(bare) is None


async def test_without_a_warehouse_a_parcel_is_the_carriers_as_soon_as_it_has_a_label(
    idle: Dispatch, carrier_url: str
) -> None:
    order = new_id()
    await idle.control(speed=AT_ONCE)
    async with dispatches.working(idle.db, dispatches.settings(carrier_url, automatic=True)):
        await idle.say(confirmed(order))
        await idle.say(committed(order))
        await idle.reach(order, State.DELIVERED)
    assert await idle.told(order) == ["ShipmentCreated", "ShipmentHandedOver", "ShipmentDelivered"]

"""`kill -9` at the commit of a table of rates, and of what opens or stops parcels: each is done once, as if nobody had died."""

import dataclasses
from collections.abc import Callable

import pytest
from google.protobuf.message import Message

from services.chassis import database
from services.shipping.domain.parcels import State
from services.shipping.store import rates as tables
from souk.order.v1 import order_events_pb2
from tests.integration.shipping import mortal_office
from tests.integration.shipping.dispatch import Dispatch, cancelled, committed, confirmed, new_id
from tests.integration.shipping.test_return_parcels import approved, delivered, reach, received, rejected
from tests.support import mortal


def stop_requested(order_id: str) -> order_events_pb2.ShipmentsStopRequested:
    return order_events_pb2.ShipmentsStopRequested(order_id=order_id)


VERSIONS = database.Statement("SELECT version FROM rate_tables ORDER BY version")


@pytest.mark.parametrize("at", mortal.POINTS)
async def test_rates_are_set_once_through_a_death(db: database.Database, database_url: str, at: str) -> None:
    before = (await tables.newest(db)).table.version
    mortal.dies(mortal_office.MODULE, database_url, at=at, DOES="rates", VERSION=str(before))
    again = await mortal_office.set_rates(db, before)

    assert again.table == dataclasses.replace(mortal_office.table(before), version=before + 1)
    assert await db.read(VERSIONS) == [(version,) for version in range(1, before + 2)]


@pytest.mark.parametrize("at", mortal.POINTS)
async def test_a_granted_return_opens_one_parcel_with_one_label_through_a_death(
    dispatch: Dispatch, database_url: str, at: str
) -> None:
    order, back = new_id(), new_id()
    await dispatch.say(confirmed(order))
    await dispatch.say(committed(order))

    await _dies_and_hears_again(dispatch, database_url, approved(order, back), at)

    parcel = await reach(dispatch, back, State.AWAITED)
    assert [line.quantity for line in parcel.lines] == [1]
    assert await dispatch.testimony(parcel) == ["bought"]


@pytest.mark.parametrize("at", mortal.POINTS)
@pytest.mark.parametrize("over", [rejected, received])
async def test_the_label_of_a_return_that_is_over_is_given_back_once_through_a_death(
    dispatch: Dispatch, database_url: str, over: Callable[[str, str], Message], at: str
) -> None:
    order, back = await delivered(dispatch), new_id()
    await dispatch.say(approved(order, back))
    await reach(dispatch, back, State.AWAITED)

    await _dies_and_hears_again(dispatch, database_url, over(order, back), at)

    parcel = await reach(dispatch, back, State.STOPPED)
    assert await dispatch.testimony(parcel) == ["bought", "voided"]


@pytest.mark.parametrize("at", mortal.POINTS)
@pytest.mark.parametrize("stop", [cancelled, stop_requested])
async def test_an_order_that_is_stopped_has_its_label_given_back_once_through_a_death(
    dispatch: Dispatch, database_url: str, stop: Callable[[str], Message], at: str
) -> None:
    order = new_id()
    await dispatch.say(confirmed(order))
    await dispatch.say(committed(order))
    await dispatch.reach(order, State.LABELLED)

    await _dies_and_hears_again(dispatch, database_url, stop(order), at)

    await dispatch.reach(order, State.STOPPED)
    [parcel] = await dispatch.of(order)
    assert await dispatch.testimony(parcel) == ["bought", "voided"]
    assert (await dispatch.told(order)).count("ShipmentsStopped") == (stop is stop_requested)


async def _dies_and_hears_again(dispatch: Dispatch, database_url: str, message: Message, at: str) -> None:
    """A consumer is killed at the commit of this message, and the next one gets it again."""
    event_id = new_id()
    mortal.dies(mortal_office.MODULE, database_url, at=at, **mortal_office.said(message, event_id))
    await mortal_office.hear(dispatch.db, message, event_id)

"""`kill -9` at the commit of a table of rates, and of what opens a return's parcel: each is there once, as if nobody had died."""

import dataclasses

import pytest

from services.chassis import database
from services.shipping.domain.parcels import State
from services.shipping.store import rates as tables
from tests.integration.shipping import mortal_office
from tests.integration.shipping.dispatch import Dispatch, committed, confirmed, new_id
from tests.integration.shipping.test_return_parcels import reach
from tests.support import mortal

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
    order, back, event_id = new_id(), new_id(), new_id()
    await dispatch.say(confirmed(order))
    await dispatch.say(committed(order))

    words = {"ORDER_ID": order, "RETURN_ID": back, "EVENT_ID": event_id}
    mortal.dies(mortal_office.MODULE, database_url, at=at, DOES="return", **words)
    await mortal_office.hear(dispatch.db, order, back, event_id)

    parcel = await reach(dispatch, back, State.AWAITED)
    assert [line.quantity for line in parcel.lines] == [1]
    assert await dispatch.testimony(parcel) == ["bought"]

"""What is left of an erased user's parcels: what was sent, and nothing that says to whom."""

from services.chassis import database
from services.shipping.domain.parcels import State
from souk.user.v1 import user_events_pb2
from tests.integration.shipping.dispatch import Dispatch, cancelled, committed, confirmed, new_id

_DUE = database.Statement("UPDATE erased_users SET next_look_at = clock_timestamp()")
_WRITTEN = database.Statement("""
SELECT address::text FROM deliveries WHERE order_id = %(id)s UNION ALL
SELECT address::text FROM parcels WHERE order_id = %(id)s
""")
STREET = "1 Market Street"


async def written(dispatch: Dispatch, order_id: str) -> list[str]:
    return [address for (address,) in await dispatch.db.read(_WRITTEN, {"id": order_id})]


async def test_a_parcel_on_its_way_keeps_its_address_and_loses_it_when_nothing_moves_any_more(
    dispatch: Dispatch,
) -> None:
    order_id, user_id = new_id(), new_id()
    await dispatch.say(confirmed(order_id, user_id=user_id), committed(order_id))
    await dispatch.reach(order_id, State.LABELLED)

    await dispatch.say(user_events_pb2.UserErased(user_id=user_id))
    await dispatch.erasing.work()
    assert [STREET in address for address in await written(dispatch, order_id)] == [True, True]

    await dispatch.say(cancelled(order_id))
    await dispatch.reach(order_id, State.STOPPED)
    await dispatch.db.read(_DUE)
    await dispatch.erasing.work()
    left = await written(dispatch, order_id)
    assert [(STREET in address, "Ada" in address, '"US"' in address) for address in left] == [(False, False, True)] * 2


async def test_what_was_stopped_before_there_was_a_parcel_loses_its_address(idle: Dispatch) -> None:
    order_id, user_id = new_id(), new_id()
    await idle.say(confirmed(order_id, user_id=user_id), cancelled(order_id))
    await idle.say(user_events_pb2.UserErased(user_id=user_id))
    await idle.erasing.work()
    [address] = await written(idle, order_id)
    assert STREET not in address


async def test_parcels_of_others_keep_their_addresses(idle: Dispatch) -> None:
    order_id = new_id()
    await idle.say(confirmed(order_id), cancelled(order_id))
    await idle.say(user_events_pb2.UserErased(user_id=new_id()))
    await idle.erasing.work()
    [address] = await written(idle, order_id)
    assert STREET in address

"""What is left of an erased user's cart: nothing."""

from services.cart import domain, events, store, usecases
from services.chassis import redis_store
from souk.user.v1 import user_events_pb2

ANN, BOB = domain.of_user("ann"), domain.of_user("bob")


async def test_the_cart_of_an_erased_user_is_deleted_and_no_other_however_often_that_is_heard(
    carts: usecases.Carts, redis: redis_store.RedisStore
) -> None:
    for place in (ANN, BOB):
        await carts.add(place, "tea", 2)
    subscriber = events.subscribers(carts)[user_events_pb2.UserErased]
    for _ in range(2):
        await subscriber.handle([subscriber.parse(user_events_pb2.UserErased(user_id=ANN.id))])
    assert set(await store.load_all(redis, [ANN, BOB])) == {BOB}

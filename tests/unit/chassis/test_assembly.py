"""A service is built of what its registry block names, reads only the settings of that, and does nothing else."""

import types
from collections.abc import Mapping
from typing import Any

import pytest

from services.chassis import assembly, clock, database, kafka, loops, redis_store
from services.chassis.events import at_least_once
from services.chassis.outbox import outbox
from services.chassis.rpc import revocations, server
from services.chassis.settings import SettingsError
from services.registry import Service
from souk.order.v1 import order_events_pb2

MESH = {"MESH_KEY": "mesh-key-of-the-tests-32-bytes-long", "CART_LISTEN": "127.0.0.1:1"}
POSTGRES = {"CART_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
REDIS = {"REDIS_URL": "redis://127.0.0.1:1/0"}
KAFKA = {"KAFKA_BOOTSTRAP": "127.0.0.1:1"}
ANYBODY: Any = types.SimpleNamespace(keys=None, revoked=None)


def host(environ: Mapping[str, str], role: str = assembly.ALL, **block: Any) -> assembly.Host:
    return assembly.Host(environ, role, "test", clock.utc_now, {"cart": Service("cart", 50057, 9457, **block)})


def kinds(service: assembly.Assembly, **chosen: Any) -> list[type]:
    return [type(part) for part in service.parts(ANYBODY, ANYBODY, **chosen)]


def test_a_service_with_nothing_is_a_server() -> None:
    service = assembly.Assembly("cart", host(MESH))
    assert kinds(service) == [revocations.Revocations, server.Server]


def test_a_service_with_redis_has_it_and_needs_no_database_and_no_brokers() -> None:
    service = assembly.Assembly("cart", host(MESH | REDIS, stores=("redis",)))
    assert kinds(service) == [redis_store.RedisStore, revocations.Revocations, server.Server]
    assert service.redis.key("x") == "cart:x"


def test_a_service_with_a_database_and_no_topics_needs_no_brokers() -> None:
    service = assembly.Assembly("cart", host(MESH | POSTGRES, stores=("postgres",)))
    # Retention and gauges; nothing to relay.
    assert kinds(service) == [database.Database, loops.Loop, loops.Loop, revocations.Revocations, server.Server]


def test_a_service_that_publishes_relays() -> None:
    told = MESH | POSTGRES | KAFKA
    service = assembly.Assembly("cart", host(told, stores=("postgres",), publishes=("carts",)), {})
    assert kinds(service)[:3] == [database.Database, kafka.Producer, loops.Loop]


def test_a_service_without_a_database_publishes_by_a_producer_of_its_own() -> None:
    block = {"stores": ("redis",), "publishes": ("carts",), "consumes": ("orders",)}
    service = assembly.Assembly("cart", host(MESH | REDIS | KAFKA, assembly.WORK, **block))
    service.publisher({str: outbox.Publication("carts", str, ANYBODY)})
    found = kinds(service, consuming=assembly.ConsumingAtLeastOnce(("orders",), {}))
    assert found == [redis_store.RedisStore, kafka.Producer, kafka.Producer, kafka.Consumer]


@pytest.mark.parametrize(("stores", "topic"), [((), "orders"), (("postgres",), "carts")])
def test_nobody_publishes_past_an_outbox_or_to_topics_of_others(stores: tuple[str, ...], topic: str) -> None:
    service = assembly.Assembly("cart", host(MESH | POSTGRES | KAFKA, stores=stores, publishes=("carts",)))
    with pytest.raises(SettingsError, match="without an outbox"):
        service.publisher({str: outbox.Publication(topic, str, ANYBODY)})


def test_a_service_without_a_database_consumes_by_idempotent_handlers() -> None:
    async def handle(_: Any) -> None:
        """Nothing."""

    service = assembly.Assembly("cart", host(MESH | REDIS | KAFKA, stores=("redis",), consumes=("orders",)))
    subscribers: at_least_once.Subscribers = {order_events_pb2.OrderCancelled: at_least_once.Subscriber(str, handle)}
    consuming = assembly.ConsumingAtLeastOnce(("orders",), subscribers)
    found = kinds(service, consuming=consuming)
    assert found == [redis_store.RedisStore, kafka.Producer, kafka.Consumer, revocations.Revocations, server.Server]


@pytest.mark.parametrize(
    ("set_batch", "taken"), [({}, 2000), ({"CONSUMER_BATCH": "5000"}, 5000), ({"CONSUMER_BATCH": "1"}, 1)]
)
def test_who_is_patient_may_take_more_at_once_but_not_while_small_batches_are_measured(
    set_batch: dict[str, str], taken: int
) -> None:
    block = {"stores": ("postgres",), "consumes": ("orders",)}
    service = assembly.Assembly("cart", host(MESH | POSTGRES | KAFKA | set_batch, assembly.WORK, **block))
    consuming = assembly.Consuming(("orders",), {}, patience_s=1.0, most_at_once=2000)
    parts = service.parts(ANYBODY, ANYBODY, consuming=consuming)
    [consumer] = [part for part in parts if isinstance(part, kafka.Consumer)]
    assert consumer._subscription.batch == taken


def test_the_serving_side_does_not_work() -> None:
    service = assembly.Assembly("cart", host(MESH | POSTGRES, assembly.SERVE, stores=("postgres",)))
    assert kinds(service) == [database.Database, revocations.Revocations, server.Server]


def test_everything_that_is_not_set_is_named_at_once_and_nothing_that_is_not_needed() -> None:
    with pytest.raises(SettingsError) as refused:
        assembly.Assembly("cart", host({}, stores=("redis", "postgres"), consumes=("orders",)))
    missing = {line.partition(" ")[0] for line in str(refused.value).splitlines()}
    assert missing == {"CART_LISTEN", "CART_DATABASE_URL", "REDIS_URL", "KAFKA_BOOTSTRAP"}
    with pytest.raises(SettingsError) as refused:
        assembly.Assembly("cart", host({}))
    assert str(refused.value) == "CART_LISTEN is not set"


@pytest.mark.parametrize("store", ["db", "redis", "redis_url"])
def test_a_store_that_the_block_does_not_name_is_refused(store: str) -> None:
    service = assembly.Assembly("cart", host(MESH))
    with pytest.raises(SettingsError, match="which its block in the registry does not name"):
        getattr(service, store)


@pytest.mark.parametrize(
    ("block", "chosen", "said"),
    [
        ({"consumes": ("orders",)}, {}, r"cart consumes \[\], its block in the registry says \['orders'\]"),
        ({}, {"consuming": assembly.ConsumingAtLeastOnce(("orders",), {})}, r"cart consumes \['orders'\]"),
        ({"publishes": ("carts",)}, {}, "cart publishes, which takes an outbox or a publisher, and has neither"),
        ({}, {"working": [loops.Loop("cart-timer", ANYBODY, loops.Pace(1))]}, "gives it no role work"),
        (
            {"consumes": ("orders",)},
            {"consuming": assembly.Consuming(("orders",), {})},
            "cart uses postgres, which its block in the registry does not name",
        ),
    ],
)
def test_what_a_service_does_and_its_block_does_not_say_is_refused(
    block: dict[str, Any], chosen: dict[str, Any], said: str
) -> None:
    service = assembly.Assembly("cart", host(MESH | KAFKA, **block))
    with pytest.raises(SettingsError, match=said):
        service.parts(ANYBODY, ANYBODY, **chosen)

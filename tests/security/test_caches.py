"""Somebody who can write to Redis: nothing of theirs is believed, and nothing of theirs stops the cache."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from services.catalog import domain
from services.catalog.store import cached
from services.chassis import cache, money
from tests.support import polling, servers

OURS, THEIRS = cache.Seal(b"what only the catalog knows"), cache.Seal(b"what somebody guessed")
DEEP = b"[" * 100_000 + b"]" * 100_000


def offer(sku: str, price: int = 1200) -> domain.Offer:
    return domain.Offer(sku, str(uuid.uuid4()), "Tea", money.Money("EUR", price), "drinks", "", "")


@pytest_asyncio.fixture
async def redis() -> AsyncIterator[Redis]:
    async with Redis.from_url(servers.redis_url()) as client:
        yield client


@pytest_asyncio.fixture
async def shared() -> AsyncIterator[cache.Shared]:
    made = cache.Shared(servers.redis_url(), OURS)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def kind() -> cache.Packing[domain.Offer]:
    return cache.Packing(
        f"attacked:{uuid.uuid4().hex}", cached.pack_offer, cached.unpack_offer, shared_s=30, local_s=30
    )


@pytest.fixture
def offers(shared: cache.Shared, kind: cache.Packing[domain.Offer]) -> cache.Cache[domain.Offer]:
    return cache.Cache(shared, kind)


async def read(offers: cache.Cache[domain.Offer], true: domain.Offer) -> domain.Offer:
    async def load(_: Sequence[str]) -> dict[str, domain.Offer]:
        return {true.sku: true}

    return (await offers.read([true.sku], load))[true.sku]


def others_words(key: str, cheap: bytes) -> list[bytes]:
    """What somebody may write: as our code of before wrote it, as it is written now, and what is no value at all."""
    sealed = THEIRS.close(key, cheap, 60)
    return [cheap, sealed, sealed[:20], b"\0" * 24 + cheap, b"\0", DEEP, b"\xff" * 100, b'{"a": 1}']


@pytest.mark.parametrize("number", range(8))
async def test_a_price_that_somebody_else_wrote_is_not_believed(
    redis: Redis, offers: cache.Cache[domain.Offer], kind: cache.Packing[domain.Offer], number: int
) -> None:
    true = offer("TEA-1")
    key = f"{kind.name}:TEA-1"
    words = others_words(key, cached.pack_offer(offer("TEA-1", price=1)))
    await redis.set(key, words[number])
    assert await read(offers, true) == true


async def test_a_value_of_another_kind_of_redis_is_a_miss(
    redis: Redis, offers: cache.Cache[domain.Offer], kind: cache.Packing[domain.Offer]
) -> None:
    true = offer("TEA-1")
    await redis.lpush(f"{kind.name}:TEA-1", "a", "b")
    assert await read(offers, true) == true


async def test_our_own_value_counts_under_its_own_key_and_in_its_time_only(
    redis: Redis, shared: cache.Shared, kind: cache.Packing[domain.Offer]
) -> None:
    cheap = offer("TEA-1", price=1)
    assert await read(cache.Cache(shared, kind), cheap) == cheap
    sealed = await redis.get(f"{kind.name}:TEA-1")
    assert sealed is not None
    # Read by another process: it is believed, as nobody touched it.
    assert await read(cache.Cache(shared, kind), offer("TEA-1")) == cheap
    await redis.set(f"{kind.name}:TEA-2", sealed)
    dear = offer("TEA-2")
    assert await read(cache.Cache(shared, kind), dear) == dear
    old = OURS.close(f"{kind.name}:TEA-3", cached.pack_offer(offer("TEA-3", price=1)), -1)
    await redis.set(f"{kind.name}:TEA-3", old)
    dear = offer("TEA-3")
    assert await read(cache.Cache(shared, kind), dear) == dear


@pytest.mark.parametrize(
    "packed",
    [
        DEEP,
        json.dumps(["TEA-1", "p", "Tea", "XXX", 1]).encode(),
        json.dumps(["TEA-1", "p", "Tea", "EUR", "1"]).encode(),
        json.dumps(["TEA-1", "p", "Tea", ["EUR"], 1]).encode(),
        json.dumps(["TEA-1", "p", "Tea", "EUR", 10**30]).encode(),
        json.dumps({"sku": "TEA-1"}).encode(),
        b"7",
    ],
)
async def test_what_code_of_another_age_wrote_and_this_cannot_read_is_a_miss(
    redis: Redis, offers: cache.Cache[domain.Offer], kind: cache.Packing[domain.Offer], packed: bytes
) -> None:
    key = f"{kind.name}:TEA-1"
    await redis.set(key, OURS.close(key, packed, 60))
    true = offer("TEA-1")
    assert await read(offers, true) == true


async def test_the_listener_outlives_every_message(
    redis: Redis, offers: cache.Cache[domain.Offer], kind: cache.Packing[domain.Offer], shared: cache.Shared
) -> None:
    async def listens() -> bool:
        return bool((await redis.pubsub_numsub(cache.CHANNEL))[0][1])

    await polling.eventually(listens)

    def fails(_: str) -> None:
        raise RuntimeError("a defect")

    shared.on_forget("defect:", fails)
    await read(offers, offer("TEA-1"))
    for message in (b"\xff\xfe\0", b"", b"\n" * 100_000, DEEP, b"defect:x"):
        await redis.publish(cache.CHANNEL, message)
    new = offer("TEA-1", price=1300)

    async def forgotten() -> bool:
        await redis.delete(f"{kind.name}:TEA-1")
        await redis.publish(cache.CHANNEL, f"{kind.name}:TEA-1")
        await asyncio.sleep(0.05)
        return await read(offers, new) == new

    await polling.eventually(forgotten)

"""The cache against a real Redis, with a dictionary for a store."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio
from prometheus_client import REGISTRY

from services.chassis import cache, errors
from tests.support import polling, postgres

# Whose database is made for this module (tests/integration/conftest.py).
SERVICE = "inventory"


class Store:
    """What lies behind the cache; it counts how often it is asked, and can be held up."""

    def __init__(self, **values: int) -> None:
        self.values = values
        self.asked: list[list[str]] = []
        self.open = asyncio.Event()
        self.open.set()

    async def was_asked(self, times: int) -> None:
        async def often_enough() -> bool:
            return len(self.asked) >= times

        await polling.eventually(often_enough)

    async def load(self, keys: Sequence[str]) -> dict[str, int]:
        self.asked.append(list(keys))
        read = {key: self.values[key] for key in keys if key in self.values}
        await self.open.wait()
        return read


@pytest.fixture
def kind() -> cache.Packing[int]:
    return cache.Packing(f"test:{uuid.uuid4().hex}", lambda value: b"%d" % value, int, shared_s=30, local_s=30)


@pytest_asyncio.fixture
async def shared(redis_url: str) -> AsyncIterator[cache.Shared]:
    shared = cache.Shared(redis_url, cache.Seal(b"a secret of the tests"))
    await shared.start()
    yield shared
    await shared.stop()


@pytest.fixture
def here(shared: cache.Shared, kind: cache.Packing[int]) -> cache.Cache[int]:
    return cache.Cache(shared, kind)


@pytest.fixture
def elsewhere(shared: cache.Shared, kind: cache.Packing[int]) -> cache.Cache[int]:
    """The cache of another process."""
    return cache.Cache(shared, kind)


async def test_the_store_is_asked_once_for_all_that_no_cache_has(here: cache.Cache[int]) -> None:
    store = Store(a=1, b=2)
    assert await here.read(["a", "b", "a", "none"], store.load) == {"a": 1, "b": 2}
    assert await here.read(["a", "b"], store.load) == {"a": 1, "b": 2}
    assert store.asked == [["a", "b", "none"]]


async def test_what_the_store_does_not_have_is_asked_for_again(here: cache.Cache[int]) -> None:
    store = Store()
    assert await here.read(["a"], store.load) == {}
    store.values["a"] = 1
    assert await here.read(["a"], store.load) == {"a": 1}


async def test_another_process_finds_it_in_redis(here: cache.Cache[int], elsewhere: cache.Cache[int]) -> None:
    store = Store(a=1)
    await here.read(["a"], store.load)
    assert await elsewhere.read(["a"], store.load) == {"a": 1}
    assert len(store.asked) == 1


async def test_concurrent_readers_share_one_fetch(here: cache.Cache[int]) -> None:
    store = Store(a=1, b=2)
    both = await asyncio.gather(*(here.read(["a", "b"], store.load) for _ in range(20)), here.read(["b"], store.load))
    assert both == [{"a": 1, "b": 2}] * 20 + [{"b": 2}]
    assert store.asked == [["a", "b"]]


async def test_a_reader_that_gives_up_does_not_take_the_value_from_the_others(here: cache.Cache[int]) -> None:
    store = Store(a=1)
    store.open.clear()
    impatient = asyncio.create_task(here.read(["a"], store.load))
    await store.was_asked(1)
    patient = asyncio.create_task(here.read(["a"], store.load))
    impatient.cancel()
    store.open.set()
    assert await patient == {"a": 1}
    assert len(store.asked) == 1


async def test_what_the_store_raises_reaches_every_reader_and_is_not_kept(here: cache.Cache[int]) -> None:
    async def away(_: Sequence[str]) -> dict[str, int]:
        raise errors.TransientError("database: away")

    answers = await asyncio.gather(*(here.read(["a"], away) for _ in range(3)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [errors.TransientError] * 3
    assert await here.read(["a"], Store(a=1).load) == {"a": 1}


async def test_a_change_is_seen_here_at_once_and_elsewhere_when_its_moment_is_over(
    shared: cache.Shared, kind: cache.Packing[int], here: cache.Cache[int]
) -> None:
    brief = cache.Cache(shared, cache.Packing(kind.name, kind.pack, kind.unpack, shared_s=30, local_s=0.05))
    store = Store(a=1)
    await here.read(["a"], store.load)
    assert await brief.read(["a"], store.load) == {"a": 1}
    store.values["a"] = 2
    await here.forget(["a"])
    assert await here.read(["a"], store.load) == {"a": 2}

    async def seen_elsewhere() -> bool:
        return await brief.read(["a"], store.load) == {"a": 2}

    await polling.eventually(seen_elsewhere)


async def test_a_change_is_told_to_other_processes_that_would_keep_what_they_have(
    redis_url: str, kind: cache.Packing[int], here: cache.Cache[int]
) -> None:
    theirs = cache.Shared(redis_url, cache.Seal(b"a secret of the tests"))
    elsewhere = cache.Cache(theirs, kind)
    await theirs.start()
    store = Store(a=1)
    for value in (2, 3):
        await here.read(["a"], store.load)
        await elsewhere.read(["a"], store.load)
        store.values["a"] = value

        async def told(new: int = value) -> bool:
            # Said again until the other one listens.
            await here.forget(["a"])
            return await elsewhere.read(["a"], store.load) == {"a": new}

        await polling.eventually(told)
    await theirs.stop()


async def test_who_listens_in_vain_comes_back_and_can_be_stopped(kind: cache.Packing[int]) -> None:
    nobody = cache.Shared("redis://127.0.0.1:1/0", cache.Seal(b"a secret of the tests"))
    await nobody.start()
    assert await cache.Cache(nobody, kind).read(["a"], Store(a=1).load) == {"a": 1}
    await nobody.stop()


async def test_a_slow_reader_does_not_write_back_what_it_read_before_a_change(
    here: cache.Cache[int], elsewhere: cache.Cache[int], shared: cache.Shared, kind: cache.Packing[int]
) -> None:
    store = Store(a=1)
    store.open.clear()
    slow = [asyncio.create_task(one.read(["a"], store.load)) for one in (here, elsewhere)]
    await store.was_asked(2)
    store.values["a"] = 2
    await here.forget(["a"])
    store.open.set()
    assert [(await reading)["a"] for reading in slow] == [1, 1]
    assert await here.read(["a"], store.load) == {"a": 2}
    third = cache.Cache(shared, kind)
    assert await third.read(["a"], store.load) == {"a": 2}


async def test_bytes_of_another_age_are_a_miss(
    shared: cache.Shared, kind: cache.Packing[int], here: cache.Cache[int]
) -> None:
    await shared.put({f"{kind.name}:a": b"not a number"}, 30)
    assert await here.read(["a"], Store(a=1).load) == {"a": 1}


def _times_away() -> float:
    return REGISTRY.get_sample_value("souk_cache_away_total") or 0


async def test_what_is_there_is_kept_unless_it_shall_be_replaced(shared: cache.Shared) -> None:
    key = f"test:{uuid.uuid4().hex}"
    await shared.put({key: b"first"}, 30)
    await shared.put({key: b"second"}, 30)
    assert await shared.get([key]) == [b"first"]
    await shared.put({key: b"third"}, 30, replace=True)
    assert await shared.get([key]) == [b"third"]


async def test_without_redis_the_store_answers_and_redis_is_not_asked_each_time(kind: cache.Packing[int]) -> None:
    nobody = cache.Shared("redis://127.0.0.1:1/0", cache.Seal(b"a secret of the tests"))
    away = cache.Cache(nobody, cache.Packing(kind.name, kind.pack, kind.unpack, local_s=0))
    store = Store(a=1)
    asked_before = _times_away()
    for _ in range(20):
        assert await away.read(["a"], store.load) == {"a": 1}
    await away.forget(["a"])
    assert _times_away() - asked_before < 5
    assert len(store.asked) == 20
    await nobody.stop()


async def test_a_cache_is_not_waited_for_inside_a_transaction(database_url: str, here: cache.Cache[int]) -> None:
    async with postgres.opened(database_url, {}) as db, db.transaction():
        with pytest.raises(RuntimeError, match="inside a database transaction"):
            await here.read(["a"], Store(a=1).load)
        with pytest.raises(RuntimeError, match="inside a database transaction"):
            await here.forget(["a"])
    assert await here.read(["a"], Store(a=1).load) == {"a": 1}

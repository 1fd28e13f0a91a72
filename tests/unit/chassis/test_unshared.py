"""A cache of a service without a store: what one process knows, for a moment."""

import asyncio
from collections.abc import Sequence

import pytest

from services.chassis import cache, errors


class Source:
    """Counts how often it is asked, and answers when it may."""

    def __init__(self) -> None:
        self.asked: list[Sequence[str]] = []
        self.may_answer = asyncio.Event()

    async def load(self, keys: Sequence[str]) -> dict[str, str]:
        self.asked.append(keys)
        await self.may_answer.wait()
        return {key: key.upper() for key in keys if key != "unknown"}


def made(local_s: float = 60.0) -> cache.Cache[str]:
    return cache.Cache(cache.Unshared(), cache.unpacked("tests", local_s=local_s, local_size=10))


async def test_those_who_want_the_same_at_once_share_one_call_and_who_comes_later_needs_none() -> None:
    source, kept = Source(), made()
    readers = [asyncio.create_task(kept.read(["a", "b"], source.load)) for _ in range(5)]
    await asyncio.sleep(0)
    source.may_answer.set()
    assert await asyncio.gather(*readers) == [{"a": "A", "b": "B"}] * 5
    assert await kept.read(["b"], source.load) == {"b": "B"}
    assert source.asked == [["a", "b"]]


async def test_a_reader_that_gives_up_does_not_take_the_value_from_the_others() -> None:
    source, kept = Source(), made()
    first, second = (asyncio.create_task(kept.read(["a"], source.load)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    source.may_answer.set()
    assert await second == {"a": "A"}


async def test_what_is_too_old_is_asked_for_again() -> None:
    source, kept = Source(), made(local_s=0.0)
    source.may_answer.set()
    assert [await kept.read(["a"], source.load) for _ in range(2)] == [{"a": "A"}] * 2
    assert len(source.asked) == 2


async def test_neither_a_failure_nor_what_is_not_there_is_remembered() -> None:
    source, kept = Source(), made()
    source.may_answer.set()

    async def fail(_: Sequence[str]) -> dict[str, str]:
        raise errors.TransientError("away")

    with pytest.raises(errors.TransientError):
        await kept.read(["a"], fail)
    assert await kept.read(["a", "unknown"], source.load) == {"a": "A"}
    assert await kept.read(["unknown"], source.load) == {}


async def test_what_is_forgotten_is_asked_for_again() -> None:
    source, kept = Source(), made()
    source.may_answer.set()
    await kept.read(["a"], source.load)
    await kept.forget(["a"])
    await kept.read(["a"], source.load)
    assert len(source.asked) == 2

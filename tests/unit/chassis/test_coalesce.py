"""Coalescing: concurrent calls share a batch, a lone call never waits, a bad one fails alone."""

import asyncio
from collections.abc import Sequence

import pytest

from services.chassis import coalesce, errors

LIMITS = coalesce.Batching(batch=10, window_s=0.001, lanes=1)


class Recorder:
    """Doubles numbers, remembers its batches, fails as told."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def double(self, items: Sequence[int]) -> list[int | errors.DomainError]:
        self.batches.append(list(items))
        await self.gate.wait()
        if 13 in items:
            raise ValueError("unlucky")
        return [errors.invalid("ODD", "odd") if item % 2 else item * 2 for item in items]


async def test_a_lone_call_is_a_batch_of_one_at_once() -> None:
    recorder = Recorder()
    assert await coalesce.Coalescer(recorder.double, LIMITS).call(2) == 4
    assert recorder.batches == [[2]]


async def test_calls_that_come_during_a_batch_form_the_next() -> None:
    recorder = Recorder()
    recorder.gate.clear()
    coalescer = coalesce.Coalescer(recorder.double, LIMITS)
    calls = [asyncio.create_task(coalescer.call(number)) for number in (2, 4, 6, 8)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    recorder.gate.set()
    assert await asyncio.gather(*calls) == [4, 8, 12, 16]
    assert sorted(number for batch in recorder.batches for number in batch) == [2, 4, 6, 8]
    assert len(recorder.batches) <= 2


async def test_a_call_that_breaks_its_batch_fails_alone() -> None:
    recorder = Recorder()
    coalescer = coalesce.Coalescer(recorder.double, LIMITS)
    results = await asyncio.gather(*(coalescer.call(number) for number in (2, 13, 4)), return_exceptions=True)
    assert results[0] == 4
    assert isinstance(results[1], ValueError)
    assert results[2] == 8


async def test_each_call_gets_its_own_error() -> None:
    coalescer = coalesce.Coalescer(Recorder().double, LIMITS)
    results = await asyncio.gather(coalescer.call(2), coalescer.call(3), return_exceptions=True)
    assert results[0] == 4
    assert isinstance(results[1], errors.DomainError)


async def test_too_many_waiting_calls_are_refused() -> None:
    recorder = Recorder()
    recorder.gate.clear()
    coalescer = coalesce.Coalescer(recorder.double, coalesce.Batching(batch=1, window_s=0, lanes=1, waiting=1))
    first = asyncio.create_task(coalescer.call(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second = asyncio.create_task(coalescer.call(4))
    await asyncio.sleep(0)
    with pytest.raises(errors.DomainError, match="OVERLOADED") as caught:
        await coalescer.call(6)
    assert (caught.value.code, caught.value.retry_after_s) == (errors.Code.RESOURCE_EXHAUSTED, 1.0)
    recorder.gate.set()
    assert [await first, await second] == [4, 8]

"""The deadline of the call being served, and of a part of it."""

import asyncio

from services.chassis.rpc import deadline


async def test_a_part_of_a_call_has_its_own_time_and_never_more_than_the_call() -> None:
    deadline.begin(10.0)
    with deadline.within(1.0):
        assert 0.5 < (deadline.left() or 0) <= 1.0
        with deadline.within(5.0):
            assert (deadline.left() or 0) <= 1.0
    assert (deadline.left() or 0) > 5.0


async def test_tasks_that_are_begun_within_it_have_the_same_deadline() -> None:
    async def left() -> float | None:
        return deadline.left()

    with deadline.within(1.0):
        task = asyncio.create_task(left())
    found = await task
    assert found is not None
    assert found <= 1.0
    assert deadline.left() is None

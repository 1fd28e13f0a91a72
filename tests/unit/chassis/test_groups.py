"""Tasks of one caller: they work in its name, and end before it does."""

import asyncio
import contextvars

import pytest

from services.chassis import tasks

caller: contextvars.ContextVar[str] = contextvars.ContextVar("caller", default="nobody")


async def test_tasks_of_a_group_work_in_the_name_of_their_caller_and_spawned_ones_do_not() -> None:
    found: list[str] = []

    async def note() -> None:
        found.append(caller.get())

    caller.set("ann")
    async with tasks.group() as group:
        group.begin(note(), name="in a group")
    await tasks.spawn(note(), name="spawned")
    assert found == ["ann", "nobody"]


@pytest.mark.parametrize("where", ["block", "task"])
async def test_the_first_error_ends_the_others_and_is_raised_as_it_is(where: str) -> None:
    ended: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.sleep(30)
        finally:
            ended.append("waiting")

    async def fail() -> None:
        raise LookupError(where)

    with pytest.raises(LookupError, match=where):
        async with tasks.group() as group:
            group.begin(wait(), name="waiting")
            await asyncio.sleep(0)
            if where == "task":
                group.begin(fail(), name="failing")
                await asyncio.sleep(30)
            await fail()
    assert ended == ["waiting"]

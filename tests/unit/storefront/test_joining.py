"""Joining the parts of a page: at once, under one deadline, and with nothing left under way."""

import asyncio

import pytest

from services.chassis import errors
from services.chassis.rpc import deadline
from services.storefront import domain, joining

SHORT_S = 0.05
LONG_S = 30.0


async def here(answer: str) -> str:
    return answer


async def away() -> str:
    raise errors.TransientError("connection refused")


async def broken() -> str:
    raise KeyError("no such field")


async def late() -> str:
    await asyncio.sleep(LONG_S)
    return "too late"


def others() -> set[str]:
    """The names of all tasks but the test's own."""
    return {task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()}


async def test_parts_are_asked_for_at_the_same_time() -> None:
    first, second = asyncio.Event(), asyncio.Event()

    async def meet(own: asyncio.Event, other: asyncio.Event) -> bool:
        own.set()
        await other.wait()
        return True

    async with joining.page(LONG_S) as parts:
        asked = [parts.ask("first", meet, first, second), parts.ask("second", meet, second, first)]
    assert [part.answer for part in asked] == [True, True]
    assert parts.missing == []


async def test_what_does_not_come_is_left_out_and_named_in_the_order_it_was_asked_for() -> None:
    async with joining.page(SHORT_S) as parts:
        slow = parts.ask("slow", late)
        gone, defect, good = parts.ask("gone", away), parts.ask("defect", broken), parts.ask("good", here, "it is")
    assert (slow.answer, gone.answer, defect.answer, good.answer) == (None, None, None, "it is")
    assert parts.missing == [
        domain.Missing("slow", domain.Reason.DEADLINE_EXCEEDED),
        domain.Missing("gone", domain.Reason.UNAVAILABLE),
        domain.Missing("defect", domain.Reason.FAILED),
    ]
    assert not others()


async def test_a_part_that_is_asked_for_late_has_the_rest_of_the_time() -> None:
    left: list[float | None] = []

    async def note() -> None:
        left.append(deadline.left())

    async with joining.page(LONG_S) as parts:
        parts.ask("early", note)
        await asyncio.sleep(SHORT_S)
        parts.ask("late", note)
    early, later = left
    assert early is not None
    assert later is not None
    assert later <= early - SHORT_S * 0.9


async def test_a_page_waits_no_longer_than_its_caller() -> None:
    with deadline.within(SHORT_S):
        async with joining.page(LONG_S) as parts:
            parts.ask("slow", late)
        # What is left is for the answer.
        assert (deadline.left() or 0) > 0
    assert [one.reason for one in parts.missing] == [domain.Reason.DEADLINE_EXCEEDED]


async def test_the_deadline_ends_with_the_page() -> None:
    async with joining.page(SHORT_S):
        assert deadline.left() is not None
    assert deadline.left() is None


@pytest.mark.parametrize(("need", "error"), [(away, errors.TransientError), (late, TimeoutError)])
async def test_without_what_it_needs_there_is_no_page_and_nothing_goes_on(need: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        async with joining.page(SHORT_S) as parts:
            parts.ask("slow", late)
            await parts.need(need)  # type: ignore[arg-type]
    assert not others()


async def test_a_caller_that_gives_up_takes_all_parts_with_them() -> None:
    begun = asyncio.Event()

    async def slow() -> str:
        begun.set()
        return await late()

    async def make() -> None:
        async with joining.page(LONG_S) as parts:
            parts.ask("slow", slow)

    making = asyncio.create_task(make())
    await begun.wait()
    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await making
    assert not others()

"""Who may work next when more want to than can: rules without clocks or threads."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from services.chassis import errors
from services.user import turns


class Crowd:
    """People who want a turn, in the order they came; each keeps it until told."""

    def __init__(self, at_once: int = 1, waiting: int = 4) -> None:
        self.turns = turns.Turns(at_once, waiting)
        self.served: list[str] = []
        self.refused: list[str] = []
        self.errors: set[object] = set()
        self._done = asyncio.Event()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, name: str, address: str, account: str) -> None:
        self._tasks[name] = asyncio.ensure_future(self._work(name, turns.Asker(address, account)))
        # Until it has its turn, waits, or has put somebody else out of the queue, who hears of it.
        for _ in range(4):
            await asyncio.sleep(0)

    async def _work(self, name: str, asker: turns.Asker) -> None:
        try:
            async with self.turns.turn(asker):
                self.served.append(name)
                await self._done.wait()
        except errors.DomainError as error:
            self.refused.append(name)
            self.errors.add((error.code, error.reason, error.retry_after_s))

    async def give_up(self, name: str) -> None:
        self._tasks[name].cancel()
        await asyncio.gather(self._tasks.pop(name), return_exceptions=True)

    async def all_served(self) -> list[str]:
        self._done.set()
        await asyncio.gather(*self._tasks.values())
        return self.served


@asynccontextmanager
async def crowd(at_once: int = 1, waiting: int = 4) -> AsyncIterator[Crowd]:
    made = Crowd(at_once, waiting)
    yield made
    await made.all_served()


async def test_whoever_comes_while_there_is_room_works_at_once() -> None:
    async with crowd(at_once=2) as people:
        for name in "abc":
            await people.come(name, name, name)
        assert people.served == ["a", "b"]


async def test_those_who_ask_for_the_same_take_their_turns_in_order() -> None:
    async with crowd() as people:
        for name in "abcd":
            await people.come(name, name, name)
        assert await people.all_served() == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("address", "account"), [("1.1.1.1", "{}"), ("{}", "ann"), ("1.1.1.1", "ann")], ids=["address", "account", "both"]
)
async def test_whoever_asks_for_little_goes_before_who_asks_for_much(address: str, account: str) -> None:
    async with crowd() as people:
        for number in range(4):
            await people.come(f"attack {number}", address.format(number), account.format(number))
        await people.come("bob", "2.2.2.2", "bob")
        served = await people.all_served()
        assert served.index("bob") <= 2


async def test_when_too_many_wait_the_greediest_is_refused_although_it_was_there_before() -> None:
    async with crowd(waiting=3) as people:
        for number in range(10):
            await people.come(f"attack {number}", "1.1.1.1", "ann")
        assert people.refused == [f"attack {number}" for number in range(4, 10)]
        await people.come("bob", "2.2.2.2", "bob")
        assert people.refused[-1] == "attack 3"
        # Who shares an address with somebody who guesses asks for less than who guesses.
        await people.come("cid", "1.1.1.1", "cid")
        assert people.refused[-1] == "attack 2"
        served = await people.all_served()
        assert {"bob", "cid"} <= set(served)
        assert people.errors == {(errors.Code.RESOURCE_EXHAUSTED, "OVERLOADED", turns.RETRY_S)}


async def test_who_proved_who_they_are_go_first_until_they_are_wrong() -> None:
    async with crowd(waiting=3) as people:
        ann = turns.Asker("1.1.1.1", "ann")
        people.turns.proved(ann, right=True)
        for number in range(5):
            await people.come(f"attack {number}", "1.1.1.1", f"account {number}")
        await people.come("ann", "1.1.1.1", "ann")
        assert (await people.all_served())[1] == "ann"
    async with crowd(waiting=3) as people:
        people.turns.proved(ann, right=True)
        people.turns.proved(ann, right=False)
        for number in range(5):
            await people.come(f"attack {number}", "1.1.1.1", f"account {number}")
        await people.come("ann", "1.1.1.1", "ann")
        assert "ann" in people.refused


async def test_whoever_gives_up_leaves_room() -> None:
    async with crowd() as people:
        for name in "abc":
            await people.come(name, name, name)
        await people.give_up("b")
        await people.give_up("a")
        await asyncio.sleep(0)
        assert people.served == ["a", "c"]
    assert not people.turns._asked
    assert people.turns._free == 1

"""Telling of carts that were left, with a real Redis: each time once, however often it is tried, and whoever dies over it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from services.cart import domain, store, usecases
from services.chassis import errors, ids, money, redis_store
from services.chassis.events import publisher
from tests.integration.cart.shelf import LIFETIMES, Shop, Till, carts_in
from tests.integration.cart.test_checkout import TERMS

START = datetime(2026, 11, 28, 12, tzinfo=UTC)
AFTER, LEASE = timedelta(seconds=LIFETIMES.reminder_s), timedelta(seconds=60)
ANN, BOB = (ids.new_id(START) for _ in range(2))


class Clock:
    """The time that a test says."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def passes(self, *spans: timedelta) -> None:
        """So much time goes by."""
        self.now += sum(spans, timedelta())


class Board:
    """Stands where Kafka is: a port of the use case, here with what was published, and what a test loses."""

    def __init__(self) -> None:
        self.facts: list[publisher.Fact] = []
        self.away = self.unacknowledged = False

    async def publish(self, facts: Sequence[publisher.Fact]) -> list[bool]:
        if self.away:
            raise errors.TransientError("kafka: away")
        self.facts += facts
        return [not self.unacknowledged] * len(facts)

    @property
    def told(self) -> list[domain.CartAbandoned]:
        """What was published."""
        events = [fact.event for fact in self.facts]
        return [event for event in events if isinstance(event, domain.CartAbandoned)]


class Place:
    """Carts, who reminds of them, and the time."""

    def __init__(self, redis: redis_store.RedisStore, market: Shop, till: Till) -> None:
        self.redis, self.market, self.clock, self.board = redis, market, Clock(), Board()
        self.carts = carts_in(redis, market, till, now=self.clock)
        self.reminding = self.another()

    def another(self) -> usecases.Reminding:
        """A process that reminds, beside others."""
        times = usecases.Times(AFTER, LEASE)
        return usecases.Reminding(self.redis, self.market, self.board, times=times, now=self.clock)

    async def left_by(self, *users: str) -> None:
        """These users put tea into their carts and leave them for long enough."""
        for user in users:
            await self.carts.add(domain.of_user(user), "tea", 2)
        self.clock.passes(AFTER)

    async def waiting(self) -> int:
        """How many users are noted."""
        async with self.redis.commands() as commands:
            return int(await commands.zcard(self.redis.key("reminders")))


@pytest.fixture
def place(redis: redis_store.RedisStore, market: Shop, till: Till) -> Place:
    return Place(redis, market, till)


async def test_a_cart_that_was_left_is_told_of_once(place: Place) -> None:
    await place.left_by(ANN)
    place.clock.passes(-timedelta(seconds=1))
    assert await place.reminding.work() == 0
    place.clock.passes(timedelta(seconds=1))
    assert await place.reminding.work() == 1
    [told] = place.board.told
    assert (told.user_id, [line.offer.sku for line in told.lines], told.total) == (
        ANN,
        ["tea"],
        money.Money("USD", 1000),
    )
    assert place.board.facts[0].time == START + AFTER
    place.clock.passes(AFTER, LEASE)
    assert (await place.reminding.work(), await place.waiting()) == (0, 0)


async def test_a_cart_that_is_touched_and_left_again_is_told_of_again(place: Place) -> None:
    await place.left_by(ANN)
    await place.reminding.work()
    await place.left_by(ANN)
    await place.reminding.work()
    first, second = place.board.told
    assert (first.id != second.id, second.lines[0].quantity) == (True, 4)


async def test_what_is_looked_at_and_not_changed_is_no_touch(place: Place) -> None:
    await place.left_by(ANN)
    await place.carts.get(domain.of_user(ANN))
    await place.carts.set_quantity(domain.of_user(ANN), "tea", 2)
    assert await place.reminding.work() == 1
    assert len(place.board.told) == 1


async def test_a_process_that_dies_before_it_settled_leaves_the_same_reminder_to_another(place: Place) -> None:
    await place.left_by(ANN)

    class Dead(Exception):  # noqa: N818 - no error: a death
        """The process is no more."""

    async def dies(*_: object) -> None:
        raise Dead

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "settle_reminders", dies)
        with pytest.raises(Dead):
            await place.reminding.work()
    assert await place.another().work() == 0, "the dead one's lease holds"
    place.clock.passes(LEASE)
    assert await place.another().work() == 1
    assert len({fact.id for fact in place.board.facts}) == len({told.id for told in place.board.told}) == 1
    assert len(place.board.facts) == 2


async def test_two_who_remind_at_once_do_not_tell_the_same(place: Place) -> None:
    await place.left_by(ANN, BOB)
    await place.reminding.work()
    assert await place.another().work() == 0
    assert sorted(told.user_id for told in place.board.told) == sorted([ANN, BOB])


@pytest.mark.parametrize("fault", ["kafka away", "not acknowledged", "catalog away"])
async def test_what_could_not_be_told_is_told_when_the_lease_has_run_out(place: Place, fault: str) -> None:
    await place.left_by(ANN)
    if fault == "not acknowledged":
        place.board.unacknowledged = True
        await place.reminding.work()
    else:
        place.board.away = fault == "kafka away"
        place.market.away = {"catalog"} if fault == "catalog away" else set()
        with pytest.raises(errors.TransientError):
            await place.reminding.work()
    place.board.away = place.board.unacknowledged = False
    place.market.away = set()
    place.board.facts.clear()
    assert await place.reminding.work() == 0
    place.clock.passes(LEASE)
    await place.reminding.work()
    assert [told.user_id for told in place.board.told] == [ANN]


async def test_a_cart_that_is_touched_while_it_is_told_of_is_looked_at_again(place: Place) -> None:
    await place.left_by(ANN)
    publish = place.board.publish

    async def meanwhile(facts: Sequence[publisher.Fact]) -> list[bool]:
        await place.carts.add(domain.of_user(ANN), "cup", 1)
        return await publish(facts)

    place.board.publish = meanwhile  # type: ignore[method-assign]  # the user is quicker
    await place.reminding.work()
    place.board.publish = publish  # type: ignore[method-assign]
    place.clock.passes(AFTER)
    await place.reminding.work()
    assert [len(told.lines) for told in place.board.told] == [1, 2]


async def test_nobody_is_reminded_of_what_was_ordered_emptied_or_is_not_sold(place: Place) -> None:
    emptied, gone = ids.new_id(START), ids.new_id(START)
    for user, sku in ((ANN, "tea"), (BOB, "cup"), (emptied, "tea"), (gone, "pot")):
        await place.carts.add(domain.of_user(user), sku, 1)
    await place.carts.check_out(ANN, 1, TERMS)
    await place.carts.take_out([domain.Ordered("order", BOB, {"cup": 1}, START)])
    await place.carts.set_quantity(domain.of_user(emptied), "tea", 0)
    del place.market.prices["pot"]
    place.clock.passes(AFTER, AFTER)
    assert await place.reminding.work() == 4
    assert (place.board.told, await place.waiting()) == ([], 0)


async def test_guests_are_nobody_to_write_to(place: Place) -> None:
    await place.carts.add(domain.of_guest(await place.carts.create()), "tea", 1)
    assert await place.waiting() == 0

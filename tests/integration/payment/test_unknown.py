"""What is not known is asked about, never guessed: timeouts, errors, an open breaker, workers that come too late."""

import pytest

from services.chassis import clock, database, effects
from services.payment import clients, domain
from services.payment.domain import State, moves
from services.payment.store import claims
from services.payment.usecases.charging import Charging
from tests.integration.payment import till as tills
from tests.integration.payment.till import Till, cancelled, confirmed, new_id, requested
from tests.support.polling import eventually

YES = domain.Answer(domain.Input.YES, reference="ch_1")


@pytest.mark.parametrize(
    "card",
    [
        "card_timeout_after_charge",
        "card_timeout_before_charge",
        "card_charge_then_500",
        "card_error_500",
        "card_slow",
    ],
)
async def test_an_unknown_outcome_is_found_out_and_charged_once(till: Till, card: str) -> None:
    order = new_id()
    await till.say(requested(order, card))
    await till.hears(order, "PaymentAuthorized")
    assert await till.testimony(order) == ["authorized"]


async def test_an_error_while_money_moves_takes_it_once_and_gives_it_back_once(till: Till) -> None:
    orders = [new_id() for _ in range(4)]
    await till.say(*(requested(order) for order in orders))
    for order in orders:
        await till.reaches(order, State.AUTHORIZED)
    for said, reached in ((confirmed, State.CAPTURED), (cancelled, State.REFUNDED)):
        # Every first call fails: of half the orders before it took effect, of the others after that.
        await till.control(error_rate=1)
        await till.say(*(said(order) for order in orders))

        async def all_tried() -> bool:
            return all([await till.attempts(order) for order in orders])

        await eventually(all_tried, within_s=tills.PATIENCE_S)
        await till.control(error_rate=0)
        for order in orders:
            await till.reaches(order, reached)
    for order in orders:
        assert await till.testimony(order) == ["authorized", "captured", "refunded"]
        assert await till.told(order) == ["PaymentAuthorized", "PaymentCaptured", "PaymentRefunded"]


class Watched(clients.Provider):
    """Counts how often the worker came for payments to call it for."""

    polls = 0

    def room(self, most: int) -> int:
        self.polls += 1
        return super().room(most)


async def test_a_provider_that_is_down_is_left_alone_and_payments_wait_without_losing_attempts(
    idle_till: Till, provider_url: str
) -> None:
    till = idle_till
    await till.control(mode="down")
    first, late = [new_id() for _ in range(5)], new_id()
    chosen = tills.settings(provider_url, breaker_reset_s=600)
    watched = Watched(chosen)
    async with tills.working(till.db, chosen, watched):
        await till.say(*(requested(order) for order in first))

        async def all_failed() -> bool:
            return all([await till.epoch(order) == 2 for order in first])

        await eventually(all_failed, within_s=tills.PATIENCE_S)
        await till.say(requested(late))
        before = watched.polls

        async def polled() -> bool:
            # The poll under way may have begun before the payment was there; the next one has not.
            return watched.polls >= before + 3

        await eventually(polled, within_s=tills.PATIENCE_S)
        assert await till.attempts(late) == 0
    await till.control(mode="normal")
    async with tills.working(till.db, tills.settings(provider_url)):
        for order in [*first, late]:
            await till.reaches(order, State.AUTHORIZED)
            assert await till.testimony(order) == ["authorized"]


async def test_the_breaker_opens_after_five_failures_and_closes_after_one_good_call(
    idle_till: Till, provider_url: str
) -> None:
    provider = clients.Provider(tills.settings(provider_url, breaker_reset_s=2))
    await provider.start()
    try:
        await idle_till.control(mode="errors")
        for _ in range(5):
            assert provider.room(100) == 100
            assert await provider.call(_payment(), repeated=False) is domain.Silence.UNKNOWN
        assert provider.room(100) == 0
        assert await provider.call(_payment(), repeated=False) is domain.Silence.NOT_ASKED
        await idle_till.control(mode="normal")

        async def may_be_tried() -> bool:
            return provider.room(100) == 1

        await eventually(may_be_tried)
        assert isinstance(await provider.call(_payment(), repeated=False), domain.Answer)
        assert provider.room(100) == 100
    finally:
        await provider.stop()


async def test_a_definite_no_is_no_failure_of_the_provider(provider_url: str) -> None:
    provider = clients.Provider(tills.settings(provider_url))
    await provider.start()
    try:
        for _ in range(10):
            answer = await provider.call(_payment("card_declined"), repeated=False)
            assert answer == domain.Answer(domain.Input.NO, reason="CARD_DECLINED")
        assert provider.room(100) == 100
    finally:
        await provider.stop()


async def test_a_worker_that_was_taken_for_dead_writes_nothing(idle_till: Till) -> None:
    order = new_id()
    await idle_till.say(requested(order))
    [slow] = await tills.claim(idle_till.db, lease_s=0)
    [quick] = await tills.claim(idle_till.db)
    assert (slow.attempt, quick.attempt) == (1, 2)
    await _settle(idle_till.db, (slow, domain.Answer(domain.Input.NO, reason="CARD_DECLINED")))
    assert await idle_till.state(order) == State.AUTHORIZING
    await _settle(idle_till.db, (quick, YES), (slow, domain.Silence.UNKNOWN))
    assert await idle_till.told(order) == ["PaymentAuthorized"]


async def test_an_outcome_settled_twice_counts_once(idle_till: Till) -> None:
    """A commit whose answer was lost is repeated: the second time there is nothing left to write."""
    order = new_id()
    await idle_till.say(requested(order))
    [claimed] = await tills.claim(idle_till.db)
    await idle_till.say(cancelled(order))
    await _settle(idle_till.db, (claimed, YES))
    await _settle(idle_till.db, (claimed, YES))
    assert await idle_till.state(order) == State.VOIDING
    assert await idle_till.told(order) == []


async def test_a_void_that_the_provider_refuses_is_asked_for_again(idle_till: Till) -> None:
    order = new_id()
    await idle_till.say(requested(order))
    await _settle(idle_till.db, ((await tills.claim(idle_till.db))[0], YES))
    await idle_till.say(cancelled(order))
    [claimed] = await tills.claim(idle_till.db)
    await _settle(idle_till.db, (claimed, domain.Answer(domain.Input.NO, reason="CHARGE_ALREADY_CAPTURED")))
    assert await idle_till.state(order) == State.VOIDING

    async def due_again() -> bool:
        return bool(await tills.claim(idle_till.db))

    await eventually(due_again, within_s=tills.PATIENCE_S)


async def test_an_attempt_that_was_not_made_is_not_counted(idle_till: Till) -> None:
    order = new_id()
    await idle_till.say(requested(order))
    [claimed] = await tills.claim(idle_till.db)
    await _settle(idle_till.db, (claimed, domain.Silence.NOT_ASKED))
    assert await idle_till.attempts(order) == 0


async def test_two_workers_share_what_is_due(idle_till: Till, provider_url: str) -> None:
    orders = [new_id() for _ in range(60)]
    chosen = tills.settings(provider_url)
    async with tills.working(idle_till.db, chosen), tills.working(idle_till.db, chosen):
        await idle_till.say(*(requested(order) for order in orders))
        for order in orders:
            await idle_till.reaches(order, State.AUTHORIZED)
    assert [await idle_till.told(order) for order in orders] == [["PaymentAuthorized"]] * 60
    assert [await idle_till.attempts(order) for order in orders] == [0] * 60


def _payment(card: str = "card_approved") -> domain.Payment:
    request = domain.Request(new_id(), new_id(), tills.PRICE, card)
    return moves.begin(request, new_id(), clock.utc_now())


async def _settle(db: database.Database, *outcomes: tuple[claims.Claimed, domain.Outcome]) -> None:
    nobody = _NoProvider()
    charging = Charging(nobody, now=clock.utc_now, lease_s=30)
    effect: effects.Effect[claims.Claimed, domain.Outcome] = charging
    async with db.transaction() as transaction:
        await effect.settle(transaction, outcomes)


class _NoProvider:
    """Stands where a provider is when nobody calls one."""

    def room(self, most: int) -> int:
        return most

    async def call(self, payment: domain.Payment, *, repeated: bool, age_s: float = 0.0) -> domain.Outcome:
        raise NotImplementedError

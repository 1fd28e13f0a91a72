"""A provider forgets idempotency keys after a day: before that, what is unknown is only looked for, never sent again."""

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from services.chassis import clock
from services.payment import clients, domain
from services.payment.domain import State, moves
from tests.integration.payment import till as tills
from tests.integration.payment.till import Till, cancelled, confirmed, new_id, requested
from tests.support.polling import eventually


@asynccontextmanager
async def _late(till: Till, provider_url: str, *, lookup_lag_s: float = 0.0) -> AsyncIterator[None]:
    """A worker for which every first attempt was too long ago, at a provider that knows no key any more."""
    await till.control(key_seconds=0)
    chosen = dataclasses.replace(
        tills.settings(provider_url), provider_repeat_s=0.0, provider_lookup_lag_s=lookup_lag_s
    )
    async with tills.working(till.db, chosen):
        yield
    await till.control(key_seconds=86400)


async def _tried(till: Till, provider_url: str, *said: Any) -> None:
    """Hear this, and try once what it asks for: nobody here knows with what success."""
    await till.say(*said)
    await tills.attempt(till.db, tills.settings(provider_url))


async def test_a_charge_whose_key_is_forgotten_is_found_and_not_made_again(idle_till: Till, provider_url: str) -> None:
    orders = [new_id() for _ in range(2)]
    await _tried(idle_till, provider_url, *(requested(order, "card_timeout_after_charge") for order in orders))
    async with _late(idle_till, provider_url):
        for order in orders:
            await idle_till.hears(order, "PaymentAuthorized")
            assert await idle_till.testimony(order) == ["authorized"]


async def test_money_that_was_never_asked_for_is_declined(idle_till: Till, provider_url: str) -> None:
    order = new_id()
    await _tried(idle_till, provider_url, requested(order, "card_timeout_before_charge"))
    async with _late(idle_till, provider_url):
        await idle_till.hears(order, "PaymentDeclined")
    [declined] = await idle_till.messages(order)
    assert declined.reason == clients.NEVER_ARRIVED
    assert await idle_till.testimony(order) == []


async def test_a_wish_that_is_heard_a_day_late_for_the_first_time_is_only_looked_for(till: Till) -> None:
    orders = [new_id() for _ in range(3)]
    ages = (timedelta(hours=22), timedelta(hours=24), timedelta(hours=26))
    now = clock.utc_now()
    await till.say(*(requested(order, request_time=now - age) for order, age in zip(orders, ages, strict=True)))
    await till.hears(orders[0], "PaymentAuthorized")
    await till.hears(orders[2], "PaymentDeclined")

    async def asked() -> bool:
        return await till.attempts(orders[1]) > 1

    await eventually(asked, within_s=tills.PATIENCE_S)
    assert [await till.testimony(order) for order in orders] == [["authorized"], [], []]


async def test_a_wish_from_the_future_is_as_old_as_when_it_was_heard(idle_till: Till) -> None:
    order = new_id()
    await idle_till.say(requested(order, request_time=clock.utc_now() + timedelta(days=2)))
    [claimed] = [claim for claim in await tills.claim(idle_till.db) if claim.payment.order_id == order]
    assert 0 <= claimed.age_s < tills.PATIENCE_S


async def test_a_cancelled_order_whose_charge_is_found_late_gives_it_back(idle_till: Till, provider_url: str) -> None:
    order = new_id()
    await _tried(idle_till, provider_url, requested(order, "card_timeout_after_charge"))
    await idle_till.say(cancelled(order))
    async with _late(idle_till, provider_url):
        await idle_till.hears(order, "PaymentVoided")
    assert await idle_till.testimony(order) == ["authorized", "voided"]


async def test_what_may_be_missing_from_what_is_found_stays_unknown(idle_till: Till, provider_url: str) -> None:
    order = new_id()
    await _tried(idle_till, provider_url, requested(order, "card_timeout_before_charge"))
    async with _late(idle_till, provider_url, lookup_lag_s=3600):

        async def asked_twice() -> bool:
            return await idle_till.attempts(order) > 2

        await eventually(asked_twice, within_s=tills.PATIENCE_S)
    assert await idle_till.state(order) == State.AUTHORIZING
    assert await idle_till.testimony(order) == []


async def test_money_that_was_not_taken_or_given_back_in_time_is_a_persons_to_move(
    idle_till: Till, provider_url: str
) -> None:
    order = new_id()
    async with tills.working(idle_till.db, tills.settings(provider_url)):
        await idle_till.say(requested(order))
        await idle_till.reaches(order, State.AUTHORIZED)
    for said, verb, reached in ((confirmed, "capture", State.CAPTURED), (cancelled, "refund", State.REFUNDED)):
        # The first call comes to nothing; those after it would succeed, if any were made.
        await idle_till.control(mode="errors")
        await _tried(idle_till, provider_url, said(order))
        await idle_till.control(mode="normal")
        async with _late(idle_till, provider_url):

            async def asked_again() -> bool:
                return await idle_till.attempts(order) > 3

            await eventually(asked_again, within_s=tills.PATIENCE_S)
            await _by_hand(idle_till, order, verb)
            await idle_till.reaches(order, reached)
    assert await idle_till.testimony(order) == ["authorized", "captured", "refunded"]


async def test_within_the_time_a_call_is_repeated_with_its_key(provider_url: str, idle_till: Till) -> None:
    provider = clients.Provider(tills.settings(provider_url))
    await provider.start()
    try:
        wanted = moves.begin(
            domain.Request(new_id(), new_id(), tills.PRICE, "card_approved"), new_id(), clock.utc_now()
        )
        answer: Any = await provider.call(wanted, repeated=True, age_s=82_799)
        assert answer.input is domain.Input.YES
        assert await idle_till.testimony(wanted.order_id) == ["authorized"]
    finally:
        await provider.stop()


async def _by_hand(till: Till, order_id: str, verb: str) -> None:
    charge = (await till.provider.get("/v1/charges", params={"reference": order_id})).json()["id"]
    headers = {"Idempotency-Key": new_id()}
    (await till.provider.post(f"/v1/charges/{charge}/{verb}", json={}, headers=headers)).raise_for_status()

"""Payment's database is restored to an earlier moment, and hears the orders again: the provider moves no money twice.

A restore is one: a copy of the database as it was takes its place, while the provider and the topic remember everything.
"""

import dataclasses
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from services.chassis import clock
from services.payment import domain, events, store, usecases
from services.payment.domain import State, moves
from tests.integration.payment import mortal_office
from tests.integration.payment import till as tills
from tests.integration.payment.till import Till, cancelled, confirmed, new_id, requested
from tests.support import postgres

REQUESTED, CHOSEN, CONFIRMED, CANCELLED = "requested", "chosen", "confirmed", "cancelled"
# What happens to an order, and where its payment is then.
JOURNEYS = {
    "held": ("card_approved", [(REQUESTED, State.AUTHORIZED)]),
    "paid": ("card_approved", [(REQUESTED, State.AUTHORIZED), (CONFIRMED, State.CAPTURED)]),
    "declined": ("card_declined", [(REQUESTED, State.DECLINED), (CANCELLED, State.DECLINED)]),
    "let go": ("card_approved", [(REQUESTED, State.AUTHORIZED), (CANCELLED, State.VOIDED)]),
    "given back": (
        "card_approved",
        [(REQUESTED, State.AUTHORIZED), (CONFIRMED, State.CAPTURED), (CANCELLED, State.REFUNDED)],
    ),
    "refused": (
        "card_capture_refused",
        [(REQUESTED, State.AUTHORIZED), (CONFIRMED, State.CAPTURE_REFUSED), (CANCELLED, State.VOIDED)],
    ),
    "chosen later": (
        "",
        [
            (REQUESTED, State.AWAITING_METHOD),
            (CHOSEN, State.AUTHORIZED),
            (CONFIRMED, State.CAPTURED),
        ],
    ),
    "chosen later, given back": (
        "",
        [
            (REQUESTED, State.AWAITING_METHOD),
            (CHOSEN, State.AUTHORIZED),
            (CONFIRMED, State.CAPTURED),
            (CANCELLED, State.REFUNDED),
        ],
    ),
}


@dataclass(frozen=True, slots=True)
class Books:
    """What is known of an order's payment."""

    payment_id: str
    state: str
    ledger: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class Order:
    """An order, and the same words of it each time they are heard."""

    id: str
    user_id: str
    words: dict[str, Any]

    async def does(self, till: Till, step: str) -> None:
        if step == CHOSEN:
            await till.payments.choose(usecases.Choice(self.id, self.user_id, "card_approved"))
        else:
            await till.say(self.words[step])

    async def books(self, till: Till) -> Books:
        payment = await till.payments.get(self.id, owner_id=None)
        return Books(payment.id, payment.state, tuple(await till.ledger(self.id)))


def _order(card: str) -> Order:
    order, user = new_id(), new_id()
    words = {
        REQUESTED: requested(order, card, user_id=user),
        CONFIRMED: confirmed(order),
        CANCELLED: cancelled(order),
    }
    return Order(order, user, words)


async def _moved(till: Till, order: Order) -> list[str]:
    """What the provider did with an order's money, without what it only refused."""
    return [effect for effect in await till.testimony(order.id) if effect not in {"refused", "declined"}]


@pytest.fixture
def own_database_url(postgres_admin_url: str) -> Iterator[str]:
    with postgres.fresh_database(postgres_admin_url, "payment") as url:
        yield url


@asynccontextmanager
async def _open(url: str, provider_url: str, *, forgotten: bool = False) -> AsyncIterator[Till]:
    """A till with its worker on this database, at a provider that may know no key any more."""
    chosen = tills.settings(provider_url)
    if forgotten:
        chosen = dataclasses.replace(chosen, provider_repeat_s=0.0, provider_lookup_lag_s=0.0)
    async with (
        postgres.opened(url, events.PUBLISHED) as db,
        httpx.AsyncClient(base_url=provider_url, timeout=20) as provider,
        tills.working(db, chosen) as payments,
    ):
        till = Till(db, payments, provider)
        await till.control(key_seconds=0 if forgotten else 86_400)
        yield till


@pytest.mark.parametrize("forgotten", [False, True], ids=["keys remembered", "keys forgotten"])
async def test_whatever_moment_is_restored_the_orders_are_heard_again_without_moving_money(
    postgres_admin_url: str, own_database_url: str, provider_url: str, *, forgotten: bool
) -> None:
    orders = {name: _order(card) for name, (card, _) in JOURNEYS.items()}
    with ExitStack() as backups:
        moments = []
        for number in range(max(len(steps) for _, steps in JOURNEYS.values())):
            moments.append(backups.enter_context(postgres.backed_up(postgres_admin_url, own_database_url)))
            async with _open(own_database_url, provider_url) as till:
                await _walk(till, orders, number)
                seen = await _seen(till, orders)
        assert all(moved.count("authorized") == (name != "declined") for name, (_, moved) in seen.items())
        for moment in moments:
            async with _open(moment, provider_url, forgotten=forgotten) as till:
                # As the consumer does that finds them all in one batch.
                await till.say(*(order.words[step] for name, order in orders.items() for step in _said(name)))
                for name, order in orders.items():
                    await till.reaches(order.id, JOURNEYS[name][1][-1][1])
                assert await _seen(till, orders) == seen


def _said(name: str) -> list[str]:
    """What the topic keeps of a journey: a customer's choice of how to pay is no event."""
    return [step for step, _ in JOURNEYS[name][1] if step != CHOSEN]


async def _walk(till: Till, orders: Mapping[str, Order], number: int) -> None:
    """The step with this number of each journey that is so long."""
    walking = [(orders[name], steps[number]) for name, (_, steps) in JOURNEYS.items() if len(steps) > number]
    for order, (step, _) in walking:
        await order.does(till, step)
    for order, (_, reached) in walking:
        await till.reaches(order.id, reached)


async def _seen(till: Till, orders: Mapping[str, Order]) -> dict[str, tuple[Books, list[str]]]:
    """Each order in the books, and what the provider did with its money."""
    return {name: (await order.books(till), await _moved(till, order)) for name, order in orders.items()}


async def test_an_order_that_was_paid_under_an_id_of_before_is_found_by_its_order(
    postgres_admin_url: str, own_database_url: str, provider_url: str
) -> None:
    order = _order("card_approved")
    with postgres.backed_up(postgres_admin_url, own_database_url) as moment:
        async with _open(own_database_url, provider_url) as till:
            wanted = domain.Request(order.id, order.user_id, tills.PRICE, "card_approved")
            async with till.db.transaction() as transaction:
                # Ids were drawn once, and such payments keep theirs.
                await store.add(transaction, [moves.begin(wanted, new_id(), clock.utc_now())])
            await till.reaches(order.id, State.AUTHORIZED)
            await order.does(till, CONFIRMED)
            await till.reaches(order.id, State.CAPTURED)
        async with _open(moment, provider_url) as till:
            await till.say(order.words[REQUESTED], order.words[CONFIRMED])
            await till.reaches(order.id, State.CAPTURED)
            assert await _moved(till, order) == ["authorized", "captured"]


async def test_a_refund_that_is_asked_for_again_after_a_restore_is_given_once(
    postgres_admin_url: str, own_database_url: str, provider_url: str
) -> None:
    order, wish = _order("card_approved"), new_id()
    async with _open(own_database_url, provider_url) as till:
        for step, reached in ((REQUESTED, State.AUTHORIZED), (CONFIRMED, State.CAPTURED)):
            await order.does(till, step)
            await till.reaches(order.id, reached)
    with postgres.backed_up(postgres_admin_url, own_database_url) as moment:
        for url in (own_database_url, moment):
            async with _open(url, provider_url) as till:
                await till.payments.refund(mortal_office.wish(order.id, wish))
                await till.reaches(order.id, State.CAPTURED)
                assert await till.testimony(order.id) == ["authorized", "captured", "refunded"]
                assert (await till.payments.get(order.id, owner_id=None)).refunded == 1200


async def test_an_order_that_is_confirmed_although_nobody_charged_it_hears_so(
    own_database_url: str, provider_url: str
) -> None:
    order = _order("card_declined")
    async with _open(own_database_url, provider_url) as till:
        await till.say(order.words[REQUESTED], order.words[CONFIRMED])
        await till.hears(order.id, "PaymentCaptureRefused")
        await order.does(till, CANCELLED)
        await till.hears(order.id, "PaymentCaptureRefused", "PaymentVoided")

"""Accepting orders: what each costs, then order, saga, history, event and claim in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from services.chassis import clock, coalesce, database, errors, idempotency, ids, metrics, tracing
from services.order import domain, saga, store
from services.order.domain import totals
from services.order.store import history
from services.order.usecases import pricing


class Wallets(Protocol):
    """Who keeps what customers saved to pay with."""

    async def token(self, user_id: str, method: str) -> str:
        """The provider's token of a method that this user saved.

        Raises PAYMENT_METHOD_NOT_FOUND, also when it is somebody else's, or TransientError when nobody answers.
        """


@dataclass(frozen=True, slots=True)
class Peers:
    """Whom an order is asked about before it is accepted."""

    prices: pricing.Pricing
    wallets: Wallets


class Accepting:
    """Accepts orders. Concurrent calls share a transaction."""

    def __init__(self, db: database.Database, peers: Peers, *, now: clock.Clock, waits: saga.Waits) -> None:
        self._db = db
        self._prices = peers.prices
        self._wallets = peers.wallets
        self._now = now
        self._waits = waits
        self._gathered = coalesce.Coalescer(self.accept, coalesce.Batching())

    async def create(self, draft: domain.Draft) -> domain.Placed:
        """Accept an order: it is PENDING, or what its first request made of it.

        Raises SKU_UNKNOWN, SKU_DUPLICATE, CURRENCY_MIXED, COUPON_REFUSED, ORDER_TOTAL_TOO_LARGE, ORDER_TOTAL_CHANGED,
        ADDRESS_INVALID, SHIPPING_UNAVAILABLE, PAYMENT_METHOD_NOT_FOUND or REQUEST_ID_REUSED.
        """
        return await self._gathered.call(await self._payable(draft) if draft.saved_method else draft)

    async def _payable(self, draft: domain.Draft) -> domain.Draft:
        """The draft with the token of what its customer saved, asked for here so that the others of its batch do not wait for it.

        Why there is none is raised later, once it is known that the request made no order before.
        """
        try:
            return replace(draft, payment_method=await self._wallets.token(draft.user_id, draft.saved_method))
        except errors.DomainError as error:
            return replace(draft, unpayable=error)
        except errors.TransientError:
            return replace(draft, unpayable=errors.unavailable())

    async def accept(self, drafts: Sequence[domain.Draft]) -> list[domain.Placed | errors.DomainError]:
        """Accept these orders in one transaction: one answer each, in their order. Raises TransientError for all of them."""
        metrics.COALESCED.labels(store.SERVICE).observe(len(drafts))
        # Prices are asked for before the transaction begins: no lock is held while we wait for another service.
        quotes = await self._prices.quotes([draft.basket for draft in drafts])
        refused: dict[int, errors.DomainError] = {}
        begun: dict[int, saga.Begun] = {}
        for number, (draft, quote) in enumerate(zip(drafts, quotes, strict=True)):
            try:
                begun[number] = self._begin(draft, quote)
            except errors.DomainError as error:
                refused[number] = error
        answers = refused | await self._write(drafts, begun)
        return [answers[number] for number in range(len(drafts))]

    def _begin(self, draft: domain.Draft, quote: domain.Quote | errors.DomainError) -> saga.Begun:
        if isinstance(quote, errors.DomainError):
            raise quote
        if draft.unpayable:
            raise draft.unpayable
        totals.check_coupons(quote.coupons)
        totals.check_expected(draft.expected_total, quote.totals.total)
        now = self._now()
        order = domain.Order(
            id=ids.new_id(now),
            user_id=draft.user_id,
            lines=quote.lines,
            total=quote.totals.total,
            address=draft.basket.address,
            payment_method=draft.payment_method,
            create_time=now,
            taxes_included=quote.totals.taxes_included,
            discounts=quote.discounts,
            service_level=draft.basket.service_level,
        )
        return saga.begin(order, ids.new_id(now))

    async def _write(
        self, drafts: Sequence[domain.Draft], begun: Mapping[int, saga.Begun]
    ) -> dict[int, domain.Placed | errors.DomainError]:
        """Write what is new; for a request that was made before, the order it made then, as it is now."""
        async with self._db.transaction() as transaction:
            made = await _claim(transaction, drafts, begun)
            new = [item for number, item in begun.items() if made[number] == item.placed.order.id]
            if new:
                await store.insert(transaction, [item.placed for item in new], self._waits)
                await history.append(transaction, [item.entry for item in new])
                with tracing.causing(_traces(begun)):
                    transaction.emit(item.fact for item in new)
        written = {item.placed.order.id: item.placed for item in new}
        earlier = {order_id for order_id in made.values() if isinstance(order_id, str)} - written.keys()
        if earlier:
            written |= await store.load(self._db, list(earlier))
        return {number: written[answer] if isinstance(answer, str) else answer for number, answer in made.items()}


def _traces(begun: Mapping[int, saga.Begun]) -> dict[str, str]:
    """The traces of the calls that these orders come from, by order."""
    of_calls = enumerate(coalesce.parents())
    return {begun[number].placed.order.id: parent for number, parent in of_calls if number in begun}


async def _claim(
    transaction: database.Transaction, drafts: Sequence[domain.Draft], begun: Mapping[int, saga.Begun]
) -> dict[int, str | errors.DomainError]:
    """For each draft the id of the order that its request makes, or made before; or that the request was another one.

    Drafts that could not be begun are absent, unless their requests made orders before.
    """
    made: dict[int, str | errors.DomainError] = {number: item.placed.order.id for number, item in begun.items()}
    repeatable = [number for number in begun if drafts[number].request_id]
    claims = [_claim_of(drafts[number], begun[number].placed.order.id) for number in repeatable]
    made |= dict(zip(repeatable, await idempotency.claim(transaction, claims), strict=True))
    # What cannot be ordered now may have been ordered by this request before, whose answer was lost.
    again = [number for number, draft in enumerate(drafts) if number not in begun and draft.request_id]
    if again:
        found = await idempotency.find(transaction, [_claim_of(drafts[number], "") for number in again])
        made |= {number: answer for number, answer in zip(again, found, strict=True) if answer}
    return made


def _claim_of(draft: domain.Draft, order_id: str) -> idempotency.Claim:
    return idempotency.Claim(draft.user_id, draft.request_id, draft.fingerprint, order_id)

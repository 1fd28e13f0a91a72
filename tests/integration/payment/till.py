"""The payment service without Kafka: orders speak to it, a real provider answers it, its outbox says what it told."""

import json
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from services.chassis import clock, credentials, database, effects
from services.chassis.money import Money
from services.chassis.rpc import page_tokens, render, server
from services.payment import clients, domain, events, rpc, usecases
from services.payment.settings import Settings
from services.payment.store import claims
from services.payment.usecases import reconciling, reporting, returning, webhooks
from services.payment.usecases.charging import Charging
from souk.order.v1 import order_events_pb2
from souk.payment.v1 import payment_events_pb2
from tests.support import hearing
from tests.support.polling import eventually

PRICE = Money("USD", 4200)
# What signs webhooks: the new one, and the one of before.
SECRETS = credentials.of("whsec_new whsec_old")
LIMITS = effects.Concurrency(idle_s=0.02, idle_most_s=0.05)

_STATE = database.Statement("SELECT state, attempts, epoch FROM payments WHERE order_id = %(order_id)s")
_TOLD = database.Statement("SELECT type, payload FROM outbox WHERE key = %(key)s ORDER BY id")
_ENTRIES = database.Statement("""
SELECT e.account, e.currency, e.amount FROM ledger_entries AS e JOIN payments AS p ON p.id = e.payment_id
WHERE p.order_id = %(order_id)s ORDER BY e.version, e.account
""")

# How long a test waits for what must happen, in seconds: a busy machine is slow.
PATIENCE_S = 45.0


def new_id() -> str:
    return str(uuid.uuid4())


def requested(
    order_id: str, card: str = "card_approved", *, user_id: str = "", request_time: datetime | None = None
) -> order_events_pb2.PaymentRequested:
    return order_events_pb2.PaymentRequested(
        order_id=order_id,
        user_id=user_id or new_id(),
        amount=render.money_message(PRICE),
        payment_method=card,
        request_time=render.timestamp(request_time or clock.utc_now()),
    )


def confirmed(order_id: str) -> order_events_pb2.OrderConfirmed:
    return order_events_pb2.OrderConfirmed(order_id=order_id)


def cancelled(order_id: str) -> order_events_pb2.OrderCancelled:
    return order_events_pb2.OrderCancelled(order_id=order_id, user_id=new_id(), reason="CANCEL_REQUESTED")


def settings(provider_url: str, *, timeout_s: float = 0.4, breaker_reset_s: float = 0.5) -> Settings:
    return Settings(
        provider_url=provider_url,
        provider_timeout_s=timeout_s,
        provider_calls=64,
        breaker_failures=5,
        breaker_reset_s=breaker_reset_s,
        webhook_secrets=SECRETS,
    )


@dataclass
class Till:
    """What orders say goes in, what payment tells them comes out; and the provider's own testimony."""

    db: database.Database
    payments: usecases.Payments
    provider: httpx.AsyncClient

    @property
    def returned(self) -> returning.Returning:
        """The refunds of returns: `begin` begins those that are due, and the till's worker asks the provider."""
        return returning.Returning(self.db, now=clock.utc_now, wake=lambda: None)

    async def say(self, *messages: Any) -> None:
        """Hand messages of orders to their handlers, all in one transaction."""
        await hearing.hear(self.db, events.subscribers(self.payments, self.returned), *messages)

    async def told(self, order_id: str) -> list[str]:
        """The names of what was told about an order, in order."""
        return [type(message).__name__ for message in await self.messages(order_id)]

    async def messages(self, order_id: str) -> list[Any]:
        """What was told about an order, in order."""
        rows = await self.db.read(_TOLD, {"key": order_id})
        return [getattr(payment_events_pb2, kind.rsplit(".", 1)[1]).FromString(payload) for kind, payload in rows]

    async def state(self, order_id: str) -> str:
        """Where an order's payment is; empty when there is none."""
        rows = await self.db.read(_STATE, {"order_id": order_id})
        return str(rows[0][0]) if rows else ""

    async def attempts(self, order_id: str) -> int:
        """How often the provider was asked in the payment's present state."""
        [[_, attempts, _]] = await self.db.read(_STATE, {"order_id": order_id})
        return int(attempts)

    async def epoch(self, order_id: str) -> int:
        """How often the payment was claimed or settled."""
        [[_, _, epoch]] = await self.db.read(_STATE, {"order_id": order_id})
        return int(epoch)

    async def reaches(self, order_id: str, state: domain.State, *, within_s: float = PATIENCE_S) -> None:
        """Wait until an order's payment is there."""

        async def there() -> bool:
            return await self.state(order_id) == state

        await eventually(there, within_s=within_s)

    async def hears(self, order_id: str, *names: str) -> None:
        """Wait until exactly these were told about an order."""

        async def heard() -> bool:
            return len(await self.told(order_id)) >= len(names)

        await eventually(heard, within_s=PATIENCE_S)
        assert await self.told(order_id) == list(names)

    async def ledger(self, order_id: str) -> list[tuple[str, str, int]]:
        """The ledger's lines about an order."""
        return [tuple(row) for row in await self.db.read(_ENTRIES, {"order_id": order_id})]

    async def testimony(self, order_id: str) -> list[str]:
        """What the provider did for an order: the effects that its log names, without calls that changed nothing."""
        answer = await self.provider.get("/v1/log", params={"reference": order_id})
        effects_seen = [line["effect"] for line in answer.json()["lines"]]
        return [effect for effect in effects_seen if effect not in {"failed", "unchanged"}]

    async def control(self, **wanted: Any) -> None:
        """Make the provider answer as told."""
        (await self.provider.put("/control", content=json.dumps(wanted))).raise_for_status()


def servicer(till: Till) -> server.Servicer:
    """The service's calls. What falls due by a webhook is found by who works."""
    heard = webhooks.Webhooks(till.db, now=clock.utc_now, wake=lambda: None, lease_s=0.1)
    chosen = settings(str(till.provider.base_url))
    hooks = clients.door(chosen, heard.receive, now=clock.utc_now)
    compared = reconciling.Reconciling(till.db, clients.Provider(chosen), now=clock.utc_now, every_s=0)
    reports = reporting.Reports(till.db, page_tokens.PageTokens(till.db))
    return rpc.servicer(till.payments, compared, reports, hooks)


@asynccontextmanager
async def working(
    db: database.Database, chosen: Settings, provider: clients.Provider | None = None
) -> AsyncIterator[usecases.Payments]:
    """The service's worker, calling the provider until the block ends."""
    provider = provider or clients.Provider(chosen)
    charging = Charging(provider, now=clock.utc_now, lease_s=chosen.lease_s)
    worker = effects.Worker(db, charging, LIMITS, name="test-provider")
    await provider.start()
    await worker.start()
    try:
        yield usecases.Payments(db, now=clock.utc_now, wake=worker.wake)
    finally:
        await worker.stop()
        await provider.stop()


async def attempt(db: database.Database, chosen: Settings) -> None:
    """Call the provider once for what is due, as a worker does that dies before it writes down what was answered."""
    provider = clients.Provider(chosen)
    await provider.start()
    try:
        for claimed in await claim(db, lease_s=0):
            await provider.call(claimed.payment, repeated=claimed.attempt > 1, age_s=claimed.age_s)
    finally:
        await provider.stop()


async def claim(db: database.Database, *, lease_s: float = 30.0) -> Sequence[claims.Claimed]:
    """Claim what is due, as a worker does."""
    async with db.transaction() as transaction:
        return await claims.claim(transaction, most=100, lease_s=lease_s)

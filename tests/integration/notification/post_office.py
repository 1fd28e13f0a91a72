"""The notification service without Kafka: events come in, a real mail server and an SNS keep what is sent."""

import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from scripts.simulators import mailbox
from services.chassis import clock, database, effects, erasure
from services.chassis.credentials import Credential
from services.chassis.money import Money
from services.chassis.rpc import page_tokens, render, server
from services.notification import (
    bouncing,
    clients,
    digests,
    domain,
    events,
    notices,
    rpc,
    store,
    text_messages,
    unsubscribing,
    usecases,
    words,
)
from services.notification.domain import Channel
from services.notification.settings import Settings
from souk.cart.v1 import cart_events_pb2
from souk.inventory.v1 import inventory_events_pb2
from souk.order.v1 import order_events_pb2, order_pb2
from souk.payment.v1 import payment_events_pb2
from souk.user.v1 import user_events_pb2
from tests.support import hearing
from tests.support.polling import eventually

# Few enough calls at once that a test's mails do not all fit.
LIMITS = effects.Concurrency(concurrent=16, idle_s=0.02, idle_most_s=0.05)
WORDS = words.Templates()
# Nobody is woken: who is to send looks by itself, or is not there.
QUIET: Mapping[Channel, Callable[[], None]] = dict.fromkeys(Channel, lambda: None)
PUBLIC_URL = "https://shop.example"
# What signs news of mail, while it changes.
SECRETS = "whsec_new whsec_old"
PRICE = render.money_message(Money("USD", 4200))

_MESSAGES = database.Statement("""
SELECT id, template, state, reason, attempts FROM notifications WHERE user_id = %(user_id)s
ORDER BY create_time, array_position(ARRAY['EMAIL', 'SMS', 'PUSH'], channel), id
""")

# How long a test waits for what must happen, in seconds: a busy machine is slow.
PATIENCE_S = 45.0


def new_id() -> str:
    return str(uuid.uuid4())


def registered(user_id: str, email: str, name: str = "Ann", *, verified: bool = True) -> user_events_pb2.UserRegistered:
    return user_events_pb2.UserRegistered(user_id=user_id, email=email, display_name=name, email_verified=verified)


def confirmed(order_id: str, user_id: str, title: str = "Teapot") -> order_events_pb2.OrderConfirmed:
    line = order_pb2.OrderLine(sku="POT", title=title, quantity=2, unit_price=PRICE, total=PRICE)
    return order_events_pb2.OrderConfirmed(order_id=order_id, user_id=user_id, total=PRICE, lines=[line])


def cancelled(order_id: str, user_id: str, reason: str) -> order_events_pb2.OrderCancellationCompleted:
    return order_events_pb2.OrderCancellationCompleted(order_id=order_id, user_id=user_id, reason=reason)


def refunded(order_id: str, user_id: str, *, step: int | None = None) -> payment_events_pb2.PaymentRefunded:
    """All was refunded: `step` minor units by the last refund, or an event of a release that did not say it."""
    last = None if step is None else render.money_message(Money("USD", step))
    return payment_events_pb2.PaymentRefunded(order_id=order_id, user_id=user_id, amount=PRICE, step_amount=last)


def abandoned(user_id: str, abandonment_id: str) -> cart_events_pb2.CartAbandoned:
    """A cart with two teapots was left."""
    line = cart_events_pb2.CartAbandoned.Line(sku="POT", title="Teapot", quantity=2, unit_price=PRICE, total=PRICE)
    return cart_events_pb2.CartAbandoned(user_id=user_id, abandonment_id=abandonment_id, lines=[line], total=PRICE)


def fell_low(sku: str, available: int, threshold: int = 5) -> inventory_events_pb2.StockLevelLow:
    return inventory_events_pb2.StockLevelLow(sku=sku, available=available, threshold=threshold)


def settings(smtp_url: str, *, most_attempts: int = 3, timeout_s: float = 2.0) -> Settings:
    return Settings(
        smtp_url=Credential(smtp_url),
        sender="no-reply@souk.test",
        connections=4,
        timeout_s=timeout_s,
        most_attempts=most_attempts,
    )


@dataclass(frozen=True)
class Message:
    """A row of `notifications`."""

    id: str
    template: str
    state: str
    reason: str
    attempts: int


@dataclass(frozen=True)
class Shelves:
    """Who sells what, instead of the catalog. What is not here is the shop's own."""

    vendors: Mapping[str, str]

    async def vendors_of(self, skus: Sequence[str]) -> Mapping[str, str]:
        return {sku: self.vendors[sku] for sku in skus if sku in self.vendors}


@dataclass
class PostOffice:
    """What happened goes in, mail comes out, and the mail server's store is the witness."""

    db: database.Database
    notifications: usecases.Notifications
    store: Path

    async def hear(self, *messages: Any) -> None:
        """Hand events to their handlers, all in one transaction."""
        await hearing.hear(self.db, events.subscribers(self.notifications, self.digests({}), self.erasing), *messages)

    @property
    def erasing(self) -> erasure.Erasure:
        """What is done about erased accounts."""
        return erasure.Erasure(self.db, store.ERASE)

    def digests(self, vendors: Mapping[str, str], *, every_s: float = 0.0) -> digests.Digests:
        """Who tells vendors what fell low."""
        return digests.Digests(self.db, self.notifications, Shelves(vendors), every_s=every_s, now=clock.utc_now)

    async def messages(self, user_id: str) -> list[Message]:
        """A user's messages, oldest first."""
        return [Message(*row) for row in await self.db.read(_MESSAGES, {"user_id": user_id})]

    async def reach(self, user_id: str, *states: str) -> None:
        """Wait until a user's messages are in these states."""

        async def there() -> bool:
            return [message.state for message in await self.messages(user_id)] == list(states)

        await eventually(there, within_s=PATIENCE_S)

    def mails(self, to: str) -> list[EmailMessage]:
        """What was delivered to an address, oldest first."""
        return [mailbox.read_message(self.store, mail) for mail in mailbox.read_index(self.store, to)]

    def subjects(self, to: str) -> list[str]:
        """The subjects of what was delivered to an address."""
        return sorted(str(mail["Subject"]) for mail in self.mails(to))


class NoLinks:
    """Mail without links by which it is unsubscribed."""

    async def link(self, notification: domain.Notification) -> str:  # noqa: ARG002 - no mail has one
        return ""


def links(db: database.Database) -> unsubscribing.Unsubscribing:
    """The links by which mail is unsubscribed."""
    return unsubscribing.Unsubscribing(db, public_url=PUBLIC_URL)


def servicer(office: PostOffice) -> server.Servicer:
    """The service's calls, about what is in this office."""
    hooks = notices.door(Credential(SECRETS), bouncing.Bouncing(office.db).hear, now=clock.utc_now)
    return rpc.servicer(
        office.notifications,
        usecases.Preferences(office.db),
        page_tokens.PageTokens(office.db),
        rpc.Public(links(office.db), hooks),
    )


@asynccontextmanager
async def working(db: database.Database, chosen: Settings) -> AsyncIterator[usecases.Notifications]:
    """The service's worker for mail, sending until the block ends."""
    mailer = clients.Mailer(chosen, WORDS, links(db), now=clock.utc_now)
    mailing = usecases.Sending(Channel.EMAIL, mailer, lease_s=chosen.lease_s, most_attempts=chosen.most_attempts)
    worker = effects.Worker(db, mailing, LIMITS, name="test-email")
    await mailer.start()
    await worker.start()
    try:
        wakes = {**QUIET, Channel.EMAIL: worker.wake}
        yield usecases.Notifications(db, WORDS, now=clock.utc_now, wakes=wakes)
    finally:
        await worker.stop()
        await mailer.stop()


@asynccontextmanager
async def calling(db: database.Database, chosen: Settings) -> AsyncIterator[Mapping[Channel, Callable[[], None]]]:
    """The service's workers for SNS, sending until the block ends: what wakes them."""
    async with AsyncExitStack() as stack:
        wakes = {}
        for channel in (Channel.SMS, Channel.PUSH):
            sender = text_messages.Sns(channel, chosen, WORDS)
            sending = usecases.Sending(channel, sender, lease_s=chosen.sns_lease_s, most_attempts=chosen.most_attempts)
            limits = effects.Concurrency(concurrent=chosen.sns_calls, idle_s=0.02, idle_most_s=0.05)
            worker = effects.Worker(db, sending, limits, name=f"test-{channel}")
            for part in (sender, worker):
                await part.start()
                stack.push_async_callback(part.stop)
            wakes[channel] = worker.wake
        yield wakes

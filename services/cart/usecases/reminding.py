"""Telling of carts that their users left: each time once, however often a process dies over it.

Users are noted in Redis by when their carts are to be looked at. A turn claims those who are due by a lease, looks at their
carts, publishes what was left, and settles the claim. Whoever dies before that leaves the claim to its lease, and the next
turn tells the same again by the same id, which the inboxes of consumers drop. A cart that is touched meanwhile is noted by
that, and its claim settles nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from services.cart import domain, store
from services.cart.usecases import showing
from services.chassis import clock, ids, redis_store
from services.chassis.events import publisher

# Carts that are looked at in one turn: of at most 100 lines each, so that the catalog is asked for 2,000 SKUs at most.
AT_ONCE = 20


class Publishing(Protocol):
    """Who tells others."""

    async def publish(self, facts: Sequence[publisher.Fact]) -> list[bool]:
        """Which of these facts the brokers have. Raises TransientError."""


@dataclass(frozen=True, slots=True)
class Times:
    """After how long without a change a cart counts as abandoned, and how long a process may take to tell of it."""

    after: timedelta
    lease: timedelta


class Reminding:
    """The use case of carts that were left. `work` is the body of a loop."""

    def __init__(
        self,
        redis: redis_store.RedisStore,
        catalog: showing.Catalog,
        publishing: Publishing,
        *,
        times: Times,
        now: clock.Clock,
    ) -> None:
        self._redis = redis
        self._catalog = catalog
        self._publishing = publishing
        self._times = times
        self._now = now

    async def work(self) -> int:
        """Tell of carts that were left: how many carts were looked at.

        Raises TransientError or DomainError when Redis, the catalog or Kafka does not answer: what was claimed is due again
        when its lease runs out.
        """
        now = self._now()
        claimed = await store.claim_reminders(self._redis, now=now, lease=self._times.lease, most=AT_ONCE)
        if not claimed.user_ids:
            return 0
        places = [domain.of_user(user_id) for user_id in claimed.user_ids]
        carts = await store.load_all(self._redis, places)
        looks = {place.id: domain.look_again(carts.get(place), self._times.after) for place in places}
        due = {place.id: cart for place, cart in carts.items() if _is_due(looks[place.id], now)}
        done = await self._tell(due)
        later = {user_id: look for user_id, look in looks.items() if user_id not in due}
        await store.settle_reminders(self._redis, claimed, later | dict.fromkeys(done))
        return len(claimed.user_ids)

    async def _tell(self, due: Mapping[str, domain.Cart]) -> list[str]:
        """Those of these users with whose carts nothing is left to do: told, or nothing in them is for sale."""
        skus = sorted({line.sku for cart in due.values() for line in cart.lines})
        offers = await self._catalog.offers(skus) if skus else {}
        told = {user_id: domain.abandoned(cart, user_id, offers) for user_id, cart in due.items()}
        facts = {user_id: self._fact(event) for user_id, event in told.items() if event}
        acknowledged = await self._publishing.publish(list(facts.values()))
        missing = {user_id for user_id, has in zip(facts, acknowledged, strict=True) if not has}
        return [user_id for user_id in due if user_id not in missing]

    def _fact(self, event: domain.CartAbandoned) -> publisher.Fact:
        happened = event.touched + self._times.after
        return publisher.Fact(ids.dated(happened, event.id), happened, event)


def _is_due(look: datetime | None, now: datetime) -> bool:
    return look is not None and look <= now

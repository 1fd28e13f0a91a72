"""The publisher of a service without a database: its facts go to the brokers at once, each by an id that follows from it.

There is no outbox that remembers what was not published. So whoever calls knows what is due, by a lease for example, and
publishes it again, with the same id and time, until the brokers have it: at least once, and the inboxes of consumers drop
the repetition. `outbox/` is the way of a service with PostgreSQL: there the fact and its event are one transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.chassis import kafka, tracing
from services.chassis.outbox import outbox


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened at a time. id is a UUIDv7 of about that time, the same whenever the fact is told again."""

    id: str
    time: datetime
    event: object


class Publisher:
    """Publishes the facts of one service as its publications say. For one task at a time, as its producer is."""

    def __init__(self, producer: kafka.Producer, publications: outbox.Publications, *, service: str) -> None:
        self._producer = producer
        self._publications = publications
        self._service = service

    async def publish(self, facts: Sequence[Fact]) -> list[bool]:
        """Send all and wait: which of them the brokers have. Raises TransientError when there is no broker to ask.

        Raises KeyError for an event that no publication names.
        """
        return await self._producer.publish([self._record(fact) for fact in facts]) if facts else []

    def _record(self, fact: Fact) -> kafka.Record:
        publication = self._publications[type(fact.event)]
        entry = publication.entry(fact.event, fact.id, fact.time, origin=tracing.origin())
        return outbox.record(entry, self._service)

"""Events handed to a service without Kafka, as its consumer would."""

from collections.abc import Mapping
from typing import Any

from services.chassis import database


async def hear(db: database.Database, subscribers: Mapping[type, Any], *messages: Any) -> None:
    """Hand messages to their handlers, in one transaction for each kind."""
    by_kind: dict[type, list[Any]] = {}
    for message in messages:
        by_kind.setdefault(type(message), []).append(message)
    for kind, same in by_kind.items():
        subscriber = subscribers[kind]
        async with db.transaction() as transaction:
            await subscriber.handle(transaction, [subscriber.parse(message) for message in same])

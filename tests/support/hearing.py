"""Events handed to a service without Kafka, as its consumer would."""

from collections.abc import Mapping
from typing import Any

from services.chassis import database


async def hear(db: database.Database, subscribers: Mapping[type, Any], *messages: Any) -> None:
    """Hand messages to their handlers, all in one transaction, as a consumer does: nobody acts on a part of them."""
    by_kind: dict[type, list[Any]] = {}
    for message in messages:
        by_kind.setdefault(type(message), []).append(message)
    async with db.transaction() as transaction:
        for kind, same in by_kind.items():
            subscriber = subscribers[kind]
            await subscriber.handle(transaction, [subscriber.parse(message) for message in same])

"""A process that writes what shipping keeps beside its labels (DOES) and kills itself with SIGKILL at one commit."""

import asyncio
import os

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import Message

from services import tariff
from services.chassis import clock, database, erasure, kafka
from services.chassis.events import consumer, reader
from services.shipping import events, store
from services.shipping.domain import rates
from services.shipping.usecases import delivering
from tests.integration.shipping import pricing
from tests.support import mortal

MODULE = "tests.integration.shipping.mortal_office"


def table(version: int) -> tariff.Table:
    """The table that takes the place of this version: no two are the same."""
    rate = tariff.Rate("STANDARD", "USD", (tariff.Band(None, 500 + version),))
    return tariff.Table(zones=(tariff.Zone("home", ("US",), (rate,)),))


async def set_rates(db: database.Database, expected_version: int) -> rates.Kept:
    """Replace the table of this version: the test and this process ask in the same words."""
    return await pricing.rating_of(db).set(
        table(expected_version), expected_version=expected_version, actor="user:admin"
    )


async def hear(db: database.Database, message: Message, event_id: str) -> None:
    """Have the consumer handle a message, as one event: the test and this process hear it in the same words."""
    hearing = delivering.Delivering(db, now=clock.utc_now, wake=lambda: None)
    known = reader.Reader(events.subscribers(hearing, erasure.Erasure(db, store.ERASE)))
    headers = {"ce_id": event_id, "ce_type": message.DESCRIPTOR.full_name}
    record = kafka.Record("orders", "", message.SerializeToString(), headers, 0, 0)
    await consumer.Deliverer(db, known, service=store.SERVICE, now=clock.utc_now).deliver([record])


def said(message: Message, event_id: str) -> dict[str, str]:
    """What has this process hear a message."""
    payload = message.SerializeToString().hex()
    return {"DOES": "hear", "TYPE": message.DESCRIPTOR.full_name, "PAYLOAD": payload, "EVENT_ID": event_id}


def _heard() -> Message:
    kind = message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(os.environ["TYPE"]))
    return kind.FromString(bytes.fromhex(os.environ["PAYLOAD"]))


async def _do() -> None:
    async with mortal.opened_to_die(events.PUBLISHED) as db:
        if os.environ["DOES"] == "rates":
            await set_rates(db, int(os.environ["VERSION"]))
        else:
            await hear(db, _heard(), os.environ["EVENT_ID"])


if __name__ == "__main__":
    asyncio.run(_do())

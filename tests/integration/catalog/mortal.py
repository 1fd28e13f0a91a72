"""A catalog that kills itself at one line (DIE_AT) of one use case (DOES)."""

import asyncio
import dataclasses
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from services.catalog import domain, events, usecases
from services.catalog.clients import object_store
from services.catalog.messages import bulk as messages
from services.catalog.messages import bulk_files
from services.catalog.usecases import bulk
from services.catalog.usecases import images as image_usecases
from services.chassis import cache, clock, database, kafka
from services.chassis.events import consumer, reader
from souk.catalog.v1 import catalog_events_pb2
from tests.integration.catalog import gallery
from tests.integration.catalog.conftest import Shelves
from tests.support import mortal

FORGETTING = "forgetting"  # the category is committed, and the cache does not know


class MortalShared(cache.Shared):
    """A Redis that is never told to forget: whoever wants to dies."""

    async def forget(self, keys: Iterable[str]) -> None:  # noqa: ARG002 - it does not come so far
        mortal.die()


def draft(category: str, sku: str, request_id: str) -> domain.Draft:
    """A product that the test and this process ask for in the same words."""
    variants = (domain.Asked(sku, "Large", "EUR", 12, 0),)
    return domain.Draft("Tea", "", category, "", variants, "admin", request_id, b"same")


def wanted_file(file: str, request_id: str) -> bulk.Wanted:
    """An administrator's file of JSON Lines."""
    rows = messages.read(file.encode(), bulk_files.Format.JSON_LINES)
    return bulk.Wanted(rows, None, "admin", request_id, b"same", dry_run=False)


def dies_importing(database_url: str, redis_url: str, at: str, file: str, request_id: str) -> None:
    """Run this module as a process that is killed while it imports a file, which is larger than an environment may be."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as kept:
        kept.write(file)
        kept.flush()
        told = {"DOES": "import", "FILE": kept.name, "REQUEST_ID": request_id}
        mortal.dies(__name__, database_url, at=at, REDIS_URL=redis_url, **told)


async def hear_of_deletion(db: database.Database, catalog: usecases.Catalog, product_id: str, event_id: str) -> None:
    """Have the catalog's consumer handle the event of a product's deletion."""
    message = catalog_events_pb2.ProductDeleted(product_id=product_id)
    headers = {"ce_id": event_id, "ce_type": message.DESCRIPTOR.full_name}
    table = reader.Reader(events.subscribers(catalog))
    deliverer = consumer.Deliverer(db, table, service=usecases.SERVICE, now=clock.utc_now)
    await deliverer.deliver([kafka.Record(events.TOPIC, product_id, message.SerializeToString(), headers)])


def _file() -> str:
    return Path(os.environ["FILE"]).read_text()


async def _do() -> None:
    async with mortal.opened_mortal(events.PUBLISHED) as db:
        shared = MortalShared(os.environ["REDIS_URL"], cache.Seal(b"a secret of the tests"))
        catalog = usecases.Catalog(db, Shelves(), usecases.caches(shared, shared_s=30), now=clock.utc_now)
        match os.environ["DOES"]:
            case "create":
                wanted = draft(os.environ["CATEGORY"], os.environ["SKU"], os.environ["REQUEST_ID"])
                await catalog.create(wanted)
            case "put_category":
                await catalog.put_category(domain.Category(os.environ["CATEGORY"], "Renamed"))
            case "update":
                content = dataclasses.replace(draft(os.environ["CATEGORY"], os.environ["SKU"], ""), title="Coffee")
                await catalog.update(domain.Edit(os.environ["PRODUCT"], 1, content, None))
            case "delete":
                await catalog.delete(domain.Deletion(os.environ["PRODUCT"], 1, None))
            case "hear":
                await hear_of_deletion(db, catalog, os.environ["PRODUCT"], os.environ["EVENT_ID"])
            case "attach":
                bucket = object_store.Bucket(gallery.settings(os.environ["S3_URL"], os.environ["BUCKET"]))
                await bucket.start()
                images = image_usecases.Images(db, catalog, bucket=bucket, now=clock.utc_now)
                await images.put(gallery.placement(os.environ["PRODUCT"], os.environ["IMAGE"]))
            case "turn":
                await catalog.pricing.turn()
            case "import":
                files = bulk.Bulk(db, catalog, now=clock.utc_now)
                await files.import_file(wanted_file(_file(), os.environ["REQUEST_ID"]))
            case "feature":
                await catalog.set_featured(os.environ["PRODUCT"], featured=True)


if __name__ == "__main__":
    asyncio.run(_do())

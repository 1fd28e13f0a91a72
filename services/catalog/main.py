"""The catalog, put together."""

from services import signing_keys
from services.catalog import clients, events, rpc, usecases
from services.catalog.clients import object_store
from services.catalog.settings import Settings
from services.catalog.store import prices as price_store
from services.catalog.usecases import attribute_schemas as attribute_schema_usecases
from services.catalog.usecases import bulk
from services.catalog.usecases import images as image_usecases
from services.chassis import assembly, cache, loops, process, retention
from services.chassis.settings import read

# What is sold is counted, and caches hear of changes, this much later where there is much to hear, in seconds.
PATIENCE_S = 0.25


def build(host: assembly.Host) -> list[process.Part]:
    """The parts of the catalog that the host's role asks for, in the order they start."""
    settings = read(Settings, host.environ)
    service = assembly.Assembly(usecases.SERVICE, host, events.PUBLISHED)
    user = service.peer("user", signing_keys.DESCRIPTOR)
    inventory = clients.Inventory(service.peer("inventory", clients.DESCRIPTOR))
    shared = cache.Shared(service.redis_url, cache.Seal.of_database(service.database_url))
    remembered = usecases.caches(shared, shared_s=settings.cache_s)
    catalog = usecases.Catalog(service.db, inventory, remembered, now=host.now)
    schemas = attribute_schema_usecases.AttributeSchemas(service.db, now=host.now)
    bucket = object_store.Bucket(settings) if settings.images_bucket else None
    images = image_usecases.Images(service.db, catalog, bucket=bucket, now=host.now)
    # Nobody waits for an object to be deleted.
    pace = loops.Pace(settings.images_clear_s, 6 * settings.images_clear_s)
    clearing = [loops.Loop("catalog-images", images.clear, pace)] if bucket else []
    files = bulk.Bulk(service.db, catalog, now=host.now)
    use = rpc.UseCases(catalog, schemas, images, files)
    consuming = assembly.Consuming(events.CONSUMED, events.subscribers(catalog), PATIENCE_S)
    telling = loops.Loop(f"{usecases.SERVICE}-popularity", catalog.popularity.tell, loops.Pace(30.0))
    gauges = retention.Gauges(service.db, usecases.SERVICE, price_store.QUEUES)
    return [
        shared,
        *([bucket] if bucket else []),
        *service.parts(
            rpc.servicer(use, service.page_tokens),
            signing_keys.fetched_from(user),
            consuming=consuming,
            working=[
                telling,
                loops.Loop("catalog-prices", catalog.pricing.turn, loops.Pace(0.5, 1.0)),
                loops.Loop("catalog-queues", gauges.work, loops.Pace(10)),
                loops.Loop("catalog-imports", files.purge, loops.Pace(300.0)),
                *clearing,
            ],
        ),
    ]

"""The catalog, put together."""

from services import signing_keys
from services.catalog import clients, events, price_store, rpc, usecases
from services.catalog.settings import Settings
from services.chassis import assembly, cache, loops, process, retention
from services.chassis.settings import read


def build(host: assembly.Host) -> list[process.Part]:
    """The parts of the catalog that the host's role asks for, in the order they start."""
    settings = read(Settings, host.environ)
    service = assembly.Assembly(usecases.SERVICE, host, events.PUBLISHED)
    user = service.peer("user", signing_keys.DESCRIPTOR)
    inventory = clients.Inventory(service.peer("inventory", clients.DESCRIPTOR))
    shared = cache.Shared(service.redis_url, cache.Seal.of_database(service.database_url))
    remembered = usecases.caches(shared, shared_s=settings.cache_s)
    catalog = usecases.Catalog(service.db, inventory, remembered, now=host.now)
    consuming = assembly.Consuming(events.CONSUMED, events.subscribers(catalog))
    gauges = retention.Gauges(service.db, usecases.SERVICE, price_store.QUEUES)
    return [
        shared,
        *service.parts(
            rpc.servicer(catalog, service.page_tokens),
            signing_keys.fetched_from(user),
            consuming=consuming,
            working=[
                loops.Loop("catalog-prices", catalog.pricing.turn, loops.Pace(0.5, 1.0)),
                loops.Loop("catalog-queues", gauges.work, loops.Pace(10)),
            ],
        ),
    ]

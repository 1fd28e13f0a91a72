"""Search, put together."""

from services import signing_keys
from services.chassis import assembly, cache, loops, process
from services.chassis.settings import read
from services.search import answers, clients, engines, events, postgres_checker, rpc, usecases
from services.search.settings import Settings

# A build waits this long for somebody to ask for it, in seconds.
BUILD_PACE = loops.Pace(1.0)

# What changed is found this much later, in seconds.
PATIENCE_S = 0.25


def build(host: assembly.Host) -> list[process.Part]:
    """The parts of search that the host's role asks for, in the order they start."""
    settings = read(Settings, host.environ)
    service = assembly.Assembly(usecases.SERVICE, host, events.PUBLISHED)
    user = service.peer("user", signing_keys.DESCRIPTOR)
    catalog = clients.Catalog(service.peer("catalog", clients.CATALOG))
    inventory = clients.Inventory(service.peer("inventory", clients.INVENTORY))
    shared = cache.Shared(service.redis_url, cache.Seal.of_database(service.database_url))
    moments = answers.Moments(service.db, fresh_s=settings.fresh_s)
    chosen = engines.choose(settings, host.environ, service.db)
    index = usecases.Index(service.db, catalog, inventory, chosen.mirror)
    use = usecases.UseCases(
        usecases.Searches(service.db, chosen.engine, moments),
        answers.Answers(moments, shared, postgres_checker.PostgresChecker(service.db), shared_s=settings.cache_s),
        usecases.Synonyms(service.db, now=host.now),
        index,
    )
    return [
        shared,
        *chosen.parts,
        *service.parts(
            rpc.servicer(use, service.page_tokens, currency=settings.currency),
            signing_keys.fetched_from(user),
            consuming=assembly.Consuming(events.CONSUMED, events.subscribers(index), PATIENCE_S),
            working=[
                loops.Loop("search-build", index.build, BUILD_PACE),
                loops.Loop("search-titles", index.follow_titles, loops.Pace(settings.categories_s)),
                loops.Loop("search-categories", index.learn_categories, loops.Pace(settings.categories_s)),
                *chosen.working,
            ],
        ),
    ]

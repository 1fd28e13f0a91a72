"""Recommendation, put together."""

from datetime import timedelta

from services import signing_keys
from services.chassis import assembly, loops, process, retention
from services.chassis.settings import read
from services.recommendation import clients, events, rpc, usecases
from services.recommendation.settings import Settings
from services.recommendation.usecases import building, learning, recommending

# Nobody waits for what an order teaches: events are gathered for so many seconds, and handled so many at a time.
PATIENCE_S = 1.0
EVENTS_AT_ONCE = 2_000
# A build waits this long for somebody to ask for it, an order this long for its products; what is too old is looked for so often.
BUILD_PACE = loops.Pace(1.0, 5.0)
RESOLVE_PACE = loops.Pace(2.0, 10.0)
PURGE_PACE = loops.Pace(600.0)


def build(host: assembly.Host) -> list[process.Part]:
    """The parts of recommendation that the host's role asks for, in the order they start."""
    settings = read(Settings, host.environ)
    service = assembly.Assembly(usecases.SERVICE, host)
    user = service.peer("user", signing_keys.DESCRIPTOR)
    catalog = clients.Catalog(service.peer("catalog", clients.CATALOG))
    inventory = clients.Inventory(service.peer("inventory", clients.INVENTORY))
    terms = recommending.Terms(
        settings.together_s, settings.trending_s, settings.category_share, timedelta(days=settings.bought_days)
    )
    learner = learning.Learning(service.db, now=host.now)
    builder = building.Building(service.db, catalog, inventory, now=host.now)
    gauges = retention.Gauges(service.db, usecases.SERVICE, learning.QUEUES)
    use = usecases.UseCases(recommending.Recommending(service.db, terms, now=host.now), builder)
    return service.parts(
        rpc.servicer(use),
        signing_keys.fetched_from(user),
        consuming=assembly.Consuming(events.CONSUMED, events.subscribers(learner), PATIENCE_S, EVENTS_AT_ONCE),
        working=[
            loops.Loop("recommendation-build", builder.build, BUILD_PACE),
            loops.Loop("recommendation-waiting", learner.resolve, RESOLVE_PACE),
            loops.Loop("recommendation-purge", learner.purge, PURGE_PACE),
            loops.Loop("recommendation-queues", gauges.work, loops.Pace(10)),
        ],
    )

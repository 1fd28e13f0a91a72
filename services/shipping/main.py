"""The shipping service, put together."""

from services import postal, signing_keys
from services.chassis import assembly, effects, erasure, loops, process, retention
from services.chassis.settings import read
from services.shipping import clients, events, rpc, store, usecases
from services.shipping.settings import Settings
from services.shipping.usecases import delivering, handling, labelling, noticing, rating, tracking

# No order waits for its parcels or their labels: what is done for many at once costs less. Seconds.
PATIENCE_S = 0.25
GATHER_S = 0.1


def build(host: assembly.Host) -> list[process.Part]:
    """The parts of the shipping service that the host's role asks for, in the order they start."""
    settings = read(Settings, host.environ)
    service = assembly.Assembly(store.SERVICE, host, events.PUBLISHED)
    user = service.peer("user", signing_keys.DESCRIPTOR)
    carrier = clients.Carrier(settings)
    following = tracking.Tracking(service.db, carrier, now=host.now, track_s=settings.track_s)
    follower = loops.Loop("shipping-follower", following.follow, loops.Pace(1.0, 2.0, gather_s=0.5))
    terms = labelling.Terms(settings.lease_s, settings.track_s, automatic=settings.automatic)
    labels = labelling.Labelling(carrier, now=host.now, terms=terms, wake=follower.wake)
    limits = effects.Concurrency(concurrent=settings.carrier_calls, gather_s=GATHER_S, pause_s=GATHER_S)
    worker = effects.Worker(service.db, labels, limits, name="shipping-labels")
    hearing = delivering.Delivering(service.db, now=host.now, wake=worker.wake)
    noticed = noticing.Noticing(service.db, wake=follower.wake)
    handled = handling.Handling(service.db, now=host.now, track_s=settings.track_s, wake=follower.wake)
    catalog = clients.Catalog(service.peer("catalog", clients.CATALOG))
    rated = rating.Rating(service.db, catalog, postal.Postal(), now=host.now)
    erasing = erasure.Erasure(service.db, store.ERASE)
    gauges = retention.Gauges(service.db, store.SERVICE, usecases.QUEUES)
    return service.parts(
        rpc.servicer(handled, rated, clients.door(settings, noticed.hear, now=host.now)),
        signing_keys.fetched_from(user),
        consuming=assembly.Consuming(events.CONSUMED, events.subscribers(hearing, erasing), PATIENCE_S),
        working=[
            carrier,
            worker,
            follower,
            erasing,
            loops.Loop("shipping-gauges", gauges.work, loops.Pace(10)),
        ],
    )

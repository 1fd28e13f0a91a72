"""The order service, put together."""

from services import signing_keys
from services.chassis import assembly, loops, process, retention
from services.chassis.settings import read
from services.order import clients, events, rpc, saga, usecases
from services.order.settings import Settings


def build(host: assembly.Host) -> list[process.Part]:
    """The parts of the order service that the host's role asks for, in the order they start."""
    settings = read(Settings, host.environ)
    service = assembly.Assembly(usecases.SERVICE, host, events.PUBLISHED)
    user = service.peer("user", signing_keys.DESCRIPTOR)
    catalog = clients.Catalog(service.peer("catalog", clients.DESCRIPTOR), age_s=settings.price_age_s)
    waits = saga.Waits(
        stock_s=settings.stock_deadline_s,
        payment_s=settings.payment_deadline_s,
        settlement_s=settings.settlement_deadline_s,
        compensation_s=settings.compensation_deadline_s,
        catch_up_s=settings.catch_up_s,
    )
    orders = usecases.Orders(service.db, catalog, now=host.now, waits=waits)
    gauges = retention.Gauges(service.db, usecases.SERVICE, usecases.QUEUES)
    return service.parts(
        rpc.servicer(orders),
        signing_keys.fetched_from(user),
        consuming=assembly.Consuming(events.CONSUMED, events.subscribers(orders)),
        working=[
            loops.Loop("order-timer", orders.expire, loops.Pace(0.5, 1.0)),
            loops.Loop("order-gauges", gauges.work, loops.Pace(10)),
        ],
    )

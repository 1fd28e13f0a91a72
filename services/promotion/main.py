"""Promotion, put together."""

from services import signing_keys
from services.chassis import assembly, process
from services.chassis.settings import read
from services.promotion import clients, events, rpc, usecases
from services.promotion.settings import Settings

# Most of what orders say does not concern promotion, and orders with coupons wait for the stock, too: so much later, in
# seconds, their redemptions are claimed.
PATIENCE_S = 0.1


def build(host: assembly.Host) -> list[process.Part]:
    """The parts of promotion that the host's role asks for, in the order they start."""
    settings = read(Settings, host.environ)
    service = assembly.Assembly(usecases.SERVICE, host, events.PUBLISHED)
    user = service.peer("user", signing_keys.DESCRIPTOR)
    catalog = clients.Catalog(service.peer("catalog", clients.DESCRIPTOR), age_s=settings.traits_s)
    promotions = usecases.promotions(service.db, catalog, shop_zone=settings.time_zone, now=host.now)
    return service.parts(
        rpc.servicer(promotions, service.page_tokens),
        signing_keys.fetched_from(user),
        consuming=assembly.Consuming(events.CONSUMED, events.subscribers(promotions), PATIENCE_S),
    )

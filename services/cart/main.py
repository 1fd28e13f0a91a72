"""Cart, put together."""

from services import signing_keys
from services.cart import clients, events, rpc, usecases
from services.cart.settings import Settings
from services.chassis import assembly, clock, process
from services.chassis.settings import read

# Nobody waits for a cart to lose what was ordered: confirmed orders are gathered for so long, in seconds.
PATIENCE_S = 0.25


def build(host: assembly.Host) -> list[process.Part]:
    """The parts of cart that the host's role asks for, in the order they start."""
    settings = read(Settings, host.environ)
    service = assembly.Assembly(usecases.SERVICE, host)
    user = service.peer("user", signing_keys.DESCRIPTOR)
    lifetimes = usecases.Lifetimes(user_s=settings.user_cart_s, guest_s=settings.guest_cart_s)
    order = service.peer("order", clients.ORDER)
    shelves = usecases.Shelves(
        clients.Catalog(service.peer("catalog", clients.CATALOG)),
        clients.Inventory(service.peer("inventory", clients.INVENTORY)),
        clients.Pricing(order),
    )
    orders = clients.Orders(order)
    carts = usecases.Carts(service.redis, shelves, orders, lifetimes=lifetimes, now=clock.utc_now)
    return service.parts(
        rpc.servicer(carts),
        signing_keys.fetched_from(user),
        consuming=assembly.ConsumingAtLeastOnce(events.CONSUMED, events.subscribers(carts), PATIENCE_S),
    )

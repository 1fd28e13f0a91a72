"""Cart, put together."""

from datetime import timedelta

from services import signing_keys
from services.cart import clients, events, rpc, usecases
from services.cart.settings import Settings
from services.chassis import assembly, clock, loops, process
from services.chassis.settings import read

# Nobody waits for a cart to lose what was ordered: confirmed orders are gathered for so long, in seconds.
PATIENCE_S = 0.25


def build(host: assembly.Host) -> list[process.Part]:
    """The parts of cart that the host's role asks for, in the order they start."""
    settings = read(Settings, host.environ)
    service = assembly.Assembly(usecases.SERVICE, host)
    user = service.peer("user", signing_keys.DESCRIPTOR)
    order = service.peer("order", clients.ORDER)
    catalog = clients.Catalog(service.peer("catalog", clients.CATALOG))
    inventory = clients.Inventory(service.peer("inventory", clients.INVENTORY))
    shelves = usecases.Shelves(catalog, inventory, clients.Pricing(order))
    lifetimes = usecases.Lifetimes(
        user_s=settings.user_cart_s, guest_s=settings.guest_cart_s, reminder_s=settings.reminder_s
    )
    carts = usecases.Carts(service.redis, shelves, clients.Orders(order), lifetimes=lifetimes, now=clock.utc_now)
    times = usecases.Times(timedelta(seconds=settings.reminder_s), timedelta(seconds=settings.reminder_lease_s))
    publisher = service.publisher(events.PUBLISHED)
    reminding = usecases.Reminding(service.redis, catalog, publisher, times=times, now=clock.utc_now)
    return service.parts(
        rpc.servicer(carts),
        signing_keys.fetched_from(user),
        consuming=assembly.ConsumingAtLeastOnce(events.CONSUMED, events.subscribers(carts), PATIENCE_S),
        working=[loops.Loop("cart-reminders", reminding.work, loops.Pace(1.0, 2.0))],
    )

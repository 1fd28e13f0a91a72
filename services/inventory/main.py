"""The inventory service, put together."""

from services import signing_keys
from services.chassis import assembly, loops, process
from services.chassis.settings import read
from services.inventory import atlas, events, rpc, usecases
from services.inventory.settings import Settings


def build(host: assembly.Host) -> list[process.Part]:
    """The parts of the inventory service that the host's role asks for, in the order they start."""
    settings = read(Settings, host.environ)
    service = assembly.Assembly(usecases.SERVICE, host, events.PUBLISHED)
    user = service.peer("user", signing_keys.DESCRIPTOR)
    does = usecases.inventory(
        service.db, hold_s=settings.hold_s, levels_every_s=settings.levels_every_s, atlas=atlas.read()
    )
    stock = does.stock
    return service.parts(
        rpc.servicer(does, service.page_tokens),
        signing_keys.fetched_from(user),
        consuming=assembly.Consuming(events.CONSUMED, events.subscribers(stock)),
        working=[
            loops.Loop("inventory-reaper", stock.reap, loops.Pace(1.0, 2.0)),
            loops.Loop("inventory-levels", stock.tell_levels, loops.Pace(1.0, gather_s=1.0)),
        ],
    )

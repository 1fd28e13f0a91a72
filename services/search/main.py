"""Search, put together."""

from services import signing_keys
from services.chassis import assembly, process
from services.chassis.settings import read
from services.search import events, rpc, usecases
from services.search.settings import Settings


def build(host: assembly.Host) -> list[process.Part]:
    """The parts of search that the host's role asks for, in the order they start."""
    settings = read(Settings, host.environ)
    service = assembly.Assembly(usecases.SERVICE, host)
    user = service.peer("user", signing_keys.DESCRIPTOR)
    entries = usecases.Entries(service.db, most=settings.most)
    return service.parts(
        rpc.servicer(entries),
        signing_keys.fetched_from(user),
        consuming=assembly.Consuming(events.CONSUMED, events.subscribers(entries)),
    )

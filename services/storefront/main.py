"""Storefront, put together."""

from google.protobuf.descriptor import ServiceDescriptor

from services import signing_keys
from services.chassis import assembly, process
from services.chassis.settings import read
from services.storefront import clients, rpc, usecases
from services.storefront.settings import Settings


def build(host: assembly.Host) -> list[process.Part]:
    """The parts of storefront that the host's role asks for, in the order they start."""
    settings = read(Settings, host.environ)
    service = assembly.Assembly(usecases.SERVICE, host)
    user = service.peer("user", signing_keys.DESCRIPTOR)
    patience = clients.Patience(settings.page_s, settings.cache_s)

    def guarded(name: str, descriptor: ServiceDescriptor) -> clients.Guarded:
        return clients.Guarded(name, service.peer(name, descriptor), wait_s=patience.wait_s)

    catalog, inventory = guarded("catalog", clients.CATALOG), guarded("inventory", clients.INVENTORY)
    promotion, search = guarded("promotion", clients.PROMOTION), guarded("search", clients.SEARCH)
    recommendation = guarded("recommendation", clients.RECOMMENDATION)
    peers = usecases.Peers(
        catalog=clients.Catalog(catalog, patience),
        inventory=clients.Inventory(inventory, patience),
        promotion=clients.Promotion(promotion, patience),
        search=clients.Search(search, patience),
        recommendation=clients.Recommendation(recommendation, patience),
        orders=clients.Orders(service.peer("order", clients.ORDER)),
        shipments=clients.Shipments(service.peer("shipping", clients.SHIPPING)),
        payments=clients.Payments(service.peer("payment", clients.PAYMENT)),
    )
    pages = usecases.Pages(peers, page_s=settings.page_s, low_stock=settings.low_stock)
    return service.parts(
        rpc.servicer(pages),
        signing_keys.fetched_from(user),
        serving=[catalog, inventory, promotion, search, recommendation],
    )

"""The catalog, as notification asks it: who sells what."""

from collections.abc import Mapping, Sequence

from services.chassis import ids
from services.chassis.rpc import client
from souk.catalog.v1 import catalog_service_pb2, catalog_service_pb2_grpc

DESCRIPTOR = catalog_service_pb2.DESCRIPTOR.services_by_name["CatalogService"]


class Catalog:
    """The catalog."""

    def __init__(self, peer: client.Peer) -> None:
        self._peer = peer
        self._stub = catalog_service_pb2_grpc.CatalogServiceStub(peer.channel)

    async def vendors_of(self, skus: Sequence[str]) -> Mapping[str, str]:
        """The vendor's user id of each SKU; the shop's own and unknown ones are absent. Raises TransientError."""
        request = catalog_service_pb2.BatchGetOffersRequest(skus=skus)
        answer = await self._peer.call(self._stub.BatchGetOffers, request)
        return {offer.sku: ids.canonical(offer.vendor_id) for offer in answer.offers if offer.vendor_id}

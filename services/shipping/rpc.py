"""The shipping service's calls: parse, call the use case, render. Next stop: `usecases/handling.py`."""

from typing import Any

from services.chassis.rpc import identity, server
from services.shipping import messages
from services.shipping.domain.parcels import Input
from services.shipping.usecases import handling
from souk.shipping.v1 import shipment_pb2, shipping_service_pb2, shipping_service_pb2_grpc

DESCRIPTOR = shipping_service_pb2.DESCRIPTOR.services_by_name["ShippingService"]


class ShippingServicer(shipping_service_pb2_grpc.ShippingServiceServicer):
    """`souk.shipping.v1.ShippingService`; what each method promises stands in the contract."""

    def __init__(self, shipments: handling.Handling) -> None:
        self._shipments = shipments

    async def GetShipment(self, request: shipping_service_pb2.GetShipmentRequest, _: Any) -> shipment_pb2.Shipment:
        return _shown(await self._shipments.get(request.id.lower(), owner_id=identity.caller().owner_id))

    async def ListOrderShipments(
        self, request: shipping_service_pb2.ListOrderShipmentsRequest, _: Any
    ) -> shipping_service_pb2.ListOrderShipmentsResponse:
        found = await self._shipments.of_order(request.order_id.lower(), owner_id=identity.caller().owner_id)
        return shipping_service_pb2.ListOrderShipmentsResponse(shipments=[_shown(one) for one in found])

    async def PickShipment(self, request: shipping_service_pb2.PickShipmentRequest, _: Any) -> shipment_pb2.Shipment:
        return await self._done(request.id, Input.PICKED)

    async def PackShipment(self, request: shipping_service_pb2.PackShipmentRequest, _: Any) -> shipment_pb2.Shipment:
        return await self._done(request.id, Input.PACKED)

    async def HandOverShipment(
        self, request: shipping_service_pb2.HandOverShipmentRequest, _: Any
    ) -> shipment_pb2.Shipment:
        return await self._done(request.id, Input.HANDED_OVER)

    async def _done(self, shipment_id: str, done: Input) -> shipment_pb2.Shipment:
        actor = f"user:{identity.caller().user_id}"
        return _shown(await self._shipments.do(shipment_id.lower(), done, actor=actor))


def servicer(shipments: handling.Handling) -> server.Servicer:
    """The servicer, ready to be served."""
    add = shipping_service_pb2_grpc.add_ShippingServiceServicer_to_server
    return server.Servicer(DESCRIPTOR, add, ShippingServicer(shipments))


def _shown(shown: handling.Shown) -> shipment_pb2.Shipment:
    # Whoever may see everybody's shipments is staff.
    return messages.of_shipment(shown.parcel, shown.history, for_staff=identity.caller().owner_id is None)

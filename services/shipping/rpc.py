"""The shipping service's calls: parse, call the use case, render. Next stop: `usecases/handling.py`."""

from typing import Any

from services import postal, tariff_table
from services.chassis import webhooks
from services.chassis.rpc import identity, server
from services.shipping import messages
from services.shipping.domain.parcels import Input, Scanned
from services.shipping.usecases import handling, rating
from souk.shipping.v1 import rates_pb2, shipment_pb2, shipping_service_pb2, shipping_service_pb2_grpc

DESCRIPTOR = shipping_service_pb2.DESCRIPTOR.services_by_name["ShippingService"]


class ShippingServicer(shipping_service_pb2_grpc.ShippingServiceServicer):
    """`souk.shipping.v1.ShippingService`; what each method promises stands in the contract."""

    def __init__(self, shipments: handling.Handling, rated: rating.Rating, hooks: webhooks.Door[Scanned]) -> None:
        self._shipments = shipments
        self._rated = rated
        self._hooks = hooks

    async def GetShipment(self, request: shipping_service_pb2.GetShipmentRequest, _: Any) -> shipment_pb2.Shipment:
        return _shown(await self._shipments.get(request.id.lower(), owner_id=identity.caller().owner_id))

    async def ListOrderShipments(
        self, request: shipping_service_pb2.ListOrderShipmentsRequest, _: Any
    ) -> shipping_service_pb2.ListOrderShipmentsResponse:
        found = await self._shipments.of_order(request.order_id.lower(), owner_id=identity.caller().owner_id)
        return shipping_service_pb2.ListOrderShipmentsResponse(shipments=[_shown(one) for one in found])

    async def ListReturnShipments(
        self, request: shipping_service_pb2.ListReturnShipmentsRequest, _: Any
    ) -> shipping_service_pb2.ListReturnShipmentsResponse:
        found = await self._shipments.of_return(request.return_id.lower(), owner_id=identity.caller().owner_id)
        return shipping_service_pb2.ListReturnShipmentsResponse(shipments=[_shown(one) for one in found])

    async def PickShipment(self, request: shipping_service_pb2.PickShipmentRequest, _: Any) -> shipment_pb2.Shipment:
        return await self._done(request.id, Input.PICKED)

    async def PackShipment(self, request: shipping_service_pb2.PackShipmentRequest, _: Any) -> shipment_pb2.Shipment:
        return await self._done(request.id, Input.PACKED)

    async def HandOverShipment(
        self, request: shipping_service_pb2.HandOverShipmentRequest, _: Any
    ) -> shipment_pb2.Shipment:
        return await self._done(request.id, Input.HANDED_OVER)

    async def Quote(self, request: shipping_service_pb2.QuoteRequest, _: Any) -> shipping_service_pb2.QuoteResponse:
        place = postal.Place(request.country, request.region)
        return messages.of_quote(await self._rated.quote(messages.items(request), place))

    async def ValidateAddress(
        self, request: shipping_service_pb2.ValidateAddressRequest, _: Any
    ) -> shipping_service_pb2.ValidateAddressResponse:
        return messages.of_verdict(request.address, self._rated.judge(messages.place(request.address)))

    async def GetRateTable(self, _: shipping_service_pb2.GetRateTableRequest, __: Any) -> rates_pb2.RateTable:
        return messages.of_table(await self._rated.table())

    async def SetRateTable(self, request: shipping_service_pb2.SetRateTableRequest, _: Any) -> rates_pb2.RateTable:
        table = tariff_table.parse(request.table)
        expected = request.expected_version
        return messages.of_table(await self._rated.set(table, expected_version=expected, actor=_actor()))

    async def ReceiveCarrierWebhook(
        self, request: shipping_service_pb2.ReceiveCarrierWebhookRequest, context: Any
    ) -> shipping_service_pb2.ReceiveCarrierWebhookResponse:
        came = webhooks.Came(request.carrier, context.invocation_metadata(), request.event.data)
        await self._hooks.receive(came)
        return shipping_service_pb2.ReceiveCarrierWebhookResponse()

    async def _done(self, shipment_id: str, done: Input) -> shipment_pb2.Shipment:
        return _shown(await self._shipments.do(shipment_id.lower(), done, _hands()))


def servicer(shipments: handling.Handling, rated: rating.Rating, hooks: webhooks.Door[Scanned]) -> server.Servicer:
    """The servicer, ready to be served."""
    add = shipping_service_pb2_grpc.add_ShippingServiceServicer_to_server
    return server.Servicer(DESCRIPTOR, add, ShippingServicer(shipments, rated, hooks))


def _hands() -> handling.Hands:
    return handling.Hands(_actor(), identity.caller().owner_id)


def _actor() -> str:
    return f"user:{identity.caller().user_id}"


def _shown(shown: handling.Shown) -> shipment_pb2.Shipment:
    # Whoever may see everybody's shipments handles them, a vendor its own, and a customer those of its returns.
    mine = bool(shown.parcel.return_id) or identity.caller().owner_id in (None, shown.parcel.vendor_id)
    return messages.of_shipment(shown.parcel, shown.history, for_hands=mine)

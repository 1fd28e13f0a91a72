"""The calls of promotion: parse, call the use case, render. Next stop: `usecases.py`."""

from typing import Any

from services.chassis.rpc import identity, server
from services.promotion import messages, usecases
from souk.promotion.v1 import promotion_entry_pb2, promotion_service_pb2, promotion_service_pb2_grpc

DESCRIPTOR = promotion_service_pb2.DESCRIPTOR.services_by_name["PromotionService"]


class PromotionServicer(promotion_service_pb2_grpc.PromotionServiceServicer):
    """`souk.promotion.v1.PromotionService`; what each method promises stands in the contract."""

    def __init__(self, entries: usecases.Entries) -> None:
        self._entries = entries

    async def GetPromotionEntry(
        self,
        request: promotion_service_pb2.GetPromotionEntryRequest,  # noqa: ARG002 - it says nothing
        _: Any,
    ) -> promotion_entry_pb2.PromotionEntry:
        return messages.of_entry(await self._entries.get(identity.caller().user_id))

    async def PutPromotionEntry(
        self, request: promotion_service_pb2.PutPromotionEntryRequest, _: Any
    ) -> promotion_entry_pb2.PromotionEntry:
        return messages.of_entry(await self._entries.put(identity.caller().user_id, request.text))


def servicer(entries: usecases.Entries) -> server.Servicer:
    """The servicer, ready to be served."""
    add = promotion_service_pb2_grpc.add_PromotionServiceServicer_to_server
    return server.Servicer(DESCRIPTOR, add, PromotionServicer(entries))

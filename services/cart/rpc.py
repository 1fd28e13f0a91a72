"""The calls of cart: parse, call the use case, render. Next stop: `usecases.py`."""

from typing import Any

from services.cart import messages, usecases
from services.chassis.rpc import identity, server
from souk.cart.v1 import cart_entry_pb2, cart_service_pb2, cart_service_pb2_grpc

DESCRIPTOR = cart_service_pb2.DESCRIPTOR.services_by_name["CartService"]


class CartServicer(cart_service_pb2_grpc.CartServiceServicer):
    """`souk.cart.v1.CartService`; what each method promises stands in the contract."""

    def __init__(self, entries: usecases.Entries) -> None:
        self._entries = entries

    async def GetCartEntry(
        self,
        request: cart_service_pb2.GetCartEntryRequest,  # noqa: ARG002 - it says nothing
        _: Any,
    ) -> cart_entry_pb2.CartEntry:
        return messages.of_entry(await self._entries.get(identity.caller().user_id))

    async def PutCartEntry(self, request: cart_service_pb2.PutCartEntryRequest, _: Any) -> cart_entry_pb2.CartEntry:
        return messages.of_entry(await self._entries.put(identity.caller().user_id, request.text))


def servicer(entries: usecases.Entries) -> server.Servicer:
    """The servicer, ready to be served."""
    add = cart_service_pb2_grpc.add_CartServiceServicer_to_server
    return server.Servicer(DESCRIPTOR, add, CartServicer(entries))

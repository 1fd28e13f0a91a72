"""The calls of search: parse, call the use case, render. Next stop: `usecases.py`."""

from typing import Any

from services.chassis.rpc import identity, server
from services.search import messages, usecases
from souk.search.v1 import search_entry_pb2, search_service_pb2, search_service_pb2_grpc

DESCRIPTOR = search_service_pb2.DESCRIPTOR.services_by_name["SearchService"]


class SearchServicer(search_service_pb2_grpc.SearchServiceServicer):
    """`souk.search.v1.SearchService`; what each method promises stands in the contract."""

    def __init__(self, entries: usecases.Entries) -> None:
        self._entries = entries

    async def GetSearchEntry(
        self,
        request: search_service_pb2.GetSearchEntryRequest,  # noqa: ARG002 - it says nothing
        _: Any,
    ) -> search_entry_pb2.SearchEntry:
        return messages.of_entry(await self._entries.get(identity.caller().user_id))

    async def PutSearchEntry(
        self, request: search_service_pb2.PutSearchEntryRequest, _: Any
    ) -> search_entry_pb2.SearchEntry:
        return messages.of_entry(await self._entries.put(identity.caller().user_id, request.text))


def servicer(entries: usecases.Entries) -> server.Servicer:
    """The servicer, ready to be served."""
    add = search_service_pb2_grpc.add_SearchServiceServicer_to_server
    return server.Servicer(DESCRIPTOR, add, SearchServicer(entries))

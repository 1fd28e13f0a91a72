"""The calls of search: parse, call the use case, render. Next stop: `usecases.py`."""

from typing import Any

from services.chassis.rpc import cacheable, page_tokens, server
from services.search import answers, domain, messages, usecases
from souk.search.v1 import search_result_pb2, search_service_pb2, search_service_pb2_grpc

DESCRIPTOR = search_service_pb2.DESCRIPTOR.services_by_name["SearchService"]
# Caches on the way may answer for us for a moment; what changed is found within two seconds.
CACHE_CONTROL = "public, max-age=0, s-maxage=1"


class SearchServicer(search_service_pb2_grpc.SearchServiceServicer):
    """`souk.search.v1.SearchService`; what each method promises stands in the contract."""

    def __init__(self, use: usecases.UseCases, tokens: page_tokens.PageTokens, *, currency: str) -> None:
        self._use = use
        self._tokens = tokens
        self._currency = currency

    async def Search(
        self, request: search_service_pb2.SearchRequest, context: Any
    ) -> search_service_pb2.SearchResponse:
        page = await self._tokens.page(request, page_tokens.ANYBODY, key=domain.cursor)
        query = messages.query(request, self._currency)

        async def make() -> answers.Made:
            found = await self._use.searches.search(query, page)
            answer = messages.of_found(found)
            answer.next_page_token = await self._tokens.token(request, page_tokens.ANYBODY, found.after)
            return answers.Made(answer.SerializeToString(deterministic=True), found.proofs)

        asked = b"search " + request.SerializeToString(deterministic=True)
        answer = await self._answered(context, asked, make, messages.with_results)
        return search_service_pb2.SearchResponse.FromString(answer)

    async def Suggest(
        self, request: search_service_pb2.SuggestRequest, context: Any
    ) -> search_service_pb2.SuggestResponse:
        async def make() -> answers.Made:
            found = await self._use.searches.suggest(request.text, request.limit)
            shown = [messages.of_suggestion(suggestion) for suggestion in found]
            answer = search_service_pb2.SuggestResponse(suggestions=shown)
            return answers.Made(answer.SerializeToString(deterministic=True))

        asked = b"suggest " + request.SerializeToString(deterministic=True)
        return search_service_pb2.SuggestResponse.FromString(await self._answered(context, asked, make))

    async def ListSynonyms(
        self, request: search_service_pb2.ListSynonymsRequest, _: Any
    ) -> search_service_pb2.ListSynonymsResponse:
        page = await self._tokens.page(request, page_tokens.ANYBODY)
        found = await self._use.synonyms.list(page)
        token = await self._tokens.token(request, page_tokens.ANYBODY, found.next_after)
        shown = [messages.of_synonyms(kept) for kept in found.rows]
        return search_service_pb2.ListSynonymsResponse(synonyms=shown, next_page_token=token)

    async def PutSynonyms(self, request: search_service_pb2.PutSynonymsRequest, _: Any) -> search_result_pb2.Synonyms:
        return messages.of_synonyms(await self._use.synonyms.put(request.id, request.terms))

    async def DeleteSynonyms(
        self, request: search_service_pb2.DeleteSynonymsRequest, _: Any
    ) -> search_service_pb2.DeleteSynonymsResponse:
        await self._use.synonyms.delete(request.id)
        return search_service_pb2.DeleteSynonymsResponse()

    async def GetIndex(
        self,
        request: search_service_pb2.GetIndexRequest,  # noqa: ARG002 - it says nothing
        _: Any,
    ) -> search_result_pb2.Index:
        return messages.of_index(await self._use.index.state())

    async def RebuildIndex(
        self,
        request: search_service_pb2.RebuildIndexRequest,  # noqa: ARG002 - it says nothing
        _: Any,
    ) -> search_result_pb2.Index:
        return messages.of_index(await self._use.index.rebuild())

    async def _answered(
        self, context: Any, asked: bytes, make: answers.Make, patch: answers.Patch | None = None
    ) -> bytes:
        """The answer, remembered or made, after its headers."""
        answer = await self._use.answers.read(asked, make, patch)
        await cacheable.announce(context, cacheable.tag_of(answer), CACHE_CONTROL)
        return answer


def servicer(use: usecases.UseCases, tokens: page_tokens.PageTokens, *, currency: str) -> server.Servicer:
    """The servicer, ready to be served. currency is the shop's own."""
    add = search_service_pb2_grpc.add_SearchServiceServicer_to_server
    return server.Servicer(DESCRIPTOR, add, SearchServicer(use, tokens, currency=currency))

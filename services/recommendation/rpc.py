"""The calls of recommendation: parse, call the use case, render. Next stop: `usecases/recommending.py`."""

from typing import Any

from google.protobuf.message import Message

from services.chassis.rpc import cacheable, identity, server
from services.recommendation import messages, usecases
from souk.recommendation.v1 import recommendation_pb2, recommendation_service_pb2, recommendation_service_pb2_grpc

DESCRIPTOR = recommendation_service_pb2.DESCRIPTOR.services_by_name["RecommendationService"]
# What is the same for everybody may be answered for us for a moment: what sells out is recommended no longer than that.
CACHE_CONTROL = "public, max-age=0, s-maxage=1"


class RecommendationServicer(recommendation_service_pb2_grpc.RecommendationServiceServicer):
    """`souk.recommendation.v1.RecommendationService`; what each method promises stands in the contract."""

    def __init__(self, use: usecases.UseCases) -> None:
        self._use = use

    async def Recommend(
        self, request: recommendation_service_pb2.RecommendRequest, _: Any
    ) -> recommendation_service_pb2.RecommendResponse:
        found = await self._use.recommending.for_user(identity.caller().user_id, request.limit)
        return recommendation_service_pb2.RecommendResponse(recommendations=messages.of_recommended(found))

    async def ListTrendingProducts(
        self, request: recommendation_service_pb2.ListTrendingProductsRequest, context: Any
    ) -> recommendation_service_pb2.ListTrendingProductsResponse:
        found = messages.of_recommended(await self._use.recommending.trending(request.limit))
        answer = recommendation_service_pb2.ListTrendingProductsResponse(recommendations=found)
        await _announce(context, answer)
        return answer

    async def ListRelatedProducts(
        self, request: recommendation_service_pb2.ListRelatedProductsRequest, context: Any
    ) -> recommendation_service_pb2.ListRelatedProductsResponse:
        found = messages.of_recommended(await self._use.recommending.related(request.id.lower(), request.limit))
        answer = recommendation_service_pb2.ListRelatedProductsResponse(recommendations=found)
        await _announce(context, answer)
        return answer

    async def GetModel(
        self,
        request: recommendation_service_pb2.GetModelRequest,  # noqa: ARG002 - it says nothing
        _: Any,
    ) -> recommendation_pb2.Model:
        return messages.of_state(await self._use.building.state())

    async def RebuildModel(
        self,
        request: recommendation_service_pb2.RebuildModelRequest,  # noqa: ARG002 - it says nothing
        _: Any,
    ) -> recommendation_pb2.Model:
        return messages.of_state(await self._use.building.rebuild())


def servicer(use: usecases.UseCases) -> server.Servicer:
    """The servicer, ready to be served."""
    add = recommendation_service_pb2_grpc.add_RecommendationServiceServicer_to_server
    return server.Servicer(DESCRIPTOR, add, RecommendationServicer(use))


async def _announce(context: Any, answer: Message) -> None:
    tag = cacheable.tag_of(answer.SerializeToString(deterministic=True))
    await cacheable.announce(context, tag, CACHE_CONTROL)

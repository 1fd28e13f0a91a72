"""The calls of promotion: parse, call the use case, render. Next stop: `usecases/`."""

import contextlib
from collections.abc import AsyncGenerator
from typing import Any

from services.chassis import idempotency, ids
from services.chassis.rpc import identity, page_tokens, server
from services.promotion import messages, usecases
from services.promotion.domain import codes, promotions
from souk.promotion.v1 import (
    promotion_pb2,
    promotion_service_pb2,
    promotion_service_pb2_grpc,
    promotional_price_pb2,
)

DESCRIPTOR = promotion_service_pb2.DESCRIPTOR.services_by_name["PromotionService"]


class PromotionServicer(promotion_service_pb2_grpc.PromotionServiceServicer):
    """`souk.promotion.v1.PromotionService`; what each method promises stands in the contract."""

    def __init__(self, uses: usecases.Promotions, tokens: page_tokens.PageTokens) -> None:
        self._promotions = uses
        self._tokens = tokens

    async def CreatePromotion(
        self, request: promotion_service_pb2.CreatePromotionRequest, _: Any
    ) -> promotion_pb2.Promotion:
        terms, actor = messages.terms_sent(request.terms), identity.caller().user_id
        draft = promotions.Draft(terms, actor, request.request_id, idempotency.fingerprint(request))
        return messages.of_promotion(await self._promotions.administering.create(draft))

    async def GetPromotion(self, request: promotion_service_pb2.GetPromotionRequest, _: Any) -> promotion_pb2.Promotion:
        return messages.of_promotion(await self._promotions.administering.get(request.id.lower()))

    async def UpdatePromotion(
        self, request: promotion_service_pb2.UpdatePromotionRequest, _: Any
    ) -> promotion_pb2.Promotion:
        edit = promotions.Edit(request.id.lower(), request.expected_version, messages.terms_sent(request.terms))
        return messages.of_promotion(await self._promotions.administering.update(edit))

    async def ListPromotions(
        self, request: promotion_service_pb2.ListPromotionsRequest, _: Any
    ) -> promotion_service_pb2.ListPromotionsResponse:
        page = await self._tokens.page(request, page_tokens.ANYBODY, key=ids.check)
        found = await self._promotions.administering.list(page)
        shown = [messages.of_promotion(promotion) for promotion in found.rows]
        token = await self._tokens.token(request, page_tokens.ANYBODY, found.next_after)
        return promotion_service_pb2.ListPromotionsResponse(promotions=shown, next_page_token=token)

    async def EndPromotion(self, request: promotion_service_pb2.EndPromotionRequest, _: Any) -> promotion_pb2.Promotion:
        return messages.of_promotion(await self._promotions.administering.end(request.id.lower()))

    async def CreateCodes(
        self, request: promotion_service_pb2.CreateCodesRequest, _: Any
    ) -> promotion_service_pb2.CodeBatch:
        wanted = messages.order_of_codes(request, identity.caller().user_id)
        return messages.of_batch(await self._promotions.coding.create(wanted))

    async def ExportCodes(
        self, request: promotion_service_pb2.ExportCodesRequest, _: Any
    ) -> AsyncGenerator[promotion_service_pb2.CodeChunk]:
        exported = self._promotions.coding.export(
            request.id.lower(), batch_id=request.batch_id.lower(), after=codes.written(request.after_code)
        )
        async with contextlib.aclosing(exported):
            async for found in exported:
                yield messages.of_chunk(found)

    async def Quote(self, request: promotion_service_pb2.QuoteRequest, _: Any) -> promotion_service_pb2.QuoteResponse:
        found = await self._promotions.quoting.quote(messages.question(request))
        return messages.of_quote(found, request.codes)

    async def BatchQuoteOrders(
        self, request: promotion_service_pb2.BatchQuoteOrdersRequest, _: Any
    ) -> promotion_service_pb2.BatchQuoteOrdersResponse:
        answers = await self._promotions.quoting.quote_all(messages.questions_of(request))
        return messages.of_answers(answers, request, service=usecases.SERVICE)

    async def HasAutomatic(
        self, _request: promotion_service_pb2.HasAutomaticRequest, _: Any
    ) -> promotion_service_pb2.HasAutomaticResponse:
        return promotion_service_pb2.HasAutomaticResponse(any=await self._promotions.quoting.any_automatic())

    async def CreatePromotionalPrice(
        self, request: promotion_service_pb2.CreatePromotionalPriceRequest, _: Any
    ) -> promotional_price_pb2.PromotionalPrice:
        draft = messages.price_sent(request, identity.caller().user_id)
        return messages.of_price(await self._promotions.scheduling.create(draft))

    async def GetPromotionalPrice(
        self, request: promotion_service_pb2.GetPromotionalPriceRequest, _: Any
    ) -> promotional_price_pb2.PromotionalPrice:
        return messages.of_price(await self._promotions.scheduling.get(request.id.lower()))

    async def ListPromotionalPrices(
        self, request: promotion_service_pb2.ListPromotionalPricesRequest, _: Any
    ) -> promotion_service_pb2.ListPromotionalPricesResponse:
        page = await self._tokens.page(request, page_tokens.ANYBODY, key=ids.check)
        found = await self._promotions.scheduling.list(request.product_id.lower(), page)
        token = await self._tokens.token(request, page_tokens.ANYBODY, found.next_after)
        shown = [messages.of_price(price) for price in found.rows]
        return promotion_service_pb2.ListPromotionalPricesResponse(prices=shown, next_page_token=token)

    async def EndPromotionalPrice(
        self, request: promotion_service_pb2.EndPromotionalPriceRequest, _: Any
    ) -> promotional_price_pb2.PromotionalPrice:
        return messages.of_price(await self._promotions.scheduling.end(request.id.lower()))


def servicer(uses: usecases.Promotions, tokens: page_tokens.PageTokens) -> server.Servicer:
    """The servicer, ready to be served."""
    add = promotion_service_pb2_grpc.add_PromotionServiceServicer_to_server
    return server.Servicer(DESCRIPTOR, add, PromotionServicer(uses, tokens))

"""The order service's calls: parse, call the use case, render. Next stop: `usecases/`."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any

from google.api import httpbody_pb2

from services.chassis import ids
from services.chassis.rpc import identity, page_tokens, server
from services.order import messages, paper, usecases
from services.order.domain import documents as papers
from services.order.messages import documents, returning, searching
from souk.order.v1 import (
    document_pb2,
    note_pb2,
    order_pb2,
    order_search_pb2,
    order_service_pb2,
    order_service_pb2_grpc,
    return_pb2,
)

DESCRIPTOR = order_service_pb2.DESCRIPTOR.services_by_name["OrderService"]


class OrderServicer(order_service_pb2_grpc.OrderServiceServicer):
    """`souk.order.v1.OrderService`; what each method promises stands in the contract."""

    def __init__(self, orders: usecases.Orders, tokens: page_tokens.PageTokens) -> None:
        self._orders = orders
        self._tokens = tokens

    async def QuoteOrder(
        self, request: order_service_pb2.QuoteOrderRequest, _: Any
    ) -> order_service_pb2.QuoteOrderResponse:
        basket = messages.basket(request, identity.caller().user_id)
        return messages.of_quote(await self._orders.pricing.quote(basket))

    async def QuoteCart(
        self, request: order_service_pb2.QuoteCartRequest, _: Any
    ) -> order_service_pb2.QuoteCartResponse:
        quote = await self._orders.pricing.quote_cart(messages.cart(request))
        return messages.of_cart_quote(quote, shipped=bool(request.country))

    async def CreateOrder(self, request: order_service_pb2.CreateOrderRequest, _: Any) -> order_pb2.Order:
        placed = await self._orders.accepting.create(messages.draft(request, identity.caller().user_id))
        return messages.of_order(placed)

    async def GetOrder(self, request: order_service_pb2.GetOrderRequest, _: Any) -> order_pb2.Order:
        return messages.of_order(
            await self._orders.reading.get(request.id.lower(), owner_id=identity.caller().owner_id)
        )

    async def ListOrders(
        self, request: order_service_pb2.ListOrdersRequest, _: Any
    ) -> order_service_pb2.ListOrdersResponse:
        caller = identity.caller().user_id
        page = await self._tokens.page(request, caller, key=ids.check)
        found = await self._orders.reading.list(caller, page)
        shown = [messages.of_order(placed) for placed in found.rows]
        token = await self._tokens.token(request, caller, found.next_after)
        return order_service_pb2.ListOrdersResponse(orders=shown, next_page_token=token)

    async def GetOrderStatus(
        self, request: order_service_pb2.GetOrderStatusRequest, _: Any
    ) -> order_service_pb2.OrderStatus:
        return messages.of_status(
            *await self._orders.reading.story(request.id.lower(), owner_id=identity.caller().owner_id)
        )

    async def ListOrderEvents(
        self, request: order_service_pb2.ListOrderEventsRequest, _: Any
    ) -> order_service_pb2.ListOrderEventsResponse:
        history = await self._orders.reading.history(request.id.lower(), owner_id=identity.caller().owner_id)
        return order_service_pb2.ListOrderEventsResponse(events=[messages.of_entry(entry) for entry in history])

    async def CancelOrder(self, request: order_service_pb2.CancelOrderRequest, _: Any) -> order_pb2.Order:
        return messages.of_order(
            await self._orders.advancing.cancel(
                request.id.lower(), by=identity.caller().user_id, owner_id=identity.caller().owner_id
            )
        )

    async def ResumeOrder(self, request: order_service_pb2.ResumeOrderRequest, _: Any) -> order_service_pb2.OrderStatus:
        await self._orders.advancing.resume(request.id.lower(), by=identity.caller().user_id)
        return messages.of_status(*await self._orders.reading.story(request.id.lower(), owner_id=None))

    async def AddOrderNote(self, request: note_pb2.AddOrderNoteRequest, _: Any) -> note_pb2.OrderNote:
        caller = identity.caller()
        draft = searching.note_draft(request, caller.user_id)
        return searching.of_note(await self._orders.noting.add(draft, owner_id=caller.owner_id))

    async def ListOrderNotes(self, request: note_pb2.ListOrderNotesRequest, _: Any) -> note_pb2.ListOrderNotesResponse:
        caller = identity.caller()
        page = await self._tokens.page(request, caller.user_id, key=ids.check)
        found = await self._orders.noting.list(request.order_id.lower(), page, owner_id=caller.owner_id)
        token = await self._tokens.token(request, caller.user_id, found.next_after)
        notes = [searching.of_note(note) for note in found.rows]
        return note_pb2.ListOrderNotesResponse(notes=notes, next_page_token=token)

    async def SearchOrders(
        self, request: order_search_pb2.SearchOrdersRequest, _: Any
    ) -> order_search_pb2.SearchOrdersResponse:
        page = await self._tokens.page(request, page_tokens.ANYBODY, key=ids.check)
        found = await self._orders.searching.search(searching.filters(request), page, caller=identity.caller().user_id)
        token = await self._tokens.token(request, page_tokens.ANYBODY, found.next_after)
        shown = [messages.of_order(placed) for placed in found.rows]
        return order_search_pb2.SearchOrdersResponse(orders=shown, next_page_token=token)

    async def ListVendorOrders(
        self, request: order_search_pb2.ListVendorOrdersRequest, _: Any
    ) -> order_search_pb2.ListVendorOrdersResponse:
        page = await self._tokens.page(request, page_tokens.ANYBODY, key=ids.check)
        found = await self._orders.searching.of_vendor(
            request.vendor_id.lower(), searching.span(request), page, owner_id=identity.caller().owner_id
        )
        token = await self._tokens.token(request, page_tokens.ANYBODY, found.next_after)
        shown = [searching.of_vendor_order(seen) for seen in found.rows]
        return order_search_pb2.ListVendorOrdersResponse(orders=shown, next_page_token=token)

    async def ListOrderDocuments(
        self, request: document_pb2.ListOrderDocumentsRequest, _: Any
    ) -> document_pb2.ListOrderDocumentsResponse:
        shown = [documents.of_document(one) for one in await self._documents(request.order_id)]
        return document_pb2.ListOrderDocumentsResponse(documents=shown)

    async def GetInvoice(self, request: document_pb2.GetInvoiceRequest, _: Any) -> document_pb2.GetInvoiceResponse:
        invoice = papers.only(await self._documents(request.order_id), papers.Kind.INVOICE)
        return document_pb2.GetInvoiceResponse(file=await _file(invoice, request.format))

    async def GetCreditNote(
        self, request: document_pb2.GetCreditNoteRequest, _: Any
    ) -> document_pb2.GetCreditNoteResponse:
        found = await self._documents(request.order_id)
        note = papers.only(found, papers.Kind.CREDIT_NOTE, request.number)
        return document_pb2.GetCreditNoteResponse(file=await _file(note, request.format))

    async def _documents(self, order_id: str) -> list[papers.Issued]:
        return await self._orders.invoicing.of_order(order_id.lower(), owner_id=identity.caller().owner_id)

    async def CreateReturn(self, request: return_pb2.CreateReturnRequest, _: Any) -> return_pb2.Return:
        owner_id = identity.caller().owner_id
        back = await self._orders.returning.request(returning.wish(request), actor=_actor(), owner_id=owner_id)
        return await self._return(back.id)

    async def ListReturns(self, request: return_pb2.ListReturnsRequest, _: Any) -> return_pb2.ListReturnsResponse:
        owner_id = identity.caller().owner_id
        found = await self._orders.returning.of_order(request.order_id.lower(), owner_id=owner_id)
        return return_pb2.ListReturnsResponse(returns=[returning.of_return(back) for back in found])

    async def GetReturn(self, request: return_pb2.GetReturnRequest, _: Any) -> return_pb2.Return:
        return await self._return(request.id.lower())

    async def ApproveReturn(self, request: return_pb2.ApproveReturnRequest, _: Any) -> return_pb2.Return:
        await self._orders.returning.approve(request.id.lower(), actor=_actor())
        return await self._return(request.id.lower())

    async def RejectReturn(self, request: return_pb2.RejectReturnRequest, _: Any) -> return_pb2.Return:
        await self._orders.returning.reject(request.id.lower(), request.reason, actor=_actor())
        return await self._return(request.id.lower())

    async def ReceiveReturn(self, request: return_pb2.ReceiveReturnRequest, _: Any) -> return_pb2.Return:
        await self._orders.returning.receive(request.id.lower(), request.warehouse, actor=_actor())
        return await self._return(request.id.lower())

    async def InspectReturn(self, request: return_pb2.InspectReturnRequest, _: Any) -> return_pb2.Return:
        await self._orders.returning.inspect(request.id.lower(), returning.findings(request), actor=_actor())
        return await self._return(request.id.lower())

    async def ExchangeReturn(self, request: order_service_pb2.ExchangeReturnRequest, _: Any) -> order_pb2.Order:
        draft = returning.exchange(request, identity.caller().user_id)
        return messages.of_order(await self._orders.returning.exchange(request.id.lower(), draft))

    async def _return(self, return_id: str) -> return_pb2.Return:
        """A return as it is now, with its history."""
        found = await self._orders.returning.get(return_id, owner_id=identity.caller().owner_id)
        return returning.of_return(*found)

    async def WatchOrder(
        self, request: order_service_pb2.WatchOrderRequest, _: Any
    ) -> AsyncGenerator[order_pb2.OrderEvent]:
        caller = identity.caller()
        entries = self._orders.watching.watch(
            request.id.lower(), caller=caller.user_id, owner_id=caller.owner_id, after=request.after_sequence
        )
        async with contextlib.aclosing(entries):
            async for entry in entries:
                yield messages.of_entry(entry)


def servicer(orders: usecases.Orders, tokens: page_tokens.PageTokens) -> server.Servicer:
    """The servicer, ready to be served."""
    add = order_service_pb2_grpc.add_OrderServiceServicer_to_server
    return server.Servicer(DESCRIPTOR, add, OrderServicer(orders, tokens))


async def _file(issued: papers.Issued, asked: int) -> httpbody_pb2.HttpBody:
    """The document in the format that the call asks for."""
    match asked:
        case documents.Format.PDF:
            return httpbody_pb2.HttpBody(content_type="application/pdf", data=await asyncio.to_thread(_pdf, issued))
        case documents.Format.HTML:
            return httpbody_pb2.HttpBody(content_type="text/html; charset=utf-8", data=paper.as_html(issued))
        case _:
            return httpbody_pb2.HttpBody(content_type="application/json", data=documents.as_json(issued))


def _pdf(issued: papers.Issued) -> bytes:
    # Its packages take 20 MiB, which a process that is never asked for a PDF need not have.
    from services.order.paper import pdf  # noqa: PLC0415 - as above

    return pdf.as_pdf(issued)


def _actor() -> str:
    return f"user:{identity.caller().user_id}"

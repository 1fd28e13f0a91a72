"""The order service's calls: parse, call the use case, render. Next stop: `usecases/`."""

import contextlib
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from services.chassis import idempotency, ids
from services.chassis.rpc import identity, page_tokens, render, server
from services.order import domain, usecases
from souk.inventory.v1 import stock_pb2
from souk.order.v1 import order_pb2, order_service_pb2, order_service_pb2_grpc
from souk.type.v1 import address_pb2

DESCRIPTOR = order_service_pb2.DESCRIPTOR.services_by_name["OrderService"]
_ADDRESS = ("recipient", "line1", "line2", "city", "region", "postal_code", "country")


class OrderServicer(order_service_pb2_grpc.OrderServiceServicer):
    """`souk.order.v1.OrderService`; what each method promises stands in the contract."""

    def __init__(self, orders: usecases.Orders, tokens: page_tokens.PageTokens) -> None:
        self._orders = orders
        self._tokens = tokens

    async def CreateOrder(self, request: order_service_pb2.CreateOrderRequest, _: Any) -> order_pb2.Order:
        placed = await self._orders.accepting.create(_draft(request, identity.caller().user_id))
        return order_message(placed)

    async def GetOrder(self, request: order_service_pb2.GetOrderRequest, _: Any) -> order_pb2.Order:
        return order_message(await self._orders.reading.get(request.id.lower(), owner_id=identity.caller().owner_id))

    async def ListOrders(
        self, request: order_service_pb2.ListOrdersRequest, _: Any
    ) -> order_service_pb2.ListOrdersResponse:
        caller = identity.caller().user_id
        page = await self._tokens.page(request, caller, key=ids.check)
        found = await self._orders.reading.list(caller, page)
        shown = [order_message(placed) for placed in found.rows]
        token = await self._tokens.token(request, caller, found.next_after)
        return order_service_pb2.ListOrdersResponse(orders=shown, next_page_token=token)

    async def GetOrderStatus(
        self, request: order_service_pb2.GetOrderStatusRequest, _: Any
    ) -> order_service_pb2.OrderStatus:
        return _status_message(
            *await self._orders.reading.story(request.id.lower(), owner_id=identity.caller().owner_id)
        )

    async def ListOrderEvents(
        self, request: order_service_pb2.ListOrderEventsRequest, _: Any
    ) -> order_service_pb2.ListOrderEventsResponse:
        history = await self._orders.reading.history(request.id.lower(), owner_id=identity.caller().owner_id)
        return order_service_pb2.ListOrderEventsResponse(events=[_entry_message(entry) for entry in history])

    async def CancelOrder(self, request: order_service_pb2.CancelOrderRequest, _: Any) -> order_pb2.Order:
        return order_message(
            await self._orders.advancing.cancel(request.id.lower(), actor=_actor(), owner_id=identity.caller().owner_id)
        )

    async def ResumeOrder(self, request: order_service_pb2.ResumeOrderRequest, _: Any) -> order_service_pb2.OrderStatus:
        await self._orders.advancing.resume(request.id.lower(), actor=_actor())
        return _status_message(*await self._orders.reading.story(request.id.lower(), owner_id=None))

    async def WatchOrder(
        self, request: order_service_pb2.WatchOrderRequest, _: Any
    ) -> AsyncGenerator[order_pb2.OrderEvent]:
        caller = identity.caller()
        entries = self._orders.watching.watch(
            request.id.lower(), caller=caller.user_id, owner_id=caller.owner_id, after=request.after_sequence
        )
        async with contextlib.aclosing(entries):
            async for entry in entries:
                yield _entry_message(entry)


def servicer(orders: usecases.Orders, tokens: page_tokens.PageTokens) -> server.Servicer:
    """The servicer, ready to be served."""
    add = order_service_pb2_grpc.add_OrderServiceServicer_to_server
    return server.Servicer(DESCRIPTOR, add, OrderServicer(orders, tokens))


def _actor() -> str:
    return f"user:{identity.caller().user_id}"


def _draft(request: order_service_pb2.CreateOrderRequest, user_id: str) -> domain.Draft:
    address = request.shipping_address
    expected = request.expected_total if request.HasField("expected_total") else None
    return domain.Draft(
        user_id=user_id,
        items=tuple(domain.Item(item.sku, item.quantity) for item in request.items),
        address=domain.Address(*(getattr(address, name) for name in _ADDRESS)),
        payment_method=request.payment_method,
        request_id=request.request_id,
        fingerprint=idempotency.fingerprint(request) if request.request_id else b"",
        expected_total=render.money_sent("expected_total", expected) if expected else None,
    )


def order_message(placed: domain.Placed) -> order_pb2.Order:
    """An order as the contract shows it."""
    order, saga = placed.order, placed.saga
    return order_pb2.Order(
        id=order.id,
        user_id=order.user_id,
        status=order_pb2.Order.Status.Value(saga.status),
        saga_id=saga.id,
        total=render.money_message(order.total),
        lines=[line_message(line) for line in order.lines],
        shipping_address=address_pb2.Address(**{name: getattr(order.address, name) for name in _ADDRESS}),
        payment_id=saga.payment_id,
        cancel_reason=saga.cancel_reason,
        shortages=[stock_pb2.Shortage(sku=s.sku, requested=s.requested, available=s.available) for s in saga.shortages],
        create_time=render.timestamp(order.create_time),
        update_time=render.timestamp(saga.update_time),
        version=saga.version,
    )


def line_message(line: domain.Line) -> order_pb2.OrderLine:
    """A line as the contract shows it."""
    return order_pb2.OrderLine(
        sku=line.sku,
        title=line.title,
        quantity=line.quantity,
        unit_price=render.money_message(line.unit_price),
        total=render.money_message(line.total),
    )


def _status_message(placed: domain.Placed, history: Sequence[domain.HistoryEntry]) -> order_service_pb2.OrderStatus:
    saga = placed.saga
    return order_service_pb2.OrderStatus(
        id=placed.order.id,
        status=order_pb2.Order.Status.Value(saga.status),
        saga=order_pb2.Saga(
            id=saga.id,
            definition_version=saga.definition_version,
            step=order_pb2.Saga.Step.Value(saga.step),
            awaiting=sorted(saga.awaiting),
            deadline=render.timestamp(saga.deadline) if saga.deadline else None,
            attempts=saga.attempts,
            stuck=saga.stuck,
        ),
        timeline=[_entry_message(entry) for entry in history],
    )


def _entry_message(entry: domain.HistoryEntry) -> order_pb2.OrderEvent:
    return order_pb2.OrderEvent(
        sequence=entry.sequence,
        status=order_pb2.Order.Status.Value(entry.status),
        event=entry.event,
        reason=entry.reason,
        actor=entry.actor,
        time=render.timestamp(entry.time),
    )

"""Whom cart calls: the catalog for prices, inventory for stock, order for totals and to check out. Answers are domain values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from services.cart import domain, messages
from services.chassis import errors
from services.chassis.rpc import client, render
from souk.catalog.v1 import catalog_service_pb2, catalog_service_pb2_grpc
from souk.inventory.v1 import inventory_service_pb2, inventory_service_pb2_grpc
from souk.order.v1 import order_service_pb2, order_service_pb2_grpc

CATALOG = catalog_service_pb2.DESCRIPTOR.services_by_name["CatalogService"]
INVENTORY = inventory_service_pb2.DESCRIPTOR.services_by_name["InventoryService"]
ORDER = order_service_pb2.DESCRIPTOR.services_by_name["OrderService"]
# An order is waited for that long, in seconds, before it is asked for again.
ORDER_S = 2.5
# Somebody waits for a cart, which is shown without what takes longer, in seconds.
PATIENCE_S = 0.8
# Why the order service says that a cart cannot be ordered as it is.
REFUSALS = frozenset({"CURRENCY_MIXED", "ORDER_TOTAL_TOO_LARGE", "SHIPPING_UNAVAILABLE"})


class Catalog:
    """What is for sale, and for how much."""

    def __init__(self, peer: client.Peer) -> None:
        self._peer = peer
        self._stub = catalog_service_pb2_grpc.CatalogServiceStub(peer.channel)

    async def offers(self, skus: Iterable[str]) -> Mapping[str, domain.Offer]:
        """What is for sale of these SKUs. Raises TransientError without an answer, or the catalog's DomainError."""
        request = catalog_service_pb2.BatchGetOffersRequest(skus=skus)
        answer = await self._peer.call(self._stub.BatchGetOffers, request, timeout_s=PATIENCE_S)
        return {
            offer.sku: domain.Offer(offer.sku, offer.product_id, offer.title, render.money_value(offer.price))
            for offer in answer.offers
        }


class Inventory:
    """What is in stock."""

    def __init__(self, peer: client.Peer) -> None:
        self._peer = peer
        self._stub = inventory_service_pb2_grpc.InventoryServiceStub(peer.channel)

    async def available(self, skus: Iterable[str]) -> Mapping[str, int]:
        """How many units can be ordered of these SKUs. Raises TransientError without an answer, or its DomainError."""
        request = inventory_service_pb2.BatchGetStockRequest(skus=skus)
        answer = await self._peer.call(self._stub.BatchGetStock, request, timeout_s=PATIENCE_S)
        return {stock.sku: stock.available for stock in answer.stock}


class Orders:
    """Who makes orders and has them, for the user who calls."""

    def __init__(self, peer: client.Peer) -> None:
        self._peer = peer
        self._stub = order_service_pb2_grpc.OrderServiceStub(peer.channel)

    async def place(self, checkout: domain.Checkout, terms: domain.Terms) -> domain.Order:
        """The order of this request, made now or before.

        Raises what the order service does, or TransientError while it is unknown whether the order is made.
        """
        request = messages.of_checkout(checkout, terms)
        try:
            order = await self._peer.call(self._stub.CreateOrder, request, timeout_s=ORDER_S, for_user=True)
        except errors.DomainError as refused:
            fields = [field for _, field in domain.codes_to_use(checkout, terms)]
            raise _as_of_a_cart(refused, fields) from refused
        return domain.Order(order.id, render.money_value(order.total))

    async def past(self, order_id: str) -> domain.PastOrder:
        """An order that the user who calls may see. Raises ORDER_NOT_FOUND, or TransientError without an answer."""
        request = order_service_pb2.GetOrderRequest(id=order_id)
        try:
            order = await self._peer.call(self._stub.GetOrder, request, timeout_s=ORDER_S, for_user=True)
        except errors.DomainError as refused:
            if unanswered := _unanswered(refused):
                raise unanswered from refused
            raise
        return messages.past_order(order)


class Pricing:
    """What orders would cost, by the order service."""

    def __init__(self, peer: client.Peer) -> None:
        self._peer = peer
        self._stub = order_service_pb2_grpc.OrderServiceStub(peer.channel)

    async def quote(self, question: domain.Question) -> domain.Quote:
        """What the cart would cost as an order. Raises TransientError or DomainError without an answer."""
        request = messages.of_question(question)
        try:
            answer = await self._peer.call(self._stub.QuoteCart, request, timeout_s=PATIENCE_S)
        except errors.DomainError as error:
            if error.reason not in REFUSALS:
                raise
            return domain.Quote(refusal=error.reason)
        return messages.quote(answer)


def _as_of_a_cart(refused: errors.DomainError, codes: Sequence[str]) -> Exception:
    """What the order service says of items is said of lines; of codes, by the fields in which they are known here."""
    if unanswered := _unanswered(refused):
        return unanswered
    if refused.reason == "REQUEST_ID_REUSED":
        return domain.ordered_otherwise()
    fields = {f"coupon_codes[{number}]": field for number, field in enumerate(codes)}
    said = tuple(
        replace(item, field=fields.get(item.field) or item.field.replace("items[", "lines[", 1))
        for item in refused.violations
    )
    return replace(refused, violations=said)


def _unanswered(refused: errors.DomainError) -> errors.TransientError | None:
    """What says no more than that there is no answer now."""
    if refused.code in (errors.Code.UNAVAILABLE, errors.Code.DEADLINE_EXCEEDED):
        return errors.TransientError(str(refused))
    return None

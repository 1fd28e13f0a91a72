"""Whom storefront asks. What anybody may see is remembered for a moment; what is a user's is asked for with their token."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.chassis import breaker, cache, errors
from services.chassis.rpc import client, deadline
from services.storefront import domain, messages
from souk.catalog.v1 import catalog_service_pb2, catalog_service_pb2_grpc
from souk.inventory.v1 import inventory_service_pb2, inventory_service_pb2_grpc
from souk.order.v1 import order_service_pb2, order_service_pb2_grpc
from souk.payment.v1 import payment_service_pb2, payment_service_pb2_grpc
from souk.promotion.v1 import promotion_service_pb2, promotion_service_pb2_grpc
from souk.recommendation.v1 import recommendation_service_pb2, recommendation_service_pb2_grpc
from souk.search.v1 import search_service_pb2, search_service_pb2_grpc
from souk.shipping.v1 import shipping_service_pb2, shipping_service_pb2_grpc

CATALOG = catalog_service_pb2.DESCRIPTOR.services_by_name["CatalogService"]
INVENTORY = inventory_service_pb2.DESCRIPTOR.services_by_name["InventoryService"]
PROMOTION = promotion_service_pb2.DESCRIPTOR.services_by_name["PromotionService"]
RECOMMENDATION = recommendation_service_pb2.DESCRIPTOR.services_by_name["RecommendationService"]
SEARCH = search_service_pb2.DESCRIPTOR.services_by_name["SearchService"]
ORDER = order_service_pb2.DESCRIPTOR.services_by_name["OrderService"]
SHIPPING = shipping_service_pb2.DESCRIPTOR.services_by_name["ShippingService"]
PAYMENT = payment_service_pb2.DESCRIPTOR.services_by_name["PaymentService"]

# After so many failures in a row a service is not asked for what anybody may see, until so many seconds later.
FAILURES = 5
RESET_S = 1.0
# Values of one kind that are remembered.
REMEMBERED = 2_000
# Answers that say more of the service than of the question.
_AWAY = (errors.Code.UNAVAILABLE, errors.Code.DEADLINE_EXCEEDED)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an answer is awaited, and how old one that is remembered may be, in seconds."""

    wait_s: float
    age_s: float

    def cache(self, name: str) -> cache.Cache[Any]:
        """For one kind of answer. Whoever asks for the same at the same time shares one call."""
        kind = cache.unpacked(f"storefront:{name}", local_s=self.age_s, local_size=REMEMBERED)
        return cache.Cache(cache.Unshared(), kind)


class Guarded:
    """Another service, asked for what anybody may see: one that does not answer is left in peace for a moment.

    Only its own silence counts, never a caller's short deadline: each call has the same time.
    """

    def __init__(self, name: str, peer: client.Peer, *, wait_s: float) -> None:
        self._name = name
        self._peer = peer
        self._wait_s = wait_s
        self._breaker: breaker.Breaker | None = None

    @property
    def channel(self) -> Any:
        """What stubs are made on."""
        return self._peer.channel

    async def start(self) -> None:
        """Get ready to call; nothing is connected yet."""
        self._breaker = await breaker.made(f"storefront-{self._name}", failures=FAILURES, reset_s=RESET_S)

    async def stop(self) -> None:
        """Nothing: the peer's channel is closed by its own part."""

    async def call(self, method: Any, request: Any) -> Any:
        """The answer. Raises the DomainError of the other side, TimeoutError, or TransientError."""
        if self._breaker is None:
            raise RuntimeError(f"the client of {self._name} was not started")
        try:
            async with self._breaker:
                answer = await self._answer(method, request)
        except breaker.OpenError as error:
            raise errors.TransientError(f"{self._name} has not answered lately") from error
        if isinstance(answer, errors.DomainError):
            raise answer
        return answer

    async def _answer(self, method: Any, request: Any) -> Any:
        """The answer, or the error that is one. The call is made for whoever wants the answer, and so has its own deadline."""
        with deadline.within(self._wait_s):
            try:
                return await self._peer.call(method, request)
            except errors.DomainError as error:
                if error.code in _AWAY:
                    raise
                return error


class Catalog:
    """Products and categories."""

    def __init__(self, guarded: Guarded, patience: Patience) -> None:
        self._guarded = guarded
        self._stub = catalog_service_pb2_grpc.CatalogServiceStub(guarded.channel)
        self._products = patience.cache("product")
        self._featured = patience.cache("featured")
        self._categories = patience.cache("categories")

    async def product(self, product_id: str) -> domain.Product:
        """The product. Raises PRODUCT_NOT_FOUND, or TransientError or TimeoutError without an answer."""

        async def load(_: Sequence[str]) -> Mapping[str, domain.Product]:
            request = catalog_service_pb2.GetProductRequest(id=product_id)
            return {product_id: messages.product(await self._guarded.call(self._stub.GetProduct, request))}

        found: domain.Product = (await self._products.read([product_id], load))[product_id]
        return found

    async def featured(self, most: int) -> Sequence[Any]:
        """Featured products, the newest first. Raises TransientError or TimeoutError without an answer."""

        async def load(_: Sequence[str]) -> Mapping[str, Sequence[Any]]:
            request = catalog_service_pb2.ListFeaturedProductsRequest(page_size=most)
            return {key: (await self._guarded.call(self._stub.ListFeaturedProducts, request)).products}

        key = str(most)
        found: Sequence[Any] = (await self._featured.read([key], load))[key]
        return found

    async def categories(self) -> Sequence[domain.Category]:
        """All categories, by slug. Raises TransientError or TimeoutError without an answer."""

        async def load(_: Sequence[str]) -> Mapping[str, Sequence[domain.Category]]:
            request = catalog_service_pb2.ListCategoriesRequest()
            answer = await self._guarded.call(self._stub.ListCategories, request)
            return {"": [messages.category(category) for category in answer.categories]}

        found: Sequence[domain.Category] = (await self._categories.read([""], load))[""]
        return found


class Inventory:
    """What is in stock."""

    def __init__(self, guarded: Guarded, patience: Patience) -> None:
        self._guarded = guarded
        self._stub = inventory_service_pb2_grpc.InventoryServiceStub(guarded.channel)
        self._levels = patience.cache("stock")

    async def available(self, skus: Sequence[str]) -> Mapping[str, int]:
        """How many units of each SKU can be ordered. Raises TransientError or TimeoutError without an answer."""

        async def load(asked: Sequence[str]) -> Mapping[str, int]:
            request = inventory_service_pb2.BatchGetStockRequest(skus=asked)
            answer = await self._guarded.call(self._stub.BatchGetStock, request)
            return dict.fromkeys(asked, 0) | {stock.sku: stock.available for stock in answer.stock}

        return await self._levels.read(skus, load)


class Promotion:
    """Discounts."""

    def __init__(self, guarded: Guarded, patience: Patience) -> None:
        self._guarded = guarded
        self._stub = promotion_service_pb2_grpc.PromotionServiceStub(guarded.channel)
        self._prices = patience.cache("price")

    async def price(self, sku: str) -> Any:
        """What one unit costs, explained. Raises TransientError or TimeoutError without an answer."""

        async def load(_: Sequence[str]) -> Mapping[str, Any]:
            item = promotion_service_pb2.QuoteRequest.Item(sku=sku, quantity=1)
            answer = await self._guarded.call(self._stub.Quote, promotion_service_pb2.QuoteRequest(items=[item]))
            return {sku: answer.lines[0]}

        return (await self._prices.read([sku], load))[sku]


class Search:
    """What is found."""

    def __init__(self, guarded: Guarded, patience: Patience) -> None:
        self._guarded = guarded
        self._stub = search_service_pb2_grpc.SearchServiceStub(guarded.channel)
        self._found = patience.cache("popular")

    async def popular(self, category: str, most: int) -> Sequence[domain.Found]:
        """What is ordered most and in stock. Raises TransientError or TimeoutError without an answer.

        Nothing is found in a category that search has not heard of yet.
        """

        async def load(_: Sequence[str]) -> Mapping[str, Sequence[domain.Found]]:
            request = search_service_pb2.SearchRequest(
                categories=[category] if category else [],
                in_stock=True,
                sort=search_service_pb2.SearchRequest.POPULARITY,
                page_size=most,
            )
            try:
                answer = await self._guarded.call(self._stub.Search, request)
            except errors.DomainError as error:
                if error.code is not errors.Code.NOT_FOUND:
                    raise
                return {key: []}
            return {key: [messages.found(result) for result in answer.results]}

        key = f"{most} {category}"
        found: Sequence[domain.Found] = (await self._found.read([key], load))[key]
        return found


class Recommendation:
    """What is bought."""

    def __init__(self, guarded: Guarded, patience: Patience) -> None:
        self._guarded = guarded
        self._stub = recommendation_service_pb2_grpc.RecommendationServiceStub(guarded.channel)
        self._trending = patience.cache("trending")
        self._together = patience.cache("together")

    async def trending(self, most: int) -> Sequence[Any]:
        """What is bought most lately. Raises TransientError or TimeoutError without an answer."""

        async def load(_: Sequence[str]) -> Mapping[str, Sequence[Any]]:
            request = recommendation_service_pb2.ListTrendingProductsRequest(limit=most)
            return {key: (await self._guarded.call(self._stub.ListTrendingProducts, request)).recommendations}

        key = str(most)
        found: Sequence[Any] = (await self._trending.read([key], load))[key]
        return found

    async def together(self, product_id: str, most: int) -> Sequence[Any]:
        """What is bought together with a product. Raises TransientError or TimeoutError without an answer."""

        async def load(_: Sequence[str]) -> Mapping[str, Sequence[Any]]:
            # Twice as many: what only trends is among them.
            request = recommendation_service_pb2.ListRelatedProductsRequest(id=product_id, limit=2 * most)
            answer = await self._guarded.call(self._stub.ListRelatedProducts, request)
            return {product_id: messages.together(answer.recommendations)}

        found: Sequence[Any] = (await self._together.read([product_id], load))[product_id]
        return found[:most]


class Orders:
    """Orders of the user who calls."""

    def __init__(self, peer: client.Peer) -> None:
        self._peer = peer
        self._stub = order_service_pb2_grpc.OrderServiceStub(peer.channel)

    async def order(self, order_id: str) -> Any:
        """The order. Raises ORDER_NOT_FOUND, or TransientError or TimeoutError without an answer."""
        request = order_service_pb2.GetOrderRequest(id=order_id)
        return await self._peer.call(self._stub.GetOrder, request, for_user=True)

    async def timeline(self, order_id: str) -> Sequence[Any]:
        """Its history. Raises ORDER_NOT_FOUND, or TransientError or TimeoutError without an answer."""
        request = order_service_pb2.ListOrderEventsRequest(id=order_id)
        events: Sequence[Any] = (await self._peer.call(self._stub.ListOrderEvents, request, for_user=True)).events
        return events


class Payments:
    """Payments of the user who calls."""

    def __init__(self, peer: client.Peer) -> None:
        self._peer = peer
        self._stub = payment_service_pb2_grpc.PaymentServiceStub(peer.channel)

    async def of_order(self, order_id: str) -> Any | None:
        """The payment of an order, if there is one. Raises TransientError or TimeoutError without an answer."""
        request = payment_service_pb2.GetPaymentRequest(id=order_id)
        try:
            return await self._peer.call(self._stub.GetPayment, request, for_user=True)
        except errors.DomainError as error:
            if error.code is errors.Code.NOT_FOUND:
                return None
            raise


class Shipments:
    """Parcels of the user who calls."""

    def __init__(self, peer: client.Peer) -> None:
        self._peer = peer
        self._stub = shipping_service_pb2_grpc.ShippingServiceStub(peer.channel)

    async def of_order(self, order_id: str) -> Sequence[Any]:
        """The parcels of an order. Raises TransientError or TimeoutError without an answer."""
        request = shipping_service_pb2.ListOrderShipmentsRequest(order_id=order_id)
        answer = await self._peer.call(self._stub.ListOrderShipments, request, for_user=True)
        found: Sequence[Any] = answer.shipments
        return found

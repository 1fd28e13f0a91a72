"""What pages consist of, and in which order their parts are asked for. Next: `joining.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from services.storefront import domain, joining

SERVICE = "storefront"
MOST_SHOWN = 12


class Catalog(Protocol):
    """Who knows products and categories. Each raises TransientError or TimeoutError without an answer."""

    async def product(self, product_id: str) -> domain.Product:
        """The product. Raises PRODUCT_NOT_FOUND."""

    async def featured(self, most: int) -> Sequence[Any]:
        """Featured products, the newest first."""

    async def categories(self) -> Sequence[domain.Category]:
        """All categories, by slug."""


class Inventory(Protocol):
    """Who knows what is in stock."""

    async def available(self, skus: Sequence[str]) -> Mapping[str, int]:
        """How many units of each SKU can be ordered. Raises TransientError or TimeoutError without an answer."""


class Promotion(Protocol):
    """Who knows discounts."""

    async def price(self, sku: str) -> Any:
        """What one unit costs, explained. Raises TransientError or TimeoutError without an answer."""


class Search(Protocol):
    """Who finds products."""

    async def popular(self, category: str, most: int) -> Sequence[domain.Found]:
        """What is ordered most and in stock, of this category or (empty) of all.

        Raises TransientError or TimeoutError without an answer.
        """


class Recommendation(Protocol):
    """Who knows what is bought. Each raises TransientError or TimeoutError without an answer."""

    async def trending(self, most: int) -> Sequence[Any]:
        """What is bought most lately, and in stock."""

    async def together(self, product_id: str, most: int) -> Sequence[Any]:
        """What is bought together with a product, and in stock."""


class Orders(Protocol):
    """Who has the orders of the user who calls. Each raises ORDER_NOT_FOUND, or TransientError or TimeoutError."""

    async def order(self, order_id: str) -> Any:
        """The order."""

    async def timeline(self, order_id: str) -> Sequence[Any]:
        """Its history, oldest first."""


class Payments(Protocol):
    """Who has the payments of the user who calls."""

    async def of_order(self, order_id: str) -> Any | None:
        """The payment of an order, if there is one. Raises TransientError or TimeoutError without an answer."""


class Shipments(Protocol):
    """Who has the parcels of the user who calls."""

    async def of_order(self, order_id: str) -> Sequence[Any]:
        """The parcels of an order. Raises TransientError or TimeoutError without an answer."""


@dataclass(frozen=True, slots=True)
class Peers:
    """Whom pages are asked of."""

    catalog: Catalog
    inventory: Inventory
    promotion: Promotion
    search: Search
    recommendation: Recommendation
    orders: Orders
    payments: Payments
    shipments: Shipments


class Pages:
    """The pages of the shop. page_s is how long their parts are awaited; up to low_stock units are few."""

    def __init__(self, peers: Peers, *, page_s: float, low_stock: int) -> None:
        self._peers = peers
        self._page_s = page_s
        self._low_stock = low_stock

    async def home(self) -> domain.Home:
        """The first page: it needs nobody, and may be empty."""
        async with joining.page(self._page_s) as parts:
            featured = parts.ask("featured", self._peers.catalog.featured, MOST_SHOWN)
            popular = parts.ask("popular", self._peers.search.popular, "", MOST_SHOWN)
            categories = parts.ask("categories", self._peers.catalog.categories)
            trending = parts.ask("trending", self._peers.recommendation.trending, MOST_SHOWN)
        return domain.Home(featured.answer, popular.answer, categories.answer, trending.answer, parts.missing)

    async def product(self, product_id: str, sku: str) -> domain.ProductPage:
        """The page of a product, with the price of this SKU or of its first one.

        Raises PRODUCT_NOT_FOUND, or TransientError or TimeoutError without the product.
        """
        async with joining.page(self._page_s) as parts:
            # Of the others' parts only the product says what to ask for.
            above = parts.ask("breadcrumb", self._peers.catalog.categories)
            together = parts.ask(
                "bought_together", self._peers.recommendation.together, product_id, domain.MOST_RELATED
            )
            product = await parts.need(self._peers.catalog.product, product_id)
            stock = parts.ask("stock", self._peers.inventory.available, product.skus)
            price = parts.ask("price", self._peers.promotion.price, product.selected(sku))
            # One more than are shown: it finds the product itself too.
            found = parts.ask("related", self._peers.search.popular, product.category, domain.MOST_RELATED + 1)
        return domain.ProductPage(
            product,
            None if stock.answer is None else domain.in_stock(product.skus, stock.answer, low=self._low_stock),
            price.answer,
            None if above.answer is None else domain.breadcrumb(product.category, above.answer),
            None if found.answer is None else domain.related(product_id, found.answer),
            together.answer,
            parts.missing,
        )

    async def order(self, order_id: str) -> domain.OrderPage:
        """The page of an order, as far as the user who calls may see it.

        Raises ORDER_NOT_FOUND, or TransientError or TimeoutError without the order.
        """
        async with joining.page(self._page_s) as parts:
            timeline = parts.ask("timeline", self._peers.orders.timeline, order_id)
            payment = parts.ask("payment", self._peers.payments.of_order, order_id)
            shipments = parts.ask("shipments", self._peers.shipments.of_order, order_id)
            order = await parts.need(self._peers.orders.order, order_id)
        return domain.OrderPage(order, timeline.answer, payment.answer, shipments.answer, parts.missing)

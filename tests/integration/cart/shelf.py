"""What the tests of carts need beside a cart: a shop whose prices and stock a test sets, and carts that are shown."""

from collections.abc import Iterable, Mapping

from services.cart import domain, usecases
from services.chassis import clock, errors, money, redis_store
from souk.cart.v1 import cart_pb2

LIFETIMES = usecases.Lifetimes(user_s=600, guest_s=60)


class Shop:
    """Stands where the catalog and inventory are: ports of the use cases, here with what a test sets."""

    def __init__(self) -> None:
        self.prices = {"tea": 500, "cup": 300, "pot": 1999} | {f"sku-{number}": 100 for number in range(5)}
        self.stock = dict.fromkeys(self.prices, 50)
        self.away: set[str] = set()

    async def offers(self, skus: Iterable[str]) -> Mapping[str, domain.Offer]:
        self._answers("catalog")
        return {
            sku: domain.Offer(sku, "product", sku.title(), money.Money("USD", self.prices[sku]))
            for sku in skus
            if sku in self.prices
        }

    async def available(self, skus: Iterable[str]) -> Mapping[str, int]:
        self._answers("inventory")
        return {sku: self.stock[sku] for sku in skus if sku in self.stock}

    def _answers(self, service: str) -> None:
        if service in self.away:
            raise errors.TransientError(f"{service}: away")


class Till:
    """Stands where the order service is: one order for each request id, whose answers a test loses."""

    def __init__(self) -> None:
        self.made: dict[str, tuple[domain.Order, str, dict[str, int]]] = {}
        self.loses = 0
        self.refuses: errors.DomainError | None = None

    async def place(self, checkout: domain.Checkout, terms: domain.Terms) -> domain.Order:
        if self.refuses:
            raise self.refuses
        lines = {line.sku: line.quantity for line in checkout.lines}
        order = domain.Order(f"order-{len(self.made)}", money.Money("USD", 100))
        known, fingerprint, ordered = self.made.setdefault(checkout.request_id, (order, terms.fingerprint, lines))
        assert ordered == lines
        if fingerprint != terms.fingerprint:
            raise domain.ordered_otherwise()
        if self.loses:
            self.loses -= 1
            raise errors.TransientError("order: no answer")
        return known

    def orders(self) -> list[dict[str, int]]:
        """What was ordered, by SKU, in each order."""
        return [lines for _, _, lines in self.made.values()]


def carts_in(redis: redis_store.RedisStore, market: Shop, till: Till | None = None) -> usecases.Carts:
    """The use cases as the service has them."""
    shelves = usecases.Shelves(market, market)
    return usecases.Carts(redis, shelves, till or Till(), lifetimes=LIFETIMES, now=clock.utc_now)


def units(cart: domain.Cart | cart_pb2.Cart) -> dict[str, int]:
    """What is in the cart, by SKU."""
    return {line.sku: line.quantity for line in cart.lines}

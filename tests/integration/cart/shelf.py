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


def carts_in(redis: redis_store.RedisStore, market: Shop) -> usecases.Carts:
    """The use cases as the service has them."""
    return usecases.Carts(redis, usecases.Shelves(market, market), LIFETIMES, now=clock.utc_now)


def units(cart: domain.Cart | cart_pb2.Cart) -> dict[str, int]:
    """What is in the cart, by SKU."""
    return {line.sku: line.quantity for line in cart.lines}

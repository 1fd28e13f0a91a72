"""What the tests of carts need beside a cart: a shop whose prices and stock a test sets, and carts that are shown."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from services.cart import domain, usecases
from services.chassis import clock, errors, money, redis_store
from souk.cart.v1 import cart_pb2

LIFETIMES = usecases.Lifetimes(user_s=600, guest_s=60, reminder_s=300)


class Shop:
    """Stands where the catalog, inventory and prices of orders are: ports of the use cases, here with what a test sets.

    off has the codes that apply and what each takes off the whole.
    """

    def __init__(self) -> None:
        self.prices = {"tea": 500, "cup": 300, "pot": 1999} | {f"sku-{number}": 100 for number in range(5)}
        self.stock = dict.fromkeys(self.prices, 50)
        self.off: dict[str, int] = {}
        self.refuses = ""
        self.asked: list[domain.Question] = []
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

    async def quote(self, question: domain.Question) -> domain.Quote:
        self._answers("order")
        self.asked.append(question)
        sold = [line for line in question.lines if line.sku in self.prices]
        if self.refuses or not sold:
            return domain.Quote(refusal=self.refuses)
        items = sum(self.prices[line.sku] * line.quantity for line in sold)
        used = [code for code in question.codes if code in self.off]
        off, shipping = sum(self.off[code] for code in used), 490 if question.destination.country else 0
        totals = domain.Totals(
            usd(items), usd(off), None, None, taxes_included=False, total=usd(items - off + shipping)
        )
        if question.destination.country:
            totals = replace(totals, shipping=usd(shipping), taxes=usd(0))
        return domain.Quote(
            totals,
            {sold[0].sku: usd(off)},
            tuple(domain.Discount("promotion", code.title(), code, usd(self.off[code])) for code in used),
            {code: self._verdict(code) for code in question.codes},
        )

    def _verdict(self, code: str) -> domain.Verdict:
        return domain.Verdict() if code in self.off else domain.Verdict("CODE_UNKNOWN", "This code does not exist.")

    def _answers(self, service: str) -> None:
        if service in self.away:
            raise errors.TransientError(f"{service}: away")


def usd(cents: int) -> money.Money:
    """An amount in the tests' currency."""
    return money.Money("USD", cents)


class Till:
    """Stands where the order service is: one order for each request id, whose answers a test loses."""

    def __init__(self) -> None:
        self.codes: list[list[str]] = []
        self.made: dict[str, tuple[domain.Order, str, dict[str, int]]] = {}
        self.loses = 0
        self.refuses: errors.DomainError | None = None
        self.past_orders: dict[str, domain.PastOrder] = {}
        self.away = False

    async def place(self, checkout: domain.Checkout, terms: domain.Terms) -> domain.Order:
        if self.refuses:
            raise self.refuses
        lines = {line.sku: line.quantity for line in checkout.lines}
        self.codes.append([code for code, _ in domain.codes_to_use(checkout, terms)])
        order = domain.Order(f"order-{len(self.made)}", money.Money("USD", 100))
        known, fingerprint, ordered = self.made.setdefault(checkout.request_id, (order, terms.fingerprint, lines))
        assert ordered == lines
        if fingerprint != terms.fingerprint:
            raise domain.ordered_otherwise()
        if self.loses:
            self.loses -= 1
            raise errors.TransientError("order: no answer")
        return known

    async def past(self, order_id: str) -> domain.PastOrder:
        if self.away:
            raise errors.TransientError("order: away")
        if order_id not in self.past_orders:
            raise errors.not_found("ORDER_NOT_FOUND", "the order does not exist", order_id=order_id)
        return self.past_orders[order_id]

    def orders(self) -> list[dict[str, int]]:
        """What was ordered, by SKU, in each order."""
        return [lines for _, _, lines in self.made.values()]


def carts_in(
    redis: redis_store.RedisStore, market: Shop, till: Till | None = None, *, now: clock.Clock = clock.utc_now
) -> usecases.Carts:
    """The use cases as the service has them."""
    shelves = usecases.Shelves(market, market, market)
    return usecases.Carts(redis, shelves, till or Till(), lifetimes=LIFETIMES, now=now)


def units(cart: domain.Cart | cart_pb2.Cart) -> dict[str, int]:
    """What is in the cart, by SKU."""
    return {line.sku: line.quantity for line in cart.lines}

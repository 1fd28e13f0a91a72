"""What the tests of orders order: prices that a test sets, the use cases put together, and what was told by whom."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from services import postal, tariff
from services.chassis import clock, database, errors, ids, money
from services.order import domain, main, saga
from services.order.domain import documents, rates, totals
from services.order.usecases import Orders, accepting, discounting, pricing, reading, watching

WAITS = saga.Waits(stock_s=100, payment_s=100, settlement_s=100, compensation_s=100, catch_up_s=0)
OVERDUE = saga.Waits(stock_s=0, payment_s=0, settlement_s=0, compensation_s=0, catch_up_s=0)
ADDRESS = domain.Address("Ann", "1 Road", "", "Town", "", "N1 9GU", "GB")
SELLER = documents.Seller('{"name": "Souk Ltd", "address": ["1 Market Street"], "tax_id": "GB1"}')
TABLES = ("orders", "sagas", "order_events", "outbox", "idempotent_requests")


class PriceList:
    """Stands where the catalog is: a port of the use cases, here with prices that a test sets."""

    def __init__(self) -> None:
        self.prices = {"TEA": 500, "POT": 1999}
        self.vendors: dict[str, str] = {}
        self.away = False

    async def offers(self, skus: Iterable[str]) -> Mapping[str, domain.Offer]:
        if self.away:
            raise errors.TransientError("catalog: away")
        return {sku: self._offer(sku) for sku in skus if sku in self.prices}

    def _offer(self, sku: str) -> domain.Offer:
        price = money.Money("USD", self.prices[sku])
        return domain.Offer(sku, sku.title(), price, vendor_id=self.vendors.get(sku, ""))


class Rates:
    """Stands where shipping is: a port of the use cases, here with one zone that a test sets; without one all is free."""

    def __init__(self, *places: str, price: int = 490, free_from: int | None = None) -> None:
        rates = [tariff.Rate("STANDARD", "USD", (tariff.Band(None, price),), free_from)]
        rates.append(tariff.Rate("EXPRESS", "USD", (tariff.Band(None, 4 * price),)))
        self._tariff = tariff.Tariff(tariff.Table(1, (tariff.Zone("one", places, tuple(rates)),) if places else ()))

    async def costs(self, parcels: Sequence[domain.Parcel]) -> Sequence[money.Money | None]:
        return [
            self._tariff.cost((one.address.country, one.address.region), one.price, 0, one.sent.service_level)
            for one in parcels
        ]


class Offering:
    """Stands where promotion is: a port of the use cases, here with one code that a test sets, and nothing automatic."""

    def __init__(self, code: str = "", discount: domain.Discount | None = None) -> None:
        self.code = code
        self.discount = discount
        self.automatic = False
        self.away = False
        # Whose orders it refuses, and every call that has one of them.
        self.refused: str | None = None
        self.asked: list[discounting.Question] = []

    async def any_automatic(self) -> bool:
        return self.automatic

    async def discounted(self, questions: Sequence[discounting.Question]) -> list[totals.Shipped | errors.DomainError]:
        self.asked += questions
        if self.away:
            raise errors.TransientError("promotion: away")
        if len(questions) > 1 and any(question.user_id == self.refused for question in questions):
            raise errors.invalid("MONEY_INVALID", "refused as a whole")
        return [self._discounted(question) for question in questions]

    def _discounted(self, question: discounting.Question) -> totals.Shipped | errors.DomainError:
        if question.user_id == self.refused:
            return errors.invalid("MONEY_INVALID", "refused")
        coupons = tuple(
            domain.Coupon(code) if code == self.code else domain.Coupon(code, "CODE_UNKNOWN", "There is no such code.")
            for code in question.codes
        )
        applies = self.automatic or self.code in question.codes
        return replace(question.order, discounts=(self.discount,) if applies and self.discount else (), coupons=coupons)


class Wallet:
    """Stands where the user service is: a port of the use cases, here with methods that a test saves, by their owners and ids."""

    def __init__(self) -> None:
        self.saved: dict[tuple[str, str], str] = {}
        self.away = False
        self.asked = 0

    async def token(self, user_id: str, method: str) -> str:
        self.asked += 1
        if self.away:
            raise errors.TransientError("user: away")
        if (user_id, method) not in self.saved:
            raise errors.not_found("PAYMENT_METHOD_NOT_FOUND", "the payment method does not exist")
        return self.saved[user_id, method]


def using(
    db: database.Database,
    prices: PriceList,
    *,
    offering: Offering | None = None,
    wallet: Wallet | None = None,
    waits: saga.Waits = WAITS,
    limits: watching.Limits = watching.Limits(),  # noqa: B008 - a frozen value
) -> Orders:
    """The use cases as the service has them. Streams of `watching` are fed between its `start` and its `stop`."""
    untaxed = totals.Taxes(rates.TaxRates("{}"), included=False)
    discounts = discounting.Discounting(offering or Offering(), reading.Reading(db))
    priced = pricing.Pricing(prices, Rates(), discounts, untaxed, postal.Postal())
    return main.composed(
        db, accepting.Peers(priced, wallet or Wallet()), main.Terms(clock.utc_now, waits, limits, seller=SELLER)
    )


def new_id() -> str:
    return ids.new_id(datetime.now(UTC))


def draft(user_id: str, *, request_id: str = "", content: bytes = b"a", sku: str = "TEA") -> domain.Draft:
    basket = domain.Basket(user_id, (domain.Item(sku, 2),), ADDRESS)
    return domain.Draft(basket, "card_approved", request_id, content)


async def give(db: database.Database, orders: Orders, *given: saga.Event) -> None:
    async with db.transaction() as transaction:
        await orders.advancing.advance(transaction, given)


async def told(db: database.Database, order_id: str) -> list[str]:
    rows = await db.read(
        database.Statement("SELECT type FROM outbox WHERE key = %(key)s ORDER BY id"), {"key": order_id}
    )
    return [row[0].rsplit(".", 1)[1] for row in rows]


async def counted(db: database.Database) -> dict[str, int]:
    """How many rows each table has that an acceptance writes to."""
    return {table: (await db.read(database.Statement(f"SELECT count(*) FROM {table}")))[0][0] for table in TABLES}

"""What carts would cost as orders: without what is not sold, without a destination if there is none, and also for guests."""

from dataclasses import replace
from typing import Any

import pytest

from services import postal
from services.chassis import clock, database, errors, money
from services.order import domain, messages
from services.order.domain import rates, totals
from services.order.messages import facts
from services.order.usecases import discounting, pricing, reading
from souk.order.v1 import order_service_pb2
from souk.shipping.v1 import rates_pb2
from tests.integration.order.ordering import Offering, PriceList, Rates, new_id

TAXES = '{"GB": {"standard": "20"}}'
TEN = domain.Discount("p1", "Ten", "TEN", {"TEA": 100}, claims=1)


def priced(db: database.Database, offering: Offering) -> pricing.Pricing:
    discounts = discounting.Discounting(offering, reading.Reading(db))
    taxes = totals.Taxes(rates.TaxRates(TAXES), included=False)
    return pricing.Pricing(PriceList(), Rates("GB"), discounts, taxes, postal.Postal())


async def quoted(
    db: database.Database, offering: Offering, skus: str = "TEA POT", **fields: Any
) -> order_service_pb2.QuoteCartResponse:
    """What QuoteCart answers of one unit of each of these."""
    item = order_service_pb2.CreateOrderRequest.Item
    items = [item(sku=sku, quantity=1) for sku in skus.split()]
    request = order_service_pb2.QuoteCartRequest(items=items, **fields)
    quote = await priced(db, offering).quote_cart(messages.cart(request))
    return messages.of_cart_quote(quote, shipped=bool(request.country))


def cents(amount: Any) -> int:
    return int(amount.units * 100 + amount.nanos // 10_000_000)


async def test_a_cart_without_a_destination_has_discounts_and_neither_shipping_nor_taxes(db: database.Database) -> None:
    offering = Offering("TEN", TEN)
    found = await quoted(db, offering, coupon_codes=["TEN", "OLD"])
    assert not found.totals.HasField("shipping")
    assert not found.totals.HasField("taxes")
    assert (cents(found.totals.items), cents(found.totals.discounts), cents(found.totals.total)) == (2499, 100, 2399)
    assert {line.sku: cents(line.discount) for line in found.lines} == {"POT": 0, "TEA": 100}
    assert [(one.code, one.applied) for one in found.coupons] == [("TEN", True), ("OLD", False)]
    assert offering.asked[0].order.shipping is None, "promotion is not told that shipping is free"


async def test_a_country_is_enough_for_shipping_and_taxes(db: database.Database) -> None:
    found = await quoted(db, Offering(), country="GB")
    assert (cents(found.totals.shipping), cents(found.totals.taxes), cents(found.totals.total)) == (490, 598, 3587)
    fast = await quoted(db, Offering(), country="GB", service_level=rates_pb2.EXPRESS)
    assert cents(fast.totals.shipping) == 1960
    with pytest.raises(errors.DomainError, match="SHIPPING_UNAVAILABLE"):
        await quoted(db, Offering(), country="FR")


async def test_what_is_not_for_sale_is_left_out(db: database.Database) -> None:
    found = await quoted(db, Offering("TEN", TEN), "TEA GONE", coupon_codes=["TEN"])
    assert ([line.sku for line in found.lines], cents(found.totals.items)) == (["TEA"], 500)
    assert await quoted(db, Offering("TEN", TEN), "GONE", coupon_codes=["TEN"]) == order_service_pb2.QuoteCartResponse()


async def test_a_guest_is_taken_for_a_newcomer_and_a_customer_is_asked_about(db: database.Database) -> None:
    offering, customer = Offering("TEN", TEN), new_id()
    await quoted(db, offering, coupon_codes=["TEN"])
    await quoted(db, offering, coupon_codes=["TEN"], user_id=customer)
    assert [(asked.user_id, asked.first_order) for asked in offering.asked] == [("", True), (customer, True)]


async def test_a_promotion_service_that_is_away_gives_no_quote(db: database.Database) -> None:
    offering = Offering("TEN", TEN)
    offering.away = True
    with pytest.raises(errors.DomainError) as refused:
        await quoted(db, offering, coupon_codes=["TEN"])
    assert refused.value.code is errors.Code.UNAVAILABLE


async def test_a_confirmed_order_says_which_codes_it_used() -> None:
    lines = (domain.Line("TEA", "Tea", 1, money.Money("USD", 500)),)
    address = domain.Address("", "1 Road", "", "Town", "", "", "GB")
    automatic = replace(TEN, code="", claims=0)
    order = domain.Order(
        "o", "u", lines, money.Money("USD", 400), address, "", clock.utc_now(), discounts=(TEN, automatic)
    )
    told = facts.of_order_confirmed(domain.OrderConfirmed(order, 1, order.create_time))
    assert list(told.coupon_codes) == ["TEN"]

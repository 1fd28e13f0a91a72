"""Orders with shipping and taxes on a real database: charged as the tables say, and read again as they were charged."""

from dataclasses import replace

import pytest

from services.chassis import clock, database, errors, money
from services.chassis.settings import SettingsError, read
from services.order import clients, main
from services.order.domain import rates, totals
from services.order.settings import Settings
from services.order.usecases import Orders, discounting, pricing, reading, watching
from tests.integration.order.ordering import SELLER, WAITS, Offering, PriceList, draft, new_id

SHIPPING = '{"GB": {"USD": {"price": "4.90", "free_from": "20"}}}'
TAXES = '{"GB": {"standard": "20"}}'


def _orders(db: database.Database, *, included: bool) -> Orders:
    shipping = clients.ShippingTable(rates.ShippingRates(SHIPPING))
    undiscounted = discounting.Discounting(Offering(), reading.Reading(db))
    priced = pricing.Pricing(
        PriceList(), shipping, undiscounted, totals.Taxes(rates.TaxRates(TAXES), included=included)
    )
    return main.composed(db, priced, main.Terms(clock.utc_now, WAITS, watching.Limits(), SELLER))


@pytest.mark.parametrize(("included", "total", "taxes"), [(False, 1788, 298), (True, 1490, 248)])
async def test_an_order_is_read_again_with_what_was_charged(
    db: database.Database,
    *,
    included: bool,
    total: int,
    taxes: int,
) -> None:
    orders = _orders(db, included=included)
    placed = await orders.accepting.create(draft(new_id()))
    assert placed.order.totals.shipping == money.Money("USD", 490)
    assert (placed.order.total.amount, placed.order.totals.taxes.amount) == (total, taxes)
    stored = await orders.reading.get(placed.order.id, owner_id=placed.order.user_id)
    assert (stored.order, stored.order.totals) == (placed.order, placed.order.totals)


async def test_one_order_that_cannot_be_shipped_does_not_hold_back_the_others(db: database.Database) -> None:
    orders = _orders(db, included=False)
    near, far = draft(new_id()), draft(new_id())
    elsewhere = replace(far, basket=replace(far.basket, address=replace(far.basket.address, country="FR")))
    accepted, refused = await orders.accepting.accept([near, elsewhere])
    assert not isinstance(accepted, errors.DomainError)
    assert isinstance(refused, errors.DomainError)
    assert refused.reason == "SHIPPING_UNAVAILABLE"


def test_tables_come_from_the_environment_and_every_mistake_is_named() -> None:
    good = read(Settings, {"ORDER_SHIPPING_RATES": SHIPPING, "ORDER_TAX_RATES": TAXES, "ORDER_TAXES_INCLUDED": "yes"})
    assert good.tax_rates.rate("GB", "", "") == 200_000
    assert good.taxes_included
    with pytest.raises(SettingsError) as raised:
        read(Settings, {"ORDER_SHIPPING_RATES": "no table", "ORDER_TAX_RATES": '{"GB": 1}'})
    assert [line.partition(":")[0] for line in str(raised.value).splitlines()] == [
        "ORDER_TAX_RATES",
        "ORDER_SHIPPING_RATES",
    ]

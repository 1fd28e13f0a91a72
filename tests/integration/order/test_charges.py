"""Orders with shipping and taxes on a real database: charged as the tables say, and read again as they were charged."""

from dataclasses import replace

import pytest

from services import postal
from services.chassis import clock, database, errors, money
from services.chassis.settings import SettingsError, read
from services.order import main
from services.order.domain import rates, totals
from services.order.settings import Settings
from services.order.usecases import Orders, accepting, discounting, pricing, reading, watching
from tests.integration.order.ordering import WAITS, Offering, PriceList, Rates, Wallet, draft, new_id

TAXES = '{"GB": {"standard": "20"}}'


def _orders(db: database.Database, *, included: bool) -> Orders:
    shipping = Rates("GB", free_from=2000)
    undiscounted = discounting.Discounting(Offering(), reading.Reading(db))
    taxes = totals.Taxes(rates.TaxRates(TAXES), included=included)
    priced = pricing.Pricing(PriceList(), shipping, undiscounted, taxes, postal.Postal())
    return main.composed(db, accepting.Peers(priced, Wallet()), main.Terms(clock.utc_now, WAITS, watching.Limits()))


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
    elsewhere = replace(
        far, basket=replace(far.basket, address=replace(far.basket.address, country="FR", postal_code="75001"))
    )
    accepted, refused = await orders.accepting.accept([near, elsewhere])
    assert not isinstance(accepted, errors.DomainError)
    assert isinstance(refused, errors.DomainError)
    assert refused.reason == "SHIPPING_UNAVAILABLE"


async def test_an_order_is_charged_and_kept_at_its_service_level(db: database.Database) -> None:
    orders = _orders(db, included=False)
    wanted = draft(new_id())
    placed = await orders.accepting.create(replace(wanted, basket=replace(wanted.basket, service_level="EXPRESS")))
    stored = await orders.reading.get(placed.order.id, owner_id=placed.order.user_id)
    assert (stored.order.service_level, stored.order.totals.shipping.amount) == ("EXPRESS", 1960)


async def test_an_address_in_which_something_is_wrong_is_refused_with_its_reason(db: database.Database) -> None:
    orders = _orders(db, included=False)
    good, wrong = draft(new_id()), draft(new_id())
    there = replace(wrong.basket.address, postal_code="N1")
    accepted, refused = await orders.accepting.accept(
        [good, replace(wrong, basket=replace(wrong.basket, address=there))]
    )
    assert not isinstance(accepted, errors.DomainError)
    assert isinstance(refused, errors.DomainError)
    assert [(one.field, one.reason) for one in refused.violations] == [
        ("shipping_address.postal_code", "POSTAL_CODE_INVALID")
    ]


async def test_what_an_address_lacks_is_refused_only_where_the_shop_wants_it(db: database.Database) -> None:
    basket = draft(new_id()).basket
    without = replace(basket, address=replace(basket.address, postal_code=""))
    discounts = discounting.Discounting(Offering(), reading.Reading(db))
    untaxed = totals.Taxes(rates.TaxRates("{}"), included=False)
    lenient = pricing.Pricing(PriceList(), Rates(), discounts, untaxed, postal.Postal())
    assert (await lenient.quote(without)).totals.total.amount == 1000
    with pytest.raises(errors.DomainError, match="ADDRESS_INVALID"):
        await replace(lenient, complete=True).quote(without)


def test_tables_come_from_the_environment_and_every_mistake_is_named() -> None:
    good = read(Settings, {"ORDER_TAX_RATES": TAXES, "ORDER_TAXES_INCLUDED": "yes"})
    assert good.tax_rates.rate("GB", "", "") == 200_000
    assert good.taxes_included
    with pytest.raises(SettingsError) as raised:
        read(Settings, {"ORDER_TAX_RATES": '{"GB": 1}', "ORDER_TAXES_INCLUDED": "perhaps"})
    assert [line.partition(":")[0] for line in str(raised.value).splitlines()] == [
        "ORDER_TAX_RATES",
        "ORDER_TAXES_INCLUDED",
    ]

"""What an order may hold, and what it costs: its items, their shipping and their taxes, by line."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import errors
from services.chassis.money import Money
from services.order import domain
from services.order.domain import rates, totals

OFFERS = {
    "TEA": domain.Offer("TEA", "Tea", Money("USD", 500)),
    "POT": domain.Offer("POT", "Pot", Money("USD", 1999)),
    "EUR": domain.Offer("EUR", "Imported", Money("EUR", 100)),
    "GOLD": domain.Offer("GOLD", "Gold", Money("USD", 900_000_000)),
}

HOME = domain.Address("Ann", "1 Road", "", "Town", "CA", "90001", "US")
UNTAXED = totals.Taxes(rates.TaxRates("{}"), included=False)
TABLE = rates.TaxRates(
    '{"US": {"standard": "0"}, "US-CA": {"standard": "7.25", "food": "0"}, "DE": {"standard": "19"}}'
)


def quoted(
    lines: Sequence[domain.Line], shipping: int | None = 0, taxes: totals.Taxes = UNTAXED, tax_class: str = ""
) -> domain.Quote:
    """What these lines cost when all of them are taxed by one class."""
    parcel = totals.parcel(HOME, tuple(lines))
    offers = {line.sku: domain.Offer(line.sku, line.title, line.unit_price, tax_class) for line in lines}
    cost = None if shipping is None else lines[0].in_currency(shipping)
    return totals.quote(totals.shipped(parcel, cost), taxes, offers)


def _totals(*, items: int, total: int, shipping: int = 0, taxes: int = 0, included: bool = False) -> domain.Totals:
    def usd(amount: int) -> Money:
        return Money("USD", amount)

    return domain.Totals(usd(items), usd(0), usd(shipping), usd(taxes), included, usd(total))


def test_lines_have_the_catalogs_prices_and_are_in_order_of_sku() -> None:
    lines = totals.lines_of([domain.Item("TEA", 3), domain.Item("POT", 1)], OFFERS)
    assert [(line.sku, line.total.amount) for line in lines] == [("POT", 1999), ("TEA", 1500)]
    assert quoted(lines).totals == _totals(items=3499, total=3499)


def test_every_wrong_item_is_named_at_once() -> None:
    items = [domain.Item("NONE", 1), domain.Item("TEA", 1), domain.Item("TEA", 2)]
    with pytest.raises(errors.DomainError) as raised:
        totals.lines_of(items, OFFERS)
    named = [(violation.field, violation.reason) for violation in raised.value.violations]
    assert named == [("items[0].sku", "SKU_UNKNOWN"), ("items[2].sku", "SKU_DUPLICATE")]


@pytest.mark.parametrize(
    ("skus", "reason"), [(["TEA", "EUR"], "CURRENCY_MIXED"), (["GOLD", "POT"], "ORDER_TOTAL_TOO_LARGE")]
)
def test_an_order_has_one_currency_and_a_limit(skus: list[str], reason: str) -> None:
    lines = totals.lines_of([domain.Item(sku, 2) for sku in skus], OFFERS)
    with pytest.raises(errors.DomainError) as raised:
        quoted(lines)
    assert raised.value.reason == reason


@pytest.mark.parametrize("quantity", [2, 999, 10**9])
def test_an_order_of_more_than_the_limit_says_what_the_limit_is(quantity: int) -> None:
    dearest = {"MINE": domain.Offer("MINE", "Mine", Money("USD", 10**13))}
    lines = totals.lines_of([domain.Item("MINE", quantity)], dearest)
    with pytest.raises(errors.DomainError) as raised:
        quoted(lines)
    assert (raised.value.reason, raised.value.code) == ("ORDER_TOTAL_TOO_LARGE", errors.Code.INVALID_ARGUMENT)
    assert raised.value.metadata == {"limit": "10000000.00", "currency": "USD"}
    assert "10000000.00 USD" in raised.value.message


def test_an_order_of_exactly_the_limit_is_accepted() -> None:
    offers = {"ALL": domain.Offer("ALL", "All", Money("USD", totals.MOST_TOTAL))}
    lines = totals.lines_of([domain.Item("ALL", 1)], offers)
    parcel = totals.parcel(HOME, lines)
    assert totals.quote(totals.shipped(parcel, Money("USD", 0)), UNTAXED, offers).totals.total == Money(
        "USD", totals.MOST_TOTAL
    )
    with pytest.raises(errors.DomainError, match="exceeds the maximum"):
        totals.quote(totals.shipped(parcel, Money("USD", 1)), UNTAXED, offers)


@pytest.mark.parametrize("expected", [None, Money("USD", 3499)])
def test_an_order_may_cost_what_was_agreed_or_what_nobody_asked_about(expected: Money | None) -> None:
    totals.check_expected(expected, Money("USD", 3499))


@pytest.mark.parametrize("expected", [Money("USD", 3498), Money("USD", 3500), Money("EUR", 3499), Money("USD", 0)])
def test_an_order_that_costs_something_else_than_was_agreed_says_both(expected: Money) -> None:
    with pytest.raises(errors.DomainError) as raised:
        totals.check_expected(expected, Money("USD", 3499))
    assert (raised.value.reason, raised.value.code) == ("ORDER_TOTAL_CHANGED", errors.Code.ABORTED)
    assert raised.value.metadata == {
        "total": "34.99",
        "currency": "USD",
        "expected_total": expected.decimal,
        "expected_currency": expected.currency,
    }


def test_shipping_is_split_over_the_lines_by_their_prices() -> None:
    found = quoted(totals.lines_of([domain.Item("TEA", 3), domain.Item("POT", 1)], OFFERS), 500)
    assert [(line.sku, line.charges.shipping) for line in found.lines] == [("POT", 286), ("TEA", 214)]
    assert found.totals == _totals(items=3499, shipping=500, total=3999)


def test_what_is_not_shipped_there_cannot_be_ordered() -> None:
    with pytest.raises(errors.DomainError) as raised:
        quoted(totals.lines_of([domain.Item("TEA", 1)], OFFERS), None)
    assert (raised.value.reason, raised.value.code) == ("SHIPPING_UNAVAILABLE", errors.Code.FAILED_PRECONDITION)


def test_taxes_on_top_are_added_to_the_total_and_rounded_by_line() -> None:
    lines = totals.lines_of([domain.Item("TEA", 1), domain.Item("POT", 1)], OFFERS)
    found = quoted(lines, 100, totals.Taxes(TABLE, included=False))
    # 7.25 % of 19.99 + 0.80 is 1.507275, of 5.00 + 0.20 it is 0.377.
    assert [(line.sku, line.charges.shipping, line.charges.tax) for line in found.lines] == [
        ("POT", 80, 151),
        ("TEA", 20, 38),
    ]
    assert found.totals == _totals(items=2499, shipping=100, taxes=189, total=2788)


def test_taxes_that_prices_contain_change_no_total() -> None:
    table = rates.TaxRates('{"US": {"standard": "19"}}')
    found = quoted(totals.lines_of([domain.Item("TEA", 2)], OFFERS), 190, totals.Taxes(table, included=True))
    assert found.totals == _totals(items=1000, shipping=190, taxes=190, included=True, total=1190)


def test_half_a_minor_unit_of_tax_is_rounded_up() -> None:
    line = domain.Line("TEA", "Tea", 1, Money("USD", 50))
    taxed = [
        quoted([line], 0, totals.Taxes(rates.TaxRates(f'{{"US": {{"standard": "{rate}"}}}}'), included=False))
        for rate in ("0.9999", "1", "2.9999", "3")
    ]
    assert [quote.totals.taxes.amount for quote in taxed] == [0, 1, 1, 2]


@pytest.mark.parametrize(
    ("country", "region", "tax_class", "per_cent"),
    [
        ("US", "CA", "", "7.25"),
        ("US", "ca", "books", "7.25"),
        ("US", "CA", "food", "0"),
        ("US", "NY", "", "0"),
        ("DE", "BE", "reduced", "19"),
        ("FR", "", "", "0"),
    ],
)
def test_a_rate_is_that_of_the_region_or_else_of_the_country(
    country: str, region: str, tax_class: str, per_cent: str
) -> None:
    assert rates.per_cent(TABLE.rate(country, region, tax_class)) == per_cent


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "the table must be an object"),
        ("{", "not JSON"),
        ('{"DE": "19"}', "DE must be an object"),
        ('{"DE": {"standard": 19}}', "19 is not a decimal number of 0 or more, in quotes"),
        ('{"DE": {"standard": "-1"}}', "'-1' is not a decimal number of 0 or more, in quotes"),
        ('{"DE": {"standard": "NaN"}}', "'NaN' is not a decimal number of 0 or more, in quotes"),
        ('{"DE": {"standard": "0.00001"}}', "'0.00001' has too many digits"),
    ],
)
def test_a_table_that_makes_no_sense_says_why(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        rates.TaxRates(text)


LINES = st.lists(
    st.builds(
        domain.Line,
        st.uuids().map(str),
        st.just(""),
        st.integers(1, 99),
        st.integers(1, 9999).map(lambda amount: Money("USD", amount)),
    ),
    min_size=1,
    max_size=8,
)


@given(LINES, st.integers(0, 5000), st.integers(0, 300_000), st.booleans())
def test_the_totals_are_the_sums_of_the_lines_whatever_is_ordered(
    lines: list[domain.Line],
    shipping: int,
    rate: int,
    included: bool,  # noqa: FBT001 - Hypothesis gives it by position
) -> None:
    table = rates.TaxRates(f'{{"US": {{"standard": "{rates.per_cent(rate)}"}}}}')
    found = quoted(lines, shipping, totals.Taxes(table, included=included))
    alone = [domain.totals_of([line], taxes_included=included) for line in found.lines]
    for name in ("items", "shipping", "taxes", "total"):
        assert sum(getattr(line, name).amount for line in alone) == getattr(found.totals, name).amount
    assert found.totals.shipping.amount == shipping
    assert [replace(line, charges=domain.Charges()) for line in found.lines] == lines

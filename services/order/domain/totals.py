"""What an order costs: the lines at the catalog's prices, then shipping, then taxes, each charged to the lines.

Charges are amounts of a line, so that a line that comes back gives back exactly what it cost. What belongs to the whole
order is split over its lines by largest remainder; taxes are rounded for each line, half of a minor unit upwards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from services.chassis import errors, money
from services.order import domain
from services.order.domain import rates

# Keeps sums far from what a provider or an SQL bigint can hold: ten million of most currencies.
MOST_TOTAL = 10**9


@dataclass(frozen=True, slots=True)
class Taxes:
    """The shop's tax rates, and whether the catalog's prices (and those of shipping) contain them."""

    rates: rates.TaxRates
    included: bool


def lines_of(items: Sequence[domain.Item], offers: Mapping[str, domain.Offer]) -> tuple[domain.Line, ...]:
    """The lines of an order at the catalog's prices, by SKU.

    Raises SKU_DUPLICATE and SKU_UNKNOWN, naming every wrong item at once.
    """
    seen: set[str] = set()
    wrong: list[errors.Violation] = []
    for number, item in enumerate(items):
        field = f"items[{number}].sku"
        if item.sku in seen:
            wrong.append(errors.Violation(field, f"{item.sku} appears more than once in the order", "SKU_DUPLICATE"))
        elif item.sku not in offers:
            wrong.append(errors.Violation(field, f"{item.sku} is not for sale", "SKU_UNKNOWN"))
        seen.add(item.sku)
    if wrong:
        raise errors.invalid(wrong[0].reason, "some of the items cannot be ordered", *wrong)
    ordered = sorted(items, key=lambda item: item.sku)
    return tuple(domain.Line(i.sku, offers[i.sku].title, i.quantity, offers[i.sku].price) for i in ordered)


def parcel(address: domain.Address, lines: tuple[domain.Line, ...]) -> domain.Parcel:
    """These lines as what is to be shipped. Raises CURRENCY_MIXED or ORDER_TOTAL_TOO_LARGE."""
    currency = lines[0].unit_price.currency
    for line in lines:
        if line.unit_price.currency != currency:
            said = f"all items must have the same currency, not {currency} and {line.unit_price.currency}"
            raise errors.invalid("CURRENCY_MIXED", said)
    # Summed as numbers: what no Money can hold is too large for an order, too.
    amount = sum(line.unit_price.amount * line.quantity - line.charges.discount for line in lines)
    return domain.Parcel(address, lines, _limited(currency, amount))


def quote(
    parcel: domain.Parcel, shipping: money.Money | None, taxes: Taxes, offers: Mapping[str, domain.Offer]
) -> domain.Quote:
    """What the parcel's order costs. shipping is what it costs to ship it, None when it is not shipped there.

    Raises SHIPPING_UNAVAILABLE or ORDER_TOTAL_TOO_LARGE.
    """
    country, region = parcel.address.country, parcel.address.region
    lines = tuple(
        _taxed(line, taxes.rates.rate(country, region, offers[line.sku].tax_class), included=taxes.included)
        for line in _shipped(parcel.lines, shipping)
    )
    totals = domain.totals_of(lines, taxes_included=taxes.included)
    _limited(totals.total.currency, totals.total.amount)
    return domain.Quote(lines, totals)


def check_expected(expected: money.Money | None, total: money.Money) -> None:
    """Raise ORDER_TOTAL_CHANGED, with both amounts, when the order costs something else than the customer agreed to pay."""
    if expected is None or expected == total:
        return
    raise errors.DomainError(
        errors.Code.ABORTED,
        "ORDER_TOTAL_CHANGED",
        f"the total of the order is {total}, not the expected {expected}",
        {
            "total": total.decimal,
            "currency": total.currency,
            "expected_total": expected.decimal,
            "expected_currency": expected.currency,
        },
    )


def _limited(currency: str, amount: int) -> money.Money:
    if amount > MOST_TOTAL:
        limit = money.Money(currency, MOST_TOTAL)
        said = f"the total of the order exceeds the maximum of {limit}"
        raise errors.invalid("ORDER_TOTAL_TOO_LARGE", said, limit=limit.decimal, currency=currency)
    return money.Money(currency, amount)


def _shipped(lines: tuple[domain.Line, ...], cost: money.Money | None) -> tuple[domain.Line, ...]:
    if cost is None:
        said = "these items are not shipped to that country, or not at prices in their currency"
        raise errors.precondition("SHIPPING_UNAVAILABLE", said)
    if not cost.amount:
        return lines
    shares = money.split(cost, [line.total.amount for line in lines])
    return tuple(_charged(line, shipping=share.amount) for line, share in zip(lines, shares, strict=True))


def _taxed(line: domain.Line, rate: int, *, included: bool) -> domain.Line:
    if not rate:
        return line
    base = line.total.amount - line.charges.discount + line.charges.shipping
    whole = rates.MILLION + rate if included else rates.MILLION
    # Rounded to the nearest, half upwards, in whole numbers.
    return _charged(line, tax=(2 * base * rate + whole) // (2 * whole), tax_rate=rate)


def _charged(line: domain.Line, **charges: int) -> domain.Line:
    return replace(line, charges=replace(line.charges, **charges))

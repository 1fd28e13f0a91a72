"""What an order costs: the lines at the catalog's prices, then discounts, shipping and taxes, each charged to the lines.

Charges are amounts of a line, so that a line that comes back gives back exactly what it cost. What belongs to the whole
order is split over its lines by largest remainder; taxes are rounded for each line, half of a minor unit upwards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from services import postal
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
    return tuple(
        domain.Line(item.sku, offer.title, item.quantity, offer.price, vendor_id=offer.vendor_id)
        for item in ordered
        for offer in (offers[item.sku],)
    )


def parcel(
    address: domain.Address, lines: tuple[domain.Line, ...], sent: domain.Sent = domain.AS_USUAL
) -> domain.Parcel:
    """These lines as what is to be shipped. Raises CURRENCY_MIXED or ORDER_TOTAL_TOO_LARGE."""
    currency = lines[0].unit_price.currency
    for line in lines:
        if line.unit_price.currency != currency:
            said = f"all items must have the same currency, not {currency} and {line.unit_price.currency}"
            raise errors.invalid("CURRENCY_MIXED", said)
    # Summed as numbers: what no Money can hold is too large for an order, too.
    amount = sum(line.unit_price.amount * line.quantity for line in lines)
    return domain.Parcel(address, lines, _limited(currency, amount), sent)


def sent(basket: domain.Basket, lines: Sequence[domain.Line], offers: Mapping[str, domain.Offer]) -> domain.Sent:
    """How these lines of a basket are sent."""
    return domain.Sent(basket.service_level, tuple((offers[line.sku].package, line.quantity) for line in lines))


@dataclass(frozen=True, slots=True)
class Shipped:
    """A parcel, what it costs to ship it, and the promotions that take something off. coupons says what became of codes.

    shipping is None while it is not known where to.
    """

    parcel: domain.Parcel
    shipping: money.Money | None
    discounts: tuple[domain.Discount, ...] = ()
    coupons: tuple[domain.Coupon, ...] = ()


def shipped(parcel: domain.Parcel, cost: money.Money | None) -> Shipped:
    """The parcel with what it costs to ship it. Raises SHIPPING_UNAVAILABLE when that is None."""
    if cost is None:
        said = "these items are not shipped there so fast, are too heavy for it, or not at prices in their currency"
        raise errors.precondition("SHIPPING_UNAVAILABLE", said)
    return Shipped(parcel, cost)


def quote(basket: Shipped, taxes: Taxes, offers: Mapping[str, domain.Offer]) -> domain.Quote:
    """What the order costs. Raises ORDER_TOTAL_TOO_LARGE."""
    address = basket.parcel.address
    lines = tuple(
        _taxed(line, taxes.rates.rate(address.country, address.region, offers[line.sku].tax_class), taxes)
        for line in _discounted(_shared(basket.parcel.lines, basket.shipping), basket.discounts)
    )
    totals = domain.totals_of(lines, taxes_included=taxes.included)
    _limited(totals.total.currency, totals.total.amount)
    return domain.Quote(lines, totals, basket.discounts, basket.coupons)


def check_address(problems: Sequence[postal.Problem], *, complete: bool) -> None:
    """Raise ADDRESS_INVALID, naming each field that is wrong; one that is missing only if addresses must be complete."""
    wrong = [
        errors.Violation(f"shipping_address.{problem.field}", _meant(problem), problem.reason)
        for problem in problems
        if complete or not problem.missing
    ]
    if wrong:
        raise errors.invalid("ADDRESS_INVALID", "nothing can be shipped to that address", *wrong)


def _meant(problem: postal.Problem) -> str:
    return f"{problem.message}; is {problem.suggestion} meant?" if problem.suggestion else problem.message


def check_coupons(coupons: Sequence[domain.Coupon]) -> None:
    """Raise COUPON_REFUSED, naming each code that does not apply: its customer expects another price."""
    wrong = [
        errors.Violation(f"coupon_codes[{number}]", coupon.message, coupon.refusal)
        for number, coupon in enumerate(coupons)
        if coupon.refusal
    ]
    if wrong:
        raise errors.invalid("COUPON_REFUSED", "some of the coupon codes do not apply", *wrong)


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


def _shared(lines: tuple[domain.Line, ...], cost: money.Money | None) -> tuple[domain.Line, ...]:
    if not cost or not cost.amount:
        return lines
    shares = money.split(cost, [line.total.amount for line in lines])
    return tuple(_charged(line, shipping=share.amount) for line, share in zip(lines, shares, strict=True))


def _discounted(lines: tuple[domain.Line, ...], discounts: Sequence[domain.Discount]) -> tuple[domain.Line, ...]:
    """The lines with what is taken off them, and off their shares of the shipping: never more than there is."""
    if not discounts:
        return lines
    off = sum(discount.shipping for discount in discounts)
    free = money.split(lines[0].in_currency(off), [line.charges.shipping for line in lines]) if off else []
    shares = [share.amount for share in free] or [0] * len(lines)
    taken = [sum(discount.lines.get(line.sku, 0) for discount in discounts) for line in lines]
    if any(amount > line.total.amount for line, amount in zip(lines, taken, strict=True)):
        raise ValueError("a promotion takes off more than a line costs")
    return tuple(
        _charged(line, discount=amount + share) if amount + share else line
        for line, amount, share in zip(lines, taken, shares, strict=True)
    )


def _taxed(line: domain.Line, rate: int, taxes: Taxes) -> domain.Line:
    if not rate:
        return line
    base = line.total.amount - line.charges.discount + line.charges.shipping
    whole = rates.MILLION + rate if taxes.included else rates.MILLION
    # Rounded to the nearest, half upwards, in whole numbers.
    return _charged(line, tax=(2 * base * rate + whole) // (2 * whole), tax_rate=rate)


def _charged(line: domain.Line, **charges: int) -> domain.Line:
    return replace(line, charges=replace(line.charges, **charges))

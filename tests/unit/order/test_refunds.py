"""What comes back is worth exactly what was paid for it: piece by piece, in any order, to the cent and never more."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.chassis.money import Money
from services.order import domain
from services.order.domain import rates, refunds, totals
from services.order.domain.refunds import Refund, Units

HOME = domain.Address("Ann", "1 Road", "", "Town", "CA", "90001", "US")
NOW = datetime(2026, 11, 29, tzinfo=UTC)
CENTS = st.integers(0, 100_000)
# A SKU, how many, their price, and what is taken off the line, in thousandths.
LINES = st.lists(st.tuples(st.integers(1, 9), CENTS, st.integers(0, 1000)), min_size=1, max_size=4)


def order_of(
    lines: Sequence[tuple[int, int, int]], *, shipping: int = 0, free: int = 0, rate: str = "0", included: bool = False
) -> domain.Order:
    """An order of these lines, charged as the service charges it."""
    bought = tuple(
        domain.Line(f"SKU-{number}", "Thing", quantity, Money("USD", price))
        for number, (quantity, price, _) in enumerate(lines)
    )
    off = {line.sku: line.total.amount * share // 1000 for line, (_, _, share) in zip(bought, lines, strict=True)}
    discount = domain.Discount("promotion", "Sale", "", off, shipping=min(free, shipping))
    shares = any(line.total.amount for line in bought)
    discount = discount if shares else domain.Discount("promotion", "Sale", "", off)
    parcel = totals.parcel(HOME, bought)
    shipped = totals.Shipped(parcel, Money("USD", shipping if shares else 0), (discount,))
    taxes = totals.Taxes(rates.TaxRates(f'{{"US": {{"standard": "{rate}"}}}}'), included)
    offers = {line.sku: domain.Offer(line.sku, "Thing", line.unit_price, "standard") for line in bought}
    quote = totals.quote(shipped, taxes, offers)
    return domain.Order("order", "user", quote.lines, quote.totals.total, HOME, "card", NOW, included, quote.discounts)


ORDERS = st.builds(
    order_of,
    LINES,
    shipping=CENTS,
    free=CENTS,
    rate=st.sampled_from(["0", "7.25", "19", "33.333"]),
    included=st.booleans(),
)


def amount(order: domain.Order, due: dict[str, Refund]) -> int:
    return sum(due.values(), refunds.NOTHING).amount(taxes_included=order.taxes_included)


@given(ORDERS, st.data())
def test_an_order_that_comes_back_piece_by_piece_gives_back_what_was_paid_and_no_piece_is_negative(
    order: domain.Order, data: st.DataObject
) -> None:
    units = [line.sku for line in order.lines for _ in range(line.quantity)]
    before: dict[str, Units] = {}
    got = 0
    for sku in data.draw(st.permutations(units)):
        came = {sku: Units(1, data.draw(st.integers(0, 1)))}
        piece = amount(order, refunds.due(order, before, came))
        before[sku] = before.get(sku, refunds.NONE) + came[sku]
        got += piece
        assert piece >= 0
        assert got <= order.total.amount
    assert got == order.total.amount


@given(ORDERS)
def test_an_order_that_comes_back_at_once_gives_back_each_line_what_it_cost(order: domain.Order) -> None:
    due = refunds.due(order, {}, {line.sku: Units(line.quantity) for line in order.lines})
    for line in order.lines:
        paid = line.payable(taxes_included=order.taxes_included).amount
        assert due.get(line.sku, refunds.NOTHING).amount(taxes_included=order.taxes_included) == paid


@given(ORDERS, st.data())
def test_units_give_back_as_much_whether_they_come_together_or_apart(order: domain.Order, data: st.DataObject) -> None:
    line = data.draw(st.sampled_from(order.lines))
    together, first = Units(line.quantity, line.quantity), Units(1, 1)
    rest = Units(line.quantity - 1, line.quantity - 1)
    apart = amount(order, refunds.due(order, {}, {line.sku: first})) + amount(
        order, refunds.due(order, {line.sku: first}, {line.sku: rest})
    )
    assert amount(order, refunds.due(order, {}, {line.sku: together})) == apart


def test_a_discount_and_the_taxes_on_it_come_back_with_the_units_that_they_belong_to() -> None:
    # 3 at 10.00, 10 % off, 19 % on top: 27.00 and 5.13.
    order = order_of([(3, 1000, 100), (1, 500, 0)], rate="19")
    assert refunds.due(order, {}, {"SKU-0": Units(1)})["SKU-0"] == Refund(1000, 100, 0, 171)
    assert refunds.due(order, {"SKU-0": Units(1)}, {"SKU-0": Units(2)})["SKU-0"] == Refund(2000, 200, 0, 342)


def test_shipping_is_given_back_for_what_is_wrong_and_not_for_a_change_of_mind() -> None:
    order = order_of([(2, 1000, 0), (1, 1000, 0)], shipping=600)
    assert amount(order, refunds.due(order, {}, {"SKU-0": Units(1, 0)})) == 1000
    assert amount(order, refunds.due(order, {}, {"SKU-0": Units(1, 1)})) == 1200


def test_all_of_the_shipping_is_given_back_with_the_last_unit_of_an_order() -> None:
    order = order_of([(2, 1000, 0), (1, 1000, 0)], shipping=600)
    due = refunds.due(order, {"SKU-0": Units(2, 1)}, {"SKU-1": Units(1, 0)})
    assert amount(order, due) == 1000 + 400
    assert due["SKU-0"] == Refund(shipping=200)


def test_shipping_that_a_promotion_paid_for_is_not_given_back() -> None:
    order = order_of([(1, 1000, 0)], shipping=600, free=600)
    assert amount(order, refunds.due(order, {}, {"SKU-0": Units(1, 1)})) == order.total.amount == 1000


@given(ORDERS, st.data())
def test_what_is_charged_to_vendors_piece_by_piece_is_what_was_theirs_and_within_each_refund(
    order: domain.Order, data: st.DataObject
) -> None:
    owners = [replace(line, vendor_id=data.draw(st.sampled_from(["", "a", "b"]))) for line in order.lines]
    order = replace(order, lines=tuple(owners))
    before: dict[str, Units] = {}
    charged: Counter[str] = Counter()
    for sku in data.draw(st.permutations([line.sku for line in order.lines for _ in range(line.quantity)])):
        came = {sku: Units(1, data.draw(st.integers(0, 1)))}
        step = refunds.charged(order, before, came)
        assert all(part > 0 for part in step.values())
        assert sum(step.values()) <= amount(order, refunds.due(order, before, came))
        charged.update(step)
        before[sku] = before.get(sku, refunds.NONE) + came[sku]
    assert dict(charged) == refunds.shares(order)
    assert sum(charged.values()) <= order.total.amount

"""What customers get for what they send back: a pure function of how much of each line has come back so far.

A return is worth what all that came back is worth after it, less what it was worth before it. So whatever comes back piece by
piece, the pieces add up to what was paid for it, to the cent, and all pieces of an order to all that was paid.

What belongs to a line's items (their price, their discount, their taxes) comes back unit by unit. Its share of the shipping, with
the taxes on it, comes back for units that the shop is at fault for, and all of it once the whole order has come back.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from services.chassis import money
from services.order import domain


@dataclass(frozen=True, slots=True)
class Units:
    """How many units of a SKU came back, and how many of them because of the shop."""

    accepted: int = 0
    faulty: int = 0

    def __add__(self, other: "Units") -> "Units":
        return Units(self.accepted + other.accepted, self.faulty + other.faulty)


NONE = Units()


@dataclass(frozen=True, slots=True)
class Refund:
    """Money by what for, in minor units: items - discounts + shipping, and taxes on top unless prices contain them."""

    items: int = 0
    discounts: int = 0
    shipping: int = 0
    taxes: int = 0

    def __add__(self, other: "Refund") -> "Refund":
        return Refund(
            self.items + other.items,
            self.discounts + other.discounts,
            self.shipping + other.shipping,
            self.taxes + other.taxes,
        )

    def __sub__(self, other: "Refund") -> "Refund":
        return Refund(
            self.items - other.items,
            self.discounts - other.discounts,
            self.shipping - other.shipping,
            self.taxes - other.taxes,
        )

    def amount(self, *, taxes_included: bool) -> int:
        """What the customer gets."""
        return self.items - self.discounts + self.shipping + (0 if taxes_included else self.taxes)


Back = Mapping[str, Units]
NOTHING = Refund()


def due(order: domain.Order, before: Back, now: Back) -> dict[str, Refund]:
    """What is due when `now` comes back after `before`, by SKU: of SKUs that came back before their shipping, if anything."""
    after = {line.sku: before.get(line.sku, NONE) + now.get(line.sku, NONE) for line in order.lines}
    was, becomes = worth(order, before), worth(order, after)
    return {sku: becomes[sku] - was[sku] for sku in becomes if becomes[sku] != was[sku]}


def worth(order: domain.Order, back: Back) -> dict[str, Refund]:
    """What so much of an order is worth in all, by SKU."""
    whole = all(back.get(line.sku, NONE).accepted == line.quantity for line in order.lines)
    return {line.sku: _of_line(order, line, back.get(line.sku, NONE), whole=whole) for line in order.lines}


def of_vendors(order: domain.Order, back: Back) -> dict[str, int]:
    """What so much of an order's lines is worth by the vendor whose they are, in minor units.

    Shipping, with the taxes on it, is the shop's own, like the lines of no vendor.
    """
    worth_of: dict[str, int] = {}
    for line in order.lines:
        if line.vendor_id:
            units = Units(back.get(line.sku, NONE).accepted)
            amount = _of_line(order, line, units, whole=False).amount(taxes_included=order.taxes_included)
            worth_of[line.vendor_id] = worth_of.get(line.vendor_id, 0) + amount
    return {vendor_id: amount for vendor_id, amount in worth_of.items() if amount}


def shares(order: domain.Order) -> dict[str, int]:
    """What of an order's total belongs to vendors."""
    return of_vendors(order, {line.sku: Units(line.quantity) for line in order.lines if line.vendor_id})


def charged(order: domain.Order, before: Back, now: Back) -> dict[str, int]:
    """What of the money that is due for `now` after `before` is charged to vendors."""
    after = {line.sku: before.get(line.sku, NONE) + now.get(line.sku, NONE) for line in order.lines}
    was = of_vendors(order, before)
    steps = {vendor: amount - was.get(vendor, 0) for vendor, amount in of_vendors(order, after).items()}
    return {vendor: step for vendor, step in steps.items() if step}


def _of_line(order: domain.Order, line: domain.Line, units: Units, *, whole: bool) -> Refund:
    discount = sum(one.lines.get(line.sku, 0) for one in order.discounts)
    # The rest of the line's discount was taken off its share of the shipping.
    shipping = line.charges.shipping - (line.charges.discount - discount)
    of_shipping, of_items = _taxes(line, [shipping, line.total.amount - discount])
    sent_for_nothing = line.quantity if whole else units.faulty
    return Refund(
        items=_share(line.total.amount, units.accepted, line.quantity),
        discounts=_share(discount, units.accepted, line.quantity),
        shipping=_share(shipping, sent_for_nothing, line.quantity),
        taxes=_share(of_items, units.accepted, line.quantity) + _share(of_shipping, sent_for_nothing, line.quantity),
    )


def _taxes(line: domain.Line, bases: list[int]) -> list[int]:
    """A line's taxes by what they are on."""
    if not line.charges.tax:
        return [0, 0]
    return [part.amount for part in money.split(line.in_currency(line.charges.tax), bases)]


def _share(amount: int, units: int, of: int) -> int:
    # Rounded down for what came back so far: the last unit brings what is left.
    return amount * units // of

"""What the order service says that a cart would cost as an order: values without rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.cart.domain.values import Lines
from services.chassis import money


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a cart would be shipped to, as far as shipping and taxes depend on it, and how fast (empty: as usual).

    country is ISO 3166-1, or empty.
    """

    country: str = ""
    region: str = ""
    service_level: str = ""


NOWHERE = Destination()


@dataclass(frozen=True, slots=True)
class Question:
    """A cart whose price is asked for. user_id is empty for a guest's."""

    lines: Lines
    codes: tuple[str, ...]
    user_id: str
    destination: Destination


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a coupon code applies, and why not. refusal is empty if it does; the names are those of the contract."""

    refusal: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Discount:
    """What a promotion takes off, from items and shipping together. code is empty for one that needs none."""

    promotion_id: str
    title: str
    code: str
    amount: money.Money


@dataclass(frozen=True, slots=True)
class Totals:
    """What an order would cost, by what for. shipping and taxes are None while the destination is not known."""

    items: money.Money
    discounts: money.Money
    shipping: money.Money | None
    taxes: money.Money | None
    taxes_included: bool
    total: money.Money


@dataclass(frozen=True, slots=True)
class Quote:
    """The answer: totals, what is taken off by SKU and by promotion, and verdicts by code.

    totals are None when nothing is for sale, or when an order is refused: then refusal has the reason.
    """

    totals: Totals | None = None
    off: Mapping[str, money.Money] = field(default_factory=dict)
    discounts: tuple[Discount, ...] = ()
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    refusal: str = ""


NOTHING = Quote()

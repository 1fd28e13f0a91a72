"""What a promotion promises: its terms, which of them make sense, and from when until when they hold."""

import functools
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from services.chassis import errors, money

# All of a price, in hundredths of a percent.
WHOLE = 10_000


class Refusal(StrEnum):
    """Why a code, or the promotion of a discount that was promised, does not apply. The words are those of the contract."""

    CODE_UNKNOWN = "CODE_UNKNOWN"
    NOT_STARTED = "NOT_STARTED"
    ENDED = "ENDED"
    OUT_OF_SCOPE = "OUT_OF_SCOPE"
    CURRENCY_DIFFERENT = "CURRENCY_DIFFERENT"
    BELOW_MINIMUM_SPEND = "BELOW_MINIMUM_SPEND"
    NOT_FIRST_ORDER = "NOT_FIRST_ORDER"
    LIMIT_REACHED = "LIMIT_REACHED"
    CUSTOMER_LIMIT_REACHED = "CUSTOMER_LIMIT_REACHED"
    CODE_USED = "CODE_USED"
    NOT_COMBINABLE = "NOT_COMBINABLE"
    PROMOTION_REPEATED = "PROMOTION_REPEATED"
    PROMOTION_CHANGED = "PROMOTION_CHANGED"
    SHIPPING_UNKNOWN = "SHIPPING_UNKNOWN"


@dataclass(frozen=True, slots=True)
class Percentage:
    """A share of the price of all items in scope, in hundredths of a percent."""

    basis_points: int


@dataclass(frozen=True, slots=True)
class FixedAmount:
    """An amount once per order, split over the items in scope."""

    amount: money.Money


@dataclass(frozen=True, slots=True)
class FreeShipping:
    """The shipping of an order with an item in scope."""


@dataclass(frozen=True, slots=True)
class BuyXGetY:
    """A share of the price of the `get` cheapest of every `buy` + `get` units. most_times 0: as often as there are units."""

    buy: int
    get: int
    basis_points: int
    most_times: int = 0


@dataclass(frozen=True, slots=True)
class Tier:
    """What is taken off when the items in scope cost at least `minimum`: an amount, or without one a share."""

    minimum: money.Money
    basis_points: int = 0
    amount: money.Money | None = None


@dataclass(frozen=True, slots=True)
class Tiered:
    """Of the tiers that are reached the highest applies, alone."""

    tiers: tuple[Tier, ...]


Kind = Percentage | FixedAmount | FreeShipping | BuyXGetY | Tiered


@dataclass(frozen=True, slots=True)
class Scope:
    """Items: those that match each set that is not empty."""

    product_ids: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    vendor_ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Window:
    """From when until when, in local time of a zone; the end is excluded. Empty texts: from ever, for ever, the shop's zone."""

    start_local: str = ""
    end_local: str = ""
    time_zone: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a promotion promises, as an administrator says it. Limits of 0 are none."""

    title: str
    kind: Kind
    automatic: bool = False
    scope: Scope = Scope()
    minimum_spend: money.Money | None = None
    first_order_only: bool = False
    window: Window = Window()
    most_uses: int = 0
    most_uses_per_customer: int = 0
    exclusive: bool = False
    priority: int = 0

    @property
    def most_per_customer(self) -> int:
        """How many orders of one customer can use it: nobody has two first orders."""
        return 1 if self.first_order_only else self.most_uses_per_customer

    @property
    def currency(self) -> str:
        """The currency of its amounts; empty when it has none, and applies to every currency."""
        return next((amount.currency for amount in amounts(self)), "")


@dataclass(frozen=True, slots=True)
class Promotion:
    """A promotion: its terms, the moments of its window, and how many orders use it. version counts changes of its terms."""

    id: str
    terms: Terms
    start_time: datetime | None
    end_time: datetime | None
    create_time: datetime
    update_time: datetime
    version: int = 1
    uses: int = 0

    @property
    def must_be_claimed(self) -> bool:
        """Whether an order has to claim its use: by a code, or because there is a limit."""
        terms = self.terms
        return bool(not terms.automatic or terms.most_uses or terms.most_per_customer)

    def closed(self, moment: datetime) -> Refusal | None:
        """Why it does not apply at this moment; None when it does."""
        if self.start_time and moment < self.start_time:
            return Refusal.NOT_STARTED
        if self.end_time and moment >= self.end_time:
            return Refusal.ENDED
        return None


@dataclass(frozen=True, slots=True)
class Draft:
    """A promotion to be made, who says so, and how the request is told from others. request_id may be empty."""

    terms: Terms
    actor: str
    request_id: str = ""
    fingerprint: bytes = b""


@dataclass(frozen=True, slots=True)
class Edit:
    """New terms of a promotion, said by who read this version of it."""

    promotion_id: str
    version: int
    terms: Terms


def new(promotion_id: str, terms: Terms, *, shop_zone: str, now: datetime) -> Promotion:
    """A promotion with these terms. Raises what `check` and `moments` do."""
    check(terms)
    start_time, end_time = moments(terms.window, shop_zone)
    return Promotion(promotion_id, terms, start_time, end_time, create_time=now, update_time=now)


def revised(promotion: Promotion, edit: Edit, *, shop_zone: str, now: datetime) -> Promotion:
    """The promotion with other terms; the same one, when they are what it has already.

    Raises VERSION_CHANGED, PROMOTION_ENDED, LIMIT_BELOW_USES, and what `check` and `moments` do.
    """
    check(edit.terms)
    start_time, end_time = moments(edit.terms.window, shop_zone)
    if promotion.version == edit.version + 1 and promotion.terms == edit.terms:
        return promotion
    if promotion.version != edit.version:
        said = "the promotion was changed since it was read"
        raise errors.DomainError(errors.Code.ABORTED, "VERSION_CHANGED", said, {"version": str(promotion.version)})
    check_open(promotion, now)
    if edit.terms.most_uses and edit.terms.most_uses < promotion.uses:
        said = f"{promotion.uses} orders use the promotion already"
        raise errors.precondition("LIMIT_BELOW_USES", said, uses=str(promotion.uses))
    return replace(
        promotion,
        terms=edit.terms,
        version=promotion.version + 1,
        start_time=start_time,
        end_time=end_time,
        update_time=now,
    )


def ended(promotion: Promotion, now: datetime) -> Promotion:
    """The promotion, at an end. What had ended stays as it is."""
    if promotion.closed(now) is Refusal.ENDED:
        return promotion
    return replace(promotion, end_time=now, update_time=now)


def check_open(promotion: Promotion, now: datetime) -> None:
    """Raise PROMOTION_ENDED for one that has ended."""
    if promotion.closed(now) is Refusal.ENDED:
        raise errors.precondition("PROMOTION_ENDED", "the promotion has ended")


def amounts(terms: Terms) -> Iterator[money.Money]:
    """All amounts in the terms."""
    yield from (amount for _, amount in _named_amounts(terms))


def _named_amounts(terms: Terms) -> Iterator[tuple[str, money.Money]]:
    """Each amount in the terms and the field of a request that said it."""
    if terms.minimum_spend is not None:
        yield "terms.minimum_spend", terms.minimum_spend
    if isinstance(terms.kind, FixedAmount):
        yield "terms.fixed_amount.amount", terms.kind.amount
    if isinstance(terms.kind, Tiered):
        for number, tier in enumerate(terms.kind.tiers):
            yield f"terms.tiered.tiers[{number}].minimum", tier.minimum
            if tier.amount is not None:
                yield f"terms.tiered.tiers[{number}].amount", tier.amount


def check(terms: Terms) -> None:
    """Raise AMOUNT_INVALID, CURRENCY_MIXED, MONEY_INVALID or TIERS_INVALID for terms that make no sense."""
    for field, amount in _named_amounts(terms):
        if amount.amount <= 0:
            raise _wrong("AMOUNT_INVALID", field, "the amount must be more than zero")
        if amount.currency != terms.currency:
            raise _wrong("CURRENCY_MIXED", field, "all amounts of a promotion must be in one currency")
    if terms.currency:
        money.check_current(terms.currency)
    if isinstance(terms.kind, Tiered):
        minimums = {tier.minimum for tier in terms.kind.tiers}
        if len(minimums) < len(terms.kind.tiers):
            raise _wrong("TIERS_INVALID", "terms.tiered.tiers", "the tiers must have different minimums")


def moments(window: Window, shop_zone: str, *, field: str = "terms.") -> tuple[datetime | None, datetime | None]:
    """When the window begins and ends, in UTC; None: never. Raises WINDOW_INVALID or TIME_ZONE_UNKNOWN.

    field is what the names of the request's fields begin with.
    """
    name = window.time_zone or shop_zone
    if name not in zones():
        raise _wrong("TIME_ZONE_UNKNOWN", f"{field}time_zone", "the time zone is not a name of the IANA database")
    zone = zoneinfo.ZoneInfo(name)
    start = _moment(f"{field}start_local", window.start_local, zone)
    end = _moment(f"{field}end_local", window.end_local, zone)
    if start and end and end <= start:
        raise _wrong("WINDOW_INVALID", f"{field}end_local", "the end must be after the start")
    return start, end


@functools.cache
def zones() -> frozenset[str]:
    """The time zones that this system knows."""
    return frozenset(zoneinfo.available_timezones())


def _moment(field: str, local: str, zone: zoneinfo.ZoneInfo) -> datetime | None:
    if not local:
        return None
    try:
        # Without a fold: of a local time that occurs twice the first, and what is skipped counts by the offset before.
        return datetime.strptime(local, "%Y-%m-%dT%H:%M").replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _wrong("WINDOW_INVALID", field, "there is no such date or time") from error


def _wrong(reason: str, field: str, said: str) -> errors.DomainError:
    return errors.invalid(reason, said, errors.Violation(field, said, reason))

"""Which orders may use promotions: claims as a pure function over a batch of orders, and the facts that answer them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.chassis import money
from services.promotion.domain import promotions
from services.promotion.domain.codes import Code
from services.promotion.domain.promotions import Promotion, Refusal


class Status(StrEnum):
    """Where a redemption is. The words are those of SQL."""

    CLAIMED = "CLAIMED"
    COMMITTED = "COMMITTED"
    RELEASED = "RELEASED"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class Promised:
    """A discount that an order was promised, by which version of which promotion, and by which code (empty: without one)."""

    promotion_id: str
    version: int
    code: str
    discount: money.Money


@dataclass(frozen=True, slots=True)
class Wish:
    """An order that was placed at this moment, and what it was promised."""

    order_id: str
    user_id: str
    placed: datetime
    promised: tuple[Promised, ...]


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A confirmed order: what it uses is used for good."""

    order_id: str


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A cancelled order: what it uses can be used by others."""

    order_id: str


@dataclass(frozen=True, slots=True)
class Use:
    """A promotion used by an order, or refused to it (then refusal says why)."""

    order_id: str
    promotion_id: str
    code: str
    user_id: str
    discount: money.Money
    status: Status
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A promotion that an order cannot use, and why."""

    promotion_id: str
    code: str
    reason: Refusal


@dataclass(frozen=True, slots=True)
class CouponsRedeemed:
    """The uses of all promotions of an order are claimed for it."""

    order_id: str


@dataclass(frozen=True, slots=True)
class CouponsRefused:
    """An order cannot use its promotions, and none of them is used."""

    order_id: str
    refused: tuple[Refused, ...]


@dataclass(frozen=True, slots=True)
class CouponsReleased:
    """Nothing is claimed for an order any more."""

    order_id: str


@dataclass(slots=True)
class Counts:
    """What is known of the promotions and codes of a batch, locked: how many more orders each of them can have.

    by_customer is how many orders of a customer use a promotion, by (promotion, customer).
    """

    promotions: Mapping[str, Promotion]
    codes: Mapping[str, Code]
    by_customer: dict[tuple[str, str], int]
    granted: dict[str, int] = field(default_factory=dict)
    granted_codes: dict[str, int] = field(default_factory=dict)

    def grant(self, wish: Wish) -> None:
        """Count the uses of an order, so that the next one finds them gone."""
        for item in wish.promised:
            customer = (item.promotion_id, wish.user_id)
            self.granted[item.promotion_id] = self.granted.get(item.promotion_id, 0) + 1
            self.by_customer[customer] = self.by_customer.get(customer, 0) + 1
            if item.code:
                self.granted_codes[item.code] = self.granted_codes.get(item.code, 0) + 1


def claim(wishes: Sequence[Wish], counts: Counts) -> dict[str, tuple[Refused, ...]]:
    """Grant each order all of its uses or none, in the order they came: why, for each order that gets none.

    What is granted to one order is counted, and not there for the next.
    """
    refused: dict[str, tuple[Refused, ...]] = {}
    for wish in wishes:
        wrong = tuple(
            Refused(item.promotion_id, item.code, reason)
            for number, item in enumerate(wish.promised)
            if (reason := _refusal(wish, number, counts))
        )
        if wrong:
            refused[wish.order_id] = wrong
        else:
            counts.grant(wish)
    return refused


def _refusal(wish: Wish, number: int, counts: Counts) -> Refusal | None:
    item = wish.promised[number]
    if any(item.promotion_id == other.promotion_id for other in wish.promised[:number]):
        return Refusal.PROMOTION_REPEATED
    promotion = counts.promotions.get(item.promotion_id)
    if promotion is None:
        return Refusal.CODE_UNKNOWN
    return (
        promotion.closed(wish.placed)
        or _change(item, promotion)
        or _code_refusal(item, promotion, counts)
        or _limit(wish.user_id, promotion, counts)
    )


def _change(item: Promised, promotion: Promotion) -> Refusal | None:
    """Whether the promotion promises something else by now than it did when the order was quoted."""
    kind = promotion.terms.kind
    most = kind.amount.amount if isinstance(kind, promotions.FixedAmount) else item.discount.amount
    same = item.version == promotion.version and 0 < item.discount.amount <= most
    same = same and promotion.terms.currency in ("", item.discount.currency)
    return None if same else Refusal.PROMOTION_CHANGED


def _code_refusal(item: Promised, promotion: Promotion, counts: Counts) -> Refusal | None:
    if promotion.terms.automatic and not item.code:
        return None
    code = counts.codes.get(item.code)
    if code is None or code.promotion_id != promotion.id:
        return Refusal.CODE_UNKNOWN
    if code.left is not None and code.left <= counts.granted_codes.get(code.code, 0):
        return Refusal.CODE_USED
    return None


def _limit(user_id: str, promotion: Promotion, counts: Counts) -> Refusal | None:
    terms = promotion.terms
    if terms.most_uses and promotion.uses + counts.granted.get(promotion.id, 0) >= terms.most_uses:
        return Refusal.LIMIT_REACHED
    if terms.most_per_customer and counts.by_customer.get((promotion.id, user_id), 0) >= terms.most_per_customer:
        return Refusal.CUSTOMER_LIMIT_REACHED
    return None


def uses_of(wish: Wish, refused: Sequence[Refused]) -> list[Use]:
    """The rows that say what became of an order's wish: one for each promotion."""
    why = {item.promotion_id: item.reason for item in refused}
    status = Status.REFUSED if refused else Status.CLAIMED
    first: dict[str, Promised] = {}
    for item in wish.promised:
        first.setdefault(item.promotion_id, item)
    return [
        Use(
            order_id=wish.order_id,
            promotion_id=item.promotion_id,
            code=item.code,
            user_id=wish.user_id,
            discount=item.discount,
            status=status,
            refusal=why.get(item.promotion_id, ""),
        )
        for item in first.values()
    ]

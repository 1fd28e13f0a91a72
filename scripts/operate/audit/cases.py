"""What must hold of an order that came to rest: pure rules about what three services and nobody else know of it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

CONFIRMED = "CONFIRMED"
# Where a payment is when nothing is held or kept.
GIVEN_BACK = frozenset({"VOIDED", "REFUNDED", "DECLINED"})


@dataclass(frozen=True, slots=True)
class Order:
    """An order at rest: CONFIRMED or CANCELLED, its total in minor units, and how many of each SKU it wants."""

    id: str
    status: str
    currency: str
    total: int
    wanted: Counter[str]


@dataclass(frozen=True, slots=True)
class Money:
    """An order's payment: what was taken and given back, in minor units. No state: it has none."""

    state: str = ""
    currency: str = ""
    captured: int = 0
    refunded: int = 0


@dataclass(frozen=True, slots=True)
class Goods:
    """An order's stock by SKU: what is held, what was committed, and what its movements took off the shelf."""

    held: Counter[str] = field(default_factory=Counter)
    committed: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)


def disagreements(order: Order, money: Money, goods: Goods) -> Iterator[str]:
    """What does not fit together, a line each."""
    for complaint in (*_of_money(order, money), *_of_goods(order, goods)):
        yield f"order {order.id} ({order.status}): {complaint}"


def _of_money(order: Order, money: Money) -> Iterator[str]:
    if order.status != CONFIRMED:
        if money.captured != money.refunded:
            yield f"{money.captured - money.refunded} {money.currency} of its money are kept"
        if money.state and money.state not in GIVEN_BACK:
            yield f"its payment is {money.state}"
        return
    # What an administrator gave back of it was taken before.
    if (money.captured, money.currency) != (order.total, order.currency):
        yield f"{money.captured} {money.currency} were taken, due are {order.total} {order.currency}"


def _of_goods(order: Order, goods: Goods) -> Iterator[str]:
    due = order.wanted if order.status == CONFIRMED else Counter[str]()
    if goods.held:
        yield f"stock is still held: {dict(goods.held)}"
    if goods.committed != due:
        yield f"stock committed is {dict(goods.committed)}, due is {dict(due)}"
    if goods.taken != due:
        yield f"stock that left the shelf is {dict(goods.taken)}, due is {dict(due)}"

"""What must hold of an order that came to rest: pure rules about what its books say, which nobody else may know better.

These are all the rules there are: `make audit`, the bench and the tests ask the same. A reader that cannot see a book leaves
it out (None), and what would need it is not judged.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

CANCELLED = "CANCELLED"
# An order that is paid and off the shelf: on its way, or there. CONFIRMED is the end of those of before there were parcels.
KEPT = frozenset({"CONFIRMED", "FULFILLING", "SHIPPED", "DELIVERED"})
# An order that is kept and has parcels: those of before there were parcels have none, and end as CONFIRMED.
SENT = KEPT - {"CONFIRMED"}
# A parcel that the carrier has, or had; and one of which nothing is or will be sent.
LEFT = frozenset(
    {
        *("HANDED_OVER", "IN_TRANSIT", "OUT_FOR_DELIVERY", "DELIVERY_FAILED", "DELIVERED"),
        *("RETURNING", "RETURNED", "LOST", "DAMAGED"),
    }
)
NOT_SENT = frozenset({"STOPPED", "VOIDING", "LABELLING_STOPPED", "LABEL_REFUSED"})
# Where the saga of an order is that came to rest.
RESTS = frozenset({"DONE", "DELIVERY"})
# Where a payment is when nothing is held or kept.
GIVEN_BACK = frozenset({"VOIDED", "REFUNDED", "DECLINED"})


@dataclass(frozen=True, slots=True)
class Order:
    """An order, its total and what its lines come to in minor units, how many of each SKU it wants, and its history.

    The history is (sequence, status), oldest first. `discounted` is what is taken off its lines, `discounts` what promotions
    take off, and `promised` that of those which it must redeem, by promotion.
    """

    id: str
    status: str
    step: str
    currency: str
    total: int
    payable: int
    wanted: Counter[str]
    version: int
    payment_id: str
    history: tuple[tuple[int, str], ...]
    discounted: int = 0
    discounts: int = 0
    promised: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Provider:
    """What the provider did for an order by its own log: the sums of each effect, and how often money was reserved."""

    moved: Counter[str] = field(default_factory=Counter)
    charges: int = 0


@dataclass(frozen=True, slots=True)
class Money:
    """An order's payment in minor units, and its ledger. No state: it has none.

    `asked_back` is what persons wanted refunded of it, whatever became of that; `failed` what was given back and failed late.
    `provider` is None where it tells no log.
    """

    payment_id: str = ""
    state: str = ""
    currency: str = ""
    captured: int = 0
    refunded: int = 0
    receivable: int = 0
    asked_back: int = 0
    failed: int = 0
    provider: Provider | None = None


@dataclass(frozen=True, slots=True)
class Goods:
    """An order's stock by SKU: what is held, what was committed, and what its movements took off the shelf."""

    held: Counter[str] = field(default_factory=Counter)
    committed: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Coupons:
    """What an order uses of promotions, by promotion: discounts that are claimed, and those that are used for good."""

    claimed: dict[str, int] = field(default_factory=dict)
    committed: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One parcel of an order: its state, how many of each SKU are in it, and whether it has a label.

    `bought` is how many labels the carrier sold for it by its own log; None where it tells none.
    """

    id: str
    state: str
    lines: Counter[str]
    labelled: bool = False
    bought: int | None = None


@dataclass(frozen=True, slots=True)
class Papers:
    """What an order's invoice and its credit notes come to."""

    invoiced: int = 0
    credited: int = 0


@dataclass(frozen=True, slots=True)
class Return:
    """One return of an order: the units that it claims, those that can be sold again, and what was given back for it.

    due and refunded are what its order says, None before the inspection and before the refund; given is what its payment says
    (None: nothing yet), and shelved what inventory put on shelves.
    """

    id: str
    status: str
    claims: Counter[str]
    resell: Counter[str]
    due: int | None = None
    refunded: int | None = None
    given: int | None = None
    shelved: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Case:
    """One order in everybody's books."""

    order: Order
    money: Money
    goods: Goods
    coupons: Coupons = field(default_factory=Coupons)
    parcels: tuple[Parcel, ...] = ()
    returns: tuple[Return, ...] = ()
    papers: Papers | None = None


def disagreements(case: Case) -> Iterator[str]:
    """What does not fit together, a line each."""
    order = case.order
    found = (*_of_order(case), *_of_money(order, case.money), *_of_goods(order, case.goods))
    after = (*_of_parcels(order, case.parcels), *_of_returns(order, case.money, case.returns), *_of_papers(case))
    for complaint in (*found, *_of_coupons(order, case.coupons), *after):
        yield f"order {case.order.id} ({case.order.status}): {complaint}"


def _of_order(case: Case) -> Iterator[str]:
    order = case.order
    if order.status not in KEPT | {CANCELLED} or order.step not in RESTS:
        yield f"it is not at an end: {order.step}"
    if order.payable != order.total:
        yield f"its lines come to {order.payable} {order.currency}, its total is {order.total} {order.currency}"
    if order.discounted != order.discounts:
        yield f"its lines are discounted by {order.discounted}, its promotions take off {order.discounts}"
    if [sequence for sequence, _ in order.history] != list(range(1, order.version + 1)):
        yield f"its history has gaps: {order.history}, version {order.version}"
    elif order.history[-1][1] != order.status:
        yield f"its history ends with {order.history[-1][1]}"
    if order.payment_id and order.payment_id != case.money.payment_id:
        yield f"it names payment {order.payment_id}, its payment is {case.money.payment_id or 'not there'}"


def _of_money(order: Order, money: Money) -> Iterator[str]:
    if order.status in KEPT:
        # What costs nothing has no payment.
        if (money.captured, money.currency or order.currency) != (order.total, order.currency):
            yield f"{money.captured} {money.currency} were taken, due are {order.total} {order.currency}"
        if money.refunded > money.asked_back:
            yield f"{money.refunded} {money.currency} were given back, of which {money.asked_back} were asked for"
    else:
        if money.captured != money.refunded:
            yield f"{money.captured - money.refunded} {money.currency} of its money are kept"
        if money.state and money.state not in GIVEN_BACK:
            yield f"its payment is {money.state}"
    if money.receivable != money.captured - money.refunded:
        yield f"its ledger says {money.receivable}, its payment {money.captured} - {money.refunded}"
    if money.provider:
        yield from _at_provider(money, money.provider)


def _at_provider(money: Money, provider: Provider) -> Iterator[str]:
    moved = provider.moved
    if provider.charges > 1:
        yield f"it was charged {provider.charges} times"
    if (money.captured, money.refunded) != (moved["captured"], moved["refunded"]):
        yield f"its payment says {money.captured} - {money.refunded}, the provider {dict(moved)}"
    if moved["authorized"] != moved["captured"] + moved["voided"]:
        yield f"the provider still holds money: {dict(moved)}"


def _of_goods(order: Order, goods: Goods) -> Iterator[str]:
    due = order.wanted if order.status in KEPT else Counter[str]()
    if goods.held:
        yield f"stock is still held: {dict(goods.held)}"
    if goods.committed != due:
        yield f"stock committed is {dict(goods.committed)}, due is {dict(due)}"
    if goods.taken != due:
        yield f"stock that left the shelf is {dict(goods.taken)}, due is {dict(due)}"


def _of_coupons(order: Order, coupons: Coupons) -> Iterator[str]:
    due = order.promised if order.status in KEPT else {}
    if coupons.claimed:
        yield f"coupons are still claimed: {coupons.claimed}"
    if coupons.committed != due:
        yield f"coupons used are {coupons.committed}, due are {dict(due)}"


def _of_parcels(order: Order, parcels: tuple[Parcel, ...]) -> Iterator[str]:
    inside: Counter[str] = sum((parcel.lines for parcel in parcels), Counter[str]())
    if order.status in SENT and inside != order.wanted:
        yield f"in its parcels are {dict(inside)}, wanted are {dict(order.wanted)}"
    due = {"SHIPPED": LEFT, "DELIVERED": frozenset({"DELIVERED"}), "CANCELLED": NOT_SENT}.get(order.status)
    for parcel in parcels:
        if due and parcel.state not in due:
            yield f"its parcel {parcel.id} is {parcel.state}"
        if parcel.bought is not None and (parcel.bought > 1 or parcel.labelled > parcel.bought):
            yield f"of its parcel {parcel.id} the carrier sold {parcel.bought} labels"


def _of_papers(case: Case) -> Iterator[str]:
    papers, money = case.papers, case.money
    if papers and papers.invoiced != money.captured:
        yield f"{papers.invoiced} {case.order.currency} of it are invoiced, {money.captured} were taken"
    # A refund that failed late stays credited: its money is still owed.
    if papers and not money.refunded <= papers.credited <= min(money.refunded + money.failed, papers.invoiced):
        yield f"{papers.credited} {case.order.currency} of it are credited, {money.refunded} were given back"


def _of_returns(order: Order, money: Money, returns: tuple[Return, ...]) -> Iterator[str]:
    claimed: Counter[str] = sum((back.claims for back in returns), Counter[str]())
    if not claimed <= order.wanted:
        yield f"returned are {dict(claimed)}, of {dict(order.wanted)}"
    given = sum(back.given or 0 for back in returns)
    if given > money.refunded:
        yield f"{given} {money.currency} were given back for returns, and {money.refunded} in all"
    for back in returns:
        name = f"its return {back.id} ({back.status})"
        if back.refunded is not None and back.refunded != (back.given if back.due else 0):
            yield f"{name} got {back.refunded}, its payment says {back.given}"
        if back.given is not None and (back.due is None or back.given > back.due):
            yield f"{name} got {back.given}, due are {back.due}"
        if back.shelved != back.resell:
            yield f"of {name} {dict(back.shelved)} are on shelves, to be sold again are {dict(back.resell)}"

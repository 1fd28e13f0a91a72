"""An order among services that answer in any order, late or twice: it always comes to an end.

The others are models of a few lines: what they hold, and what they say when they are told something. Between the order and them
lies a post that keeps every fact until the machine delivers it, possibly again, whatever else lies there.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.chassis.money import Money
from services.order import domain, saga
from services.order.domain import Status
from services.order.saga import Reply

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ORDER = domain.Order(
    id="01900000-0000-7000-8000-000000000001",
    user_id="01900000-0000-7000-8000-0000000000aa",
    lines=(domain.Line("TEA", "Tea", 2, Money("USD", 500)),),
    total=Money("USD", 1000),
    address=domain.Address("", "1 Road", "", "Town", "", "", "GB"),
    payment_method="card_approved",
    create_time=NOW,
)
COUPON = domain.Discount("p", "Welcome", "WELCOME", {"TEA": 100}, claims=1)


@dataclass
class Inventory:
    """What is held or sold for the order, and what is said to each of its facts."""

    enough: bool
    holds: str = ""  # "", HELD, SOLD, ENDED (the hold's time was over), GIVEN_BACK
    refused: bool = False
    gone: bool = False

    def hear(self, fact: domain.Fact) -> Reply | None:
        match fact:
            case domain.OrderPlaced() if not self.holds and not self.refused:
                self.refused, self.holds = not self.enough, "HELD" if self.enough else ""
                return Reply.STOCK_RESERVED if self.enough else Reply.STOCK_REJECTED
            case domain.OrderConfirmed() if self.holds in {"HELD", "ENDED", "SOLD"}:
                if self.holds == "ENDED" and self.gone:
                    return Reply.STOCK_REJECTED
                self.holds = "SOLD"
                return Reply.STOCK_COMMITTED
            case domain.OrderCancelled():
                self.holds = "GIVEN_BACK"
                return Reply.STOCK_RELEASED
        return None


@dataclass
class Promotion:
    """What of a promotion is used by the order, and what is said to each of its facts."""

    left: bool = True
    uses: str = ""  # "", CLAIMED, REFUSED, COMMITTED, RELEASED

    def hear(self, fact: domain.Fact) -> Reply | None:
        if not fact.order.redemptions:
            return None
        match fact:
            case domain.OrderPlaced() if self.uses != "RELEASED":
                self.uses = self.uses or ("CLAIMED" if self.left else "REFUSED")
                return Reply.COUPONS_REFUSED if self.uses == "REFUSED" else Reply.COUPONS_REDEEMED
            case domain.OrderConfirmed() if self.uses == "CLAIMED":
                self.uses = "COMMITTED"
            case domain.OrderCancelled():
                self.uses = "REFUSED" if self.uses == "REFUSED" else "RELEASED"
                return Reply.COUPONS_RELEASED
        return None


@dataclass
class Payment:
    """What is held or taken for the order, and what is said to each of its facts. `asked`: the provider has not answered."""

    state: str = ""  # "", AUTHORIZING, ACTION, AUTHORIZED, DECLINED, CAPTURING, CAPTURED, REFUSED, GIVEN_BACK
    cancelled: bool = False

    def hear(self, fact: domain.Fact) -> Reply | None:
        if not fact.order.total.amount:
            return None
        match fact:
            case domain.PaymentRequested() if not self.state:
                self.state = "AUTHORIZING"
            case domain.OrderConfirmed() if self.state == "AUTHORIZED":
                self.state = "CAPTURING"
            case domain.OrderConfirmed() if self.state == "CAPTURED":
                return Reply.PAYMENT_CAPTURED
            case domain.OrderConfirmed() if self.state == "REFUSED":
                return Reply.PAYMENT_CAPTURE_REFUSED
            case domain.OrderCancelled():
                self.cancelled = True
                return self._give_back()
        return None

    def provider_says(self, *, yes: bool) -> Reply | None:
        """The provider's answer to what is asked of it now."""
        if self.state in {"AUTHORIZING", "ACTION"}:
            self.state = "AUTHORIZED" if yes else "DECLINED"
            if self.cancelled:
                return self._give_back()
            return Reply.PAYMENT_AUTHORIZED if yes else Reply.PAYMENT_DECLINED
        self.state = "CAPTURED" if yes else "REFUSED"
        if self.cancelled:
            return self._give_back()
        return Reply.PAYMENT_CAPTURED if yes else Reply.PAYMENT_CAPTURE_REFUSED

    def wants_the_customer(self) -> Reply | None:
        """The provider does not say yes or no before the customer has confirmed."""
        self.state = "ACTION"
        return self._give_back() if self.cancelled else Reply.PAYMENT_ACTION_REQUIRED

    @property
    def asked(self) -> bool:
        return self.state in {"AUTHORIZING", "CAPTURING"}

    def _give_back(self) -> Reply | None:
        if self.asked:
            return None
        taken = self.state == "CAPTURED"
        self.state = "GIVEN_BACK"
        return Reply.PAYMENT_REFUNDED if taken else Reply.PAYMENT_VOIDED


@dataclass
class Shipping:
    """The order's only parcel, and what is said to each of its facts. It is opened when the inventory has picked it, too."""

    confirmed: bool = False
    picked: bool = False
    where: str = ""  # "", OPENED, LEFT, ARRIVED, STOPPED

    def hear(self, fact: domain.Fact) -> Reply | None:
        match fact:
            case domain.OrderConfirmed():
                self.confirmed = True
                return self._open()
            case domain.ShipmentsStopRequested() if self.left:
                return Reply.STOP_REFUSED
            case domain.ShipmentsStopRequested():
                self.where = "STOPPED"
                return Reply.SHIPMENTS_STOPPED
            case domain.OrderCancelled() if not self.left:
                self.where = "STOPPED"
        return None

    def pick(self) -> Reply | None:
        """The inventory says from where it comes."""
        self.picked = True
        return self._open()

    @property
    def left(self) -> bool:
        return self.where in {"LEFT", "ARRIVED"}

    def _open(self) -> Reply | None:
        if self.confirmed and self.picked and not self.where:
            self.where = "OPENED"
        said = {"OPENED": Reply.SHIPMENTS_CREATED, "LEFT": Reply.SHIPMENTS_HANDED_OVER}
        return (said | {"ARRIVED": Reply.SHIPMENTS_DELIVERED}).get(self.where)


SERVICES = (saga.INVENTORY, saga.PROMOTION, saga.PAYMENT, saga.SHIPPING)


@dataclass
class Post:
    """What was said and not delivered yet: facts in order to each service, replies in order from each."""

    facts: dict[str, list[domain.Fact]] = field(default_factory=lambda: {who: [] for who in SERVICES})
    replies: dict[str, list[Reply]] = field(default_factory=lambda: {who: [] for who in SERVICES})

    @property
    def empty(self) -> bool:
        return not any([*self.facts.values(), *self.replies.values()])


class Journey(RuleBasedStateMachine):
    """One order, from its acceptance on."""

    def __init__(self) -> None:
        super().__init__()
        self.post = Post()
        self.inventory = Inventory(enough=True)
        self.promotion = Promotion()
        self.payment = Payment()
        self.shipping = Shipping()
        self.reached = [Status.PENDING]

    @initialize(chances=st.tuples(*[st.integers(0, 9)] * 4), calm=st.integers(0, 10))
    def it_is_placed(self, chances: tuple[int, int, int, int], calm: int) -> None:
        """As a rule there is enough of everything, and so many deliveries pass before anything goes wrong.

        Half of the orders have a coupon, and some cost nothing with it.
        """
        enough, left, redeems, free = chances
        self.inventory.enough, self.promotion.left = enough > 0, left > 0
        self.calm = calm
        total = Money("USD", 0 if redeems < 5 and free == 0 else 1000)
        order = replace(ORDER, total=total, discounts=(COUPON,) if redeems < 5 else ())
        begun = saga.begin(order, "01900000-0000-7000-8000-0000000000bb")
        self.placed = begun.placed
        self._tell(begun.fact)

    @precondition(lambda self: not self.post.empty)
    @rule(data=st.data(), again=st.integers(0, 4))
    def something_arrives(self, data: st.DataObject, again: int) -> None:
        """The oldest fact for somebody, or the oldest answer of somebody; now and then it will come once more."""
        full = [(box, who) for box in (self.post.facts, self.post.replies) for who in box if box[who]]
        box, who = data.draw(st.sampled_from(full))
        self._deliver(box, who, keep=again == 4)
        self.calm -= 1

    @precondition(lambda self: self.payment.asked)
    @rule(yes=st.booleans())
    def the_provider_answers(self, yes: bool) -> None:  # noqa: FBT001 - Hypothesis names it
        self._answer(saga.PAYMENT, self.payment.provider_says(yes=yes))

    @precondition(lambda self: self.payment.state == "AUTHORIZING")
    @rule()
    def the_bank_asks_the_customer(self) -> None:
        self._answer(saga.PAYMENT, self.payment.wants_the_customer())

    @precondition(lambda self: self.payment.state == "ACTION")
    @rule(yes=st.booleans())
    def the_customer_answers_the_bank(self, yes: bool) -> None:  # noqa: FBT001 - Hypothesis names it
        self._answer(saga.PAYMENT, self.payment.provider_says(yes=yes))

    @precondition(lambda self: self.shipping.where == "OPENED")
    @rule()
    def the_carrier_takes_it(self) -> None:
        self.shipping.where = "LEFT"
        self._answer(saga.SHIPPING, Reply.SHIPMENTS_HANDED_OVER)

    @precondition(lambda self: self.shipping.where == "LEFT")
    @rule()
    def it_arrives(self) -> None:
        self.shipping.where = "ARRIVED"
        self._answer(saga.SHIPPING, Reply.SHIPMENTS_DELIVERED)

    @precondition(lambda self: self.calm <= 0 and self.inventory.holds == "HELD")
    @rule(gone=st.booleans())
    def the_hold_ends(self, gone: bool) -> None:  # noqa: FBT001 - Hypothesis names it
        self.inventory.holds, self.inventory.gone = "ENDED", gone
        self._answer(saga.INVENTORY, Reply.STOCK_RELEASED)

    @precondition(lambda self: self.calm <= 0 and not self.placed.saga.settled and not self.placed.saga.stuck)
    @rule()
    def a_deadline_passes(self) -> None:
        self._hear(Reply.DEADLINE_PASSED, "timer")

    @precondition(lambda self: self.calm <= 0)
    @rule()
    def the_customer_cancels(self) -> None:
        self._hear(Reply.CANCEL_REQUESTED, "user")

    @rule()
    def an_operator_pushes(self) -> None:
        self._hear(Reply.RESUMED, "user")

    @invariant()
    def money_and_stock_of_a_cancelled_order_were_given_back(self) -> None:
        if self.placed.saga.status is Status.CANCELLED:
            assert self.inventory.holds in {"", "GIVEN_BACK", "ENDED"}
            assert self.payment.state in {"", "GIVEN_BACK", "DECLINED"}
            assert self.promotion.uses in {"", "REFUSED", "RELEASED"}
            assert not self.shipping.left

    @invariant()
    def an_order_that_is_done_and_not_cancelled_was_paid_and_left_the_shelf(self) -> None:
        if self.placed.saga.settled and self.placed.saga.status is Status.DELIVERED:
            assert self.shipping.where == "ARRIVED"
            paid = "CAPTURED" if self.placed.order.total.amount else ""
            assert (self.inventory.holds, self.payment.state) == ("SOLD", paid)
            if self.placed.order.redemptions:
                assert self.promotion.uses in {"CLAIMED", "COMMITTED"}

    @invariant()
    def nobody_pays_for_what_was_never_held(self) -> None:
        if self.payment.state:
            assert Status.RESERVED in self.reached or Status.CANCELLING in self.reached

    @invariant()
    def nobody_is_asked_for_money_before_the_coupons_are_redeemed(self) -> None:
        if self.placed.order.redemptions and Status.RESERVED in self.reached:
            assert self.promotion.uses in {"CLAIMED", "COMMITTED", "RELEASED"}

    def teardown(self) -> None:
        """From wherever it is, it comes to an end when everybody answers and time passes."""
        for _ in range(200):
            if self.placed.saga.settled and self.post.empty and not self.payment.asked:
                break
            self._deliver_everything()
            if self.payment.state == "REFUSED" and self.shipping.left:
                # It left before the provider refused: a person has to ask for the money.
                return
            if self.placed.saga.stuck:
                self.an_operator_pushes()
            if not self.placed.saga.settled:
                self.a_deadline_passes()
        assert self.placed.saga.settled, self.placed.saga
        assert self.placed.saga.status in {Status.DELIVERED, Status.CANCELLED}
        self.money_and_stock_of_a_cancelled_order_were_given_back()
        self.an_order_that_is_done_and_not_cancelled_was_paid_and_left_the_shelf()
        if self.placed.saga.status is Status.DELIVERED and self.placed.order.redemptions:
            assert self.promotion.uses == "COMMITTED"

    def _deliver_everything(self) -> None:
        while not self.post.empty or self.payment.asked:
            if self.payment.asked:
                self.the_provider_answers(yes=True)
            if self.shipping.where == "OPENED":
                self.the_carrier_takes_it()
            if self.shipping.where == "LEFT":
                self.it_arrives()
            for who in SERVICES:
                self._deliver(self.post.facts, who)
                self._deliver(self.post.replies, who)

    def _deliver(self, box: dict[str, list[Any]], who: str, *, keep: bool = False) -> None:
        if not box[who]:
            return
        letter = box[who][0] if keep else box[who].pop(0)
        if box is self.post.replies:
            self._hear(letter, who)
        else:
            listeners: dict[str, Inventory | Promotion | Payment | Shipping] = {
                saga.INVENTORY: self.inventory,
                saga.PROMOTION: self.promotion,
                saga.PAYMENT: self.payment,
                saga.SHIPPING: self.shipping,
            }
            self._answer(who, listeners[who].hear(letter))

    def _hear(self, reply: Reply, actor: str) -> None:
        moved = saga.advance(self.placed, saga.Event(ORDER.id, reply, actor), NOW)
        if moved:
            self.placed = replace(self.placed, saga=moved.saga)
            self.reached.append(moved.saga.status)
            for fact in moved.facts:
                self._tell(fact)

    def _tell(self, fact: domain.Fact) -> None:
        for facts in self.post.facts.values():
            facts.append(fact)

    def _answer(self, who: str, reply: Reply | None) -> None:
        if reply:
            self.post.replies[who].append(reply)
        if reply is Reply.STOCK_COMMITTED:
            self._answer(saga.SHIPPING, self.shipping.pick())


TestJourney = Journey.TestCase
TestJourney.settings = settings(max_examples=300, stateful_step_count=40)

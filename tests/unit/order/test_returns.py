"""How a return moves, and that nobody ever returns more than was delivered, whatever happens in whatever order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.chassis import errors
from services.chassis.money import Money
from services.order import domain
from services.order.domain import returns
from services.order.domain.returns import Event, Finding, Line, Reason, Status

NOW = datetime(2026, 11, 29, tzinfo=UTC)
HOME = domain.Address("Ann", "1 Road", "", "Town", "CA", "90001", "US")
BOUGHT = {"POT": 1, "TEA": 5}
ORDER = domain.Order(
    "order",
    "ann",
    tuple(domain.Line(sku, sku.title(), quantity, Money("USD", 1000)) for sku, quantity in BOUGHT.items()),
    Money("USD", 6000),
    HOME,
    "card",
    NOW,
)
PLACED = domain.Placed(
    ORDER, domain.Saga("saga", "order", 3, domain.Status.DELIVERED, domain.Step.DONE, frozenset(), 9, NOW)
)


def did(event: Event, reason: str = "") -> returns.Did:
    return returns.Did(event, "user:ann", NOW, reason)


def asked(*lines: Line, earlier: tuple[returns.Return, ...] = ()) -> returns.Return:
    wish = returns.Wish("order", lines)
    return returns.request(PLACED, wish, earlier, f"return-{len(earlier)}", did(Event.REQUESTED)).back


def moved(back: returns.Return, *events: Event) -> returns.Return:
    for event in events:
        found = returns.move(back, did(event))
        assert found
        back = found.back
    return back


def received(*lines: Line) -> returns.Return:
    return moved(asked(*lines), Event.APPROVED, Event.RECEIVED)


def inspected(back: returns.Return, *findings: Finding) -> returns.Moved:
    found = returns.inspect(ORDER, back, findings, [back], did(Event.INSPECTED))
    assert found
    return found


TEA = Line("TEA", 2, Reason.CHANGED_MIND)


def test_a_return_is_requested_approved_received_inspected_and_refunded() -> None:
    found = inspected(received(TEA), Finding("TEA", 1, 1))
    assert (found.back.status, found.back.amount) == (Status.INSPECTED, 2000)
    settled = returns.refunded(found.back, 2000, did(Event.REFUNDED))
    assert settled
    assert (settled.back.status, settled.back.refunded, settled.back.version) == (Status.REFUNDED, 2000, 5)
    assert [type(fact) for fact in settled.facts] == [returns.ReturnRefunded]


def test_what_was_done_before_changes_nothing_and_what_cannot_be_done_is_refused() -> None:
    back = moved(asked(TEA), Event.APPROVED)
    assert returns.move(back, did(Event.APPROVED)) is None
    with pytest.raises(errors.DomainError, match="APPROVED"):
        returns.inspect(ORDER, back, [Finding("TEA", 1, 0)], [back], did(Event.INSPECTED))
    assert returns.refunded(back, 1, did(Event.REFUNDED)) is None


def test_findings_are_recorded_once_and_others_are_refused() -> None:
    back = inspected(received(TEA), Finding("TEA", 2, 0)).back
    assert returns.inspect(ORDER, back, [Finding("TEA", 2, 0)], [back], did(Event.INSPECTED)) is None
    with pytest.raises(errors.DomainError, match="other findings"):
        returns.inspect(ORDER, back, [Finding("TEA", 1, 0)], [back], did(Event.INSPECTED))


def test_units_that_did_not_come_are_not_paid_for_and_may_be_returned_later() -> None:
    back = inspected(received(replace(TEA, quantity=5)), Finding("TEA", 2, 0)).back
    assert (back.amount, back.claims) == (2000, {"TEA": 2})
    assert asked(replace(TEA, quantity=3), earlier=(back,)).status is Status.REQUESTED


def test_a_rejected_return_claims_nothing() -> None:
    back = moved(asked(replace(TEA, quantity=5)), Event.REJECTED)
    assert asked(replace(TEA, quantity=5), earlier=(back,)).status is Status.REQUESTED


def test_a_return_that_is_worth_nothing_is_refunded_at_once() -> None:
    free = replace(ORDER, lines=tuple(replace(line, unit_price=Money("USD", 0)) for line in ORDER.lines))
    back = received(TEA)
    found = returns.inspect(free, back, [Finding("TEA", 2, 0)], [back], did(Event.INSPECTED))
    assert found
    assert (found.back.status, found.back.refunded) == (Status.REFUNDED, 0)
    assert [entry.event for entry in found.entries] == ["ReturnInspected", "ReturnRefunded"]
    assert [entry.sequence for entry in found.entries] == [4, 5]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([replace(TEA, quantity=6)], "RETURN_QUANTITY_EXCEEDED"),
        ([replace(TEA, sku="CUP")], "SKU_NOT_ORDERED"),
        ([TEA, TEA], "SKU_DUPLICATE"),
    ],
)
def test_what_was_not_delivered_cannot_be_returned(lines: list[Line], reason: str) -> None:
    with pytest.raises(errors.DomainError) as raised:
        asked(*lines)
    assert (raised.value.reason, raised.value.violations[0].reason) == (reason, reason)


@pytest.mark.parametrize(
    "findings", [[Finding("TEA", 2, 1)], [Finding("POT", 1, 0)], [Finding("TEA", 1, 0)] * 2, [Finding("TEA", 0, 0)]]
)
def test_findings_that_do_not_fit_their_return_are_refused(findings: list[Finding]) -> None:
    back = received(TEA)
    with pytest.raises(errors.DomainError) as raised:
        returns.inspect(ORDER, back, findings, [back], did(Event.INSPECTED))
    assert raised.value.reason == "FINDINGS_WRONG"


def test_the_window_closes_a_while_after_the_delivery() -> None:
    window = timedelta(days=14)
    returns.check_window(PLACED, NOW, window, NOW + window)
    with pytest.raises(errors.DomainError, match="could be returned until"):
        returns.check_window(PLACED, NOW, window, NOW + window + timedelta(seconds=1))
    shipped = replace(PLACED, saga=replace(PLACED.saga, status=domain.Status.SHIPPED))
    with pytest.raises(errors.DomainError, match="only an order that was delivered"):
        returns.check_window(shipped, None, window, NOW)


class Returning(RuleBasedStateMachine):
    """One order of which anything is returned, decided and found in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.returns: list[returns.Return] = []

    @rule(sku=st.sampled_from(["POT", "TEA"]), quantity=st.integers(1, 6), reason=st.sampled_from(Reason))
    def ask(self, sku: str, quantity: int, reason: Reason) -> None:
        try:
            self.returns.append(asked(Line(sku, quantity, reason), earlier=tuple(self.returns)))
        except errors.DomainError as refused:
            assert refused.reason == "RETURN_QUANTITY_EXCEEDED"  # noqa: PT017 - the other outcome is an assertion as well

    @precondition(lambda self: self.returns)
    @rule(data=st.data(), event=st.sampled_from([Event.APPROVED, Event.REJECTED, Event.RECEIVED]))
    def decide(self, data: st.DataObject, event: Event) -> None:
        self._change(data, lambda back: returns.move(back, did(event)))

    @precondition(lambda self: self.returns)
    @rule(data=st.data(), resell=st.integers(0, 3), scrap=st.integers(0, 3))
    def find(self, data: st.DataObject, resell: int, scrap: int) -> None:
        self._change(
            data,
            lambda back: returns.inspect(
                ORDER, back, [Finding(back.lines[0].sku, resell, scrap)], self.returns, did(Event.INSPECTED)
            ),
        )

    @precondition(lambda self: self.returns)
    @rule(data=st.data())
    def pay(self, data: st.DataObject) -> None:
        self._change(data, lambda back: returns.refunded(back, back.amount, did(Event.REFUNDED)))

    @invariant()
    def nobody_returns_more_than_was_delivered_or_gets_more_than_was_paid(self) -> None:
        for sku, quantity in BOUGHT.items():
            assert sum(back.claims.get(sku, 0) for back in self.returns) <= quantity
        assert sum(back.amount for back in self.returns) <= ORDER.total.amount
        for back in self.returns:
            assert (back.refunded is not None) == (back.status is Status.REFUNDED)
            assert (back.refund is not None) == (back.status in {Status.INSPECTED, Status.REFUNDED})

    def _change(self, data: st.DataObject, change: object) -> None:
        number = data.draw(st.integers(0, len(self.returns) - 1))
        try:
            found = change(self.returns[number])  # type: ignore[operator]  # a rule's lambda
        except errors.DomainError:
            return
        if found:
            assert found.back.version == self.returns[number].version + len(found.entries)
            self.returns[number] = found.back


TestReturning = Returning.TestCase


def test_a_return_is_exchanged_once_and_a_rejected_one_is_not() -> None:
    found = returns.exchanged(asked(TEA), "other", did(Event.EXCHANGED))
    assert found
    assert (found.back.exchange_order_id, found.back.version, found.facts) == ("other", 2, ())
    assert returns.exchanged(found.back, "another", did(Event.EXCHANGED)) is None
    with pytest.raises(errors.DomainError, match="rejected"):
        returns.check_exchange(moved(asked(TEA), Event.REJECTED))


@given(st.sampled_from(Status), st.sampled_from(sorted(returns.LEADS_TO)))
def test_every_event_is_allowed_repeated_or_refused(status: Status, event: Event) -> None:
    back = replace(asked(TEA), status=status)
    if (status, event) in returns.TABLE:
        found = returns.move(back, did(event))
        assert found
        assert found.back.status is returns.TABLE[status, event]
    elif status is returns.LEADS_TO[event]:
        assert returns.move(back, did(event)) is None
    else:
        with pytest.raises(errors.DomainError):
            returns.move(back, did(event))

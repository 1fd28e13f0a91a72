"""Which parcels an order becomes, when they can be stopped, and what others are told of them."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.shipping.domain import deliveries, parcels
from services.shipping.domain.deliveries import Delivery, Pick
from services.shipping.domain.parcels import Happening, Input, State

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
ORDER = "0199a000-0000-7000-8000-000000000001"
ADDRESS = parcels.Address("Ada", "1 Market Street", "", "Springfield", "OR", "97477", "US")
KNOWN = Delivery(ORDER, "u", ADDRESS, NOW - timedelta(seconds=1), (Pick("MUG", 2, "main"), Pick("TEA", 1, "west")))


def advance(parcel: parcels.Parcel, *said: Input) -> parcels.Advance:
    moved = parcels.advance(parcel, [Happening(one, "x") for one in said], NOW)
    assert moved
    return moved


def test_an_order_becomes_a_parcel_for_each_warehouse() -> None:
    main, west = deliveries.opened(KNOWN, NOW)
    assert (main.warehouse, main.lines) == ("main", (parcels.Line("MUG", 2),))
    assert (west.warehouse, west.lines) == ("west", (parcels.Line("TEA", 1),))
    assert {main.state, west.state} == {State.LABELLING}
    assert main.create_time == KNOWN.confirm_time


def test_opened_again_an_order_becomes_the_same_parcels() -> None:
    later = deliveries.opened(KNOWN, NOW + timedelta(days=2))
    assert [parcel.id for parcel in later] == [parcel.id for parcel in deliveries.opened(KNOWN, NOW)]


def test_an_order_is_not_opened_that_was_stopped_or_has_no_address_or_no_picks() -> None:
    assert not deliveries.opened(replace(KNOWN, stopped=True), NOW)
    assert not deliveries.opened(replace(KNOWN, address=None), NOW)
    assert not deliveries.opened(replace(KNOWN, picks=()), NOW)


PICKS = st.lists(
    st.builds(
        Pick, st.sampled_from(["MUG", "TEA", "POT"]), st.integers(1, 9), st.sampled_from(["main", "west", "east"])
    ),
    max_size=9,
)


@given(PICKS)
def test_nothing_is_lost_or_doubled_between_picks_and_parcels(picks: list[Pick]) -> None:
    opened = deliveries.opened(replace(KNOWN, picks=tuple(picks)), NOW)
    wanted, sent = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for pick in picks:
        wanted[pick.warehouse, pick.sku] += pick.quantity
    for parcel in opened:
        for line in parcel.lines:
            sent[parcel.warehouse, line.sku] += line.quantity
    assert sent == wanted
    assert len({parcel.id for parcel in opened}) == len({pick.warehouse for pick in picks})


def test_the_last_parcel_that_is_opened_says_that_it_is_all() -> None:
    assert [fact.complete for fact in deliveries.created(deliveries.opened(KNOWN, NOW))] == [False, True]


def test_an_order_can_be_stopped_until_one_of_its_parcels_has_left() -> None:
    main, west = deliveries.opened(KNOWN, NOW)
    assert deliveries.can_stop([main, west])
    assert not deliveries.can_stop([replace(main, state=State.HANDED_OVER), west])


def test_a_parcel_that_is_handed_over_is_told_of_and_says_whether_all_are() -> None:
    main, west = deliveries.opened(KNOWN, NOW)
    moved = advance(main, Input.LABEL_BOUGHT, *parcels.BY_HAND)
    [first] = deliveries.told([moved], [moved.parcel, west])
    assert first.time == NOW
    assert (type(first), first.complete) == (deliveries.ShipmentHandedOver, False)
    last = advance(west, Input.LABEL_BOUGHT, *parcels.BY_HAND)
    [second] = deliveries.told([last], [moved.parcel, last.parcel])
    assert (type(second), second.complete) == (deliveries.ShipmentHandedOver, True)


def test_a_parcel_of_which_nothing_was_seen_for_long_is_told_of_as_failed_and_delivered() -> None:
    travelling = replace(deliveries.opened(KNOWN, NOW)[0], state=State.IN_TRANSIT)
    moved = advance(travelling, Input.DELIVERY_FAILED, Input.OUT_FOR_DELIVERY, Input.DELIVERED)
    told = list(deliveries.told([moved], [moved.parcel]))
    assert {type(fact) for fact in told} == {deliveries.ShipmentDeliveryFailed, deliveries.ShipmentDelivered}
    assert [fact.complete for fact in told if isinstance(fact, deliveries.ShipmentDelivered)] == [True]


def test_a_parcel_that_will_not_arrive_is_told_of() -> None:
    travelling = replace(deliveries.opened(KNOWN, NOW)[0], state=State.IN_TRANSIT)
    for said in (Input.LOST, Input.DAMAGED, Input.RETURNED):
        moved = advance(travelling, said)
        assert [type(fact) for fact in deliveries.told([moved], [moved.parcel])] == [deliveries.ShipmentUndeliverable]


def test_an_order_that_asks_again_is_told_what_is_true_of_all_of_its_parcels() -> None:
    main, west = deliveries.opened(KNOWN, NOW)
    there = [replace(main, state=State.DELIVERED), replace(west, state=State.IN_TRANSIT)]
    told = [(type(fact), fact.parcel.warehouse, fact.complete) for fact in deliveries.again(there)]
    assert told == [
        (deliveries.ShipmentCreated, "main", False),
        (deliveries.ShipmentCreated, "west", True),
        (deliveries.ShipmentHandedOver, "main", True),
        (deliveries.ShipmentHandedOver, "west", True),
    ]


RETURN = "0199a000-0000-7000-8000-000000000002"
BRING = parcels.Label("carrier", "lb_1", "SOUK1", "", "https://carrier.example/1.pdf")


def granted(**lines: int) -> deliveries.ReturnGranted:
    return deliveries.ReturnGranted(ORDER, RETURN, tuple(parcels.Line(sku, count) for sku, count in lines.items()))


def test_a_return_becomes_a_parcel_for_each_warehouse_that_sent_something_of_it() -> None:
    main, west = deliveries.returning(KNOWN, granted(MUG=1, TEA=1), NOW)
    assert (main.warehouse, main.lines, main.return_id) == ("main", (parcels.Line("MUG", 1),), RETURN)
    assert (west.warehouse, west.lines, west.order_id) == ("west", (parcels.Line("TEA", 1),), ORDER)
    [only] = deliveries.returning(KNOWN, granted(TEA=1), NOW)
    assert only.id == west.id


def test_a_return_from_nowhere_becomes_no_parcel() -> None:
    assert deliveries.returning(replace(KNOWN, address=None), granted(MUG=1), NOW) == []
    assert deliveries.returning(replace(KNOWN, address=replace(ADDRESS, line1="")), granted(MUG=1), NOW) == []
    assert deliveries.returning(replace(KNOWN, picks=()), granted(MUG=1), NOW) == []


@given(PICKS, st.dictionaries(st.sampled_from(["MUG", "TEA", "POT"]), st.integers(1, 20)))
def test_no_more_goes_back_to_a_warehouse_than_came_from_it(picks: list[Pick], wanted: dict[str, int]) -> None:
    back = deliveries.returning(replace(KNOWN, picks=tuple(picks)), granted(**wanted), NOW)
    came = Counter[tuple[str, str]]()
    for pick in picks:
        came[pick.warehouse, pick.sku] += pick.quantity
    goes = Counter({(parcel.warehouse, line.sku): line.quantity for parcel in back for line in parcel.lines})
    assert goes <= came
    for sku, count in wanted.items():
        sent = sum(there for (_, one), there in came.items() if one == sku)
        assert sum(there for (_, one), there in goes.items() if one == sku) == min(count, sent)


def test_a_returns_label_is_its_customers_and_its_parcel_is_told_of_apart() -> None:
    [parcel] = deliveries.returning(KNOWN, granted(MUG=1), NOW)
    bought = parcels.labelled(parcel, BRING, NOW, automatic=True)
    assert bought
    assert bought.parcel.state is State.AWAITED
    assert [type(fact) for fact in deliveries.told([bought], [])] == [deliveries.ReturnLabelled]
    arrived = advance(bought.parcel, Input.ACCEPTED, Input.DELIVERED)
    assert [type(fact) for fact in deliveries.told([arrived], [])] == [deliveries.ReturnArrived]
    lost = advance(bought.parcel, Input.ACCEPTED, Input.LOST)
    assert [type(fact) for fact in deliveries.told([lost], [])] == [deliveries.ReturnUndeliverable]


def test_the_label_of_a_return_that_nobody_sent_is_voided_and_what_travels_goes_on() -> None:
    [parcel] = deliveries.returning(KNOWN, granted(MUG=1), NOW)
    awaited = replace(parcel, state=State.AWAITED)
    assert advance(awaited, Input.STOPPED).parcel.state is State.VOIDING
    assert parcels.advance(replace(parcel, state=State.IN_TRANSIT), [Happening(Input.STOPPED, "x")], NOW) is None

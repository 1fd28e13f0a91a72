"""How a parcel moves: the table, what a warehouse's hands do, and what the carrier says."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import errors
from services.shipping.domain import parcels
from services.shipping.domain.parcels import Happening, Input, Scan, State

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
LABEL = parcels.Label("carrier", "lb_1", "SOUK1", "https://carrier.example/1", "https://carrier.example/1.pdf")
ADDRESS = parcels.Address("Ada", "1 Market Street", "", "Springfield", "OR", "97477", "US")


def parcel(state: State = State.LABELLING) -> parcels.Parcel:
    lines = (parcels.Line("MUG", 2),)
    return parcels.Parcel("p", "o", "u", "main", state, lines, ADDRESS, NOW, NOW, LABEL)


def after(begun: parcels.Parcel, *inputs: Input) -> State:
    moved = parcels.advance(begun, [Happening(one, "somebody") for one in inputs], NOW)
    return moved.parcel.state if moved else begun.state


def scans(*said: Input) -> list[Scan]:
    return [Scan(number, one, "Hub", NOW + timedelta(hours=number)) for number, one in enumerate(said, start=1)]


def test_a_parcel_is_labelled_picked_packed_and_handed_over() -> None:
    assert after(parcel(), Input.LABEL_BOUGHT, *parcels.BY_HAND) is State.HANDED_OVER


def test_each_change_is_an_entry_of_the_history_with_the_version_after_it() -> None:
    moved = parcels.advance(parcel(), [Happening(Input.LABEL_BOUGHT, "carrier", label=LABEL)], NOW)
    assert moved
    assert (moved.parcel.version, moved.parcel.label) == (2, LABEL)
    [entry] = moved.entries
    assert (entry.sequence, entry.state, entry.event, entry.actor) == (2, State.LABELLED, "LABEL_BOUGHT", "carrier")


@pytest.mark.parametrize("state", [State.LABELLED, State.PICKED, State.PACKED])
def test_a_parcel_that_is_stopped_before_it_left_gives_its_label_back(state: State) -> None:
    assert after(parcel(state), Input.STOPPED) is State.VOIDING
    assert after(parcel(state), Input.STOPPED, Input.LABEL_VOIDED) is State.STOPPED


def test_a_label_that_is_bought_while_the_parcel_is_stopped_is_given_back_at_once() -> None:
    assert after(parcel(), Input.STOPPED, Input.LABEL_BOUGHT) is State.VOIDING
    assert after(parcel(), Input.STOPPED, Input.LABEL_REFUSED) is State.STOPPED


@pytest.mark.parametrize("state", sorted(parcels.LEFT))
def test_nothing_stops_a_parcel_that_has_left(state: State) -> None:
    assert after(parcel(state), Input.STOPPED) is state


def test_what_was_done_before_is_no_change_and_no_error() -> None:
    assert parcels.handled(parcel(State.PACKED), Input.PICKED, "user:1", NOW) is None
    assert parcels.handled(parcel(State.IN_TRANSIT), Input.HANDED_OVER, "user:1", NOW) is None


@pytest.mark.parametrize(
    ("state", "done"),
    [
        (State.LABELLING, Input.PICKED),
        (State.LABELLED, Input.PACKED),
        (State.LABELLED, Input.HANDED_OVER),
        (State.PICKED, Input.HANDED_OVER),
        (State.STOPPED, Input.PICKED),
        (State.LABEL_REFUSED, Input.PICKED),
    ],
)
def test_a_step_out_of_turn_is_refused_and_the_error_says_where_the_parcel_is(state: State, done: Input) -> None:
    with pytest.raises(errors.DomainError) as refused:
        parcels.handled(parcel(state), done, "user:1", NOW)
    assert (refused.value.reason, refused.value.metadata["status"]) == ("SHIPMENT_STATUS_WRONG", state)


def test_without_a_warehouse_a_labelled_parcel_is_the_carriers_at_once() -> None:
    moved = parcels.labelled(parcel(), LABEL, NOW, automatic=True)
    assert moved
    assert moved.parcel.state is State.HANDED_OVER
    assert [entry.event for entry in moved.entries] == ["LABEL_BOUGHT", "PICKED", "PACKED", "HANDED_OVER"]
    by_hand = parcels.labelled(parcel(), LABEL, NOW, automatic=False)
    assert by_hand
    assert by_hand.parcel.state is State.LABELLED


def test_scans_are_entries_at_the_time_and_place_that_the_carrier_says() -> None:
    moved = parcels.tracked(parcel(State.HANDED_OVER), scans(Input.ACCEPTED, Input.DELIVERED), NOW)
    assert moved
    assert (moved.parcel.state, moved.parcel.scans) == (State.DELIVERED, 2)
    assert [(entry.event, entry.place, entry.time) for entry in moved.entries] == [
        ("ACCEPTED", "Hub", NOW + timedelta(hours=1)),
        ("DELIVERED", "Hub", NOW + timedelta(hours=2)),
    ]


def test_scans_that_were_seen_before_change_nothing() -> None:
    seen = replace(parcel(State.IN_TRANSIT), scans=2)
    assert parcels.tracked(seen, scans(Input.ACCEPTED, Input.IN_TRANSIT), NOW) is None
    moved = parcels.tracked(seen, scans(Input.ACCEPTED, Input.IN_TRANSIT, Input.OUT_FOR_DELIVERY), NOW)
    assert moved
    assert (moved.parcel.state, len(moved.entries)) == (State.OUT_FOR_DELIVERY, 1)


def test_what_is_said_of_a_parcel_that_arrived_changes_nothing() -> None:
    assert parcels.tracked(parcel(State.DELIVERED), scans(Input.LOST), NOW) is None


SAID = st.lists(st.sampled_from(sorted(parcels.Input)), max_size=12)


@given(SAID)
def test_whatever_happens_a_parcel_never_leaves_after_it_was_stopped_nor_stops_after_it_left(said: list[Input]) -> None:
    now, seen = parcel(), [State.LABELLING]
    for one in said:
        # A carrier that says a label is used, of which it was told nothing, is the one case in which it knows better.
        if one is not Input.LABEL_USED and (moved := parcels.advance(now, [Happening(one, "x")], NOW)):
            now = moved.parcel
            seen.append(now.state)
    left = [number for number, state in enumerate(seen) if state in parcels.LEFT]
    stopped = [number for number, state in enumerate(seen) if state in parcels.NOT_SENT]
    assert not (left and stopped)


@given(SAID)
def test_versions_and_entries_count_the_changes(said: list[Input]) -> None:
    moved = parcels.advance(parcel(), [Happening(one, "x") for one in said], NOW)
    if moved:
        assert [entry.sequence for entry in moved.entries] == list(range(2, moved.parcel.version + 1))
        assert moved.entries[-1].state is moved.parcel.state

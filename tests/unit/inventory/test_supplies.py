"""Goods on their way: what may arrive, what may end, and that no unit is made or lost by it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import errors
from services.inventory.domain import supplies
from services.inventory.domain.supplies import Draft, Kind, State

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def sent(lines: dict[str, int], *, target: str = "west") -> supplies.Supply:
    return supplies.begun(Draft(Kind.TRANSFER, "east", target, lines, None, "", "user:x"), "s1", NOW)


def test_goods_arrive_in_parts_until_all_have() -> None:
    supply = supplies.received(sent({"A": 3, "B": 1}), {"A": 2}, NOW)
    assert (supply.state, supply.missing) == (State.UNDER_WAY, {"A": 1, "B": 1})
    supply = supplies.received(supply, {"A": 1, "B": 1}, NOW)
    assert (supply.state, supply.missing) == (State.ARRIVED, {})


@pytest.mark.parametrize(("arrived", "reason"), [({"C": 1}, "SKU_NOT_EXPECTED"), ({"A": 4}, "RECEIVED_TOO_MUCH")])
def test_what_was_not_sent_does_not_arrive(arrived: dict[str, int], reason: str) -> None:
    with pytest.raises(errors.DomainError, match=reason):
        supplies.received(sent({"A": 3}), arrived, NOW)


def test_nothing_arrives_of_what_ended() -> None:
    ended = supplies.ended(sent({"A": 3}), NOW, returned=False)
    with pytest.raises(errors.DomainError, match="SUPPLY_ENDED"):
        supplies.received(ended, {"A": 1}, NOW)
    with pytest.raises(errors.DomainError, match="SUPPLY_ENDED"):
        supplies.ended(ended, NOW, returned=True)
    with pytest.raises(errors.DomainError, match="SUPPLY_ENDED"):
        supplies.expected(ended, NOW, NOW)
    assert supplies.ended(ended, NOW, returned=False) is ended


def test_a_transfer_to_where_the_goods_are_is_none() -> None:
    with pytest.raises(errors.DomainError, match="WAREHOUSE_SAME"):
        sent({"A": 1}, target="east")


def test_who_orders_from_a_supplier_names_one_warehouse() -> None:
    draft = Draft(Kind.RESTOCK, "Potters Ltd", "west", {"A": 1}, None, "", "user:x")
    assert draft.warehouses == {"west"}


SENT = st.dictionaries(st.sampled_from("ABC"), st.integers(1, 9), min_size=1)


@given(SENT, st.lists(st.dictionaries(st.sampled_from("ABCD"), st.integers(1, 5)), max_size=8))
def test_units_are_missing_or_received_and_never_both(lines: dict[str, int], deliveries: list[dict[str, int]]) -> None:
    supply, came = sent(lines), dict.fromkeys(lines, 0)
    for delivery in deliveries:
        try:
            supply = supplies.received(supply, delivery, NOW)
        except errors.DomainError:
            continue
        for sku, quantity in delivery.items():
            came[sku] += quantity
    assert {line.sku: line.received for line in supply.lines} == came
    assert all(line.received + line.missing == line.quantity for line in supply.lines)
    assert (supply.state is State.ARRIVED) == (came == lines)

"""Who gets what of a batch of orders, and from where: all or nothing, few parcels, near ones."""

import itertools
from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from services.inventory import domain
from services.inventory.domain import Allocation, Destination, Hold, Level, Want, allocation, nearness

HOME = Destination("US", "CA")
IN_ORDER = {"east": 0, "west": 0}


def allocated(wants: Sequence[Want], levels: Sequence[Level], ranking: Mapping[str, int] = IN_ORDER) -> Allocation:
    return allocation.allocate(wants, levels, lambda _: ranking)


def taken(result: Allocation) -> dict[str, int]:
    """How many were taken from each warehouse."""
    found: dict[str, int] = {}
    for hold in result.holds:
        found[hold.warehouse] = found.get(hold.warehouse, 0) + hold.quantity
    return found


def test_an_order_is_held_whole_or_not_at_all() -> None:
    levels = [Level("A", "east", 5, 0), Level("B", "east", 1, 0)]
    allocation = allocated([Want("o1", {"A": 2, "B": 2})], levels)
    assert allocation.holds == ()
    assert allocation.rejected == {"o1": (domain.Shortage("B", 2, 1),)}


def test_what_one_order_gets_is_not_there_for_the_next() -> None:
    allocation = allocated([Want("o1", {"A": 3}), Want("o2", {"A": 3})], [Level("A", "east", 5, 0)])
    assert [hold.order_id for hold in allocation.holds] == ["o1"]
    assert allocation.rejected["o2"] == (domain.Shortage("A", 3, 2),)


def test_a_rejected_order_takes_nothing_from_those_behind_it() -> None:
    wants = [Want("greedy", {"A": 9}), Want("modest", {"A": 5})]
    allocation = allocated(wants, [Level("A", "east", 5, 0)])
    assert [hold.order_id for hold in allocation.holds] == ["modest"]


def test_a_warehouse_that_has_the_whole_order_is_preferred() -> None:
    levels = [Level("A", "east", 5, 0), Level("A", "west", 5, 0), Level("B", "west", 5, 0)]
    allocation = allocated([Want("o1", {"A": 1, "B": 1})], levels)
    assert {hold.warehouse for hold in allocation.holds} == {"west"}


def test_a_line_is_spread_over_warehouses_when_none_has_all() -> None:
    levels = [Level("A", "east", 2, 0), Level("A", "west", 3, 1)]
    allocation = allocated([Want("o1", {"A": 4})], levels)
    assert allocation.holds == (Hold("o1", "A", "east", 2), Hold("o1", "A", "west", 2))


def test_a_sku_without_stock_is_short_by_all_of_it() -> None:
    assert allocated([Want("o1", {"X": 1})], []).rejected == {"o1": (domain.Shortage("X", 1, 0),)}


SKUS = st.sampled_from("ABC")
WANTS = st.lists(st.dictionaries(SKUS, st.integers(1, 5), min_size=1), max_size=12)
LEVELS = st.dictionaries(st.tuples(SKUS, st.sampled_from(["east", "west"])), st.integers(0, 10))


@given(WANTS, LEVELS)
def test_never_more_is_granted_than_there_is_and_every_order_gets_all_or_nothing(
    lines: list[dict[str, int]], stock: dict[tuple[str, str], int]
) -> None:
    wants = [Want(f"o{number}", want) for number, want in enumerate(lines)]
    levels = [Level(sku, warehouse, on_hand, 0) for (sku, warehouse), on_hand in stock.items()]
    allocation = allocated(wants, levels)
    for place, granted in domain.totals(allocation.holds).items():
        assert 0 < granted <= stock[place.sku, place.warehouse]
    for want in wants:
        got: dict[str, int] = {}
        for hold in allocation.holds:
            if hold.order_id == want.order_id:
                got[hold.sku] = got.get(hold.sku, 0) + hold.quantity
        assert got == ({} if want.order_id in allocation.rejected else dict(want.lines))


def test_an_order_that_fits_in_one_parcel_is_not_split_between_nearer_warehouses() -> None:
    levels = [Level("A", "near", 1, 0), Level("B", "next", 1, 0), Level("A", "far", 1, 0), Level("B", "far", 1, 0)]
    assert taken(allocated([Want("o1", {"A": 1, "B": 1})], levels, {"near": 0, "next": 1, "far": 99})) == {"far": 2}


def test_of_parcels_as_few_the_nearest_are_taken() -> None:
    levels = [Level("A", name, 5, 0) for name in ("near", "far")]
    assert taken(allocated([Want("o1", {"A": 3})], levels, {"near": 1, "far": 9})) == {"near": 3}
    split = [Level("A", "near", 2, 0), Level("A", "mid", 2, 0), Level("A", "far", 2, 0)]
    assert taken(allocated([Want("o1", {"A": 4})], split, {"near": 1, "mid": 2, "far": 9})) == {"near": 2, "mid": 2}


def test_of_warehouses_as_near_the_preferred_is_taken() -> None:
    levels = [Level("A", "second", 5, 0), Level("A", "first", 5, 0)]
    assert taken(allocated([Want("o1", {"A": 3})], levels, {"first": 4, "second": 4})) == {"first": 3}


def test_two_parcels_are_enough_where_taking_the_nearest_first_would_need_three() -> None:
    levels = [Level("A", "near", 1, 0), Level("A", "mid", 4, 0), Level("A", "far", 2, 0)]
    assert taken(allocated([Want("o1", {"A": 6})], levels, {"near": 0, "mid": 1, "far": 2})) == {"mid": 4, "far": 2}


def test_each_address_is_served_from_its_own_side() -> None:
    east = domain.Warehouse("east", "East", 1, "US", "NJ")
    west = domain.Warehouse("west", "West", 2, location=domain.Point(39.5, -119.8))
    points = {"NJ": (40.1, -74.7), "CA": (36.7, -118.8), "NY": (43.2, -75.5)}
    atlas = nearness.Atlas(nearness.Known("US", code, "", domain.Point(*point)) for code, point in points.items())
    network = nearness.Network((east, west), atlas)
    wants = [Want("o1", {"A": 1}, HOME), Want("o2", {"A": 1}, Destination("US", "NY")), Want("o3", {"A": 1})]
    levels = [Level("A", "east", 5, 0), Level("A", "west", 5, 0)]
    got = {hold.order_id: hold.warehouse for hold in allocation.allocate(wants, levels, network.rank).holds}
    assert got == {"o1": "west", "o2": "east", "o3": "east"}


NAMES = ("a", "b", "c", "d", "e")
RANKINGS = st.permutations(NAMES).flatmap(
    lambda names: st.lists(st.integers(0, 5), min_size=5, max_size=5).map(
        lambda bands: dict(zip(names, sorted(bands), strict=True))
    )
)
SPREAD = st.dictionaries(st.tuples(SKUS, st.sampled_from(NAMES)), st.integers(0, 4))
ONE = st.dictionaries(SKUS, st.integers(1, 6), min_size=1)


@given(ONE, SPREAD, RANKINGS)
def test_nobody_could_send_an_order_in_fewer_parcels_or_from_nearer(
    lines: dict[str, int], stock: dict[tuple[str, str], int], ranking: dict[str, int]
) -> None:
    levels = [Level(sku, warehouse, on_hand, 0) for (sku, warehouse), on_hand in stock.items()]
    got = allocated([Want("o1", lines)], levels, ranking)
    if got.rejected:
        return
    used = taken(got).keys()
    ways = [
        chosen
        for size in range(1, len(NAMES) + 1)
        for chosen in itertools.combinations(NAMES, size)
        if all(sum(stock.get((sku, name), 0) for name in chosen) >= asked for sku, asked in lines.items())
    ]
    fewest = min(len(way) for way in ways)
    nearest = min(sum(ranking[name] for name in way) for way in ways if len(way) == fewest)
    assert (len(used), sum(ranking[name] for name in used)) == (fewest, nearest)


MANY = tuple(f"w{number}" for number in range(40))


@given(st.lists(st.integers(0, 3), min_size=40, max_size=40), st.integers(1, 60))
def test_an_order_that_very_many_warehouses_share_gets_all_of_it_from_none_too_many(
    have: list[int], asked: int
) -> None:
    levels = [Level("A", name, on_hand, 0) for name, on_hand in zip(MANY, have, strict=True)]
    got = allocated([Want("o1", {"A": asked})], levels, dict.fromkeys(MANY, 0))
    if sum(have) < asked:
        assert got.rejected
        return
    parcels = taken(got)
    assert sum(parcels.values()) == asked
    assert all(sum(have[MANY.index(name)] for name in parcels if name != left_out) < asked for left_out in parcels)

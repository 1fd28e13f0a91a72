"""Where returned units go: to who has them, else to where they came from, and every one of them somewhere."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from services.inventory import domain
from services.inventory.domain import shelving

WAREHOUSES = ["east", "north", "west"]
HOLDS = st.lists(
    st.builds(
        domain.Hold,
        st.just("order"),
        st.sampled_from(["CUP", "TEA"]),
        st.sampled_from([*WAREHOUSES, "gone"]),
        st.integers(1, 5),
    ),
    max_size=6,
    unique_by=lambda hold: hold.place,
)


def test_goods_lie_in_the_warehouse_that_has_them() -> None:
    goods = domain.GoodsReturned("return", "order", {"TEA": 2, "CUP": 0}, "west")
    moved = shelving.shelve(goods, [domain.Hold("order", "TEA", "east", 2)], {"east", "west"}, "east")
    assert moved == [domain.Movement("TEA", "west", 2, "sent_back", "return")]


def test_goods_of_which_nobody_says_where_they_are_lie_where_they_came_from() -> None:
    goods = domain.GoodsReturned("return", "order", {"TEA": 3}, "no-such-warehouse")
    picked = [domain.Hold("order", "TEA", "west", 4), domain.Hold("order", "TEA", "east", 1)]
    moved = shelving.shelve(goods, picked, {"east", "west"}, "east")
    assert [(one.warehouse, one.delta) for one in moved] == [("east", 1), ("west", 2)]


@given(
    HOLDS,
    st.dictionaries(st.sampled_from(["CUP", "TEA"]), st.integers(0, 9)),
    st.sampled_from([*WAREHOUSES, "", "gone"]),
)
def test_every_unit_lies_somewhere_once(picked: list[domain.Hold], resell: dict[str, int], warehouse: str) -> None:
    goods = domain.GoodsReturned("return", "order", resell, warehouse)
    moved = shelving.shelve(goods, picked, set(WAREHOUSES), "east")
    total: Counter[str] = Counter()
    for one in moved:
        total[one.sku] += one.delta
        assert one.delta > 0
        assert one.warehouse in WAREHOUSES
    assert total == Counter({sku: units for sku, units in resell.items() if units})

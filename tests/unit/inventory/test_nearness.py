"""How far apart places are, and where an address is."""

import pytest

from services.inventory import atlas
from services.inventory.domain import NOWHERE, Destination, Point, Warehouse, nearness

BERLIN, PARIS = Point(52.52, 13.40), Point(48.86, 2.35)


def test_the_way_between_two_cities_is_what_a_map_says() -> None:
    assert nearness.kilometres(BERLIN, PARIS) == pytest.approx(878, abs=5)
    assert nearness.kilometres(PARIS, PARIS) == 0
    assert nearness.kilometres(Point(0, 179.9), Point(0, -179.9)) == pytest.approx(22, abs=1)


@pytest.mark.parametrize("region", ["CA", "ca", "California", " california "])
def test_a_region_is_found_by_its_code_and_by_its_name(region: str) -> None:
    assert atlas.read().point("US", region) == Point(36.7, -118.8)


def test_a_region_that_nobody_knows_is_its_country() -> None:
    found = atlas.read()
    assert found.point("US", "Springfield County") == found.point("US", "") == Point(38, -97)
    assert found.point("XX", "") is None


def test_warehouses_that_are_nowhere_come_in_their_preference() -> None:
    network = nearness.Network((Warehouse("b", "", 1), Warehouse("a", "", 2)), atlas.read())
    assert list(network.rank(Destination("US", "CA"))) == ["b", "a"]


def test_a_warehouse_that_is_somewhere_is_nearer_than_one_that_is_nowhere() -> None:
    network = nearness.Network((Warehouse("b", "", 1), Warehouse("a", "", 2, "JP")), atlas.read())
    assert list(network.rank(Destination("US", "CA"))) == ["a", "b"]
    assert list(network.rank(NOWHERE)) == ["b", "a"]


def test_warehouses_a_few_kilometres_apart_are_as_near() -> None:
    here, there = Warehouse("b", "", 1, location=BERLIN), Warehouse("a", "", 2, location=Point(52.5, 13.5))
    network = nearness.Network((here, there), atlas.read())
    assert list(network.rank(Destination("FR", ""))) == ["b", "a"]

"""How the stock that is kept is held against what its history says."""

from services.inventory.domain import Level, history


def test_stock_that_is_what_its_history_says_agrees() -> None:
    [found] = history.compared([Level("A", "east", 5, 1)], [Level("A", "east", 5, 1)])
    assert found.agrees


def test_a_level_without_a_history_and_a_history_without_a_level_disagree() -> None:
    found = history.compared([Level("A", "east", 5, 0)], [Level("A", "west", 2, 1)])
    assert [each.agrees for each in found] == [False, False]
    assert [each.recorded.on_hand for each in found] == [0, 2]
    assert [each.kept.on_hand for each in found] == [5, 0]


def test_more_promised_than_ever_came_is_a_history_that_cannot_be() -> None:
    [found] = history.compared([], [Level("A", "east", 1, 2)])
    assert not found.possible

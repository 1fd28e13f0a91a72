"""The smoke check after a deployment, as far as it looks from outside: at the edge of the running stack."""

from collections.abc import Mapping

from scripts.operate import first_order, smoke

WISH = first_order.Wish((("COFFEE-250G", 1),), "card_approved", "CONFIRMED")


def test_an_order_goes_all_the_way_through_the_edge(environment: Mapping[str, str]) -> None:
    steps = smoke.through_edge(environment["EDGE_URL"], WISH)
    assert [(step.name, step.result) for step in steps] == [("edge", "passed"), ("order", "passed")], steps


def test_an_order_that_does_not_end_as_expected_fails_the_check(environment: Mapping[str, str]) -> None:
    declined = first_order.Wish(WISH.items, "card_declined", "CONFIRMED")
    [_, order] = smoke.through_edge(environment["EDGE_URL"], declined)
    assert order.result == "failed"
    assert "is CANCELLED" in order.seen


def test_no_order_is_placed_where_no_edge_answers() -> None:
    steps = smoke.through_edge("http://127.0.0.1:9", WISH)
    assert [(step.name, step.result) for step in steps] == [("edge", "failed"), ("order", "skipped")]

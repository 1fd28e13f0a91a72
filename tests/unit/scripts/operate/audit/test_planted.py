"""Mistakes that add up everywhere but in one book, planted there: the auditor finds and names them."""

import psycopg
import pytest

from tests.unit.scripts.operate.audit.written import Shop


def test_a_share_that_the_ledger_gives_to_another_vendor_is_found(shop: Shop) -> None:
    right, wrong = shop.order(), shop.order()
    for order, booked in ((right, {"": 200, "ann": 500}), (wrong, {"": 200, "bob": 500})):
        shop.paid(order, booked=False)
        shop.delivered(order)
        shop.divided(order, {"": 200, "ann": 500}, booked)
    [[payment]] = shop.books._ask("payment", "SELECT id::text FROM payments WHERE order_id = %s", wrong)
    assert sorted(shop.problems()) == [
        f"payment {payment}: of vendor ann the ledger has 0, due are 500",
        f"payment {payment}: of vendor bob the ledger has 500, due are 0",
    ]


@pytest.mark.parametrize("credited", [100, 150])
def test_a_credit_note_that_disagrees_with_its_refund_is_found(shop: Shop, credited: int) -> None:
    order = shop.order()
    shop.paid(order, refunded=120)
    shop.wanted_back(order, 120)
    shop.delivered(order)
    # Documents are append-only: whoever plants a wrong one does so with the triggers off.
    with psycopg.connect(shop.books.urls["order"]) as connection:
        connection.execute(b"SET session_replication_role = replica")
        connection.execute("UPDATE documents SET amount = %s WHERE kind = 'CREDIT_NOTE'", [credited])
    assert shop.problems() == [f"order {order} (CONFIRMED): {credited} USD of it are credited, 120 were given back"]


def test_a_parcel_whose_lines_disagree_with_the_order_is_found(shop: Shop) -> None:
    order = shop.order("FULFILLING")
    shop.paid(order)
    shop.delivered(order)
    shop.sent(order, 3)
    found = [problem for problem in shop.problems() if problem.startswith("order ")]
    assert found == [f"order {order} (FULFILLING): in its parcels are {{'MUG': 3}}, wanted are {{'MUG': 2}}"]

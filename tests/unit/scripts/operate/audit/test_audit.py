"""The auditor, on the services' real, migrated databases with books that a test has written, and beside a real provider."""

import json
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import psycopg
import pytest

from scripts.operate.audit import __main__ as audit
from scripts.operate.audit.books import INVARIANTS, Books
from services.chassis import clock, ids
from tests.support import postgres, servers, simulators

TOTAL = 700
TABLES = {
    "order": "orders, sagas, order_events, documents, document_series",
    "payment": "payments, refunds, ledger_entries, disputes",
    "inventory": "stock, movements, reservations, supplies, supply_lines, counts, count_lines",
    "promotion": "promotions, codes, code_batches, redemptions",
    "shipping": "parcels, parcel_events",
}
SALE = "01900000-0000-7000-8000-00000000005a"


class Shop:
    """Writes what the services would have written of an order of two mugs; each part may be left out or be wrong."""

    def __init__(self, books: Books) -> None:
        self.books = books

    def write(self, service: str, statement: str, *values: object) -> None:
        with psycopg.connect(self.books.urls[service]) as connection:
            connection.execute(statement.encode(), values)

    def order(
        self, status: str = "CONFIRMED", *, history: int = 1, stuck: bool = False, age_s: int = 60, off: int = 0
    ) -> str:
        order = ids.new_id(clock.utc_now())
        charges = {"charges": {"discount": off}} if off else {}
        lines = json.dumps([{"sku": "MUG", "quantity": 2, "price": TOTAL // 2, **charges}])
        discounts = [{"promotion_id": SALE, "lines": {"MUG": off}, "shipping": 0, "claims": 1}]
        self.write(
            "order",
            "INSERT INTO orders VALUES (%s, %s, 'USD', %s, %s, '{}', 'card_approved', now(), false, %s)",
            order, order, TOTAL - off, lines, json.dumps(discounts) if off else None,
        )  # fmt: skip
        self.write(
            "order",
            "INSERT INTO sagas VALUES (%s, %s, 1, %s, 'DONE', '', 1, now() - make_interval(secs => %s), NULL, 0, %s, '', '')",
            order, order, status, age_s, stuck,
        )  # fmt: skip
        entries = "INSERT INTO order_events SELECT %s, n, %s, 'x', '', 'x', now() FROM generate_series(1, %s) AS n"
        self.write("order", entries, order, status, history)
        return order

    def paid(
        self, order: str, captured: int = TOTAL, refunded: int = 0, state: str = "CAPTURED", *, booked: bool = True
    ) -> None:
        payment = ids.new_id(clock.utc_now())
        self.write(
            "payment",
            "INSERT INTO payments VALUES (%s, %s, %s, %s, 'USD', %s, %s, %s, 'card', '', '', 1, now(), now())",
            payment, order, order, state, captured, captured, refunded,
        )  # fmt: skip
        entries = "INSERT INTO ledger_entries VALUES (%s, 1, %s, 'USD', %s, now()), (%s, 1, %s, 'USD', %s, now())"
        kept = captured - refunded
        if kept and booked:
            self.write(
                "payment", entries, payment, "provider_receivable", kept, payment, "order_revenue", -kept
            )  # fmt: skip

        self.documented(order, "INVOICE", captured)
        self.documented(order, "CREDIT_NOTE", refunded)

    def documented(self, order: str, kind: str, amount: int) -> None:
        if not amount:
            return
        counted = """
        INSERT INTO document_series VALUES (%s, '2026', 1)
        ON CONFLICT (kind, series) DO UPDATE SET last = document_series.last + 1
        """
        self.write("order", counted, kind)
        issued = """
        INSERT INTO documents SELECT kind, series, last, %s, 0, 'USD', %s, '{}', now() FROM document_series WHERE kind = %s
        """
        self.write("order", issued, order, amount, kind)

    def divided(self, order: str, due: dict[str, int], booked: dict[str, int]) -> None:
        """Whose a captured payment is by itself, and by its ledger."""
        self.write("payment", "UPDATE payments SET shares = %s WHERE order_id = %s", json.dumps(due), order)
        entries = """
        INSERT INTO ledger_entries (payment_id, version, account, currency, amount, time, shares)
        SELECT p.id, 1, e.account, 'USD', e.sign * %s, now(),
          (SELECT coalesce(jsonb_object_agg(key, e.sign * value::bigint), '{}') FROM jsonb_each_text(%s))
        FROM payments AS p, (VALUES ('provider_receivable', 1), ('order_revenue', -1)) AS e(account, sign) WHERE p.order_id = %s
        """
        self.write("payment", entries, sum(booked.values()), json.dumps(booked), order)

    def sent(self, order: str, quantity: int) -> str:
        """A parcel of an order, with so many mugs."""
        parcel = ids.new_id(clock.utc_now())
        self.write(
            "shipping",
            """
            INSERT INTO parcels (id, order_id, user_id, warehouse, state, lines, address, carrier, reference, tracking_number,
              tracking_url, label_url, failure_reason, scans, version, create_time, update_time)
            VALUES (%s, %s, %s, 'east', 'LABELLED', %s, '{}', '', '', '', '', '', '', 0, 0, now(), now())
            """,
            parcel, order, order, json.dumps([{"sku": "MUG", "quantity": quantity}]),
        )  # fmt: skip
        return parcel

    def uses_coupon(self, order: str, discount: int, status: str = "COMMITTED") -> None:
        self.write(
            "promotion",
            "INSERT INTO redemptions VALUES (%s, %s, '', %s, 'USD', %s, %s, '')",
            order, SALE, order, discount, status,
        )  # fmt: skip
        self.write("promotion", "UPDATE promotions SET uses = uses + 1")

    def wanted_back(self, order: str, amount: int) -> None:
        asked = "INSERT INTO refunds SELECT %s, id, %s, '', 'x', now() FROM payments WHERE order_id = %s"
        self.write("payment", asked, ids.new_id(clock.utc_now()), amount, order)

    def delivered(self, order: str, quantity: int = 2, status: str = "COMMITTED") -> None:
        self.write(
            "inventory", "INSERT INTO reservations VALUES (%s, 'MUG', 'east', %s, %s, now())", order, quantity, status
        )
        if status == "COMMITTED":
            self.move(-quantity, order)
            self.write("inventory", "UPDATE stock SET on_hand = on_hand - %s", quantity)

    def move(self, delta: int, reference: str) -> None:
        self.write(
            "inventory",
            "INSERT INTO movements (sku, warehouse, delta, reason, reference, time) VALUES ('MUG', 'east', %s, 'x', %s, now())",
            delta,
            reference,
        )

    def charge(self, amount: int) -> None:
        body = {"amount": amount, "currency": "USD", "payment_method": "card_approved", "reference": "r"}
        charge = self._post("/v1/charges", body)
        self._post(f"/v1/charges/{charge['id']}/capture", {"amount": amount})

    def problems(self) -> list[str]:
        return list(audit.audit(self.books, again_s=0).problems)

    def _post(self, path: str, body: dict[str, object]) -> dict[str, str]:
        headers = {"Idempotency-Key": ids.new_id(clock.utc_now())}
        answer = httpx.post(self.books.provider_url + path, json=body, headers=headers)
        answer.raise_for_status()
        made: dict[str, str] = answer.json()
        return made


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    with ExitStack() as stack:
        admin = servers.postgres_admin_url()
        yield {name: stack.enter_context(postgres.fresh_database(admin, name)) for name in INVARIANTS}


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with simulators.provider(tmp_path_factory.mktemp("provider")) as url:
        yield url


@pytest.fixture
def shop(urls: dict[str, str]) -> Shop:
    # Histories are append-only, even for tests: what an earlier one wrote is dropped with the triggers off.
    for service, names in TABLES.items():
        with psycopg.connect(urls[service]) as connection:
            connection.execute(b"SET session_replication_role = replica")
            connection.execute(f"TRUNCATE {names}, parked_events CASCADE".encode())
    shop = Shop(Books(urls))
    shop.write("inventory", "INSERT INTO stock VALUES ('MUG', 'east', 10, 0)")
    shop.move(10, "")
    shop.write(
        "promotion",
        "INSERT INTO promotions VALUES (%s, '{}', false, 0, 0, NULL, NULL, now(), now(), 1)",
        SALE,
    )
    return shop


def test_books_that_agree_have_no_problems(shop: Shop) -> None:
    confirmed, cancelled, given_back = shop.order(), shop.order("CANCELLED"), shop.order("CANCELLED")
    shop.order("CANCELLED")
    shop.paid(confirmed)
    shop.delivered(confirmed)
    shop.paid(cancelled, captured=0, state="VOIDED")
    shop.paid(given_back, refunded=TOTAL, state="REFUNDED")
    shop.delivered(given_back, status="RELEASED")

    report = audit.audit(shop.books, again_s=0)

    assert (report.orders, report.problems) == (4, [])
    assert report.remarks == ["not compared with the provider: it tells no totals"]


def test_what_an_administrator_gave_back_of_a_confirmed_order_is_no_disagreement(shop: Shop) -> None:
    order = shop.order()
    shop.paid(order, refunded=300)
    shop.wanted_back(order, 300)
    shop.delivered(order)
    assert shop.problems() == []


def test_what_nobody_wanted_back_of_a_confirmed_order_is_found(shop: Shop) -> None:
    order = shop.order()
    shop.paid(order, refunded=300)
    shop.delivered(order)
    assert shop.problems() == [f"order {order} (CONFIRMED): 300 USD were given back, of which 0 were asked for"]


def test_a_confirmed_order_that_was_not_paid_or_not_delivered_is_found(shop: Shop) -> None:
    unpaid, kept = shop.order(), shop.order()
    shop.delivered(unpaid)
    shop.paid(kept)
    assert shop.problems() == [
        f"order {unpaid} (CONFIRMED): 0  were taken, due are 700 USD",
        f"order {kept} (CONFIRMED): stock committed is {{}}, due is {{'MUG': 2}}",
        f"order {kept} (CONFIRMED): stock that left the shelf is {{}}, due is {{'MUG': 2}}",
    ]


def test_money_and_stock_of_a_cancelled_order_are_found(shop: Shop) -> None:
    order = shop.order("CANCELLED")
    shop.paid(order)
    shop.delivered(order)
    assert [problem.removeprefix(f"order {order} (CANCELLED): ") for problem in shop.problems()] == [
        "700 USD of its money are kept",
        "its payment is CAPTURED",
        "stock committed is {'MUG': 2}, due is {}",
        "stock that left the shelf is {'MUG': 2}, due is {}",
    ]


def test_an_order_whose_coupon_is_used_for_good_has_no_problems(shop: Shop) -> None:
    order, cancelled = shop.order(off=200), shop.order("CANCELLED", off=200)
    shop.paid(order, captured=500)
    shop.delivered(order)
    shop.uses_coupon(order, 200)
    assert cancelled != order
    assert shop.problems() == []


def test_an_order_that_costs_nothing_needs_no_payment(shop: Shop) -> None:
    order = shop.order(off=TOTAL)
    shop.delivered(order)
    shop.uses_coupon(order, TOTAL)
    assert shop.problems() == []


def test_coupons_that_were_not_used_or_not_given_back_are_found(shop: Shop) -> None:
    kept, claimed, unused = shop.order("CANCELLED", off=200), shop.order(off=200), shop.order(off=200)
    for order in (claimed, unused):
        shop.paid(order, captured=500)
        shop.delivered(order)
    shop.uses_coupon(kept, 200)
    shop.uses_coupon(claimed, 200, "CLAIMED")
    assert shop.problems() == [
        f"order {kept} (CANCELLED): coupons used are {{'{SALE}': 200}}, due are {{}}",
        f"order {claimed} (CONFIRMED): coupons are still claimed: {{'{SALE}': 200}}",
        f"order {claimed} (CONFIRMED): coupons used are {{}}, due are {{'{SALE}': 200}}",
        f"order {unused} (CONFIRMED): coupons used are {{}}, due are {{'{SALE}': 200}}",
    ]


def test_discounts_that_are_not_those_of_the_lines_are_found(shop: Shop) -> None:
    order = shop.order("CANCELLED", off=200)
    shop.write("order", "UPDATE orders SET discounts = NULL")
    assert shop.problems() == [f"order {order} (CANCELLED): its lines are discounted by 200, its promotions take off 0"]


def test_a_promotion_that_is_used_more_often_than_it_counts_is_found(shop: Shop) -> None:
    order = shop.order(off=200)
    shop.paid(order, captured=500)
    shop.delivered(order)
    shop.uses_coupon(order, 200)
    shop.write("promotion", "UPDATE promotions SET uses = 0")
    assert shop.problems() == [f"promotion {SALE}: 0 uses, 1 redemptions"]


def test_an_order_that_came_to_rest_just_now_is_left_alone(shop: Shop) -> None:
    shop.order(age_s=0)
    report = audit.audit(shop.books, again_s=0)
    assert (report.orders, report.problems) == (0, [])


def test_what_one_database_must_hold_by_itself_is_found(shop: Shop) -> None:
    order, stranger = shop.order("CANCELLED", history=2), ids.new_id(clock.utc_now())
    shop.paid(stranger)
    shop.write("payment", "UPDATE payments SET refunded = 100")
    shop.write("inventory", "UPDATE stock SET on_hand = 9, reserved = 1")
    payment = shop.books._ask("payment", "SELECT id::text FROM payments")[0][0]
    assert shop.problems() == [
        f"order {order} (CANCELLED): its history has gaps: ((1, 'CANCELLED'), (2, 'CANCELLED')), version 1",
        f"money was taken for order {stranger}, which is not there",
        "stock of MUG in east: reserved 1, held 0",
        "stock of MUG in east: on hand 9, moved 10",
        f"payment {payment}: captured 700, refunded 100, ledger 700",
        f"order {order}: version 1, history of 2 up to 2",
    ]


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


def test_stock_that_is_gone_though_its_history_is_there_is_found(shop: Shop) -> None:
    shop.write("inventory", "DELETE FROM stock")
    assert shop.problems() == ["stock of MUG in east: on hand 0, moved 10"]


def test_goods_on_their_way_that_did_not_move_as_they_should_are_found(shop: Shop) -> None:
    sent, came, back = (ids.new_id(clock.utc_now()) for _ in range(3))
    for supply, kind, state in (
        (sent, "TRANSFER", "UNDER_WAY"),
        (came, "RESTOCK", "ARRIVED"),
        (back, "TRANSFER", "RETURNED_TO_SOURCE"),
    ):
        made = "INSERT INTO supplies VALUES (%s, %s, 'east', 'west', %s, NULL, '', 'x', now(), now())"
        shop.write("inventory", made, supply, kind, state)
        shop.write("inventory", "INSERT INTO supply_lines VALUES (%s, 'MUG', 3, %s)", supply, 3 * (kind == "RESTOCK"))
    assert shop.problems() == [
        f"transfer {sent} of MUG: moved 0, due -3",
        f"restock {came} of MUG: moved 0, due 3",
    ]


def test_a_count_whose_difference_did_not_move_is_found(shop: Shop) -> None:
    count = ids.new_id(clock.utc_now())
    shop.write("inventory", "INSERT INTO counts VALUES (%s, 'east', '', 'x', now(), now())", count)
    for sku, applied in (("CUP", False), ("MUG", True)):
        shop.write("inventory", "INSERT INTO count_lines VALUES (%s, %s, 10, 8, %s)", count, sku, applied)
    assert shop.problems() == [f"count {count} of MUG: moved 0, due -2"]


def test_what_waits_for_a_person_is_found(shop: Shop) -> None:
    order = shop.order("CANCELLED", stuck=True)
    assert shop.problems() == [f"order {order} waits for a person: its saga is stuck"]


def test_a_charge_that_only_the_provider_knows_of_is_found(shop: Shop, provider: str) -> None:
    order = shop.order()
    shop.paid(order)
    shop.delivered(order)
    shop = Shop(Books(shop.books.urls, provider))
    shop.charge(TOTAL)
    assert shop.problems() == []
    shop.charge(TOTAL)
    assert shop.problems() == ["the provider took {'USD': 1400}, the payments say {'USD': 700}"]


def test_all_orders_are_looked_at_whatever_their_number(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.operate.audit.books.AT_ONCE", 2)
    for _ in range(5):
        shop.order("CANCELLED")
    assert audit.audit(shop.books, again_s=0).orders == 5


def test_the_command_says_what_it_found_and_ends_with_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PAYMENT_PROVIDER_URL", raising=False)
    for service, url in shop.books.urls.items():
        monkeypatch.setenv(f"{service.upper()}_DATABASE_URL", url)
    shop.order("CANCELLED")
    assert audit.main([]) == 0
    assert "1 orders at rest were looked at: orders, money and stock agree" in capsys.readouterr().out
    shop.order()
    assert audit.main([]) == 1
    assert "3 disagreement(s)" in capsys.readouterr().out
    monkeypatch.delenv("ORDER_DATABASE_URL")
    assert audit.main([]) == 2


def test_the_command_reads_what_a_stacks_environment_names() -> None:
    named = {f"{service.upper()}_DATABASE_URL": f"postgresql://host/{service}" for service in INVARIANTS}
    assert audit.books_of(named) == Books({service: f"postgresql://host/{service}" for service in INVARIANTS})
    assert audit.books_of({**named, "PAYMENT_PROVIDER_URL": "http://provider"}).provider_url == "http://provider"

"""Books that a test has written, as the services would have, of orders of two mugs."""

import json

import httpx
import psycopg

from scripts.operate.audit import __main__ as audit
from scripts.operate.audit.books import Books
from services.chassis import clock, ids

TOTAL = 700
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

"""Invoices and credit notes, numbered without gaps. Only adds: what code of before captures is invoiced when it is asked for."""

from alembic import op

revision = "order_0010"
down_revision = "order_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    -- What is to be issued: written with the event that it follows from, taken away with the number it gets.
    CREATE TABLE documents_due (
      order_id uuid NOT NULL,
      kind text NOT NULL,
      refunded bigint NOT NULL,
      since timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (order_id, kind, refunded)
    );
    CREATE INDEX ix_documents_due_since ON documents_due (kind, since, order_id, refunded);

    CREATE TABLE document_series (
      kind text NOT NULL,
      series text NOT NULL,
      last bigint NOT NULL,
      PRIMARY KEY (kind, series)
    ) WITH (fillfactor = 10);

    -- No name and no address: those are the order's alone, so that they can be erased.
    CREATE TABLE documents (
      kind text NOT NULL CHECK (kind IN ('INVOICE', 'CREDIT_NOTE')),
      series text NOT NULL,
      number bigint NOT NULL CHECK (number > 0),
      order_id uuid NOT NULL,
      refunded bigint NOT NULL,
      currency text NOT NULL,
      amount bigint NOT NULL CHECK (amount > 0),
      seller jsonb NOT NULL,
      issue_time timestamptz NOT NULL,
      PRIMARY KEY (kind, series, number),
      UNIQUE (order_id, kind, refunded)
    );
    CREATE FUNCTION documents_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'documents is append-only'; END $$;
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON documents
      EXECUTE FUNCTION documents_are_append_only();

    INSERT INTO documents_due (order_id, kind, refunded, since)
    SELECT e.order_id, 'INVOICE', 0, min(e.time) FROM order_events AS e JOIN orders AS o ON o.id = e.order_id
    WHERE e.event = 'PaymentCaptured' AND o.total > 0 GROUP BY 1;
    INSERT INTO documents_due (order_id, kind, refunded, since)
    SELECT e.order_id, 'CREDIT_NOTE', o.total, min(e.time) FROM order_events AS e JOIN orders AS o ON o.id = e.order_id
    WHERE e.event = 'PaymentRefunded' AND o.total > 0 GROUP BY 1, 3;
    """)

"""Returns of delivered orders, and what happened to them. Only adds: code of before knows nothing of them."""

from alembic import op

revision = "order_0009"
down_revision = "order_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # No foreign keys, for the reason of 0001: a check would lock the order's row.
    op.execute("""
    CREATE TABLE returns (
      id uuid PRIMARY KEY,
      order_id uuid NOT NULL,
      user_id uuid NOT NULL,
      currency text NOT NULL,
      taxes_included boolean NOT NULL,
      status text NOT NULL CHECK (status IN ('REQUESTED', 'APPROVED', 'REJECTED', 'RECEIVED', 'INSPECTED', 'REFUNDED')),
      lines jsonb NOT NULL,
      note text NOT NULL,
      photos jsonb NOT NULL,
      reject_reason text NOT NULL,
      warehouse text NOT NULL,
      -- What is due by what for, and in all; absent until the inspection.
      refund jsonb,
      amount bigint CHECK (amount >= 0),
      -- What was given back; absent until it was.
      refunded bigint CHECK (refunded BETWEEN 0 AND amount),
      exchange_order_id text NOT NULL,
      version bigint NOT NULL,
      create_time timestamptz NOT NULL,
      update_time timestamptz NOT NULL,
      CONSTRAINT priced_when_inspected CHECK ((amount IS NOT NULL) = (status IN ('INSPECTED', 'REFUNDED'))),
      CONSTRAINT given_back_when_refunded CHECK ((refunded IS NOT NULL) = (status = 'REFUNDED'))
    );
    CREATE INDEX ix_returns_order_id ON returns (order_id, id);
    CREATE INDEX ix_returns_unrefunded ON returns (update_time) WHERE status = 'INSPECTED';

    CREATE TABLE return_events (
      return_id uuid NOT NULL,
      sequence bigint NOT NULL,
      status text NOT NULL,
      event text NOT NULL,
      reason text NOT NULL,
      actor text NOT NULL,
      time timestamptz NOT NULL,
      PRIMARY KEY (return_id, sequence)
    );
    CREATE FUNCTION return_events_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'return_events is append-only'; END $$;
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON return_events
      EXECUTE FUNCTION return_events_are_append_only();
    """)

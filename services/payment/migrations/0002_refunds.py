"""Refunds that somebody asks for, and payments that wait for a payment method. Only adds: code of 0001 runs on beside it."""

from alembic import op

revision = "payment_0002"
down_revision = "payment_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    ALTER TABLE payments
      -- What is being given back now, and which refund that is: empty when it is because the order was cancelled.
      ADD COLUMN refunding bigint NOT NULL DEFAULT 0,
      ADD COLUMN refund_id text NOT NULL DEFAULT '',
      DROP CONSTRAINT payments_state_check,
      ADD CONSTRAINT payments_state_check CHECK (state IN (
        'AWAITING_METHOD', 'AUTHORIZING', 'AUTHORIZING_CANCELLED', 'AUTHORIZED', 'DECLINED', 'CAPTURING',
        'CAPTURING_CANCELLED', 'CAPTURE_REFUSED', 'CAPTURED', 'VOIDING', 'VOIDED', 'REFUNDING', 'REFUNDING_PART',
        'REFUNDING_PART_CANCELLED', 'REFUNDING_REST', 'REFUNDED')),
      ADD CONSTRAINT refund_within_capture CHECK (0 <= refunding AND refunded + refunding <= captured);

    CREATE TABLE refunds (
      id uuid PRIMARY KEY,
      payment_id uuid NOT NULL REFERENCES payments (id),
      amount bigint NOT NULL CHECK (amount > 0),
      reason text NOT NULL,
      actor text NOT NULL,
      create_time timestamptz NOT NULL
    );
    CREATE INDEX ix_refunds_payment_id ON refunds (payment_id);
    CREATE FUNCTION refunds_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'refunds are append-only'; END $$;
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON refunds
      EXECUTE FUNCTION refunds_are_append_only();
    """)

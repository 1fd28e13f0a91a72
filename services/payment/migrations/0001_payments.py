"""Payments and their ledger."""

from alembic import op

revision = "payment_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE TABLE payments (
      id uuid PRIMARY KEY,
      order_id uuid NOT NULL UNIQUE,
      user_id uuid NOT NULL,
      state text NOT NULL CHECK (state IN (
        'AUTHORIZING', 'AUTHORIZING_CANCELLED', 'AUTHORIZED', 'DECLINED', 'CAPTURING', 'CAPTURING_CANCELLED',
        'CAPTURE_REFUSED', 'CAPTURED', 'VOIDING', 'VOIDED', 'REFUNDING', 'REFUNDED')),
      currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
      amount bigint NOT NULL CHECK (amount >= 0),
      captured bigint NOT NULL,
      refunded bigint NOT NULL,
      payment_method text NOT NULL,
      provider_reference text NOT NULL,
      failure_reason text NOT NULL,
      version bigint NOT NULL,
      create_time timestamptz NOT NULL,
      update_time timestamptz NOT NULL,
      -- The worker's: when the provider is to be asked next (null: not at all), how often it was asked for this state, and
      -- a number that grows with every claim, so that a worker that was taken for dead writes nothing.
      next_try_at timestamptz,
      attempts integer NOT NULL DEFAULT 0,
      epoch bigint NOT NULL DEFAULT 0,
      CHECK (0 <= refunded AND refunded <= captured AND captured <= amount)
    ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
    CREATE INDEX ix_payments_next_try_at ON payments (next_try_at) WHERE next_try_at IS NOT NULL;

    -- A transaction of the ledger is one change of one payment: its version names it, so that none is written twice.
    CREATE TABLE ledger_entries (
      payment_id uuid NOT NULL REFERENCES payments (id),
      version bigint NOT NULL,
      account text NOT NULL CHECK (account IN ('provider_receivable', 'order_revenue')),
      currency text NOT NULL,
      amount bigint NOT NULL CHECK (amount <> 0),
      time timestamptz NOT NULL,
      PRIMARY KEY (payment_id, version, account)
    );
    CREATE FUNCTION ledger_is_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (
        SELECT 1 FROM ledger_entries WHERE payment_id = NEW.payment_id AND version = NEW.version
        GROUP BY currency HAVING sum(amount) <> 0) THEN
        RAISE EXCEPTION 'the ledger does not balance for payment % at version %', NEW.payment_id, NEW.version
          USING ERRCODE = 'check_violation';
      END IF;
      RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON ledger_entries DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION ledger_is_balanced();
    CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$;
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
      EXECUTE FUNCTION ledger_is_append_only();
    """)

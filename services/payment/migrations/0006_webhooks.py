"""What the provider tells of by itself: events, disputes, and settled refunds. Only adds: code of 0005 runs on beside it."""

from alembic import op

revision = "payment_0006"
down_revision = "payment_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE TABLE IF NOT EXISTS webhook_events (
      provider text NOT NULL,
      event_id text NOT NULL,
      type text NOT NULL,
      reference text NOT NULL,
      event_time timestamptz NOT NULL,
      receive_time timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (provider, event_id)
    );
    CREATE INDEX IF NOT EXISTS ix_webhook_events_receive_time ON webhook_events (receive_time);

    CREATE TABLE IF NOT EXISTS disputes (
      id text PRIMARY KEY,
      payment_id uuid NOT NULL REFERENCES payments (id),
      state text NOT NULL CHECK (state IN ('OPEN', 'WON', 'LOST')),
      amount bigint NOT NULL CHECK (amount > 0),
      reason text NOT NULL,
      create_time timestamptz NOT NULL,
      update_time timestamptz NOT NULL
    );
    CREATE INDEX IF NOT EXISTS ix_disputes_payment_id ON disputes (payment_id);

    -- A refund that succeeded, by the call that made it, until it fails after all.
    CREATE TABLE IF NOT EXISTS settled_refunds (
      payment_id uuid NOT NULL REFERENCES payments (id),
      call text NOT NULL,
      amount bigint NOT NULL CHECK (amount > 0),
      time timestamptz NOT NULL,
      fail_time timestamptz,
      PRIMARY KEY (payment_id, call)
    );

    ALTER TABLE ledger_entries
      DROP CONSTRAINT IF EXISTS ledger_entries_account_check,
      ADD CONSTRAINT ledger_entries_account_check CHECK (account IN (
        'provider_receivable', 'order_revenue', 'disputed', 'dispute_losses')) NOT VALID;
    """)
    with op.get_context().autocommit_block():
        # Both let everybody read and write meanwhile. A run that was cut short before them is repeated.
        op.execute("ALTER TABLE ledger_entries VALIDATE CONSTRAINT ledger_entries_account_check")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_payments_provider_reference")
        op.execute("""
        CREATE INDEX CONCURRENTLY ix_payments_provider_reference ON payments (provider_reference)
        WHERE provider_reference <> ''
        """)

"""Whose the money of payments is, by vendor. Only adds: code of 0009 runs on beside it, and writes what is the shop's own."""

from alembic import op

revision = "payment_0010"
down_revision = "payment_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    -- By vendor, in minor units; the shop's own under an empty name. Empty: all of it is the shop's.
    ALTER TABLE payments
      ADD COLUMN IF NOT EXISTS shares jsonb NOT NULL DEFAULT '{}',
      ADD COLUMN IF NOT EXISTS refunded_shares jsonb NOT NULL DEFAULT '{}',
      ADD COLUMN IF NOT EXISTS refunding_shares jsonb NOT NULL DEFAULT '{}';
    ALTER TABLE settled_refunds ADD COLUMN IF NOT EXISTS shares jsonb NOT NULL DEFAULT '{}';
    ALTER TABLE disputes ADD COLUMN IF NOT EXISTS shares jsonb NOT NULL DEFAULT '{}';
    ALTER TABLE return_refunds ADD COLUMN IF NOT EXISTS shares jsonb NOT NULL DEFAULT '{}';
    ALTER TABLE ledger_entries
      ADD COLUMN IF NOT EXISTS cause text,
      ADD COLUMN IF NOT EXISTS shares jsonb NOT NULL DEFAULT '{}';
    """)
    with op.get_context().autocommit_block():
        # Lets everybody read and write meanwhile. A run that was cut short before it is repeated.
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_ledger_entries_time")
        op.execute("""
        CREATE INDEX CONCURRENTLY ix_ledger_entries_time ON ledger_entries USING brin (time) WITH (pages_per_range = 32)
        """)

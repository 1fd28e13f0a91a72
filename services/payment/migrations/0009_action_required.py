"""Payments that their customers have to confirm. Only adds: code of 0008 runs on beside it.

A worker of before claims nothing as long as one of them is due: it does not know the state. Those of the new release do.
"""

from alembic import op

revision = "payment_0009"
down_revision = "payment_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    ALTER TABLE payments
      -- How the customer confirms; empty unless that is awaited.
      ADD COLUMN IF NOT EXISTS action_url text NOT NULL DEFAULT '',
      ADD COLUMN IF NOT EXISTS action_secret text NOT NULL DEFAULT '',
      DROP CONSTRAINT IF EXISTS payments_state_check,
      ADD CONSTRAINT payments_state_check CHECK (state IN (
        'AWAITING_METHOD', 'AUTHORIZING', 'ACTION_REQUIRED', 'AUTHORIZING_CANCELLED', 'AUTHORIZING_CONFIRMED', 'AUTHORIZED',
        'DECLINED', 'CAPTURING', 'CAPTURING_CANCELLED', 'CAPTURE_REFUSED', 'CAPTURED', 'VOIDING', 'VOIDED', 'REFUNDING',
        'REFUNDING_PART', 'REFUNDING_PART_CANCELLED', 'REFUNDING_REST', 'REFUNDED')) NOT VALID
    """)
    with op.get_context().autocommit_block():
        # Reads the table under a lock that lets everybody read and write. A run that was cut short before it is repeated.
        op.execute("ALTER TABLE payments VALIDATE CONSTRAINT payments_state_check")

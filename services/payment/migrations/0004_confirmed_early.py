"""Payments whose order is confirmed before the provider answered. Only adds: code of 0003 runs on beside it.

Nothing is rewritten: a payment keeps the id it has, and with it the key that the provider knows. Only a payment that 0004's code
makes is named by its order. The state is reached when events are handled again after a restore, never in an upgrade.
"""

from alembic import op

revision = "payment_0004"
down_revision = "payment_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    ALTER TABLE payments
      DROP CONSTRAINT IF EXISTS payments_state_check,
      ADD CONSTRAINT payments_state_check CHECK (state IN (
        'AWAITING_METHOD', 'AUTHORIZING', 'AUTHORIZING_CANCELLED', 'AUTHORIZING_CONFIRMED', 'AUTHORIZED', 'DECLINED',
        'CAPTURING', 'CAPTURING_CANCELLED', 'CAPTURE_REFUSED', 'CAPTURED', 'VOIDING', 'VOIDED', 'REFUNDING', 'REFUNDING_PART',
        'REFUNDING_PART_CANCELLED', 'REFUNDING_REST', 'REFUNDED')) NOT VALID
    """)
    with op.get_context().autocommit_block():
        # Reads the table under a lock that lets everybody read and write. A run that was cut short before it is repeated.
        op.execute("ALTER TABLE payments VALIDATE CONSTRAINT payments_state_check")

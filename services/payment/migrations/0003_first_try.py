"""When the call that is being made to the provider was tried first. Only adds: code of 0002 runs on beside it."""

from alembic import op

revision = "payment_0003"
down_revision = "payment_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    -- The worker's, like attempts. Null for what was tried before: it counts from its next attempt.
    ALTER TABLE payments ADD COLUMN first_try_at timestamptz;
    """)

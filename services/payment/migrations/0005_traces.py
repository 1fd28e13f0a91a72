"""Payments keep the trace of the call that moved them last. Only adds: code of 0004 runs on beside it and writes none."""

from alembic import op

revision = "payment_0005"
down_revision = "payment_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE payments ADD COLUMN IF NOT EXISTS traceparent text NOT NULL DEFAULT ''")

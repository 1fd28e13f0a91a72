"""When somebody wants to be left alone. Only adds: code of 0009 runs on beside it, and leaves nobody alone."""

from alembic import op

revision = "notification_0010"
down_revision = "notification_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # From a time to the same time is never. Constant defaults rewrite no row.
    op.execute("""
    ALTER TABLE preferences
      ADD COLUMN IF NOT EXISTS quiet_start time NOT NULL DEFAULT '00:00',
      ADD COLUMN IF NOT EXISTS quiet_end time NOT NULL DEFAULT '00:00',
      ADD COLUMN IF NOT EXISTS quiet_zone text NOT NULL DEFAULT '';
    """)

"""The language that somebody reads. Only adds: code of 0006 runs on beside it, and writes English."""

from alembic import op

revision = "notification_0007"
down_revision = "notification_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A constant default rewrites no row.
    op.execute("ALTER TABLE preferences ADD COLUMN IF NOT EXISTS language text NOT NULL DEFAULT 'en'")

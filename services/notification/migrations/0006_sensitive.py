"""Messages whose text must not be kept. Only adds: code of 0005 runs on beside it, and does not know them."""

from alembic import op

revision = "notification_0006"
down_revision = "notification_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A constant default rewrites no row.
    op.execute("ALTER TABLE notifications ADD COLUMN IF NOT EXISTS sensitive boolean NOT NULL DEFAULT false")

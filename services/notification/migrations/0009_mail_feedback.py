"""Addresses from which mail came back, and what was told of mail that was sent. Only adds: code of 0008 runs on beside it."""

from alembic import op

revision = "notification_0009"
down_revision = "notification_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    -- No mail goes to a contact while this is its address. A constant default rewrites no row.
    ALTER TABLE contacts ADD COLUMN IF NOT EXISTS bounced_email text NOT NULL DEFAULT '';

    CREATE TABLE IF NOT EXISTS mail_feedback (
      id text PRIMARY KEY,
      receive_time timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE INDEX IF NOT EXISTS ix_mail_feedback_receive_time ON mail_feedback (receive_time);
    """)

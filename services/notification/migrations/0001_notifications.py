"""Contacts, and messages to them."""

from alembic import op

revision = "notification_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE TABLE contacts (
      user_id uuid PRIMARY KEY,
      email text NOT NULL,
      display_name text NOT NULL
    );

    -- user_id is no foreign key: a message may be queued before its contact is known.
    CREATE TABLE notifications (
      id uuid PRIMARY KEY,
      user_id uuid NOT NULL,
      template text NOT NULL,
      occasion_id uuid NOT NULL,
      subject text NOT NULL,
      details jsonb NOT NULL,
      state text NOT NULL CHECK (state IN ('QUEUED', 'SENT', 'FAILED')),
      reason text NOT NULL DEFAULT '',
      create_time timestamptz NOT NULL,
      send_time timestamptz,
      -- The worker's: when to try next (null: not at all), how often it was tried, and a number that grows with every claim,
      -- so that a worker that was taken for dead writes nothing.
      next_try_at timestamptz DEFAULT clock_timestamp(),
      attempts integer NOT NULL DEFAULT 0,
      epoch bigint NOT NULL DEFAULT 0,
      UNIQUE (occasion_id, template),
      CHECK ((state = 'QUEUED') = (next_try_at IS NOT NULL)),
      CHECK ((state = 'SENT') = (send_time IS NOT NULL))
    ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
    CREATE INDEX ix_notifications_next_try_at ON notifications (next_try_at) WHERE next_try_at IS NOT NULL;
    CREATE INDEX ix_notifications_user_id ON notifications (user_id, id);
    """)

"""The channel of a message, versions of contacts, and preferences: the first of two steps, which only adds.

The key of a message becomes (occasion_id, template, channel). Code of 0001 inserts `ON CONFLICT (occasion_id, template)`, which
needs the old key, and sends every row by mail: so the old key stays until 0003, and until then nothing else than mail
is queued. The indexes are built beside the running service: a run that was cut short leaves an index that is not valid, which
the next run drops.
"""

from alembic import op

revision = "notification_0002"
down_revision = "notification_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    -- The default is for code of 0001, which knows no channel; a constant one rewrites no row.
    ALTER TABLE notifications ADD COLUMN IF NOT EXISTS channel text NOT NULL DEFAULT 'EMAIL';
    ALTER TABLE notifications DROP CONSTRAINT IF EXISTS notifications_channel_check;
    ALTER TABLE notifications ADD CONSTRAINT notifications_channel_check
      CHECK (channel IN ('EMAIL', 'SMS', 'PUSH')) NOT VALID;

    -- Counts the changes of the account that the user service tells of, so that an older event writes nothing over a newer.
    ALTER TABLE contacts ADD COLUMN IF NOT EXISTS version bigint NOT NULL DEFAULT 1;

    CREATE TABLE IF NOT EXISTS preferences (
      user_id uuid PRIMARY KEY,
      -- Kind of message to list of channels; a kind that is not named has its usual ones.
      choices jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(choices) = 'object'),
      phone_number text NOT NULL DEFAULT '',
      push_endpoint text NOT NULL DEFAULT ''
    );
    """)
    with op.get_context().autocommit_block():
        # Reads the table under a lock that lets everybody read and write.
        op.execute("ALTER TABLE notifications VALIDATE CONSTRAINT notifications_channel_check")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS uq_notifications_occasion")
        op.execute("""
        CREATE UNIQUE INDEX CONCURRENTLY uq_notifications_occasion ON notifications (occasion_id, template, channel)
        """)
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_notifications_due")
        op.execute("""
        CREATE INDEX CONCURRENTLY ix_notifications_due ON notifications (channel, next_try_at)
        WHERE next_try_at IS NOT NULL
        """)

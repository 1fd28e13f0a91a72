"""The channel becomes part of a message's key: the second of two steps, which takes away what code of before 0002 needs.

Run it when no process of a release before 0002 is left. Code of 0002 runs on beside it: its inserts name no key, it queues
nothing but mail, and its worker claims nothing else. From here on a message may be queued for each channel.
"""

from alembic import op

revision = "notification_0003"
down_revision = "notification_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE notifications DROP CONSTRAINT IF EXISTS notifications_occasion_id_template_key")
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_notifications_next_try_at")

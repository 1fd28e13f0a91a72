"""The key that signs the links by which mail is unsubscribed. It is made here, once, out of 244 bits of chance, and stays."""

from alembic import op

revision = "notification_0008"
down_revision = "notification_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE TABLE unsubscribe_key (
      -- There is one row.
      one boolean PRIMARY KEY DEFAULT true CHECK (one),
      secret bytea NOT NULL
    );
    INSERT INTO unsubscribe_key (secret) VALUES (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
    """)

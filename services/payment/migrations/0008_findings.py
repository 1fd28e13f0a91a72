"""What the provider's books and ours disagree about. Only adds: code of 0007 runs on beside it."""

from alembic import op

revision = "payment_0008"
down_revision = "payment_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE TABLE IF NOT EXISTS findings (
      kind text NOT NULL,
      reference text NOT NULL,
      order_id text NOT NULL,
      ours text NOT NULL,
      theirs text NOT NULL,
      first_time timestamptz NOT NULL,
      last_time timestamptz NOT NULL,
      PRIMARY KEY (kind, reference, order_id)
    );
    """)

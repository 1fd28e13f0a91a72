"""When somebody last looked at deadlines. Only adds: code of 0001 looks without saying so."""

from alembic import op

revision = "order_0002"
down_revision = "order_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    -- One row, written once a second by each timer: its page has room for the versions that the vacuum has not taken yet.
    CREATE TABLE timers (
      name text PRIMARY KEY,
      seen_at timestamptz NOT NULL
    ) WITH (fillfactor = 10);
    """)
